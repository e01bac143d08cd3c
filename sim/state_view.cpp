#include "sim/state_view.h"

#include <boost/json/array.hpp>

namespace keyturn::sim {

namespace json = boost::json;

namespace {

json::object state_of_version(const SecretVersion& version) {
  json::object tags;
  for (const auto& [name, value] : version.tags) tags[name] = value;
  return {{"version", version.id},
          {"enabled", version.attributes.enabled},
          {"created", version.created},
          {"updated", version.updated},
          {"tags", std::move(tags)}};
}

json::object state_of_vault(const Cloud& cloud, VaultSite& site, Instant now) {
  json::object secrets;
  for (const auto& [key, entry] : site.vault.entries(now)) {
    json::array versions;
    for (const SecretVersion& version : entry.versions) versions.push_back(state_of_version(version));
    secrets[entry.name] =
        json::object{{"state", name_of(entry.lifecycle)}, {"current", entry.versions.back().id}, {"versions", std::move(versions)}};
  }
  return {{"url", cloud.vaults.origin(site.vault.name())}, {"secrets", std::move(secrets)}};
}

json::object state_of_replica(const App& app, const Replica& replica, Instant now) {
  json::object loaded;
  for (const auto& [secret, value] : replica.loaded) loaded[secret] = value.version;
  return {{"name", replica.name},         {"created", format_micros(replica.created)},
          {"started", replica.started},   {"ready", app.ready(replica)},
          {"retiring", replica.retiring}, {"restartCount", app.restart_count(replica, now)},
          {"loaded", std::move(loaded)}};
}

json::object state_of_record(const SyncRecord& record) {
  json::object out{{"at", format_micros(record.at)},
                   {"secret", record.secret},
                   {"version", record.version},
                   {"succeeded", record.succeeded},
                   {"changed", record.changed}};
  if (!record.reason.empty()) out["reason"] = record.reason;
  return out;
}

json::object state_of_app(const App& app, Instant now) {
  json::array revisions;
  for (const Revision& revision : app.revisions()) {
    json::array replicas;
    for (const Replica& replica : revision.replicas) replicas.push_back(state_of_replica(app, replica, now));
    revisions.push_back(
        json::object{{"name", revision.name}, {"active", revision.active}, {"ready", revision.ready}, {"replicas", std::move(replicas)}});
  }
  json::object synchronised;
  for (const auto& [secret, value] : app.secrets().loaded()) synchronised[secret] = value.version;
  json::array records;
  for (const SyncRecord& record : app.sync_records()) records.push_back(state_of_record(record));
  return {{"id", app.id()},
          {"healthy", app.healthy()},
          {"healthRules", app.health_rules()},
          {"provisioningState", app.provisioning_state()},
          {"latestReadyRevisionName", app.latest_ready_revision()},
          {"synchronised", std::move(synchronised)},
          {"revisions", std::move(revisions)},
          {"syncRecords", std::move(records)}};
}

}  // namespace

json::object state_of(Cloud& cloud, Instant now) {
  json::object vaults;
  for (const auto& [key, site] : cloud.vaults.all()) vaults[site->vault.name()] = state_of_vault(cloud, *site, now);
  json::object apps;
  for (const auto& app : cloud.apps.all()) apps[app->settings().name] = state_of_app(*app, now);
  json::array faults;
  for (const Fault& fault : cloud.faults.all()) faults.push_back(shown(fault));
  return {{"now", format_micros(now)},          {"speed", cloud.settings.speed}, {"tenant", cloud.tenant},
          {"subscription", cloud.subscription}, {"vaults", std::move(vaults)},   {"apps", std::move(apps)},
          {"faults", std::move(faults)}};
}

}  // namespace keyturn::sim
