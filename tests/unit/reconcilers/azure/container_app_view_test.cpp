#include "reconcilers/azure/container_app_view.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace keyturn {
namespace {

const net::Origin vault{"https", "main.vault.azure.net", 443};

AppView app(const std::string& properties) {
  return read_app(boost::json::parse("{\"properties\":" + properties + "}"), Instant{}).value();
}

TEST(VaultReference, IsReadByItsParts) {
  const auto newest = parse_vault_reference("https://Main.vault.azure.net:443/secrets/Redis/");
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->vault, vault);
  EXPECT_EQ(newest->secret, "Redis");
  EXPECT_TRUE(newest->version.empty());
  EXPECT_EQ(parse_vault_reference("https://main.vault.azure.net/secrets/redis/abc")->version, "abc");
}

TEST(VaultReference, RefusesWhatIsNotOne) {
  for (const char* text : {"", "https://main.vault.azure.net/keys/redis", "https://main.vault.azure.net/secrets/",
                           "https://main.vault.azure.net/secrets/a/b/c", "https://main.vault.azure.net/secrets/a?x=1",
                           "http://main.vault.azure.net/secrets/a", "main/secrets/a"})
    EXPECT_FALSE(parse_vault_reference(text)) << text;
}

TEST(VaultReference, ComparesNamesWithoutRegardToCase) {
  EXPECT_TRUE(refers_to({"r", "https://MAIN.vault.azure.net/secrets/Redis", ""}, vault, "redis"));
  EXPECT_FALSE(refers_to({"r", "https://main.vault.azure.net/secrets/redis2", ""}, vault, "redis"));
  EXPECT_FALSE(refers_to({"r", "https://other.vault.azure.net/secrets/redis", ""}, vault, "redis"));
  EXPECT_FALSE(refers_to({"r", "", ""}, vault, "redis"));
}

TEST(AppView, ReadsWhatARotationNeeds) {
  const AppView view =
      app(R"({"provisioningState":"Succeeded","runningStatus":"Running","latestRevisionName":"a--2","latestReadyRevisionName":"a--1",
      "configuration":{"activeRevisionsMode":"multiple","secrets":[{"name":"r","keyVaultUrl":"https://main.vault.azure.net/secrets/r","identity":"system"},{"name":"i"}]},
      "deploymentErrors":"broken"})");
  EXPECT_TRUE(view.multiple_revisions);
  ASSERT_EQ(view.secrets.size(), 2u);
  EXPECT_TRUE(view.secrets[1].key_vault_url.empty());
  EXPECT_TRUE(view.has_errors);
}

TEST(AppView, ToleratesWhatIsMissing) {
  const AppView view = app("{}");
  EXPECT_TRUE(view.secrets.empty());
  EXPECT_FALSE(view.has_errors);
  EXPECT_FALSE(app(R"({"deploymentErrors":null})").has_errors);
  EXPECT_FALSE(app(R"({"deploymentErrors":""})").has_errors);
  EXPECT_EQ(app(R"({"deploymentErrors":""})").errors_fingerprint, view.errors_fingerprint);
  EXPECT_TRUE(app(R"({"configuration":{"secrets":null}})").secrets.empty());
}

TEST(AppView, IsNothingForAnotherShape) {
  for (const char* text : {"[]", "null", "{}", R"({"properties":7})", R"({"properties":{"configuration":{"secrets":[7]}}})",
                           R"({"properties":{"configuration":{"secrets":[{"value":"x"}]}}})"})
    EXPECT_EQ(read_app(boost::json::parse(text), Instant{}).error().code, Errc::Unavailable) << text;
}

TEST(AppReplicas, AreReadyOnlyWhenEveryContainerIs) {
  const auto replicas = read_replicas(boost::json::parse(R"({"value":[
      {"name":"a","properties":{"createdTime":"2026-03-01T10:00:00Z","runningState":"Running","containers":[{"ready":true,"restartCount":1},{"ready":false,"restartCount":4}]}},
      {"name":"b","properties":{"createdTime":"nonsense","runningState":"NotRunning","containers":[]}},
      {"name":"c","properties":{"createdTime":"2026-03-01T11:00:00+01:00","runningState":"SomethingNew","containers":[{"ready":true}]}},
      {"name":"d","properties":{"runningState":"Running","containers":[{"ready":true}]}}]})"))
                            .value();
  EXPECT_FALSE(replicas[0].ready);
  EXPECT_EQ(replicas[0].restarts, 4);
  EXPECT_TRUE(replicas[1].stopped);
  EXPECT_FALSE(replicas[1].created);
  EXPECT_FALSE(replicas[2].ready);
  EXPECT_FALSE(replicas[2].stopped);
  EXPECT_EQ(replicas[2].created, replicas[0].created);
  EXPECT_TRUE(replicas[3].ready);
}

TEST(AppReferences, CompareWithoutRegardToOrderAndCase) {
  const AppSecretEntry a{"a", "https://v/secrets/a", "/subscriptions/x/resourceGroups/rg/id"};
  const AppSecretEntry b{"b", "https://v/secrets/b", "system"};
  const AppSecretEntry a_read_back{"a", "https://v/secrets/a", "/subscriptions/x/resourcegroups/rg/id"};
  EXPECT_EQ(references_fingerprint({a, b}), references_fingerprint({b, a_read_back}));
  EXPECT_NE(references_fingerprint({a, b}), references_fingerprint({a}));
  EXPECT_NE(references_fingerprint({a}), references_fingerprint({{"a", "https://v/secrets/a/1", a.identity}}));
}

}  // namespace
}  // namespace keyturn
