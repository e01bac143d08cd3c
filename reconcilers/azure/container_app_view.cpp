#include "reconcilers/azure/container_app_view.h"

#include <boost/json/serialize.hpp>

#include <algorithm>

#include "base/hash.h"
#include "reconcilers/azure/json_members.h"

namespace keyturn {
namespace {

namespace json = boost::json;

Error unexpected() { return {Errc::Unavailable, "Azure Resource Manager answered with something unexpected"}; }

std::string short_fingerprint(const std::string& text) { return to_hex(sha256(text)).substr(0, 16); }

AppReplica read_replica(const json::object& item) {
  const json::object& properties = object_at(item, "properties");
  AppReplica out;
  out.name = text_at(item, "name");
  out.created = parse_rfc3339(text_at(properties, "createdTime"));
  const std::string state = text_at(properties, "runningState");
  out.stopped = state == "NotRunning";
  const json::array& containers = array_at(properties, "containers");
  out.ready = state == "Running" && !containers.empty();
  for (const json::value& container : containers) {
    if (!container.is_object()) return {out.name, out.created, out.stopped, false, out.restarts};
    out.ready = out.ready && flag_at(container.get_object(), "ready");
    const json::value* restarts = container.get_object().if_contains("restartCount");
    if (restarts != nullptr && restarts->is_int64())
      out.restarts = std::max(out.restarts, static_cast<int>(std::clamp<std::int64_t>(restarts->get_int64(), 0, 1'000'000)));
  }
  return out;
}

}  // namespace

std::optional<VaultReference> parse_vault_reference(std::string_view text) {
  const Result<net::Url> url = net::Url::parse(text);
  constexpr std::string_view prefix = "/secrets/";
  if (!url || !url->target.starts_with(prefix)) return std::nullopt;
  std::string_view path = std::string_view(url->target).substr(prefix.size());
  if (path.find('?') != std::string_view::npos) return std::nullopt;
  if (!path.empty() && path.back() == '/') path.remove_suffix(1);
  VaultReference out;
  out.vault = url->origin;
  const auto slash = path.find('/');
  out.secret = path.substr(0, slash);
  if (slash != std::string_view::npos) out.version = path.substr(slash + 1);
  if (out.secret.empty() || out.version.find('/') != std::string::npos) return std::nullopt;
  return out;
}

bool refers_to(const AppSecretEntry& entry, const net::Origin& vault, std::string_view secret) {
  const auto reference = parse_vault_reference(entry.key_vault_url);
  return reference && reference->vault == vault && lower(reference->secret) == lower(secret);
}

Result<AppView> read_app(const json::value& body, Instant date) {
  if (!body.is_object()) return unexpected();
  const json::value* found = body.get_object().if_contains("properties");
  if (found == nullptr || !found->is_object()) return unexpected();
  const json::object& properties = found->get_object();
  const json::object& configuration = object_at(properties, "configuration");
  AppView out;
  out.provisioning_state = text_at(properties, "provisioningState");
  out.running_status = text_at(properties, "runningStatus");
  out.latest_revision = text_at(properties, "latestRevisionName");
  out.latest_ready_revision = text_at(properties, "latestReadyRevisionName");
  out.multiple_revisions = lower(text_at(configuration, "activeRevisionsMode")) == "multiple";
  for (const json::value& item : array_at(configuration, "secrets")) {
    if (!item.is_object()) return unexpected();
    const json::object& entry = item.get_object();
    out.secrets.push_back({text_at(entry, "name"), text_at(entry, "keyVaultUrl"), text_at(entry, "identity")});
    if (out.secrets.back().name.empty()) return unexpected();
  }
  const json::value* errors = properties.if_contains("deploymentErrors");
  const std::string text = errors == nullptr || errors->is_null() ? std::string() : json::serialize(*errors);
  out.has_errors = !text.empty() && text != "\"\"" && text != "[]";
  out.errors_fingerprint = short_fingerprint(out.has_errors ? text : std::string());
  out.usage = read_usage(properties);
  out.date = date;
  return out;
}

Result<std::vector<SecretUser>> read_users(const json::value& page, SecretUser::Kind kind, const std::string& group,
                                           const std::vector<net::Origin>& vaults, std::string_view secret) {
  if (!page.is_object()) return unexpected();
  std::vector<SecretUser> out;
  for (const json::value& item : array_at(page.get_object(), "value")) {
    const json::object& configuration = object_at(object_at(as_object(item), "properties"), "configuration");
    SecretUser user{.kind = kind, .group = group, .name = text_at(as_object(item), "name")};
    bool refers = false;
    for (const json::value& entry : array_at(configuration, "secrets")) {
      const AppSecretEntry reference{text_at(as_object(entry), "name"), text_at(as_object(entry), "keyVaultUrl"), {}};
      const bool ours = std::any_of(vaults.begin(), vaults.end(), [&](const auto& vault) { return refers_to(reference, vault, secret); });
      if (!ours) continue;
      refers = true;
      user.pinned = user.pinned || !parse_vault_reference(reference.key_vault_url)->version.empty();
    }
    if (refers && !user.name.empty()) out.push_back(std::move(user));
  }
  return out;
}

Result<std::vector<AppRevision>> read_revisions(const json::value& page) {
  if (!page.is_object()) return unexpected();
  std::vector<AppRevision> out;
  for (const json::value& item : array_at(page.get_object(), "value")) {
    if (!item.is_object()) return unexpected();
    const json::object& properties = object_at(item.get_object(), "properties");
    AppRevision revision;
    revision.name = text_at(item.get_object(), "name");
    revision.active = flag_at(properties, "active");
    revision.provisioning_state = text_at(properties, "provisioningState");
    revision.health_state = text_at(properties, "healthState");
    revision.running_state = text_at(properties, "runningState");
    if (revision.name.empty()) return unexpected();
    out.push_back(std::move(revision));
  }
  return out;
}

Result<std::vector<AppReplica>> read_replicas(const json::value& body) {
  if (!body.is_object()) return unexpected();
  std::vector<AppReplica> out;
  for (const json::value& item : array_at(body.get_object(), "value")) {
    if (!item.is_object()) return unexpected();
    out.push_back(read_replica(item.get_object()));
  }
  return out;
}

std::string next_link(const json::value& page) { return page.is_object() ? text_at(page.get_object(), "nextLink") : std::string(); }

std::string references_fingerprint(const std::vector<AppSecretEntry>& secrets) {
  std::vector<std::string> lines;
  for (const AppSecretEntry& entry : secrets) lines.push_back(lower(entry.name + "\n" + entry.key_vault_url + "\n" + entry.identity));
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line + "\n\n";
  return short_fingerprint(all);
}

}  // namespace keyturn
