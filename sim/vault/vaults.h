// All vaults of the simulation, by name and by where they listen.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "sim/apps/reference_source.h"
#include "sim/vault/vault_site.h"

namespace keyturn::sim {

class Vaults final : public ReferenceSource {
 public:
  Vaults(Random& random, double speed) : random_(random), speed_(speed) {}

  VaultSite* find(std::string_view name);
  // Settings count only when the vault is new; a vault keeps its secrets and its settings.
  VaultSite& ensure(const std::string& name, VaultSettings settings = {});
  const std::map<std::string, std::unique_ptr<VaultSite>>& all() const noexcept { return vaults_; }

  // A vault may have a TLS port of its own on this host.
  void listens(const std::string& name, std::uint16_t port);
  std::string origin(std::string_view name) const;

  // "main.vault.azure.net", with or without a port; empty when the host is no vault's.
  static std::string_view vault_of_host(std::string_view host);

  // Understands https://NAME.vault.azure.net[:port]/secrets/N[/V] and https://localhost:PORT/secrets/N[/V].
  Answer<Resolved> read(const std::string& key_vault_url, const std::string& principal, Instant at) override;

 private:
  VaultSite* of_authority(std::string_view authority);

  Random& random_;
  double speed_;
  std::map<std::string, std::unique_ptr<VaultSite>> vaults_;  // by name in lower case
  std::map<std::string, std::uint16_t, std::less<>> ports_;
};

}  // namespace keyturn::sim
