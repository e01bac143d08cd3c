#include "sim/vault/vaults.h"

#include <algorithm>

#include "sim/text.h"

namespace keyturn::sim {

namespace {

constexpr std::string_view vault_suffix = ".vault.azure.net";
constexpr std::string_view scheme = "https://";

// "name[/version]" behind "/secrets/"; empty when the path is another one.
struct SecretPath {
  std::string_view name;
  std::string_view version;
};
SecretPath secret_path(std::string_view path) {
  constexpr std::string_view prefix = "/secrets/";
  if (!same_word(path.substr(0, prefix.size()), prefix)) return {};
  path.remove_prefix(prefix.size());
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = std::min(path.find('/'), path.size());
  return {path.substr(0, slash), path.substr(std::min(slash + 1, path.size()))};
}

Refusal unknown_reference() { return {404, "SecretNotFound", "The reference names no secret of a known vault.", ""}; }

}  // namespace

VaultSite* Vaults::find(std::string_view name) {
  const auto found = vaults_.find(lower(name));
  return found == vaults_.end() ? nullptr : found->second.get();
}

VaultSite& Vaults::ensure(const std::string& name, VaultSettings settings) {
  auto& slot = vaults_[lower(name)];
  if (!slot) slot = std::make_unique<VaultSite>(name, std::move(settings), random_, speed_);
  return *slot;
}

void Vaults::listens(const std::string& name, std::uint16_t port) { ports_[lower(name)] = port; }

std::string Vaults::origin(std::string_view name) const {
  const auto port = ports_.find(lower(name));
  if (port != ports_.end()) return std::string(scheme) + "localhost:" + std::to_string(port->second);
  return std::string(scheme) + lower(name) + std::string(vault_suffix);
}

std::string_view Vaults::vault_of_host(std::string_view host) {
  host = host.substr(0, host.find(':'));
  if (host.size() <= vault_suffix.size() || !same_word(host.substr(host.size() - vault_suffix.size()), vault_suffix)) return {};
  return host.substr(0, host.size() - vault_suffix.size());
}

VaultSite* Vaults::of_authority(std::string_view authority) {
  if (const std::string_view name = vault_of_host(authority); !name.empty()) return find(name);
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return nullptr;
  const std::string_view host = authority.substr(0, colon);
  if (!same_word(host, "localhost") && host != "127.0.0.1") return nullptr;
  const auto listening =
      std::ranges::find_if(ports_, [&](const auto& entry) { return std::to_string(entry.second) == authority.substr(colon + 1); });
  return listening == ports_.end() ? nullptr : find(listening->first);
}

Answer<ReferenceSource::Resolved> Vaults::read(const std::string& key_vault_url, const std::string& principal, Instant at) {
  const std::string_view url = key_vault_url;
  if (!same_word(url.substr(0, scheme.size()), scheme)) return unknown_reference();
  const std::string_view rest = url.substr(scheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  VaultSite* site = of_authority(rest.substr(0, slash));
  const SecretPath path = secret_path(rest.substr(slash));
  if (!site || path.name.empty()) return unknown_reference();
  if (const auto admitted = site->admit(principal, "get", at); !admitted) return admitted.error();
  const auto found = site->vault.get(path.name, path.version, at);
  if (!found) return found.error();
  return Resolved{found->version->value.clone(), found->version->id};
}

}  // namespace keyturn::sim
