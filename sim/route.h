// Which operation of which service a request means, and on what. Faults and the journal speak in these words.
#pragma once

#include <string>
#include <string_view>

namespace keyturn::sim {

enum class Service { None, Entra, Vault, Arm, Health };
std::string_view name_of(Service service) noexcept;

// What a caller must be allowed to do for an operation ("vault.patch" needs "set"); empty for operations nobody needs a right for.
std::string_view action_of(std::string_view operation) noexcept;

struct Route {
  Service service = Service::None;
  std::string operation;  // "vault.set"; empty = the service has no such operation
  std::string tenant;
  std::string vault;
  std::string secret;
  std::string version;
  std::string subscription;
  std::string group;
  std::string app;
  std::string revision;
  std::string replica;
  std::string operation_id;
};

}  // namespace keyturn::sim
