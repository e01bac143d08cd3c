#include "sim/route.h"

#include <algorithm>
#include <array>
#include <utility>

namespace keyturn::sim {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 28> actions{{
    {"vault.set", "set"},
    {"vault.get", "get"},
    {"vault.patch", "set"},
    {"vault.list", "list"},
    {"vault.versions", "list"},
    {"vault.delete", "delete"},
    {"vault.list-deleted", "list"},
    {"vault.get-deleted", "get"},
    {"vault.recover", "recover"},
    {"vault.purge", "purge"},
    {"subscriptions.list", "read"},
    {"apps.list", "read"},
    {"apps.get", "read"},
    {"apps.patch", "write"},
    {"apps.start", "write"},
    {"apps.stop", "write"},
    {"apps.list-secrets", "listSecrets"},
    {"revisions.list", "read"},
    {"revisions.get", "read"},
    {"revisions.restart", "restart"},
    {"revisions.activate", "write"},
    {"revisions.deactivate", "write"},
    {"replicas.list", "read"},
    {"replicas.get", "read"},
    {"jobs.list", "read"},
    {"permissions.list", "read"},
    {"operations.status", "read"},
    {"operations.result", "read"},
}};

}  // namespace

std::string_view name_of(Service service) noexcept {
  switch (service) {
    case Service::None:
      return "none";
    case Service::Entra:
      return "entra";
    case Service::Vault:
      return "vault";
    case Service::Arm:
      return "arm";
    case Service::Health:
      return "health";
  }
  return "none";
}

std::string_view action_of(std::string_view operation) noexcept {
  const auto found = std::ranges::find(actions, operation, &std::pair<std::string_view, std::string_view>::first);
  return found == actions.end() ? std::string_view() : found->second;
}

}  // namespace keyturn::sim
