#include "reconcilers/azure/container_app_usage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>

namespace keyturn {
namespace {

using Finding = ConsumerFinding;

AppUsage usage(const std::string& properties) { return read_usage(boost::json::parse(properties).as_object()); }
std::vector<Finding> findings(const std::string& properties, api::DataProtection declared = api::DataProtection::NotUsed) {
  return findings_of(usage(properties), {"Redis"}, declared);
}
// Around a part of the template, a container that reads the secret from a variable.
std::string with(const std::string& tmpl, const std::string& configuration = "{}") {
  return R"({"configuration":)" + configuration + R"(,"template":{"containers":[{"env":[{"name":"R","secretRef":"redis"}]}])" +
         (tmpl.empty() ? "" : "," + tmpl) + "}}";
}

TEST(AppUsage, OfAVariableNeedsNoWord) { EXPECT_TRUE(findings(with("")).empty()); }

TEST(AppUsage, SeesInitContainers) {
  EXPECT_TRUE(findings(R"({"template":{"initContainers":[{"env":[{"name":"R","secretRef":"REDIS"}]}]}})").empty());
}

TEST(AppUsage, SeesMountedFiles) {
  const std::vector<Finding> mounted{Finding::VolumeUser};
  EXPECT_EQ(findings(with(R"("volumes":[{"name":"v","storageType":"Secret","secrets":[{"secretRef":"redis","path":"r"}]}])")), mounted);
  EXPECT_EQ(findings(with(R"("volumes":[{"name":"v","storageType":"Secret"}])")), mounted) << "no list: every secret is there";
  EXPECT_TRUE(findings(with(R"("volumes":[{"name":"v","storageType":"Secret","secrets":[{"secretRef":"sql"}]}])")).empty());
  EXPECT_TRUE(findings(with(R"("volumes":[{"name":"v","storageType":"EmptyDir"}])")).empty());
}

TEST(AppUsage, SeesScaleRulesOfEveryKind) {
  const std::vector<Finding> scales{Finding::ScaleRuleUser};
  EXPECT_EQ(findings(with(R"("scale":{"rules":[{"name":"q","custom":{"type":"redis","auth":[{"secretRef":"redis"}]}}]})")), scales);
  EXPECT_EQ(findings(with(R"("scale":{"rules":[{"name":"h","http":{"auth":[{"secretRef":"redis"}]}}]})")), scales);
  EXPECT_EQ(findings(with(R"("scale":{"rules":[{"name":"j","auth":[{"secretRef":"redis"}]}]})")), scales);
  EXPECT_TRUE(findings(with(R"("scale":{"rules":[{"name":"q","custom":{"auth":[{"secretRef":"sql"}]}}]})")).empty());
}

TEST(AppUsage, SeesRegistriesAndDapr) {
  EXPECT_EQ(findings(with("", R"({"registries":[{"server":"r","passwordSecretRef":"redis"}]})")), std::vector{Finding::RegistryUser});
  EXPECT_EQ(findings(with("", R"({"dapr":{"enabled":true}})")), std::vector{Finding::DaprUser});
  EXPECT_TRUE(findings(with("", R"({"dapr":{"enabled":false}})")).empty());
}

TEST(AppUsage, SaysWhenNothingUsesTheSecret) {
  EXPECT_EQ(findings(R"({"template":{"containers":[{"env":[{"name":"S","secretRef":"sql"}]}]}})"), std::vector{Finding::NoUseSeen});
  EXPECT_TRUE(findings_of(usage("{}"), {}, api::DataProtection::NotUsed).empty()) << "it does not even refer to it";
}

TEST(AppUsage, ToleratesOtherShapes) {
  for (const char* text : {"{}", R"({"configuration":7,"template":[]})", R"({"template":{"containers":[7,{"env":{}}],"volumes":[null]}})",
                           R"({"template":{"scale":{"rules":["x",{"custom":[]}]}},"configuration":{"registries":[1],"dapr":true}})"})
    EXPECT_EQ(usage(text).key_ring, KeyRing::NothingSeen) << text;
}

struct Ring {
  const char* properties;
  KeyRing expected;
};
TEST(KeyRing, IsJudgedByWhatTheDefinitionTells) {
  const Ring table[] = {
      {"{}", KeyRing::NothingSeen},
      {R"({"configuration":{"runtime":{"dotnet":{"autoConfigureDataProtection":true}}}})", KeyRing::Persisted},
      {R"({"configuration":{"runtime":{"dotnet":{"autoConfigureDataProtection":false}}}})", KeyRing::DotNetSeen},
      {R"({"template":{"containers":[{"env":[{"name":"ASPNETCORE_URLS","value":"http://+:80"}]}]}})", KeyRing::DotNetSeen},
      {R"({"template":{"containers":[{"env":[{"name":"ASPNETCORE_ReadOnlyDataProtectionKeyDirectory","value":"/keys"}]}]}})",
       KeyRing::Persisted},
      {R"({"template":{"containers":[{"env":[{"name":"DataProtection__BlobUri","value":"https://a.blob.core.windows.net/k"}]}]}})",
       KeyRing::Persisted},
      {R"({"template":{"containers":[{"env":[{"name":"DATA_PROTECTION_REDIS","secretRef":"redis"}]}]}})", KeyRing::Persisted},
      {R"({"template":{"containers":[{"env":[{"name":"DataProtection__ApplicationName","value":"erp"}]}]}})", KeyRing::NotSeenPersisted},
      {R"({"template":{"containers":[{"env":[{"name":"DataProtection__Path","value":"/app/keys"}]}]}})", KeyRing::NotSeenPersisted},
      {R"({"template":{"volumes":[{"name":"s","storageType":"AzureFile"}],"containers":[{"env":[{"name":"DataProtection__Path",
          "value":"/share/keys"}],"volumeMounts":[{"volumeName":"s","mountPath":"/share/"}]}]}})",
       KeyRing::Persisted},
      {R"({"template":{"volumes":[{"name":"s","storageType":"AzureFile"}],"containers":[{"env":[{"name":"DataProtection__Path",
          "value":"/shared/keys"}],"volumeMounts":[{"volumeName":"s","mountPath":"/share"}]}]}})",
       KeyRing::NotSeenPersisted},
      {R"({"template":{"volumes":[{"name":"s","storageType":"NfsAzureFile"}],"containers":[{"volumeMounts":[{"volumeName":"s",
          "mountPath":"/root/.aspnet/DataProtection-Keys"}]}]}})",
       KeyRing::Persisted},
      {R"({"template":{"volumes":[{"name":"s","storageType":"EmptyDir"}],"containers":[{"volumeMounts":[{"volumeName":"s",
          "mountPath":"/root/.aspnet/DataProtection-Keys"}]}]}})",
       KeyRing::NotSeenPersisted},
  };
  for (const Ring& row : table) EXPECT_EQ(usage(row.properties).key_ring, row.expected) << row.properties;
}

TEST(KeyRing, IsAFindingOnlyWhereNobodyDeclaredIt) {
  const char* lost =
      R"({"template":{"containers":[{"env":[{"name":"R","secretRef":"redis"},{"name":"DataProtection__Path","value":"/k"}]}]}})";
  EXPECT_EQ(findings(lost, api::DataProtection::Detect), std::vector{Finding::KeyRingNotPersisted});
  EXPECT_TRUE(findings(lost, api::DataProtection::Persisted).empty());
  EXPECT_TRUE(findings(lost, api::DataProtection::NotUsed).empty());
  EXPECT_EQ(findings(with(""), api::DataProtection::Detect), std::vector{Finding::KeyRingNotSeen});
  EXPECT_EQ(findings(with("", R"({"runtime":{"dotnet":{"autoConfigureDataProtection":false}}})"), api::DataProtection::Detect),
            std::vector{Finding::KeyRingOfDotNet});
  EXPECT_TRUE(findings(with("", R"({"runtime":{"dotnet":{"autoConfigureDataProtection":true}}})"), api::DataProtection::Detect).empty());
}

}  // namespace
}  // namespace keyturn
