#include "sim/route.h"

namespace keyturn::sim {

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

}  // namespace keyturn::sim
