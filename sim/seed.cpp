#include "sim/seed.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "sim/members.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

namespace {

constexpr std::int64_t seconds_max = 30LL * 24 * 3600;
constexpr std::int64_t generated_bytes_max = 1024;
constexpr std::int64_t replicas_max = 100;
constexpr std::size_t apps_max = 1000;
constexpr std::int64_t operation_padding_max = 4096;

Duration seconds(std::int64_t count) { return std::chrono::seconds(count); }

// Letters and digits only: such a value survives every connection string, file and shell that it may be copied into.
Secret generated_value(Random& random, std::int64_t size) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  SecretBuffer buffer(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i) buffer.push_back(alphabet[random.below(alphabet.size())]);
  return std::move(buffer).finish();
}

// Calls `read(item, "where[i]")` for each item of the list until one is refused.
template <class Read>
Answer<> for_each_item(const json::array* items, const std::string& where, Read read) {
  if (!items) return {};
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Answer<> verdict = read((*items)[i], where + "[" + std::to_string(i) + "]");
    if (!verdict) return verdict.error();
  }
  return {};
}

Answer<> read_principal(Cloud& cloud, const json::value& value, const std::string& where, Instant now) {
  Members members(value, where);
  Principal principal;
  principal.client_id = members.required_text("clientId");
  principal.client_secret = members.secret("clientSecret");
  principal.certificate_pem = members.text("certificatePem");
  principal.federated_subject = members.text("federatedSubject");
  const bool granted = members.has("arm");
  const Actions arm = members.actions("arm", {}, arm_actions());
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  if (granted) cloud.arm_access.grant(lower(principal.client_id), arm, now, now);
  cloud.directory.add(std::move(principal));
  return {};
}

Tags read_tags(Members& members) {
  Tags tags;
  const json::value* given = members.any("tags");
  if (!given) return tags;
  if (!given->is_object()) {
    members.problem("tags", "must be an object");
    return tags;
  }
  for (const auto& [name, text] : given->get_object()) {
    if (text.is_string()) {
      tags.emplace(std::string(name), std::string(text.get_string()));
    } else {
      members.problem("tags", "must have strings as values");
    }
  }
  return tags;
}

Answer<> read_secret(Cloud& cloud, VaultSite& site, const json::value& value, const std::string& where, Instant now) {
  Members members(value, where);
  const std::string name = members.required_text("name");
  Vault::Draft draft;
  draft.value = members.secret("value");
  const auto generate = members.optional_number("generateBytes", 1, generated_bytes_max);
  if (generate && members.has("value")) members.problem("generateBytes", "excludes value");
  if (!generate && !members.has("value")) members.problem("value", "or generateBytes is missing");
  draft.content_type = members.text("contentType");
  draft.tags = read_tags(members);
  draft.attributes.enabled = members.flag("enabled", true);
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  if (generate) draft.value = generated_value(cloud.random, *generate);
  const auto stored = site.vault.set(name, std::move(draft), now);
  if (!stored) return Refusal{400, stored.error().code, where + ": " + stored.error().message};
  return {};
}

