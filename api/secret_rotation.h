// SecretRotation: which generation of one secret must be in use. Written by a team; the controller writes only `status`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace keyturn::api {

enum class Reason : std::uint8_t { Routine, SuspectedCompromise, ConfirmedCompromise, Offboarding, Drill };
enum class SecretClass : std::uint8_t { Credential, SharedKey, Reminder, EncryptionKey };    // the last is refused, with an explanation
enum class FormatType : std::uint8_t { Opaque, AdoNetConnectionString, Url, Json, KeySet };  // the last for shared keys alone
enum class GeneratorType : std::uint8_t { Password, Hex, Uuid, Base64, ProviderMinted };
enum class ReloadMode : std::uint8_t { Restart, Poll };
enum class StrategyType : std::uint8_t { Auto, DualCredential, InPlace };
enum class OnFailure : std::uint8_t { Rollback, Hold };
enum class DriftPolicy : std::uint8_t { Report, Enforce };
enum class SharedKeyMode : std::uint8_t { AcceptSet, AcknowledgedWindow };
enum class DeletionPolicy : std::uint8_t { Retain, Revoke };
enum class Weekday : std::uint8_t { Mon, Tue, Wed, Thu, Fri, Sat, Sun };

struct ScheduleWindow {
  std::vector<Weekday> days;  // empty = every day
  std::string start;          // "02:00"
  Duration duration{};
  std::string time_zone = "UTC";  // IANA name
  bool operator==(const ScheduleWindow&) const = default;
};
struct Schedule {
  Duration every{};  // counted from the last proven success
  std::vector<ScheduleWindow> windows;
  bool operator==(const Schedule&) const = default;
};
struct SecretFormat {
  FormatType type = FormatType::Opaque;
  std::string password_field;  // AdoNet: key ("Password"); Json: pointer ("/password"); Url: unused (userinfo)
  std::string user_field;      // likewise; needed when two principals alternate
  bool operator==(const SecretFormat&) const = default;
};
struct SecretRef {
  std::vector<std::string> vaults;  // names declared in the environment
  std::string name;                 // [0-9A-Za-z-]{1,127}
  SecretFormat format;
  bool operator==(const SecretRef&) const = default;
};
struct Generator {
  GeneratorType type = GeneratorType::Password;
  int length = 32;  // characters for Password, bytes for Hex and Base64
  bool operator==(const Generator&) const = default;
};
struct DependentRef {
  std::string system;
  std::vector<std::string> principals;  // two: they alternate; one: in place, or two live values where the system can hold them
  bool operator==(const DependentRef&) const = default;
};
struct ConsumerRef {
  std::string name;
  std::string vault;  // which of secret.vaults it reads; empty = the first
  ReloadMode reload = ReloadMode::Restart;
  bool operator==(const ConsumerRef&) const = default;
};
struct Waves {
  int max_unavailable = 1;
  std::vector<std::string> canary;
  Duration bake{};
  bool operator==(const Waves&) const = default;
};
struct Strategy {
  StrategyType type = StrategyType::Auto;
  bool acknowledge_outage = false;
  Duration overlap = std::chrono::hours(24);
  Waves waves;
  int min_replicas = 2;
  Duration progress_deadline = std::chrono::hours(1);
  OnFailure on_failure = OnFailure::Rollback;
  DriftPolicy drift_policy = DriftPolicy::Report;
  bool revoke_old = false;
  SharedKeyMode shared_key = SharedKeyMode::AcceptSet;
  Duration rollback_hold = std::chrono::hours(24);
  bool operator==(const Strategy&) const = default;
};

struct SecretRotationSpec {
  std::string environment;  // environmentRef.name
  std::string revision;
  Reason reason = Reason::Routine;
  std::string incident;
  std::optional<Schedule> schedule;
  std::optional<int> pin_serial;
  std::optional<Instant> issued_not_before;
  std::string approved_plan;
  bool suspend = false;
  SecretClass secret_class = SecretClass::Credential;
  SecretRef secret;
  Generator generator;
  std::vector<DependentRef> dependents;
  std::vector<ConsumerRef> consumers;
  Strategy strategy;
  int history_keep = 5;
  DeletionPolicy deletion_policy = DeletionPolicy::Retain;
  bool operator==(const SecretRotationSpec&) const = default;
};

// What became of one generation of the credential.
enum class CredentialState : std::uint8_t {
  Candidate,  // a run is bringing it in
  Current,    // published and proven
  Previous,   // still accepted, for `overlap`
  Retired,    // no longer accepted; its value is retained and can be brought back by a run
  Revoked,    // compromised or below the floor: never comes back
  Rejected,   // a run tried it and went back
};

struct CredentialStatus {
  CredentialName name;
  VersionId version;  // in the vault; of the staged value while a candidate
  CredentialState state = CredentialState::Candidate;
  std::optional<Instant> issued_at;
  std::optional<Instant> activated_at;
  std::string step;  // of a candidate: the phase of its run
  bool operator==(const CredentialStatus&) const = default;
};
struct ConsumerStatus {
  std::string name;
  std::string using_credential;  // "2026-q4.1", empty = not known
  std::string state;             // Pending | Syncing | Restarting | Verified | Unhealthy | Unknown
  std::string evidence;
  bool operator==(const ConsumerStatus&) const = default;
};
struct DependentStatus {
  std::string name;
  std::vector<std::string> accepts;  // names of credentials last seen to log in
  std::optional<Instant> verified_at;
  bool operator==(const DependentStatus&) const = default;
};
struct PlanStatus {
  std::string hash;  // "sha256:..."
  std::string next_step;
  int hazards = 0;
  bool operator==(const PlanStatus&) const = default;
};

// The end of the chain of records (api/record_chain.h) as it is noted outside of the journal.
struct RecordHead {
  std::int64_t sealed = 0;  // how many records there are
  std::string hash;         // of the last one: "sha256:..."
  bool operator==(const RecordHead&) const = default;
};

struct SecretRotationStatus {
  std::int64_t observed_generation = -1;
  std::optional<CredentialStatus> current;
  std::optional<CredentialStatus> candidate;
  std::optional<CredentialStatus> previous;
  std::vector<CredentialStatus> history;  // newest first, at most history.keep
  std::vector<ConsumerStatus> consumers;
  std::vector<DependentStatus> dependents;
  std::optional<PlanStatus> plan;
  std::string run;  // name of the active RotationRun
  std::optional<RecordHead> record;
  std::optional<Instant> next_rotation;
  std::optional<Instant> issued_not_before;  // never moves back
  std::string last_handled_reconcile_at;
  std::vector<Condition> conditions;
  bool operator==(const SecretRotationStatus&) const = default;
};

struct SecretRotation {
  static constexpr std::string_view kind = "SecretRotation";
  static constexpr std::string_view plural = "secretrotations";
  ObjectMeta meta;
  SecretRotationSpec spec;
  SecretRotationStatus status;
};

}  // namespace keyturn::api
