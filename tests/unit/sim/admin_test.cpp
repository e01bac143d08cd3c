#include "sim/admin.h"

#include <gtest/gtest.h>

#include "tests/unit/sim/simulated_cloud.h"

namespace keyturn::sim {
namespace {

class AdminTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(sim_.seed(plain_seed), ""); }
  SimulatedCloud sim_;
};

TEST_F(AdminTest, ShowsVersionsAndNeverValues) {
  sim_.vault("PUT", "/secrets/redis?api-version=7.4", R"({"value":"canary-value"})");
  const Reply state = sim_.admin("GET", "/admin/state");
  EXPECT_EQ(state.status, 200);
  EXPECT_EQ(state.at("/vaults/main/secrets/redis/versions").as_array().size(), 2U);
  EXPECT_EQ(state.text_at("/apps/orders/revisions/0/replicas/0/loaded/redis"),
            state.text_at("/vaults/main/secrets/redis/versions/0/version"));
  EXPECT_EQ(state.text.find("canary-value"), std::string::npos);
  EXPECT_EQ(state.text.find("first"), std::string::npos);
}

TEST_F(AdminTest, JumpsInTimeAndLetsEverythingDueHappen) {  // SIM-1
  const std::string second = version_of(sim_.vault("PUT", "/secrets/redis?api-version=7.4", R"({"value":"second"})"));
  ASSERT_EQ(sim_.admin("POST", "/admin/advance", R"({"seconds":1800})").status, 200);
  EXPECT_EQ(sim_.admin("GET", "/admin/state").text_at("/apps/orders/synchronised/redis"), second);
  EXPECT_EQ(sim_.admin("POST", "/admin/advance", R"({"seconds":-1})").status, 400);
  EXPECT_EQ(sim_.admin("POST", "/admin/advance", R"({"seconds":99999999})").status, 400);
  EXPECT_EQ(sim_.admin("POST", "/admin/advance", "{}").status, 400);
}

TEST_F(AdminTest, AddsListsAndRemovesFaults) {
  const Reply added = sim_.admin("POST", "/admin/faults", R"({"match":{"vault":"main"},"action":"drop-before"})");
  EXPECT_EQ(added.status, 201);
  EXPECT_EQ(sim_.admin("GET", "/admin/faults").text_at("/faults/0/id"), added.text_at("/id"));
  EXPECT_EQ(sim_.admin("DELETE", "/admin/faults/" + added.text_at("/id")).status, 200);
  EXPECT_EQ(sim_.admin("DELETE", "/admin/faults/" + added.text_at("/id")).status, 404);
  sim_.admin("POST", "/admin/faults", R"({"action":"drop-before"})");
  EXPECT_EQ(sim_.admin("DELETE", "/admin/faults").status, 200);
  EXPECT_TRUE(sim_.cloud().faults.all().empty());
}

TEST_F(AdminTest, SeedsMoreSecretsAsNewVersions) {
  ASSERT_EQ(sim_.admin("POST", "/admin/seed",
                       R"({"vaults":[{"name":"main","secrets":[{"name":"redis","value":"second"},{"name":"made","generateBytes":32}]}]})")
                .status,
            200);
  EXPECT_EQ(sim_.vault("GET", "/secrets/redis?api-version=7.4").text_at("/value"), "second");
  EXPECT_EQ(sim_.vault("GET", "/secrets/made?api-version=7.4").text_at("/value").size(), 32U);
}

