// From the journal to the ledger: what became of each generation of one rotation's credential. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/rotation_run.h"
#include "reconcilers/rotation/facts.h"
#include "reconcilers/rotation/intent.h"

namespace keyturn {

// The runs of one rotation, oldest first.
std::vector<api::RotationRun> runs_of(const ObjectKey& rotation, const std::vector<api::RotationRun>& all);

// `status_floor` is status.issuedNotBefore; `revision` the wanted one, for counting failed attempts.
Ledger ledger_of(const std::vector<api::RotationRun>& runs, std::string_view revision, std::optional<Instant> status_floor,
                 std::optional<Instant> spec_floor);

// ---- what the journal has lost, from the vault's tags -------------------------------------------------------------------------

// What the tags of a secret's published versions tell of its earlier generations.
struct Recollection {
  std::vector<LedgerEntry> entries;  // of the versions that this installation published; all Retired until they meet a ledger
  std::optional<Instant> floor;      // what was issued earlier is compromised
};
// `owner` is this installation's name; others' versions and untagged ones tell nothing. Versions may be in any order. Of several versions
// with one name any carries its password: an enabled one is taken before a disabled one. Issued = when the oldest of them was created.
Recollection recollect(const std::vector<VaultVersion>& versions, std::string_view owner);

// True when there were runs before the first of these, as after the loss of the store.
bool earlier_runs_unknown(const std::vector<api::RotationRun>& runs);

// Adds what the ledger does not know. A serial above the current one's in the current revision was rejected before: it is not tried
// again. What was issued before the floor never comes back.
void recall(Ledger& ledger, const Recollection& recollection);

// The last run that left a credential in force, and which principal holds it; null when there is none.
const api::RotationRun* run_in_force(const std::vector<api::RotationRun>& runs);
std::string principal_in_force(const api::RotationRun& run);
CredentialName credential_in_force(const api::RotationRun& run);

// The unfinished run, if any; at most one (I10).
const api::RotationRun* unfinished(const std::vector<api::RotationRun>& runs);

}  // namespace keyturn
