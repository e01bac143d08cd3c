// What a role may do, as far as it can be compared with another role.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "reconcilers/postgresql/admin_session.h"

namespace keyturn::postgresql {

// Two roles that alternate must be able to do the same, or the application breaks at the switch.
struct AuthorityComparison {
  // Any of "attributes", "memberships", "settings", "grants", "ownership", in this order; empty = equal. Ownership differs as soon as
  // one of the two owns anything: objects should belong to a role that both are members of.
  std::vector<std::string> differences;
  bool equal() const noexcept { return differences.empty(); }
};

// Grants are compared by object in all databases and by privilege in the administrator's own. Blocks. Errors: as AdminSession::query,
// Invalid (one of the roles does not exist).
Result<AuthorityComparison> compare_authority(AdminSession& session, const std::string& principal_a, const std::string& principal_b);

}  // namespace keyturn::postgresql
