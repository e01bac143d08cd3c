// What one look at the world told, relative to the two credentials of a run: the pending one and the old one. No values, by type.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "reconcilers/rotation/facts.h"

namespace keyturn {

// What a versionless read of a vault returned. The two of "both" are documents of a shared key that accept both keys and send the one that
// they are named after. Earlier: an earlier choice of this very run, where a provider has made another value since.
enum class Published : std::uint8_t { Unknown, Pending, Old, OldOfBoth, PendingOfBoth, Earlier, Foreign, Refused };

struct VaultObservation {
  Published latest = Published::Unknown;
  VaultRefusal refusal = VaultRefusal::None;
  bool ahead_of_journal = false;  // what a later run published, or this one before its journal was restored from a backup
  bool foreign_owner = false;     // another store's keyturn-owner
};
inline constexpr int cannot_tell = -1;
struct DependentObservation {
  ProbeResult pending = ProbeResult::Unknown;
  ProbeResult old = ProbeResult::Unknown;
  int sessions_on_old = 0;      // before it goes; cannot_tell = somebody may be there
  int sessions_on_pending = 0;  // before that one goes, on the way back; the same
};
// What the provider holds, where it makes the values.
struct MintObservation {
  bool known = false;      // it was read back just now
  int idle = -1;           // Slots: the slot that does not hold what is published. Shift: 0 while what is published is current. Else -1
  bool unchanged = false;  // what is to be regenerated still holds what it held before
};
// Against what the consumer should load in this phase, see wanted_in().
struct ConsumerObservation {
  ConsumerState state = ConsumerState::Unknown;
  bool begun = false;    // converge was called for this target before
  bool act_due = false;  // converge has something to do now
  bool healthy_baseline = true;
  std::optional<Instant> proven_since;
  std::optional<Instant> restart_again_at;  // it was restarted as often as its environment allows: when it may be again
  std::string_view refusal;                 // a reason of api/reasons.h
};

struct Observation {
  bool authorised = true;  // the live binding still gives every target to the namespace (I12)
  bool approved = true;    // not a protected environment, or the plan's hash was approved
  bool suspended = false;
  std::optional<Instant> frozen_until;  // when the freeze is over that holds now
  bool deleted = false;                 // the SecretRotation has a deletionTimestamp
  bool go_back = false;                 // the wanted state is the old credential again
  bool superseded = false;              // the wanted state is a third one
  bool quiet = false;                   // nothing sent before this ownership, and nothing without a definite reply, can still land
  std::optional<Instant> quiet_at;      // about when it will be
  bool staged = false;                  // the staging vault holds a version of this run; of what the provider holds, where that makes it
  bool value_lost = false;              // the pinned version cannot be read and never will be
  VaultRefusal pending_refusal = VaultRefusal::None;  // why the pinned version may not be read, where it is needed
  VaultRefusal old_refusal = VaultRefusal::None;      // the same for the version that was published before
  bool idle_in_use = false;                           // alternating: somebody is logged in with the principal that is to be set
  MintObservation mint;
  std::vector<VaultObservation> vaults;
  std::vector<DependentObservation> dependents;
  std::vector<ConsumerObservation> consumers;
};

}  // namespace keyturn
