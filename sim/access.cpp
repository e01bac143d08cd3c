#include "sim/access.h"

#include <algorithm>
#include <iterator>

namespace keyturn::sim {

const Actions& vault_actions() {
  static const Actions all{"get", "list", "set", "delete", "recover", "purge"};
  return all;
}

const Actions& arm_actions() {
  static const Actions all{"read", "write", "restart", "listSecrets"};
  return all;
}

const Actions& arm_default_actions() {
  static const Actions usual{"read", "write", "restart"};
  return usual;
}

void Access::grant(const std::string& principal, Actions actions, Instant now, Instant effective) {
  Grant next{.kept = {}, .actions = std::move(actions), .effective = effective};
  if (grants_.contains(principal)) {
    std::ranges::copy_if(next.actions, std::inserter(next.kept, next.kept.end()),
                         [&](const std::string& action) { return allows(principal, action, now); });
  }
  grants_.insert_or_assign(principal, std::move(next));
}

bool Access::allows(std::string_view principal, std::string_view action, Instant now) const {
  const auto found = grants_.find(principal);
  if (found == grants_.end()) return defaults_.contains(action);
  const Grant& grant = found->second;
  return now >= grant.effective ? grant.actions.contains(action) : grant.kept.contains(action);
}

}  // namespace keyturn::sim
