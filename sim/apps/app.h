// One simulated container app: its resource, its revisions and replicas, and the platform's own behaviour over time.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "sim/agenda.h"
#include "sim/apps/app_secrets.h"
#include "sim/apps/health_rules.h"
#include "sim/apps/platform_timing.h"
#include "sim/apps/reference_source.h"
#include "sim/apps/revision.h"

namespace keyturn::sim {

// How a client can follow a write that takes time.
enum class OperationStyle { Location, AzureAsyncOperation, Both, None };

struct AppSettings {
  std::string subscription;
  std::string group;
  std::string name;
  std::string location = "westeurope";
  int replicas = 1;
  std::optional<Duration> sync_phase;  // simulated, from the seed to the first periodic sync; default: one period
  OperationStyle style = OperationStyle::Location;
  bool identical_patch_syncs = true;      // nobody has a log that proves it for a byte-identical body
  bool patch_restarts_on_change = false;  // seen once at Azure, with createdTime before the record of the sync
  Duration ready_lag{0};                  // simulated: latestReadyRevisionName follows late
  std::string operation_host;             // where operation URLs point to, for clients that must refuse it; empty = here
  std::size_t operation_padding = 0;      // operation URLs may be 4 kB long
};

struct Operation {
  enum class Status { InProgress, Succeeded, Failed };
  std::string id;
  Instant started{};
  Status status = Status::InProgress;
  std::string error_code;
  std::string error_message;
};

class App {
 public:
  static constexpr std::size_t operations_kept_max = 100;
  static constexpr std::size_t records_kept_max = 200;
  static constexpr std::size_t revision_name_bytes_max = 63;

  struct World {
    Agenda& agenda;
    Random& random;
    ReferenceSource& references;
    PlatformTiming timing;
  };

  // Starts settled: values synchronised, one revision, its replicas ready. References that cannot be read leave a failed record.
  App(World world, AppSettings settings, boost::json::object properties, AppSecrets::Draft secrets, Instant now);
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // A merge patch of the resource; it may live in the arena. Returns the operation's id.
  // Refusals: 400 (the patch, a reference that cannot be read), 409 while another operation runs.
  Answer<std::string> patch(const boost::json::value& patch, Instant now);
  Answer<std::string> set_running(bool running, Instant now);

  // Answers at once and acts later; the replicas get the values synchronised last. Never reads a vault. Refusal: 404.
  Answer<> restart(std::string_view revision, Instant now);
  Answer<> set_active(std::string_view revision, bool active, Instant now);

  // The platform's periodic sync, now.
  void sync_periodically(Instant now);
  void scale(int replicas, Instant now);
  // A request reached the app: one that is scaled to zero starts a replica.
  void wake(Instant now);

  // Refusal: 404 when the rule names a secret the app does not have.
  Answer<> add_health_rule(HealthRule rule, Instant now);
  void clear_health_rules(Instant now);
  bool healthy() const;

  // --- what is, for those that show it ---
  const AppSettings& settings() const noexcept { return settings_; }
  std::string id() const;
  const boost::json::object& properties() const noexcept { return properties_; }
  const boost::json::object& shown_template() const noexcept { return applied_template_; }
  const AppSecrets& secrets() const noexcept { return secrets_; }
  const std::list<Revision>& revisions() const noexcept { return revisions_; }
  const Revision* revision(std::string_view name) const;
  const Operation* operation(std::string_view id) const;
  const std::deque<SyncRecord>& sync_records() const noexcept { return records_; }
  const std::string& latest_revision() const noexcept { return latest_revision_; }
  const std::string& latest_ready_revision() const noexcept { return latest_ready_revision_; }
  const std::string& provisioning_state() const noexcept { return provisioning_state_; }
  const std::string& deployment_errors() const noexcept { return deployment_errors_; }
  bool running() const noexcept { return running_; }
  bool multiple_revisions() const;
  bool ready(const Replica& replica) const { return replica.started && !replica.crashing_since; }
  int restart_count(const Replica& replica, Instant now) const;
  std::size_t health_rules() const noexcept { return health_rules_.size(); }

  // What ARM shows instead of the truth, by "revision.runningState" and the like: enums are open.
  void override_states(std::map<std::string, std::string> states) { states_ = std::move(states); }
  std::string shown_state(std::string_view field, std::string_view real) const;

 private:
  struct Write;
  Answer<Write> read_write(const boost::json::value& patch) const;
  std::string begin_operation(Instant now);
  Operation* current_operation();
  void sync_for_operation(Instant at);
  void finish_operation(Instant at);
  void end_operation(Operation::Status status, std::string code, std::string message);
  std::string apply_template(Instant at);  // the reason why not, or empty
  void schedule_sync(Instant at);
  void record_sync(std::vector<SyncRecord> records);
  Revision& create_revision(const std::string& suffix, Instant at);
  void create_replicas(Revision& revision, int count, Instant at);
  void replica_starts(const std::string& revision, const std::string& replica, Instant at);
  void recreate_replicas(const std::string& revision, Instant at);
  void remove_replica(const std::string& revision, const std::string& replica);
  void revision_gets_ready(Revision& revision, Instant at);
  void deactivate(Revision& revision, Instant at);
  void settle_readiness(Instant at);
  Revision* find_revision(std::string_view name);

  World world_;
  AppSettings settings_;
  boost::json::object properties_;        // of the resource, without secrets and template
  boost::json::object desired_template_;  // what was asked for; a failed one stays and is tried again by every write
  boost::json::object applied_template_;
  AppSecrets secrets_;
  HealthRules health_rules_;
  std::list<Revision> revisions_;
  std::set<std::string> used_revisions_;  // a suffix is spent for ever
  std::deque<Operation> operations_;
  std::deque<SyncRecord> records_;
  std::map<std::string, std::string> states_;
  std::string latest_revision_;
  std::string latest_ready_revision_;
  std::string provisioning_state_ = "Succeeded";
  std::string deployment_errors_;
  bool running_ = true;
  bool sync_with_operation_ = true;
  int replicas_;
};

}  // namespace keyturn::sim
