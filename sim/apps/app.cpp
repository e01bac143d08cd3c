#include "sim/apps/app.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "sim/apps/merge_patch.h"
#include "sim/json_text.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

// A write that was understood and may be carried out.
struct App::Write {
  json::object properties;
  json::object template_;
  std::optional<AppSecrets::Draft> secrets;
  bool identical = false;
};

namespace {

Refusal invalid_content(std::string message) { return {400, "InvalidRequestContent", std::move(message)}; }
Refusal no_revision() { return {404, "RevisionNotFound", "Revision was not found."}; }
Refusal busy() {
  return {409, "ContainerAppOperationInProgress",
          "Cannot modify a container app because there is an active provisioning operation in progress."};
}

const json::object* object_at(const json::value& value, std::initializer_list<std::string_view> path) {
  const json::value* at = &value;
  for (const std::string_view name : path) {
    at = at->is_object() ? at->get_object().if_contains(name) : nullptr;
    if (!at) return nullptr;
  }
  return at->is_object() ? &at->get_object() : nullptr;
}

// Copies to ordinary memory everything but the members named, which stay in the arena.
json::object copy_without(const json::object& from, std::initializer_list<std::string_view> left_out) {
  json::object out;
  for (const auto& [name, value] : from) {
    if (std::ranges::find(left_out, std::string_view(name)) == left_out.end()) out.emplace(name, json::value(value, json::storage_ptr{}));
  }
  return out;
}

// The patch of `properties` in ordinary memory: without the secrets and without what only the platform writes.
json::object plain_properties(const json::object& properties) {
  json::object out = copy_without(properties, {"configuration", "template", "provisioningState", "runningStatus", "latestRevisionName",
                                               "latestReadyRevisionName", "deploymentErrors"});
  const json::value* configuration = properties.if_contains("configuration");
  if (configuration && configuration->is_object()) out["configuration"] = copy_without(configuration->get_object(), {"secrets"});
  return out;
}

template <class Visit>
void for_each_env(const json::object& template_, Visit visit) {
  for (const std::string_view group : {"containers", "initContainers"}) {
    const json::value* containers = template_.if_contains(group);
    if (!containers || !containers->is_array()) continue;
    for (const json::value& container : containers->get_array()) {
      const json::value* env = container.is_object() ? container.get_object().if_contains("env") : nullptr;
      if (!env || !env->is_array()) continue;
      for (const json::value& variable : env->get_array()) {
        if (variable.is_object()) visit(variable.get_object());
      }
    }
  }
}

std::string secret_ref(const json::object& variable) { return text_member(variable, "secretRef"); }

Answer<> check_template(const json::object& template_, const auto& has_secret) {
  Answer<> verdict;
  for_each_env(template_, [&](const json::object& variable) {
    const std::string ref = secret_ref(variable);
    if (ref.empty()) return;
    if (variable.contains("value"))
      verdict = Refusal{400, "ContainerAppInvalidEnvVar", "An environment variable has both a value and a secretRef."};
    if (!has_secret(ref))
      verdict = Refusal{400, "ContainerAppSecretRefNotFound", "SecretRef '" + ref + "' defined for a container was not found."};
  });
  return verdict;
}

bool uses_any(const json::object& template_, const std::set<std::string>& secrets) {
  bool uses = false;
  for_each_env(template_, [&](const json::object& variable) { uses = uses || secrets.contains(secret_ref(variable)); });
  return uses;
}

std::string suffix_of(const json::object& template_) { return text_member(template_, "revisionSuffix"); }

bool suffix_allowed(std::string_view suffix) {
  return std::ranges::all_of(suffix, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace

App::App(World world, AppSettings settings, json::object properties, AppSecrets::Draft secrets, Instant now)
    : world_(world), settings_(std::move(settings)), secrets_(settings_.name, world.random.hex(32)), replicas_(settings_.replicas) {
  if (const json::value* given = properties.if_contains("template"); given && given->is_object()) desired_template_ = given->get_object();
  properties_ = plain_properties(properties);
  secrets_.adopt(std::move(secrets));
  std::vector<SyncRecord> records;
  secrets_.sync(world_.references, now, records);
  record_sync(std::move(records));

  // The world begins settled: the first replicas started one start time ago.
  apply_template(now - world_.timing.replica_start);
  for (Replica& replica : revisions_.front().replicas) replica.started = true;
  revision_gets_ready(revisions_.front(), now);
  const Duration phase = settings_.sync_phase ? world_.timing.scaled(*settings_.sync_phase) : world_.timing.sync_period;
  schedule_sync(now + phase);
}

std::string App::id() const {
  return "/subscriptions/" + settings_.subscription + "/resourceGroups/" + settings_.group + "/providers/Microsoft.App/containerApps/" +
         settings_.name;
}

bool App::multiple_revisions() const {
  const json::value* configuration = properties_.if_contains("configuration");
  const json::value* mode =
      configuration && configuration->is_object() ? configuration->get_object().if_contains("activeRevisionsMode") : nullptr;
  return mode && mode->is_string() && same_word(mode->get_string(), "Multiple");
}

std::string App::shown_state(std::string_view field, std::string_view real) const {
  const auto found = states_.find(std::string(field));
  return found == states_.end() ? std::string(real) : found->second;
}

const Revision* App::revision(std::string_view name) const {
  const auto found = std::ranges::find_if(revisions_, [&](const Revision& revision) { return same_word(revision.name, name); });
  return found == revisions_.end() ? nullptr : &*found;
}

Revision* App::find_revision(std::string_view name) { return const_cast<Revision*>(std::as_const(*this).revision(name)); }

const Operation* App::operation(std::string_view id) const {
  const auto found = std::ranges::find_if(operations_, [&](const Operation& operation) { return operation.id == id; });
  return found == operations_.end() ? nullptr : &*found;
}

// --- writes ---------------------------------------------------------------------------------------------------------------------

Answer<App::Write> App::read_write(const json::value& patch) const {
  const json::object* sent = object_at(patch, {"properties"});
  if (!patch.is_object() || (!sent && patch.get_object().contains("properties")))
    return invalid_content("The request content was invalid.");
  json::value properties(properties_);
  json::value template_(desired_template_);
  Write write;
  if (sent) {
    apply_merge_patch(properties, plain_properties(*sent));
    if (const json::value* given = sent->if_contains("template")) apply_merge_patch(template_, *given);
    const json::object* configuration = object_at(patch, {"properties", "configuration"});
    const json::value* secrets = configuration ? configuration->if_contains("secrets") : nullptr;
    if (secrets) {
      auto draft = AppSecrets::read(*secrets);
      if (!draft) return draft.error();
      write.secrets = std::move(*draft);
    }
  }
  if (!properties.is_object() || !template_.is_object()) return invalid_content("The request content was invalid.");
  write.properties = std::move(properties.get_object());
  write.template_ = std::move(template_.get_object());
  write.identical =
      write.properties == properties_ && write.template_ == desired_template_ && (!write.secrets || secrets_.same_as(*write.secrets));
  return write;
}

Answer<std::string> App::patch(const json::value& patch, Instant now) {
  if (current_operation()) return busy();
  auto write = read_write(patch);
  if (!write) return write.error();
  const auto& entries = write->secrets ? write->secrets->entries : secrets_.entries();
  const auto has_secret = [&](const std::string& name) {
    return std::ranges::any_of(entries, [&](const AppSecrets::Entry& entry) { return entry.name == name; });
  };
  if (const auto checked = check_template(write->template_, has_secret); !checked) return checked.error();
  sync_with_operation_ = settings_.identical_patch_syncs || !write->identical;
  if (sync_with_operation_) {
    if (const auto readable = secrets_.check(entries, world_.references, now); !readable) return readable.error();
  }
  properties_ = std::move(write->properties);
  desired_template_ = std::move(write->template_);
  if (write->secrets) secrets_.adopt(std::move(*write->secrets));

  std::string id = begin_operation(now);
  if (settings_.style == OperationStyle::None) {
    sync_for_operation(now);
    finish_operation(now);
  } else {
    world_.agenda.at(now + world_.timing.operation_sync, [this](Instant at) { sync_for_operation(at); });
    world_.agenda.at(now + world_.timing.operation_end, [this](Instant at) { finish_operation(at); });
  }
  return id;
}

std::string App::begin_operation(Instant now) {
  if (operations_.size() == operations_kept_max) operations_.pop_front();
  operations_.push_back({.id = world_.random.uuid(), .started = now, .error_code = "", .error_message = ""});
  provisioning_state_ = "InProgress";
  return operations_.back().id;
}

Operation* App::current_operation() {
  const bool running = !operations_.empty() && operations_.back().status == Operation::Status::InProgress;
  return running ? &operations_.back() : nullptr;
}

void App::sync_for_operation(Instant at) {
  if (!sync_with_operation_) return;
  std::vector<SyncRecord> records;
  const std::set<std::string> changed = secrets_.sync(world_.references, at, records);
  if (!changed.empty() && settings_.patch_restarts_on_change) {
    for (const Revision& revision : revisions_) {
      if (revision.active) recreate_replicas(revision.name, at);
    }
    for (SyncRecord& record : records) record.at += world_.timing.restart_delay;
  }
  record_sync(std::move(records));
}

void App::finish_operation(Instant at) {
  const std::string problem = apply_template(at);
  if (problem.empty()) {
    end_operation(Operation::Status::Succeeded, "", "");
    deployment_errors_.clear();
  } else {
    deployment_errors_ = problem;
    end_operation(Operation::Status::Failed, "ContainerAppOperationError", problem);
  }
}

void App::end_operation(Operation::Status status, std::string code, std::string message) {
  provisioning_state_ = status == Operation::Status::Succeeded ? "Succeeded" : "Failed";
  Operation* operation = current_operation();
  if (!operation) return;
  operation->status = status;
  operation->error_code = std::move(code);
  operation->error_message = std::move(message);
}

std::string App::apply_template(Instant at) {
  if (!revisions_.empty() && desired_template_ == applied_template_) return {};
  std::string suffix = suffix_of(desired_template_);
  if (suffix.empty()) suffix = world_.random.hex(4).substr(0, 7);
  const std::string name = settings_.name + "--" + suffix;
  if (!suffix_allowed(suffix) || name.size() > revision_name_bytes_max) return "Invalid revision suffix " + suffix + ".";
  if (used_revisions_.contains(name)) return "Revision with suffix " + suffix + " already exists.";
  applied_template_ = desired_template_;
  create_replicas(create_revision(suffix, at), replicas_, at);
  return {};
}

Answer<std::string> App::set_running(bool running, Instant now) {
  if (current_operation()) return busy();
  running_ = running;
  for (Revision& revision : revisions_) {
    if (!revision.active) continue;
    revision.replicas.clear();
    if (running) create_replicas(revision, replicas_, now);
  }
  std::string id = begin_operation(now);
  world_.agenda.at(now + world_.timing.operation_end, [this](Instant) { end_operation(Operation::Status::Succeeded, "", ""); });
  return id;
}

// --- synchronisation ------------------------------------------------------------------------------------------------------------

void App::schedule_sync(Instant at) {
  // The phase is the app's own and nothing moves it: the next one is counted from this one.
  world_.agenda.at(at, [this](Instant due) {
    sync_periodically(due);
    schedule_sync(due + world_.timing.sync_period);
  });
}

void App::sync_periodically(Instant now) {
  std::vector<SyncRecord> records;
  const std::set<std::string> changed = secrets_.sync(world_.references, now, records);
  record_sync(std::move(records));
  if (changed.empty()) return;
  for (const Revision& revision : revisions_) {
    if (!revision.active || !uses_any(revision.template_, changed)) continue;
    world_.agenda.at(now + world_.timing.restart_delay, [this, name = revision.name](Instant at) { recreate_replicas(name, at); });
  }
}

void App::record_sync(std::vector<SyncRecord> records) {
  for (SyncRecord& record : records) records_.push_back(std::move(record));
  while (records_.size() > records_kept_max) records_.pop_front();
}

// --- revisions and replicas -----------------------------------------------------------------------------------------------------

Revision& App::create_revision(const std::string& suffix, Instant at) {
  revisions_.push_back({.name = settings_.name + "--" + suffix, .created = at, .template_ = applied_template_, .replicas = {}});
  latest_revision_ = revisions_.back().name;
  used_revisions_.insert(latest_revision_);
  return revisions_.back();
}

void App::create_replicas(Revision& revision, int count, Instant at) {
  if (!running_) return;
  for (int i = 0; i < count; ++i) {
    Replica replica{.name = revision.name + "-" + world_.random.hex(5) + "-" + world_.random.hex(3).substr(0, 5),
                    .created = at,
                    .starts = at + world_.timing.replica_start,
                    .loaded = secrets_.loaded(),
                    .crashing_since = std::nullopt};
    world_.agenda.at(replica.starts, [this, owner = revision.name, name = replica.name](Instant due) { replica_starts(owner, name, due); });
    revision.replicas.push_back(std::move(replica));
  }
}

void App::replica_starts(const std::string& revision, const std::string& replica, Instant at) {
  Revision* owner = find_revision(revision);
  if (!owner) return;
  const auto found = std::ranges::find(owner->replicas, replica, &Replica::name);
  if (found == owner->replicas.end() || found->started) return;
  found->started = true;
  settle_readiness(at);
}

void App::recreate_replicas(const std::string& revision, Instant at) {
  Revision* owner = find_revision(revision);
  if (!owner || !owner->active) return;
  int replaced = 0;
  for (Replica& old : owner->replicas) {
    if (old.retiring) continue;
    old.retiring = true;
    ++replaced;
    const Instant gone = at + world_.timing.replica_start + world_.timing.overlap;
    world_.agenda.at(gone, [this, revision, name = old.name](Instant) { remove_replica(revision, name); });
  }
  create_replicas(*owner, replaced, at);
}

void App::remove_replica(const std::string& revision, const std::string& replica) {
  if (Revision* owner = find_revision(revision)) {
    std::erase_if(owner->replicas, [&](const Replica& candidate) { return candidate.name == replica; });
  }
}

void App::revision_gets_ready(Revision& revision, Instant at) {
  revision.ready = true;
  const auto publish = [this, name = revision.name](Instant) { latest_ready_revision_ = name; };
  if (settings_.ready_lag.count() == 0) {
    publish(at);
  } else {
    world_.agenda.at(at + world_.timing.scaled(settings_.ready_lag), publish);
  }
  if (multiple_revisions() || revision.name != latest_revision_) return;
  for (Revision& other : revisions_) {
    if (&other != &revision && other.active) deactivate(other, at);
  }
}

void App::deactivate(Revision& revision, Instant at) {
  revision.active = false;
  for (Replica& replica : revision.replicas) {
    replica.retiring = true;
    world_.agenda.at(at + world_.timing.overlap,
                     [this, owner = revision.name, name = replica.name](Instant) { remove_replica(owner, name); });
  }
}

// Follows the health rules: a started replica is either ready or in a crash loop whose restarts are counted by time.
void App::settle_readiness(Instant at) {
  for (Revision& revision : revisions_) {
    for (Replica& replica : revision.replicas) {
      if (!replica.started) continue;
      const bool may_be_ready = health_rules_.may_be_ready(replica);
      if (!may_be_ready && !replica.crashing_since) replica.crashing_since = at;
      if (may_be_ready && replica.crashing_since) {
        replica.restart_count = restart_count(replica, at);
        replica.crashing_since.reset();
      }
    }
    const auto is_ready = [this](const Replica& replica) { return ready(replica); };
    if (!revision.ready && !revision.replicas.empty() && std::ranges::all_of(revision.replicas, is_ready))
      revision_gets_ready(revision, at);
  }
}

int App::restart_count(const Replica& replica, Instant now) const {
  if (!replica.crashing_since) return replica.restart_count;
  return replica.restart_count + 1 + static_cast<int>((now - *replica.crashing_since) / world_.timing.crash_period);
}

Answer<> App::restart(std::string_view revision, Instant now) {
  const Revision* found = find_revision(revision);
  if (!found) return no_revision();
  world_.agenda.at(now + world_.timing.restart_delay, [this, name = found->name](Instant at) { recreate_replicas(name, at); });
  return {};
}

Answer<> App::set_active(std::string_view revision, bool active, Instant now) {
  Revision* found = find_revision(revision);
  if (!found) return no_revision();
  if (found->active == active) return {};
  if (active) {
    found->active = true;
    create_replicas(*found, replicas_, now);
  } else {
    deactivate(*found, now);
  }
  return {};
}

void App::scale(int replicas, Instant now) {
  replicas_ = replicas;
  for (Revision& revision : revisions_) {
    if (!revision.active) continue;
    int present = static_cast<int>(std::ranges::count(revision.replicas, false, &Replica::retiring));
    for (auto it = revision.replicas.begin(); it != revision.replicas.end() && present > replicas;) {
      if (it->retiring) {
        ++it;
        continue;
      }
      it = revision.replicas.erase(it);
      --present;
    }
    create_replicas(revision, replicas - present, now);
  }
}

void App::wake(Instant now) {
  if (running_ && replicas_ == 0) scale(1, now);
}

// --- health ---------------------------------------------------------------------------------------------------------------------

Answer<> App::add_health_rule(HealthRule rule, Instant now) {
  rule.since = now;
  if (rule.kind == HealthRule::Kind::UnlessValue) {
    const LoadedValues values = secrets_.loaded();
    const auto value = values.find(rule.secret);
    if (value == values.end()) return Refusal{404, "NotFound", "The app has no such secret."};
    rule.accepted = value->second.fingerprint;
  }
  health_rules_.add(std::move(rule));
  settle_readiness(now);
  return {};
}

void App::clear_health_rules(Instant now) {
  health_rules_.clear();
  settle_readiness(now);
}

bool App::healthy() const {
  bool serving = false;
  for (const Revision& revision : revisions_) {
    for (const Replica& replica : revision.replicas) {
      if (!replica.started) continue;
      if (!health_rules_.healthy(replica)) return false;
      serving = true;
    }
  }
  return serving;
}

}  // namespace keyturn::sim
