#include "sim/apps/app_view.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

namespace {

std::string domain_of(const App& app) { return "." + app.settings().location + ".azurecontainerapps.io"; }

// Revisions show their times with an offset, replicas with a Z; both are RFC 3339.
std::string with_offset(Instant at) {
  std::string text = format_seconds(at);
  if (text.ends_with('Z')) text.replace(text.size() - 1, 1, "+00:00");
  return text;
}

// An environment variable that refers to a secret is read back with an empty value beside the reference.
void show_empty_values(json::object& template_) {
  for (const std::string_view group : {"containers", "initContainers"}) {
    json::value* containers = template_.if_contains(group);
    if (!containers || !containers->is_array()) continue;
    for (json::value& container : containers->get_array()) {
      json::value* env = container.is_object() ? container.get_object().if_contains("env") : nullptr;
      if (!env || !env->is_array()) continue;
      for (json::value& variable : env->get_array()) {
        if (variable.is_object() && variable.get_object().contains("secretRef")) variable.get_object()["value"] = "";
      }
    }
  }
}

json::object shown_template(json::object template_) {
  show_empty_values(template_);
  return template_;
}

json::object shown_configuration(const App& app) {
  json::object configuration;
  const json::value* given = app.properties().if_contains("configuration");
  if (given && given->is_object()) configuration = given->get_object();
  if (!configuration.contains("activeRevisionsMode")) configuration["activeRevisionsMode"] = "Single";
  configuration["secrets"] = app.secrets().shown();
  return configuration;
}

// Single mode sends everything to the newest ready revision; Multiple mode does only what ingress.traffic says.
int traffic_weight(const App& app, const Revision& revision) {
  if (!app.multiple_revisions()) return revision.name == app.latest_ready_revision() ? 100 : 0;
  const json::object configuration = shown_configuration(app);
  const json::value* ingress = configuration.if_contains("ingress");
  const json::value* traffic = ingress && ingress->is_object() ? ingress->get_object().if_contains("traffic") : nullptr;
  if (!traffic || !traffic->is_array()) return 0;
  int weight = 0;
  for (const json::value& rule : traffic->get_array()) {
    if (!rule.is_object()) continue;
    const json::value* name = rule.get_object().if_contains("revisionName");
    const json::value* latest = rule.get_object().if_contains("latestRevision");
    const json::value* share = rule.get_object().if_contains("weight");
    const bool named = name && name->is_string() && same_word(name->get_string(), revision.name);
    const bool is_latest = latest && latest->is_bool() && latest->get_bool() && revision.name == app.latest_ready_revision();
    if ((named || is_latest) && share && share->is_int64()) weight += static_cast<int>(share->get_int64());
  }
  return weight;
}

struct ReplicaCounts {
  std::ptrdiff_t all;
  std::ptrdiff_t ready;
  std::ptrdiff_t crashing;
};
ReplicaCounts count(const App& app, const Revision& revision) {
  return {std::ssize(revision.replicas), std::ranges::count_if(revision.replicas, [&](const Replica& r) { return app.ready(r); }),
          std::ranges::count_if(revision.replicas, [](const Replica& r) { return r.crashing_since.has_value(); })};
}

std::string_view running_state(const Revision& revision, const ReplicaCounts& replicas) {
  if (!revision.active) return "Stopped";
  if (replicas.all == 0) return "ScaledToZero";
  if (replicas.crashing == replicas.all) return "Failed";
  if (replicas.crashing > 0) return "Degraded";
  return replicas.ready == replicas.all ? "Running" : "Processing";
}

std::string_view health_state(const ReplicaCounts& replicas) {
  if (replicas.all == 0) return "None";
  if (replicas.crashing > 0) return "Unhealthy";
  return replicas.ready > 0 ? "Healthy" : "None";
}

std::string_view provisioning_state(const Revision& revision) {
  if (!revision.active) return "Deprovisioned";
  return revision.ready ? "Provisioned" : "Provisioning";
}

}  // namespace

json::object app_resource(const App& app) {
  json::object properties = app.properties();
  properties["provisioningState"] = app.shown_state("app.provisioningState", app.provisioning_state());
  // Says only that the app is not stopped: containers that are not ready do not show here.
  properties["runningStatus"] = app.shown_state("app.runningStatus", app.running() ? "Running" : "Stopped");
  properties["latestRevisionName"] = app.latest_revision();
  properties["latestReadyRevisionName"] = app.latest_ready_revision();
  properties["latestRevisionFqdn"] = app.latest_revision() + domain_of(app);
  properties["configuration"] = shown_configuration(app);
  properties["template"] = shown_template(app.shown_template());
  if (!app.deployment_errors().empty()) properties["deploymentErrors"] = app.deployment_errors();
  return {{"id", app.id()},
          {"name", app.settings().name},
          {"type", "Microsoft.App/containerApps"},
          {"location", app.settings().location},
          {"properties", std::move(properties)}};
}

json::object revision_resource(const App& app, const Revision& revision) {
  const ReplicaCounts replicas = count(app, revision);
  return {{"id", app.id() + "/revisions/" + revision.name},
          {"name", revision.name},
          {"type", "Microsoft.App/containerApps/revisions"},
          {"properties", json::object{{"createdTime", with_offset(revision.created)},
                                      {"lastActiveTime", with_offset(revision.created)},
                                      {"fqdn", revision.name + domain_of(app)},
                                      {"template", shown_template(revision.template_)},
                                      {"active", revision.active},
                                      {"replicas", replicas.all},
                                      {"trafficWeight", traffic_weight(app, revision)},
                                      {"healthState", app.shown_state("revision.healthState", health_state(replicas))},
                                      {"provisioningState", app.shown_state("revision.provisioningState", provisioning_state(revision))},
                                      {"runningState", app.shown_state("revision.runningState", running_state(revision, replicas))}}}};
}

json::object replica_resource(const App& app, const Revision& revision, const Replica& replica, Instant now) {
  const std::string_view container_state = replica.crashing_since ? "Waiting" : replica.started ? "Running" : "Waiting";
  json::array containers{json::object{{"name", app.settings().name},
                                      {"ready", app.ready(replica)},
                                      {"started", replica.started},
                                      {"restartCount", app.restart_count(replica, now)},
                                      {"runningState", app.shown_state("container.runningState", container_state)},
                                      {"runningStateDetails", replica.crashing_since ? "CrashLoopBackOff" : ""}}};
  return {{"id", app.id() + "/revisions/" + revision.name + "/replicas/" + replica.name},
          {"name", replica.name},
          {"type", "Microsoft.App/containerApps/revisions/replicas"},
          {"properties", json::object{{"createdTime", format_seconds(replica.created)},
                                      {"runningState", app.shown_state("replica.runningState", replica.started ? "Running" : "NotRunning")},
                                      {"runningStateDetails", ""},
                                      {"containers", std::move(containers)},
                                      {"initContainers", json::array{}}}}};
}

}  // namespace keyturn::sim