VaultSettings read_vault_settings(Members& members) {
  VaultSettings settings;
  settings.default_actions = members.actions("defaultActions", vault_actions(), vault_actions());
  settings.authorization = static_cast<VaultSettings::Authorization>(members.choice("authorization", {"Rbac", "AccessPolicy"}));
  settings.network = static_cast<VaultSettings::Network>(members.choice("network", {"Open", "Firewall", "Connection"}));
  settings.ids_with_port = members.flag("idsWithPort", false);
  settings.empty_first_page = members.flag("emptyFirstPage", false);
  settings.deletion = seconds(members.number("deletionSeconds", 5, 0, seconds_max));
  settings.creates_per_window = static_cast<std::size_t>(members.number("createsPer10Seconds", 300, 0, 1'000'000));
  settings.others_per_window = static_cast<std::size_t>(members.number("othersPer10Seconds", 4'000, 0, 1'000'000));
  if (const auto wait = members.optional_number("retryAfterSeconds", 0, seconds_max)) settings.retry_after_s = static_cast<int>(*wait);
  return settings;
}

Answer<> read_vault(Cloud& cloud, const json::value& value, const std::string& where, Instant now) {
  Members members(value, where);
  const std::string name = members.required_text("name");
  const json::array* secrets = members.list("secrets");
  VaultSettings settings = read_vault_settings(members);
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  VaultSite& site = cloud.vaults.ensure(name, std::move(settings));
  return for_each_item(secrets, where + ".secrets",
                       [&](const json::value& item, const std::string& at) { return read_secret(cloud, site, item, at, now); });
}

// "{vault:main}/secrets/redis": the seed is written before anybody knows which port the vault will have.
Answer<std::string> expand_url(const Cloud& cloud, const std::string& url, const std::string& where) {
  constexpr std::string_view opening = "{vault:";
  if (!url.starts_with(opening)) return url;
  const std::size_t closing = url.find('}');
  if (closing == std::string::npos) return Refusal{400, "BadRequest", where + ".keyVaultUrl is not well formed"};
  return cloud.vaults.origin(std::string_view(url).substr(opening.size(), closing - opening.size())) + url.substr(closing + 1);
}

Answer<> read_app_secret(const Cloud& cloud, const json::value& value, const std::string& where, AppSecrets::Draft& draft) {
  Members members(value, where);
  AppSecrets::Entry entry{members.required_text("name"), members.text("keyVaultUrl"), members.text("identity", "system")};
  Secret inline_value = members.secret("value");
  if (members.has("value") == members.has("keyVaultUrl")) members.problem("value", "or keyVaultUrl must be given, not both");
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  if (entry.key_vault_url.empty()) {
    entry.identity.clear();
    draft.inline_values.insert_or_assign(entry.name, std::move(inline_value));
  } else {
    auto url = expand_url(cloud, entry.key_vault_url, where);
    if (!url) return url.error();
    entry.key_vault_url = std::move(*url);
  }
  draft.entries.push_back(std::move(entry));
  return {};
}

// "api-key" -> "API_KEY".
std::string variable_name(std::string_view secret) {
  std::string name(secret);
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
  return name;
}

json::object default_template(const std::string& app, const AppSecrets::Draft& secrets) {
  json::array env;
  for (const AppSecrets::Entry& entry : secrets.entries)
    env.push_back(json::object{{"name", variable_name(entry.name)}, {"secretRef", entry.name}});
  return {{"containers", json::array{json::object{{"name", app}, {"image", "repo/" + app + ":v1"}, {"env", std::move(env)}}}}};
}

AppSettings read_app_settings(const Cloud& cloud, Members& members) {
  AppSettings settings;
  settings.subscription = cloud.subscription;
  settings.name = members.required_text("name");
  settings.group = members.text("resourceGroup", "keyturn");
  settings.location = members.text("location", "westeurope");
  settings.replicas = static_cast<int>(members.number("replicas", 1, 0, replicas_max));
  if (const auto phase = members.optional_number("syncPhaseSeconds", 0, seconds_max)) settings.sync_phase = seconds(*phase);
  settings.style = static_cast<OperationStyle>(members.choice("lro", {"Location", "AzureAsyncOperation", "Both", "None"}));
  settings.identical_patch_syncs = members.flag("identicalPatchSyncs", true);
  settings.patch_restarts_on_change = members.flag("patchRestartsOnChange", false);
  settings.ready_lag = seconds(members.number("readyLagSeconds", 0, 0, seconds_max));
  settings.operation_host = members.text("operationHost");
  settings.operation_padding = static_cast<std::size_t>(members.number("operationPadding", 0, 0, operation_padding_max));
  return settings;
}

json::object read_object(Members& members, std::string_view name) {
  const json::value* given = members.any(name);
  if (!given) return {};
  if (given->is_object()) return json::object(given->get_object(), json::storage_ptr{});
  members.problem(name, "must be an object");
  return {};
}

Answer<> read_app(Cloud& cloud, const json::value& value, const std::string& where, Instant now) {
  Members members(value, where);
  AppSettings settings = read_app_settings(cloud, members);
  const bool multiple = members.choice("revisionMode", {"Single", "Multiple"}) == 1;
  const json::array* secrets = members.list("secrets");
  json::object ingress = read_object(members, "ingress");
  json::object template_ = read_object(members, "template");
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  if (cloud.apps.all().size() >= apps_max) return Refusal{400, "BadRequest", "there are too many apps"};

  AppSecrets::Draft draft;
  const auto read = for_each_item(secrets, where + ".secrets",
                                  [&](const json::value& item, const std::string& at) { return read_app_secret(cloud, item, at, draft); });
  if (!read) return read.error();
  if (template_.empty()) template_ = default_template(settings.name, draft);
  json::object configuration{{"activeRevisionsMode", multiple ? "Multiple" : "Single"}};
  if (!ingress.empty()) configuration["ingress"] = std::move(ingress);
  json::object properties{{"configuration", std::move(configuration)}, {"template", std::move(template_)}};
  const auto added = cloud.apps.add(std::move(settings), std::move(properties), std::move(draft), now);
  if (!added) return Refusal{added.error().status, added.error().code, where + ": " + added.error().message};
  return {};
}

Answer<> read_job(Cloud& cloud, const json::value& value, const std::string& where, Instant) {
  Members members(value, where);
  const std::string name = members.required_text("name");
  const std::string group = members.text("resourceGroup", "keyturn");
  const json::array* secrets = members.list("secrets");
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  if (cloud.jobs.size() >= apps_max) return Refusal{400, "BadRequest", "there are too many jobs"};
  AppSecrets::Draft draft;
  const auto read = for_each_item(secrets, where + ".secrets",
                                  [&](const json::value& item, const std::string& at) { return read_app_secret(cloud, item, at, draft); });
  if (!read) return read.error();
  json::array shown;
  for (const AppSecrets::Entry& entry : draft.entries) {
    json::object item{{"name", entry.name}};
    if (!entry.key_vault_url.empty()) item["keyVaultUrl"] = entry.key_vault_url;
    if (!entry.identity.empty()) item["identity"] = entry.identity;
    shown.push_back(std::move(item));
  }
  json::object properties{{"provisioningState", "Succeeded"},
                          {"configuration", json::object{{"triggerType", "Schedule"}, {"secrets", std::move(shown)}}},
                          {"template", default_template(name, draft)}};
  cloud.jobs.push_back({group, json::object{{"id", "/subscriptions/" + cloud.subscription + "/resourceGroups/" + group +
                                                       "/providers/Microsoft.App/jobs/" + name},
                                            {"name", name},
                                            {"type", "Microsoft.App/jobs"},
                                            {"properties", std::move(properties)}}});
  return {};
}

// Who the directory is, before anything that carries its ids is made.
void read_directory(Cloud& cloud, Members& members) {
  cloud.tenant = lower(members.text("tenant", cloud.tenant));
  cloud.token_settings.tenant = cloud.tenant;
  cloud.subscription = lower(members.text("subscription", cloud.subscription));
  if (const auto lifetime = members.optional_number("tokenLifetimeSeconds", 1, seconds_max))
    cloud.token_settings.lifetime = seconds(*lifetime);
  if (const auto refresh = members.optional_number("tokenRefreshInSeconds", 1, seconds_max))
    cloud.token_settings.refresh_in = seconds(*refresh);
  if (members.has("armThrottling")) cloud.arm_throttle.set_enabled(members.flag("armThrottling", true));
}

}  // namespace

Answer<> apply_grant(Cloud& cloud, const json::value& grant, const std::string& where, Instant now) {
  Members members(grant, where);
  const std::string principal = lower(members.required_text("principal"));
  const std::string vault = members.text("vault");
  const Actions actions = members.actions("actions", {}, vault_actions());
  const Actions arm = members.actions("arm", {}, arm_actions());
  const Instant effective = now + seconds(members.number("effectiveAfterSeconds", 0, 0, seconds_max));
  if (members.has("vault") != members.has("actions")) members.problem("vault", "and actions go together");
  if (members.has("vault") == members.has("arm")) members.problem("arm", "or vault must be given, not both");
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  if (members.has("arm")) {
    cloud.arm_access.grant(principal, arm, now, effective);
    return {};
  }
  VaultSite* site = cloud.vaults.find(vault);
  if (!site) return Refusal{400, "BadRequest", where + ".vault is not known"};
  site->access.grant(principal, actions, now, effective);
  return {};
}

Answer<> apply_seed(Cloud& cloud, const SecretJson& document, Instant now) {
  Members members(document.root(), "");
  read_directory(cloud, members);
  const json::array* principals = members.list("principals");
  const json::array* vaults = members.list("vaults");
  const json::array* grants = members.list("grants");
  const json::array* apps = members.list("apps");
  const json::array* jobs = members.list("jobs");
  if (const auto verdict = members.done(); !verdict) return verdict.error();

  using Reader = Answer<> (*)(Cloud&, const json::value&, const std::string&, Instant);
  struct Part {
    const json::array* items;
    std::string name;
    Reader read;
  };
  // Grants come before apps, because apps read their references as soon as they are there.
  for (const Part& part : {Part{principals, "principals", read_principal}, Part{vaults, "vaults", read_vault},
                           Part{grants, "grants", apply_grant}, Part{apps, "apps", read_app}, Part{jobs, "jobs", read_job}}) {
    const auto verdict = for_each_item(part.items, part.name,
                                       [&](const json::value& item, const std::string& at) { return part.read(cloud, item, at, now); });
    if (!verdict) return verdict.error();
  }
  return {};
}

}  // namespace keyturn::sim
