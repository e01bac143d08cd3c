// A vault together with what stands around it: permissions, firewall, request budgets and the switches of its replies.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "sim/access.h"
#include "sim/vault/vault.h"
#include "sim/vault/window_budget.h"

namespace keyturn::sim {

struct VaultSettings {
  enum class Authorization { Rbac, AccessPolicy };
  enum class Network { Open, Firewall, Connection };

  Actions default_actions = vault_actions();
  Authorization authorization = Authorization::Rbac;
  Network network = Network::Open;
  bool ids_with_port = false;     // ids come back with :443, seen at Azure
  bool empty_first_page = false;  // a first page without items but with a nextLink: legal, and clients must go on
  Duration deletion{5'000};       // simulated
  std::size_t creates_per_window = 300;
  std::size_t others_per_window = 4'000;
  std::optional<int> retry_after_s;  // sent with 429; Azure does not promise it
};

struct VaultSite {
  static constexpr Duration budget_window{10'000};

  VaultSite(std::string name, VaultSettings what, Random& random, double speed)
      : settings(std::move(what)),
        vault(std::move(name), random, Duration(static_cast<Duration::rep>(static_cast<double>(settings.deletion.count()) / speed))),
        access(settings.default_actions),
        creates(settings.creates_per_window, budget_window),
        others(settings.others_per_window, budget_window) {}

  // Firewall and permissions, in this order, as Azure checks them. Refusals: 403 with the sub-code of the cause.
  Answer<> admit(std::string_view principal, std::string_view action, Instant now) const;

  VaultSettings settings;
  Vault vault;
  Access access;
  WindowBudget creates;
  WindowBudget others;
};

}  // namespace keyturn::sim
