// From the journal to the ledger: what became of each generation of one rotation's credential. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/rotation_run.h"
#include "reconcilers/rotation/intent.h"

namespace keyturn {

// The runs of one rotation, oldest first.
std::vector<api::RotationRun> runs_of(const ObjectKey& rotation, const std::vector<api::RotationRun>& all);

// Whether a run matters to a rotation of `identity` that is about to begin one: it is the rotation's own, it is under way, or it counts for
// the generations of the same credential.
bool matters_to(const ObjectKey& rotation, const std::string& identity, const api::RotationRun& run);

// `status_floor` is status.issuedNotBefore; `revision` the wanted one, for counting failed attempts.
Ledger ledger_of(const std::vector<api::RotationRun>& runs, std::string_view revision, std::optional<Instant> status_floor,
                 std::optional<Instant> spec_floor);

// The last run that left a credential in force, and which principal holds it; null when there is none.
const api::RotationRun* run_in_force(const std::vector<api::RotationRun>& runs);
std::string principal_in_force(const api::RotationRun& run);
CredentialName credential_in_force(const api::RotationRun& run);

// The unfinished run, if any; at most one (I10).
const api::RotationRun* unfinished(const std::vector<api::RotationRun>& runs);

}  // namespace keyturn