TEST_F(AdminTest, NamesThePlaceOfASeedProblemAndNeverAValue) {
  struct Case {
    const char* seed;
    const char* message;
  };
  for (const Case& c :
       {Case{R"([])", "must be an object"}, Case{R"({"vault":[]})", "vault is not known"},
        Case{R"({"vaults":{}})", "vaults must be a list"}, Case{R"({"vaults":[{"secrets":[]}]})", "vaults[0].name is missing"},
        Case{R"({"vaults":[{"name":"v","secrets":[{"name":"a"}]}]})", "vaults[0].secrets[0].value or generateBytes is missing"},
        Case{R"({"vaults":[{"name":"v","secrets":[{"name":"a","value":7}]}]})", "vaults[0].secrets[0].value must be a string"},
        Case{R"({"vaults":[{"name":"v","network":"Wide"}]})", "vaults[0].network must be one of Open Firewall Connection"},
        Case{R"({"vaults":[{"name":"v","defaultActions":["read"]}]})", "vaults[0].defaultActions has an unknown action"},
        Case{R"({"apps":[{"name":"a","secrets":[{"name":"s"}]}]})", "apps[0].secrets[0].value or keyVaultUrl must be given, not both"},
        Case{R"({"apps":[{"name":"orders"}]})", "apps[0]: An app of this name exists already."},
        Case{R"({"apps":[{"name":"a","secrets":[{"name":"s","keyVaultUrl":"{vault:main"}]}]})",
             "apps[0].secrets[0].keyVaultUrl is not well formed"},
        Case{R"({"grants":[{"principal":"p","vault":"absent","actions":[]}]})", "grants[0].vault is not known"},
        Case{R"({"grants":[{"principal":"p"}]})", "grants[0].arm or vault must be given, not both"},
        Case{R"({"principals":[{"clientSecret":"canary"}]})", "principals[0].clientId is missing"}}) {
    const Reply reply = sim_.admin("POST", "/admin/seed", c.seed);
    EXPECT_EQ(reply.status >= 400 && reply.status < 500, true) << c.seed;
    EXPECT_EQ(reply.text_at("/error/message"), c.message);
    EXPECT_EQ(reply.text.find("canary"), std::string::npos);
  }
}

TEST_F(AdminTest, KeepsAnAppWhoseReferenceCannotBeReadWithAFailedRecord) {  // CA-S4
  ASSERT_EQ(
      sim_.seed(R"({"apps":[{"name":"broken","secrets":[{"name":"s","keyVaultUrl":"https://main.vault.azure.net/secrets/absent"}]}]})"),
      "");
  const Reply state = sim_.admin("GET", "/admin/state");
  EXPECT_FALSE(state.at("/apps/broken/syncRecords/0/succeeded").as_bool());
  EXPECT_EQ(state.text_at("/apps/broken/syncRecords/0/reason"), "SecretNotFound");
}

TEST_F(AdminTest, RefusesWhatItDoesNotHave) {
  EXPECT_EQ(sim_.admin("GET", "/admin").status, 404);
  EXPECT_EQ(sim_.admin("GET", "/admin/secrets").status, 404);
  EXPECT_EQ(sim_.admin("GET", "/secrets/redis?api-version=7.4").status, 404);
  EXPECT_EQ(sim_.admin("POST", "/admin/apps/absent/sync").status, 404);
  EXPECT_EQ(sim_.admin("POST", "/admin/apps/orders/explode", "{}").status, 404);
  EXPECT_EQ(sim_.admin("PUT", "/admin/seed", "{}").status, 404);
  EXPECT_EQ(sim_.admin("POST", "/admin/faults", "{").status, 400);
  EXPECT_EQ(sim_.admin("GET", "/admin/log?after=x").status, 400);
  EXPECT_EQ(sim_.admin("POST", "/admin/apps/orders/scale", "{}").status, 400);
  EXPECT_EQ(sim_.admin("POST", "/admin/apps/orders/health", R"({"rule":"unlessValue","secret":"absent"})").status, 404);
  EXPECT_EQ(sim_.admin("POST", "/admin/apps/orders/health", R"({"rule":"unlessValue"})").status, 400);
  EXPECT_EQ(sim_.admin("POST", "/admin/apps/orders/health", "{}").status, 400);
  EXPECT_EQ(sim_.admin("POST", "/admin/apps/orders/states", "[]").status, 400);
}

TEST_F(AdminTest, ServesHealthAndThePeriodicSyncOfAnApp) {
  EXPECT_EQ(sim_.admin("GET", "/admin/health").status, 200);
  EXPECT_EQ(sim_.admin("GET", "/apps/orders/health").text, R"({"status":"Healthy"})");
  const std::string second = version_of(sim_.vault("PUT", "/secrets/redis?api-version=7.4", R"({"value":"second"})"));
  EXPECT_EQ(sim_.admin("POST", "/admin/apps/orders/sync").status, 200);
  EXPECT_EQ(sim_.admin("GET", "/admin/state").text_at("/apps/orders/synchronised/redis"), second);
}

}  // namespace
}  // namespace keyturn::sim
