#include "reconcilers/azure/cloud.h"

#include <algorithm>

namespace keyturn {
namespace {

net::Origin https(std::string host) { return {"https", std::move(host), 443}; }

AzureCloud national(std::string authority, std::string manager, std::string vault_domain) {
  AzureCloud cloud;
  cloud.authority = https(std::move(authority));
  cloud.arm_audience = "https://" + manager;
  cloud.resource_manager = https(std::move(manager));
  cloud.vault_audience = "https://" + vault_domain;
  cloud.vault_suffix = "." + std::move(vault_domain);
  return cloud;
}

Result<AzureCloud> custom(const api::AzureEndpoints& endpoints) {
  const Result<net::Url> authority = net::Url::parse(endpoints.authority);
  const Result<net::Url> manager = net::Url::parse(endpoints.resource_manager);
  if (!authority || !manager) return Error{Errc::Invalid, "cloud Custom needs the addresses of the authority and of the resource manager"};
  AzureCloud cloud;
  cloud.custom = true;
  cloud.authority = authority->origin;
  cloud.resource_manager = manager->origin;
  cloud.vault_audience = "https://vault.azure.net";
  cloud.arm_audience = "https://management.azure.com";
  return cloud;
}

bool vault_name_allowed(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

Result<AzureCloud> azure_cloud(const api::AzureSettings& settings) {
  switch (settings.cloud) {
    case api::Cloud::Public:
      return national("login.microsoftonline.com", "management.azure.com", "vault.azure.net");
    case api::Cloud::USGovernment:
      return national("login.microsoftonline.us", "management.usgovcloudapi.net", "vault.usgovcloudapi.net");
    case api::Cloud::China:
      return national("login.chinacloudapi.cn", "management.chinacloudapi.cn", "vault.azure.cn");
    case api::Cloud::Custom:
      return custom(settings.endpoints);
  }
  return Error{Errc::Invalid, "unknown cloud"};
}

Result<net::Origin> azure_vault_origin(const AzureCloud& cloud, const api::VaultEntry& entry) {
  if (cloud.custom) {
    const Result<net::Url> url = net::Url::parse(entry.url);
    if (!url) return Error{Errc::Invalid, "cloud Custom needs the vault's url"};
    return url->origin;
  }
  if (!vault_name_allowed(entry.vault)) return Error{Errc::Invalid, "the vault's name is not one that Azure allows"};
  std::string host = entry.vault + cloud.vault_suffix;
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return https(std::move(host));
}

}  // namespace keyturn
