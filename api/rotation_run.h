// RotationRun: the journal of one rotation or rollback, then its evidence record. Written by the controller alone, only by
// compare-and-swap. Never a value, never an unkeyed hash of one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "api/secret_rotation.h"

namespace keyturn::api {

inline constexpr int protocol_version = 1;

// Back: the pending value is a retained earlier one. Repair: it is the one in force, put back where somebody changed it by hand.
enum class Direction : std::uint8_t { Forward, Back, Repair };

// protocol.md 7. `Minting` is passed only where the provider makes the value: it is asked for one, and what it made is staged.
// `Withdrawing` is the second, journalled half of going back where two credentials can live: the old one is published and used again, the
// pending one is being removed.
enum class Phase : std::uint8_t {
  Admitted,
  Staging,
  Minting,
  Pinned,
  Switching,
  Publishing,
  Rolling,
  Verifying,
  Retiring,  // the point of no return
  Succeeded,
  RollingBack,
  Withdrawing,
  RolledBack,
  Abandoned,  // ended before anything outside was touched
};
constexpr bool is_terminal(Phase phase) { return phase == Phase::Succeeded || phase == Phase::RolledBack || phase == Phase::Abandoned; }

// How the dependents of a run hold credentials; frozen at admission.
enum class Protocol : std::uint8_t {
  Single,       // (a) one live credential: set replaces it
  Dual,         // (b) two live values of one principal: add, later remove by value
  Alternating,  // (b) two principals, one live value each: set the idle one, later scramble the other
  Slots,        // (c) the provider makes the values of two slots, both valid: regenerate the idle one
  Shift,        // (c) the provider makes the value: the new one becomes current, the current one stays valid for a while as "previous"
  SharedKey,    // (d) no dependent: every service sends a key and accepts a set of keys
};

enum class TargetKind : std::uint8_t { Vault, Dependent, Consumer };

// One cell of the per-target vector.
struct RunTarget {
  TargetKind kind = TargetKind::Vault;
  std::string name;
  std::string state;     // Pending | Intended | Done | Withdrawn | Failed
  EpochId intent_epoch;  // who last intended an effect on it
  VersionId version_seen;
  int attempts = 0;
  std::string mark;        // a consumer's convergence mark: opaque to all but its adapter
  std::string last_error;  // an Errc's name
  std::optional<Instant> changed_at;
  std::vector<Instant> restarts;  // of a consumer: when Keyturn began to restart it, as far as the environment's budget counts it
  bool operator==(const RunTarget&) const = default;
};

// One observation that proves a step.
struct Evidence {
  Instant at{};
  std::string step;
  std::string target;
  std::string what;  // short, stable: "fresh login accepted", "versionless read returns the pinned value"
  bool operator==(const Evidence&) const = default;
};

struct RotationRunSpec {
  ObjectKey rotation;
  Uid rotation_uid;
  std::string identity;  // of the dependents' credential that this run may change: one unfinished run per identity (I10)
  Direction direction = Direction::Forward;
  std::int64_t generation = 1;  // monotone per identity
  CredentialName credential;    // what it brings in
  CredentialName old_credential;
  bool bootstrap = false;   // nothing was published before: old_credential is empty
  VersionId reuse_version;  // Back: the vault version that holds the earlier value
  Reason reason = Reason::Routine;
  std::string incident;
  std::string actor;
  Protocol protocol = Protocol::Single;
  std::string pending_principal;  // one principal: the same as old_principal
  std::string old_principal;
  SecretRotationSpec frozen;  // edits of the object mid-run do not reach this run
  std::int64_t frozen_generation = 0;
  std::string plan_hash;
  int protocol_version = api::protocol_version;
  bool operator==(const RotationRunSpec&) const = default;
};

struct RotationRunStatus {
  EpochId owner_epoch;
  Phase phase = Phase::Admitted;
  std::string blocked;  // a reason of api/reasons.h; empty = not blocked. The phase stays as it was
  std::string blocked_message;
  VersionId staged_version;     // the pinned choice, in the staging vault; empty until Pinned
  std::optional<int> slot;      // Slots: which one this run regenerates; none until Minting
  VersionId slot_before;        // Slots: the staged copy of what that slot held before
  VersionId old_version;        // what a versionless read returned at admission
  VersionId published_version;  // of the first vault
  std::vector<RunTarget> targets;
  std::vector<Evidence> evidence;
  std::optional<Instant> started_at;
  std::optional<Instant> phase_since;   // moved on by the time in which the run was parked
  std::optional<Instant> parked_since;  // while it rests by somebody's wish, not for lack of progress
  std::optional<Instant> soak_since;
  std::optional<Instant> quiet_not_before;  // for people; the decision uses boot time
  std::optional<Instant> finished_at;
  std::string failure;        // why the direction changed: a reason
  std::string previous_hash;  // of the record before it
  std::string record_hash;    // of this one, set when finished
  bool operator==(const RotationRunStatus&) const = default;
};

struct RotationRun {
  static constexpr std::string_view kind = "RotationRun";
  static constexpr std::string_view plural = "rotationruns";
  ObjectMeta meta;
  RotationRunSpec spec;
  RotationRunStatus status;
};

}  // namespace keyturn::api
