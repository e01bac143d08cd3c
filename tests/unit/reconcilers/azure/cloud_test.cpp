#include "reconcilers/azure/cloud.h"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TEST(AzureCloud, TakesEveryHostFromTheOneSetting) {
  api::AzureSettings settings;
  const AzureCloud open = azure_cloud(settings).value();
  EXPECT_EQ(open.authority.authority(), "login.microsoftonline.com");
  EXPECT_EQ(open.arm_audience, "https://management.azure.com");
  EXPECT_EQ(open.vault_audience, "https://vault.azure.net");
  settings.cloud = api::Cloud::USGovernment;
  EXPECT_EQ(azure_cloud(settings).value().vault_audience, "https://vault.usgovcloudapi.net");
  settings.cloud = api::Cloud::China;
  EXPECT_EQ(azure_cloud(settings).value().resource_manager.host, "management.chinacloudapi.cn");
}

TEST(AzureCloud, NeedsEndpointsWhenCustom) {
  api::AzureSettings settings;
  settings.cloud = api::Cloud::Custom;
  EXPECT_EQ(azure_cloud(settings).error().code, Errc::Invalid);
  settings.endpoints = {"https://localhost:8443", "https://localhost:8443", ""};
  EXPECT_EQ(azure_cloud(settings).value().authority.port, 8443);
}

TEST(AzureCloud, PutsAVaultBelowItsCloudsDomain) {
  const AzureCloud cloud = azure_cloud({}).value();
  api::VaultEntry entry;
  entry.vault = "Contoso-KV";
  EXPECT_EQ(azure_vault_origin(cloud, entry).value().authority(), "contoso-kv.vault.azure.net");
}

TEST(AzureCloud, RefusesVaultNamesThatCouldNameAnotherHost) {
  const AzureCloud cloud = azure_cloud({}).value();
  for (const char* name : {"", "evil.example.com/", "a.b", "-a", "a-", "a@b", "a b"}) {
    api::VaultEntry entry;
    entry.vault = name;
    EXPECT_EQ(azure_vault_origin(cloud, entry).error().code, Errc::Invalid) << name;
  }
}

TEST(AzureCloud, TakesAVaultsOwnUrlOnlyWhenCustom) {
  api::AzureSettings settings;
  settings.cloud = api::Cloud::Custom;
  settings.endpoints = {"https://localhost:1", "https://localhost:2", ""};
  api::VaultEntry entry;
  entry.vault = "main";
  entry.url = "https://localhost:3";
  EXPECT_EQ(azure_vault_origin(azure_cloud(settings).value(), entry).value().port, 3);
  EXPECT_EQ(azure_vault_origin(azure_cloud({}).value(), entry).value().host, "main.vault.azure.net");
}

}  // namespace
}  // namespace keyturn
