#include "reconcilers/azure/container_app_usage.h"

#include <algorithm>

#include "reconcilers/azure/json_members.h"

namespace keyturn {
namespace {

namespace json = boost::json;

void add(std::set<std::string>& names, const std::string& name) {
  if (!name.empty()) names.insert(lower(name));
}

// Letters and digits only, so that "DataProtection-Keys", "DATA_PROTECTION" and "DataProtection__Path" all show the word.
std::string squeezed(std::string_view text) {
  std::string out = lower(text);
  std::erase_if(out, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')); });
  return out;
}
bool speaks_of_data_protection(std::string_view text) { return squeezed(text).find("dataprotection") != std::string::npos; }

// The containers and init containers of a template.
std::vector<const json::object*> containers_of(const json::object& tmpl) {
  std::vector<const json::object*> out;
  for (const char* kind : {"containers", "initContainers"})
    for (const json::value& item : array_at(tmpl, kind)) out.push_back(&as_object(item));
  return out;
}

// ---- who uses which secret ---------------------------------------------------------------------------------------------------

void read_volumes(const json::object& tmpl, AppUsage& out) {
  for (const json::value& item : array_at(tmpl, "volumes")) {
    const json::object& volume = as_object(item);
    if (lower(text_at(volume, "storageType")) != "secret") continue;
    const json::array& listed = array_at(volume, "secrets");
    out.mounts_all = out.mounts_all || listed.empty();
    for (const json::value& secret : listed) add(out.volumes, text_at(as_object(secret), "secretRef"));
  }
}

void read_scale_rules(const json::object& scale, AppUsage& out) {
  for (const json::value& item : array_at(scale, "rules")) {
    // A rule holds its kind as the member that has the rest: http, tcp, custom, azureQueue; a job's rule has the rest itself.
    std::vector<const json::object*> kinds{&as_object(item)};
    for (const auto& member : as_object(item)) kinds.push_back(&as_object(member.value()));
    for (const json::object* kind : kinds)
      for (const json::value& auth : array_at(*kind, "auth")) add(out.scale_rules, text_at(as_object(auth), "secretRef"));
  }
}

// ---- the key ring ------------------------------------------------------------------------------------------------------------

// Mounted shares of the template, by volume: those that outlive the container.
std::set<std::string> lasting_volumes(const json::object& tmpl) {
  std::set<std::string> out;
  for (const json::value& item : array_at(tmpl, "volumes")) {
    const std::string type = lower(text_at(as_object(item), "storageType"));
    if (type == "azurefile" || type == "nfsazurefile") out.insert(text_at(as_object(item), "name"));
  }
  return out;
}

bool is_below(std::string_view path, std::string_view mount) {
  while (mount.size() > 1 && mount.ends_with('/')) mount.remove_suffix(1);
  if (mount.empty() || !path.starts_with(mount)) return false;
  return path.size() == mount.size() || mount == "/" || path[mount.size()] == '/';
}

// What a container's mounts say: a share at a path that names DataProtection holds a ring; a volume that is not one loses it.
void judge_mounts(const json::object& container, const std::set<std::string>& lasting, bool& used, bool& persisted) {
  for (const json::value& item : array_at(container, "volumeMounts")) {
    const json::object& mount = as_object(item);
    if (!speaks_of_data_protection(text_at(mount, "mountPath"))) continue;
    used = true;
    persisted = persisted || lasting.contains(text_at(mount, "volumeName"));
  }
}

bool on_a_share(const json::object& container, const std::set<std::string>& lasting, const std::string& path) {
  const json::array& mounts = array_at(container, "volumeMounts");
  return std::any_of(mounts.begin(), mounts.end(), [&](const json::value& item) {
    const json::object& mount = as_object(item);
    return lasting.contains(text_at(mount, "volumeName")) && is_below(path, text_at(mount, "mountPath"));
  });
}

void judge_variables(const json::object& container, const std::set<std::string>& lasting, bool& dot_net, bool& used, bool& persisted) {
  for (const json::value& item : array_at(container, "env")) {
    const json::object& variable = as_object(item);
    const std::string name = lower(text_at(variable, "name"));
    const std::string value = text_at(variable, "value");
    dot_net = dot_net || name.starts_with("aspnetcore_") || name.starts_with("dotnet_");
    // The platform's own announcement of a directory that it keeps.
    if (name.ends_with("readonlydataprotectionkeydirectory")) {
      persisted = true;
      continue;
    }
    if (!speaks_of_data_protection(name)) continue;
    used = true;
    const bool address = lower(value).starts_with("https://");
    const bool connection = !text_at(variable, "secretRef").empty();
    persisted = persisted || address || connection || (value.starts_with("/") && on_a_share(container, lasting, value));
  }
}

KeyRing key_ring_of(const json::object& configuration, const json::object& tmpl) {
  const json::object& dotnet = object_at(object_at(configuration, "runtime"), "dotnet");
  if (flag_at(dotnet, "autoConfigureDataProtection")) return KeyRing::Persisted;
  bool dot_net = !dotnet.empty();
  bool used = false;
  bool persisted = false;
  const std::set<std::string> lasting = lasting_volumes(tmpl);
  for (const json::object* container : containers_of(tmpl)) {
    judge_mounts(*container, lasting, used, persisted);
    judge_variables(*container, lasting, dot_net, used, persisted);
  }
  if (persisted) return KeyRing::Persisted;
  if (used) return KeyRing::NotSeenPersisted;
  return dot_net ? KeyRing::DotNetSeen : KeyRing::NothingSeen;
}

}  // namespace

AppUsage read_usage(const json::object& properties) {
  const json::object& configuration = object_at(properties, "configuration");
  const json::object& tmpl = object_at(properties, "template");
  AppUsage out;
  for (const json::object* container : containers_of(tmpl))
    for (const json::value& variable : array_at(*container, "env")) add(out.variables, text_at(as_object(variable), "secretRef"));
  read_volumes(tmpl, out);
  read_scale_rules(object_at(tmpl, "scale"), out);
  for (const json::value& registry : array_at(configuration, "registries"))
    add(out.registries, text_at(as_object(registry), "passwordSecretRef"));
  out.dapr = flag_at(object_at(configuration, "dapr"), "enabled");
  out.key_ring = key_ring_of(configuration, tmpl);
  return out;
}

std::vector<ConsumerFinding> findings_of(const AppUsage& usage, const std::vector<std::string>& names, api::DataProtection declared) {
  const auto any_in = [&names](const std::set<std::string>& users) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return users.contains(lower(name)); });
  };
  std::vector<ConsumerFinding> out;
  const bool mounted = !names.empty() && (usage.mounts_all || any_in(usage.volumes));
  const bool scales = any_in(usage.scale_rules);
  const bool pulls = any_in(usage.registries);
  if (mounted) out.push_back(ConsumerFinding::VolumeUser);
  if (scales) out.push_back(ConsumerFinding::ScaleRuleUser);
  if (pulls) out.push_back(ConsumerFinding::RegistryUser);
  if (usage.dapr) out.push_back(ConsumerFinding::DaprUser);
  if (!names.empty() && !mounted && !scales && !pulls && !any_in(usage.variables)) out.push_back(ConsumerFinding::NoUseSeen);
  if (declared != api::DataProtection::Detect) return out;
  if (usage.key_ring == KeyRing::NotSeenPersisted) out.push_back(ConsumerFinding::KeyRingNotPersisted);
  if (usage.key_ring == KeyRing::DotNetSeen) out.push_back(ConsumerFinding::KeyRingOfDotNet);
  if (usage.key_ring == KeyRing::NothingSeen) out.push_back(ConsumerFinding::KeyRingNotSeen);
  return out;
}

}  // namespace keyturn
