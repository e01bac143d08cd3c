// What no single field of a RotationEnvironment can say, twice as in rules_secret_rotation.cpp.
#include <algorithm>
#include <array>
#include <string>

#include "api/json_view.h"
#include "api/loopback.h"
#include "api/schema_kinds.h"
#include "base/time.h"

namespace keyturn::api::schema {
namespace {

namespace json = boost::json;

bool is_custom(const json::object& spec) { return text_of(object_of(spec, "azure"), "cloud") == "Custom"; }
bool custom_has_endpoints(const json::object& azure) { return text_of(azure, "cloud") != "Custom" || has(azure, "endpoints"); }
bool endpoints_are_custom(const json::object& azure) { return text_of(azure, "cloud") == "Custom" || !has(azure, "endpoints"); }
bool vaults_of_custom_have_urls(const json::object& spec) {
  const auto has_url = [](const json::value& vault) { return has(vault.get_object(), "url"); };
  return !is_custom(spec) || std::ranges::all_of(list_of(spec, "vaults"), has_url);
}
bool vaults_of_azure_have_names(const json::object& spec) {
  const auto has_name_only = [](const json::value& vault) { return has(vault.get_object(), "vault") && !has(vault.get_object(), "url"); };
  return is_custom(spec) || std::ranges::all_of(list_of(spec, "vaults"), has_name_only);
}
bool one_staging_vault(const json::object& spec) {
  return std::ranges::count_if(list_of(spec, "vaults"), [](const json::value& vault) { return flag_of(vault.get_object(), "staging"); }) <=
         1;
}

bool client_secret_has_file(const json::object& identity) {
  return (text_of(identity, "type") == "ClientSecret") == has(identity, "clientSecretFile");
}
bool certificate_has_file(const json::object& identity) {
  return (text_of(identity, "type") == "ClientCertificate") == has(identity, "certificateFile");
}
bool proves_itself(const json::object& identity) {
  return text_of(identity, "type") == "ClientSecret" || text_of(identity, "type") == "ClientCertificate";
}
bool client_has_id(const json::object& identity) { return !proves_itself(identity) || has(identity, "clientId"); }
bool client_has_tenant(const json::object& azure) { return !proves_itself(object_of(azure, "identity")) || has(azure, "tenantId"); }

bool is_resource(const json::value& entry) {
  static constexpr std::array types{"ContainerApp", "ContainerAppJob", "AzureManagedRedis", "AzureCacheForRedis"};
  return std::ranges::find(types, text_of(entry.get_object(), "type")) != types.end();
}
bool resources_have_a_subscription(const json::object& spec) {
  return has(object_of(spec, "azure"), "subscriptionId") ||
         (std::ranges::none_of(list_of(spec, "systems"), is_resource) && std::ranges::none_of(list_of(spec, "consumers"), is_resource));
}

// The one member that a union may have, by its type.
struct Member {
  std::string_view type;
  std::string_view member;
};
constexpr std::array system_members{Member{"SqlServer", "sqlServer"},
                                    Member{"PostgreSql", "postgreSql"},
                                    Member{"RedisAcl", "redisAcl"},
                                    Member{"AzureManagedRedis", "azureManagedRedis"},
                                    Member{"AzureCacheForRedis", "azureCacheForRedis"},
                                    Member{"RabbitMq", "rabbitMq"},
                                    Member{"Keycloak", "keycloak"},
                                    Member{"Driver", "driver"}};
constexpr std::array consumer_members{Member{"ContainerApp", "containerApp"}, Member{"ContainerAppJob", "containerAppJob"},
                                      Member{"EnvFile", "envFile"}, Member{"KubernetesWorkload", "kubernetesWorkload"},
                                      Member{"Webhook", "webhook"}};
constexpr std::array record_members{Member{"AzureDevOpsWiki", "azureDevOpsWiki"}, Member{"JsonLines", "jsonLines"},
                                    Member{"Webhook", "webhook"}};

template <std::size_t N>
bool is_union(const json::object& entry, const std::array<Member, N>& members) {
  return std::ranges::all_of(
      members, [&entry](const Member& member) { return (text_of(entry, "type") == member.type) == has(entry, member.member); });
}
template <std::size_t N>
std::string union_cel(const std::array<Member, N>& members) {
  std::string cel;
  for (const auto& member : members) {
    cel +=
        (cel.empty() ? "" : " && ") + ("(self.type == '" + std::string(member.type)) + "') == has(self." + std::string(member.member) + ")";
  }
  return cel;
}
constexpr std::string_view union_message =
    "settings stand under the member named after the type, and no other member may be there: write, for example, type: PostgreSql and "
    "postgreSql: {...}";

bool is_system(const json::object& entry) { return is_union(entry, system_members); }
bool is_consumer(const json::object& entry) { return is_union(entry, consumer_members); }
bool is_record(const json::object& entry) { return is_union(entry, record_members); }

bool plain_only_on_loopback(const json::object& postgresql) {
  return text_of(postgresql, "tls") != "LoopbackPlain" || is_loopback(text_of(postgresql, "host"));
}
bool plain_nodes_only_on_loopback(const json::object& redis) {
  return text_of(redis, "tls") != "LoopbackPlain" || std::ranges::all_of(list_of(redis, "nodes"), [](const json::value& node) {
           return is_loopback(host_of_node(std::string_view(node.get_string())));
         });
}
bool has_one_source(const json::object& admin) { return has(admin, "vaultSecret") != has(admin, "file"); }

bool at_least(const json::object& object, std::string_view name, Duration least) {
  const auto value = parse_duration(text_of(object, name));
  return !has(object, name) || (value && *value >= least);
}
bool residual_is_real(const json::object& spec) {
  return is_custom(spec) || at_least(object_of(spec, "timing"), "serverResidual", std::chrono::minutes(2));
}
bool looks_are_not_a_storm(const json::object& timing) {
  return at_least(timing, "poll", Duration(100)) && at_least(timing, "driftInterval", Duration(100));
}
constexpr std::array terms{"issue", "request", "serverResidual", "lease", "publishDeadline", "soak", "driftInterval", "poll"};
bool terms_are_bounded(const json::object& timing) {
  return std::ranges::all_of(terms, [&timing](std::string_view term) {
    const auto value = parse_duration(text_of(timing, term));
    return !has(timing, term) || (value && *value <= std::chrono::hours(24));
  });
}
bool freeze_ends_after_it_begins(const json::object& freeze) {
  const auto from = parse_rfc3339(text_of(freeze, "from"));
  const auto to = parse_rfc3339(text_of(freeze, "to"));
  return from && to && *from < *to;
}

constexpr std::string_view loopback_pattern = R"('^(localhost|127(\\.[0-9]{1,3}){3}|::1)$')";
constexpr std::string_view loopback_node_pattern = R"('^(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\]):[0-9]{1,5}$')";

std::string terms_cel() {
  std::string cel;
  for (const std::string term : terms) {
    cel += (cel.empty() ? "" : " && ") + ("(!has(self." + term) + ") || duration(self." + term + ") <= duration('24h'))";
  }
  return cel;
}

Rule one_source(std::string path) {
  return {std::move(path), "", "has(self.vaultSecret) != has(self.file)",
          "the password comes from one place: write either vaultSecret, a secret of the staging vault, or file", has_one_source};
}

}  // namespace

std::vector<Rule> rotation_environment_rules() {
  return {
      {"spec.azure", ".endpoints", "!has(self.cloud) || self.cloud != 'Custom' || has(self.endpoints)",
       "cloud Custom is known by its endpoints: add endpoints, as in endpoints: {authority: https://localhost:8443, resourceManager: "
       "https://localhost:8443}",
       custom_has_endpoints},
      {"spec.azure", ".endpoints", "(has(self.cloud) && self.cloud == 'Custom') || !has(self.endpoints)",
       "endpoints are for cloud Custom only: remove endpoints, or write cloud: Custom", endpoints_are_custom},
      {"spec", ".vaults", "!has(self.azure.cloud) || self.azure.cloud != 'Custom' || self.vaults.all(v, has(v.url))",
       "with cloud Custom every vault is known by its origin: add url, as in url: https://localhost:8443", vaults_of_custom_have_urls},
      {"spec", ".vaults", "(has(self.azure.cloud) && self.azure.cloud == 'Custom') || self.vaults.all(v, has(v.vault) && !has(v.url))",
       "every vault is known by its name in Azure: write vault, and url only with cloud Custom", vaults_of_azure_have_names},
      {"spec", ".vaults", "self.vaults.filter(v, has(v.staging) && v.staging).size() <= 1",
       "pending values are staged in one vault: write staging: true once", one_staging_vault},
      {"spec.azure.identity", ".clientSecretFile", "(has(self.type) && self.type == 'ClientSecret') == has(self.clientSecretFile)",
       "clientSecretFile belongs to type ClientSecret: write both, or neither", client_secret_has_file},
      {"spec.azure.identity", ".certificateFile", "(has(self.type) && self.type == 'ClientCertificate') == has(self.certificateFile)",
       "certificateFile belongs to type ClientCertificate: write both, or neither", certificate_has_file},
      {"spec.azure.identity", ".clientId", "!has(self.type) || !(self.type in ['ClientSecret', 'ClientCertificate']) || has(self.clientId)",
       "this type of identity needs clientId: write the application's id", client_has_id},
      {"spec.azure", ".tenantId",
       "!has(self.identity) || !has(self.identity.type) || !(self.identity.type in ['ClientSecret', 'ClientCertificate']) || "
       "has(self.tenantId)",
       "this type of identity needs tenantId: write the directory's id", client_has_tenant},
      {"spec", ".azure",
       "has(self.azure.subscriptionId) || ((!has(self.systems) || self.systems.all(s, !(s.type in ['AzureManagedRedis', "
       "'AzureCacheForRedis']))) && (!has(self.consumers) || self.consumers.all(c, !(c.type in ['ContainerApp', 'ContainerAppJob']))))",
       "Container Apps and Azure's Redis caches are resources of a subscription: add azure.subscriptionId", resources_have_a_subscription},
      {"spec.systems[]", "", union_cel(system_members), std::string(union_message), is_system},
      {"spec.consumers[]", "", union_cel(consumer_members), std::string(union_message), is_consumer},
      {"spec.records[]", "", union_cel(record_members), std::string(union_message), is_record},
      {"spec.systems[].postgreSql", ".tls",
       "!has(self.tls) || self.tls != 'LoopbackPlain' || self.host.matches(" + std::string(loopback_pattern) + ")",
       "LoopbackPlain sends passwords in the clear and is accepted only for localhost: write tls: Verify", plain_only_on_loopback},
      {"spec.systems[].redisAcl", ".tls",
       "!has(self.tls) || self.tls != 'LoopbackPlain' || self.nodes.all(n, n.matches(" + std::string(loopback_node_pattern) + "))",
       "LoopbackPlain sends passwords in the clear and is accepted only for localhost: write tls: Verify", plain_nodes_only_on_loopback},
      one_source("spec.systems[].sqlServer.admin"),
      one_source("spec.systems[].postgreSql.admin"),
      one_source("spec.systems[].redisAcl.admin"),
      one_source("spec.systems[].rabbitMq.admin"),
      one_source("spec.systems[].keycloak.admin"),
      {"spec", ".timing",
       "(has(self.azure.cloud) && self.azure.cloud == 'Custom') || !has(self.timing) || !has(self.timing.serverResidual) || "
       "duration(self.timing.serverResidual) >= duration('2m')",
       "a real server may finish a request two minutes after it was given up: write serverResidual: 2m or more; only cloud Custom may have "
       "less",
       residual_is_real},
      {"spec.timing", "",
       "(!has(self.poll) || duration(self.poll) >= duration('100ms')) && (!has(self.driftInterval) || duration(self.driftInterval) >= "
       "duration('100ms'))",
       "poll and driftInterval must be at least 100ms: write 2s and 5m, for example", looks_are_not_a_storm},
      {"spec.timing", "", terms_cel(), "every term is at most 24h: write a shorter one", terms_are_bounded},
      {"spec.protection.freezes[]", ".to", "self.from < self.to", "a freeze ends after it begins: write to later than from",
       freeze_ends_after_it_begins},
  };
}

}  // namespace keyturn::api::schema
