// How a run begins: what it freezes. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "api/rotation_run.h"
#include "reconcilers/rotation/facts.h"
#include "reconcilers/rotation/hazards.h"
#include "reconcilers/rotation/intent.h"

namespace keyturn {

// Which credential a run may change: two runs that share one may not be unfinished at once (I10). The name of a run is made from it and
// its generation, so that a second creator loses on the name, in whichever namespace its rotation lives.
std::string identity_of(const api::SecretRotationSpec& spec);
std::string run_name(const std::string& identity, std::int64_t generation);

// An unfinished run of another rotation that touches a principal or a secret that `spec` touches too; null = none.
const api::RotationRun* in_use_by(const api::SecretRotationSpec& spec, const ObjectKey& rotation, const std::vector<api::RotationRun>& all);

// Whether two rotations would change the same principal of a system, or the same secret.
bool overlap(const api::SecretRotationSpec& a, const api::SecretRotationSpec& b);

// The run that brought in what is in force of the credential or the secret of `spec`, when it is another rotation's; null = it is not.
const api::RotationRun* brought_in_by_another(const api::SecretRotationSpec& spec, const ObjectKey& rotation,
                                              const std::vector<api::RotationRun>& all);

// Whether a run matters to a rotation that is about to begin one: it is the rotation's own, it is under way, or its generation counts.
bool matters_to(const ObjectKey& rotation, const api::SecretRotationSpec& spec, const api::RotationRun& run);

// One more than every generation known for the identity or for the secret: also where the dependents were changed meanwhile, what is
// published next is newer than what is published now.
std::int64_t next_generation(const api::SecretRotationSpec& spec, const std::vector<api::RotationRun>& all);

// True when `tags`, found on what a vault returns, are of a run of this installation whose publication `runs` do not know: the journal is
// a restored backup, or runs were removed from it.
bool ahead_of_journal(const VersionTags& tags, const std::string& owner, const api::SecretRotationSpec& spec,
                      const std::vector<api::RotationRun>& runs);

// False when the run certainly published nothing, in no vault.
bool may_have_published(const api::RotationRun& run);

// The run that carries out `decision` (Mint, Activate or Repair). `runs` are the rotation's own, oldest first, the last of them terminal;
// `latest` is what a versionless read of the first vault returns now. Canaries are moved to the front of the consumers.
api::RotationRun admit(const api::SecretRotation& rotation, const Decision& decision, const std::vector<api::RotationRun>& runs,
                       const std::vector<api::RotationRun>& all, const EnvironmentView& view, const VersionId& latest, Instant now);

// Makes of an admitted run one that brings in the first credential: nothing was published before, so there is none to replace or to keep.
void begin_with_nothing(api::RotationRunSpec& run);

// The record of an adoption: what was published before Keyturn came is generation 1, in force, and nothing was touched. `latest` is what
// each vault returns, in the order of the spec.
api::RotationRun adopt(const api::SecretRotation& rotation, const CredentialName& name, const std::string& principal,
                       const std::vector<VersionId>& latest, std::int64_t generation, const EnvironmentView& view, Instant now);

// Of two alternating principals the one that is not `current`.
std::string idle_principal(const api::SecretRotationSpec& spec, const std::string& current);

}  // namespace keyturn
