// Why a vault refused, in the words of conditions: the same for a run that is planned and for one that may not begin.
#pragma once

#include <string_view>

#include "api/reasons.h"
#include "reconcilers/rotation/facts.h"

namespace keyturn {

constexpr std::string_view reason_of(VaultRefusal refusal) {
  switch (refusal) {
    case VaultRefusal::Disabled:
      return api::reason::secret_disabled;
    case VaultRefusal::SoftDeleted:
      return api::reason::secret_soft_deleted;
    case VaultRefusal::Permission:
    case VaultRefusal::Firewall:
      return api::reason::permission;
    case VaultRefusal::ReadOnly:
      return api::reason::vault_read_only;
    case VaultRefusal::None:
    case VaultRefusal::Missing:
    case VaultRefusal::Managed:
      break;
  }
  return api::reason::baseline;
}

}  // namespace keyturn
