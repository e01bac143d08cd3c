// Which hosts and token audiences an Azure cloud has. All of them come from the one `cloud` setting (AU-A7), so that a token for one
// service can never be asked for, or sent, in the name of another.
#pragma once

#include <string>

#include "api/rotation_environment.h"
#include "base/error.h"
#include "base/net/url.h"

namespace keyturn {

struct AzureCloud {
  net::Origin authority;         // the token endpoint's host
  net::Origin resource_manager;  // Azure Resource Manager
  std::string vault_audience;    // without a trailing slash: the service refuses one
  std::string arm_audience;
  std::string vault_suffix;  // ".vault.azure.net"; empty with Custom, where every vault names its own origin
  bool custom = false;
};

// The hosts of the national clouds are those of Microsoft's own SDKs. Custom keeps the public audiences, because that is what a simulated
// Azure checks. Errors: Invalid (Custom without usable endpoints).
Result<AzureCloud> azure_cloud(const api::AzureSettings& settings);

// Where a vault is reached. Errors: Invalid (a name that Azure does not allow, or Custom without a usable url).
Result<net::Origin> azure_vault_origin(const AzureCloud& cloud, const api::VaultEntry& entry);

}  // namespace keyturn
