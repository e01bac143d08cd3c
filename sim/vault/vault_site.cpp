#include "sim/vault/vault_site.h"

namespace keyturn::sim {

Answer<> VaultSite::admit(std::string_view principal, std::string_view action, Instant now) const {
  if (settings.network == VaultSettings::Network::Firewall) {
    return Refusal{403, "Forbidden", "Client address is not authorized and caller is not a trusted service.", "ForbiddenByFirewall"};
  }
  if (settings.network == VaultSettings::Network::Connection) {
    return Refusal{403, "Forbidden",
                   "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
                   "ForbiddenByConnection"};
  }
  if (access.allows(principal, action, now)) return {};
  if (settings.authorization == VaultSettings::Authorization::AccessPolicy) {
    return Refusal{
        403, "Forbidden",
        "The user, group or application does not have secrets " + std::string(action) + " permission on key vault '" + vault.name() + "'.",
        "AccessDenied"};
  }
  return Refusal{
      403, "Forbidden",
      "Caller is not authorized to perform action on resource. If role assignments, deny assignments or role definitions were changed "
      "recently, please observe propagation time.",
      "ForbiddenByRbac"};
}

}  // namespace keyturn::sim
