// What the controller's own API can be asked. Plain values that mirror rotation.proto, so that neither the gRPC service nor the HTTP
// gateway knows where objects live or how a plan is made. Everything here reads; nothing writes. No value of a secret is in any of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/id.h"
#include "base/task.h"

namespace keyturn {

struct ConditionView {
  std::string type;
  std::string status;  // "True", "False", "Unknown"
  std::string reason;
  std::string message;
  std::optional<Instant> last_transition;
};
struct CredentialView {
  std::string name;  // "2026-q4.1"
  std::string revision;
  int serial = 0;
  std::string vault_version;
  std::string state;
  std::optional<Instant> issued_at;
  std::optional<Instant> activated_at;
};
struct ConsumerView {
  std::string name;
  std::string using_credential;  // empty = not known
  std::string state;
  std::string evidence;
};
struct RecordHeadView {
  std::int64_t sealed = 0;  // how many records there are
  std::string hash;         // of the last one
};
struct RotationView {
  ObjectKey key;
  std::int64_t generation = 0;
  std::string environment;
  std::string secret;
  std::string wanted_revision;
  bool suspended = false;
  std::optional<CredentialView> current;
  std::optional<CredentialView> candidate;
  std::optional<CredentialView> previous;
  std::vector<ConsumerView> consumers;
  std::vector<ConditionView> conditions;
  std::string run;   // name of the run under way
  std::string step;  // its phase
  std::optional<Instant> next_rotation;
  std::string resource_version;
  std::optional<Instant> created;
  std::optional<RecordHeadView> record;
};
struct RotationList {
  std::vector<RotationView> rotations;  // by namespace, then name
  std::string resource_version;
};

struct EvidenceView {
  Instant at{};
  std::string step;
  std::string target;
  std::string what;
};
struct RunView {
  std::string name;
  std::int64_t generation = 0;
  std::string direction;
  std::string credential;
  std::string old_credential;
  std::string reason;
  std::string incident;
  std::string actor;
  std::string phase;
  std::string blocked;
  std::optional<Instant> started_at;
  std::optional<Instant> finished_at;
  std::vector<EvidenceView> evidence;
  std::string failure;
  std::string previous_hash;
  std::string record_hash;
};

struct FindingView {
  std::string kind;  // Edited, Removed, Reordered, Inserted, Truncated, Forked, Unsealed
  std::string run;   // empty = at the end of the chain
  std::string message;
};
struct VerificationView {
  ObjectKey key;
  std::int64_t records = 0;
  std::string head;  // hash of the newest record
  std::optional<RecordHeadView> noted;
  std::vector<FindingView> findings;  // none = intact
};

struct PlannedStepView {
  std::string phase;
  std::string action;
  std::string target;
  std::string description;
};
struct HazardView {
  std::string severity;  // Info, Warning, Blocking
  std::string reason;
  std::string target;
  std::string message;
};
struct PlanView {
  std::string decision;  // Keep, Activate, Mint, Hold, Refuse
  std::string reason;
  std::string credential;  // what would be current afterwards
  std::vector<PlannedStepView> steps;
  std::vector<HazardView> hazards;
  std::string hash;  // binds an approval
  Duration unsafe_window{};
};

enum class RotationChange : std::uint8_t { Added, Modified, Deleted };
struct RotationEventView {
  RotationChange change = RotationChange::Added;
  RotationView rotation;  // for Deleted: its last state
};

// A running subscription, pulled by its reader: first an Added per rotation there is, then each change in order. What waits to be read
// is bounded; a reader that is too slow finds the feed ended and starts over. Control thread only; destroying it unsubscribes.
class RotationFeed {
 public:
  static constexpr std::size_t changes_max = 1024;  // waiting at once, the first state not counted

  virtual ~RotationFeed() = default;
  virtual std::optional<RotationEventView> next() = 0;  // nothing = none is waiting now
  // Nothing while the feed lives, or still has something to read; then why it ended: Throttled (reader too slow), Unavailable.
  virtual std::optional<Error> ended() const = 0;
  // `wake` is called, never from inside a call of the reader's, whenever `next` or `ended` may have something new.
  virtual void on_ready(std::function<void()> wake) = 0;
};

class RotationQueries {
 public:
  virtual ~RotationQueries() = default;
  // An empty namespace means all. Errors of every query: Unavailable, Internal; with a key also NotFound.
  virtual Task<RotationList> list(Context context, std::string ns) = 0;
  virtual Task<RotationView> get(Context context, ObjectKey key) = 0;
  // Newest first, at most `limit` (0 = all). A rotation that exists and never ran has none.
  virtual Task<std::vector<RunView>> history(Context context, ObjectKey key, int limit) = 0;
  // What the controller would do now. Observes the outside systems perhaps; changes nothing.
  // `revision`: as if the spec named it; empty = as the spec is.
  virtual Task<PlanView> plan(Context context, ObjectKey key, std::string revision) = 0;
  // Whether the records of finished runs are as they were written. `anchor`: the hash of a record that was kept elsewhere; empty = none.
  virtual Task<VerificationView> verify(Context context, ObjectKey key, std::string anchor) = 0;
  virtual Task<std::unique_ptr<RotationFeed>> subscribe(Context context, std::string ns) = 0;
};

}  // namespace keyturn
