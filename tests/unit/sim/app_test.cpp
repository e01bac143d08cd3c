#include <gtest/gtest.h>

#include "sim/text.h"
#include "tests/unit/sim/simulated_cloud.h"

namespace keyturn::sim {
namespace {

namespace json = boost::json;
using std::chrono::minutes;
using std::chrono::seconds;

class AppTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(sim_.seed(plain_seed), ""); }

  std::string put(const std::string& value, const std::string& name = "redis") {
    return version_of(sim_.vault("PUT", "/secrets/" + name + "?api-version=7.4", R"({"value":")" + value + R"("})"));
  }
  void disable(const std::string& version) {
    ASSERT_EQ(sim_.vault("PATCH", "/secrets/redis/" + version + "?api-version=7.4", R"({"attributes":{"enabled":false}})").status, 200);
  }
  Reply patch(const std::string& body) { return sim_.arm("PATCH", "/orders", body); }
  Reply get() { return sim_.arm("GET", "/orders"); }
  std::string state() { return get().text_at("/properties/provisioningState"); }
  std::string latest() { return get().text_at("/properties/latestRevisionName"); }
  App& app() { return *sim_.cloud().apps.find("orders"); }

  // The versions that the replicas of the newest revision have loaded, and their names.
  std::set<std::string> loaded(bool with_retiring = false) {
    std::set<std::string> out;
    for (const Replica& replica : app().revisions().back().replicas) {
      if (with_retiring || !replica.retiring) out.insert(replica.loaded.at("redis").version);
    }
    return out;
  }
  std::set<std::string> replica_names() {
    std::set<std::string> out;
    for (const Replica& replica : app().revisions().back().replicas) out.insert(replica.name);
    return out;
  }
  void restart() { ASSERT_EQ(sim_.arm("POST", "/orders/revisions/" + latest() + "/restart").status, 200); }

  SimulatedCloud sim_;
};

TEST_F(AppTest, BeginsSettledWithEveryReplicaReady) {
  EXPECT_EQ(state(), "Succeeded");
  EXPECT_EQ(get().text_at("/properties/latestReadyRevisionName"), latest());
  EXPECT_TRUE(app().healthy());
  EXPECT_EQ(replica_names().size(), 2U);
}

TEST_F(AppTest, ListsAppsPageByPage) {
  for (int i = 0; i < 24; ++i) ASSERT_EQ(sim_.seed(R"({"apps":[{"name":"more-)" + std::to_string(i) + R"(","resourceGroup":"erp"}]})"), "");
  const Reply first = sim_.arm("GET", "");
  EXPECT_EQ(first.at("/value").as_array().size(), 20U);
  const Reply second = sim_.get_url(first.text_at("/nextLink"));
  EXPECT_EQ(second.status, 200) << second.text;
  EXPECT_EQ(second.at("/value").as_array().size(), 5U);
  EXPECT_TRUE(second.at("/nextLink").is_null());
  std::string wrong = first.text_at("/nextLink");
  EXPECT_EQ(sim_.get_url(wrong + "x").error_code(), "InvalidSkipToken");
}

TEST_F(AppTest, ShowsJobsAsDefinitionsWithoutValues) {
  ASSERT_EQ(sim_.seed(R"({"jobs":[{"name":"nightly","resourceGroup":"erp","secrets":[{"name":"s","value":"plain"},
      {"name":"r","keyVaultUrl":"{vault:main}/secrets/redis"}]}]})"),
            "");
  const std::string jobs = SimulatedCloud::apps_path().substr(0, SimulatedCloud::apps_path().rfind('/')) + "/jobs?api-version=2025-01-01";
  const Reply listed = sim_.get_url("https://localhost:8443" + jobs);
  ASSERT_EQ(listed.status, 200) << listed.text;
  EXPECT_EQ(listed.text_at("/value/0/name"), "nightly");
  EXPECT_EQ(listed.at("/value/0/properties/configuration/secrets").as_array().size(), 2U);
  EXPECT_EQ(listed.text.find("plain"), std::string::npos);
}

TEST_F(AppTest, ListsThePermissionsOfWhoAsks) {
  const auto actions = [this] {
    const Reply reply = sim_.arm("GET", "/orders/providers/Microsoft.Authorization/permissions");
    EXPECT_EQ(reply.status, 200) << reply.text;
    return boost::json::serialize(reply.at("/value/0/actions"));
  };
  EXPECT_NE(actions().find("Microsoft.App/containerApps/revisions/restart/action"), std::string::npos);
  EXPECT_EQ(actions().find("listSecrets"), std::string::npos);
  ASSERT_EQ(sim_.seed(R"({"grants":[{"principal":"keyturn","arm":["read"]}]})"), "");
  EXPECT_EQ(actions().find("restart"), std::string::npos);
  EXPECT_NE(actions().find("containerApps/read"), std::string::npos);
}

TEST_F(AppTest, RestartsWithTheValueSyncedLastAndNeverReadsTheVault) {  // CA-S1
  const std::string first = app().secrets().loaded().at("redis").version;
  put("second");
  const auto before = replica_names();
  restart();
  EXPECT_EQ(replica_names(), before);
  sim_.advance(seconds(2));
  EXPECT_EQ(loaded(), std::set<std::string>{first});
  sim_.advance(seconds(30));
  for (const std::string& name : replica_names()) EXPECT_FALSE(before.contains(name));
  EXPECT_EQ(loaded(true), std::set<std::string>{first});
}

TEST_F(AppTest, KeepsOldReplicasBesideReadyNewOnes) {  // CA-S8
  restart();
  sim_.advance(seconds(2));
  EXPECT_EQ(replica_names().size(), 4U);
  sim_.advance(seconds(16));
  EXPECT_EQ(replica_names().size(), 4U);
  EXPECT_TRUE(app().healthy());
  sim_.advance(seconds(10));
  EXPECT_EQ(replica_names().size(), 2U);
}

TEST_F(AppTest, SyncsEveryThirtyMinutesAtItsOwnPhaseAndRestartsTheReplicas) {  // CA-S2
  const std::string revision = latest();
  const std::string second = put("second");
  sim_.advance(minutes(29) + seconds(59));
  EXPECT_EQ(loaded(true).count(second), 0U);
  sim_.advance(seconds(1) + seconds(2) + seconds(26));
  EXPECT_EQ(loaded(true), std::set<std::string>{second});
  EXPECT_EQ(latest(), revision);
}

TEST_F(AppTest, DoesNotMoveItsPhaseByARepatch) {  // CA-S2
  sim_.advance(minutes(20));
  ASSERT_EQ(patch(repatch_body).status, 202);
  sim_.advance(minutes(1));
  const std::string second = put("second");
  sim_.advance(minutes(9));
  EXPECT_EQ(app().secrets().loaded().at("redis").version, second);
}

TEST_F(AppTest, TakesASeededPhase) {  // CA-S2
  ASSERT_EQ(
      sim_.seed(
          R"({"apps":[{"name":"early","resourceGroup":"erp","syncPhaseSeconds":60,"secrets":[{"name":"redis","keyVaultUrl":"{vault:main}/secrets/redis"}]}]})"),
      "");
  const std::string second = put("second");
  sim_.advance(seconds(60));
  EXPECT_EQ(sim_.cloud().apps.find("early")->secrets().loaded().at("redis").version, second);
  EXPECT_NE(app().secrets().loaded().at("redis").version, second);
}

TEST_F(AppTest, LeavesReplicasAloneWhenASyncFindsNothingNew) {  // CA-S2
  const auto before = replica_names();
  put("first");  // a new version of the same value
  sim_.advance(minutes(31));
  EXPECT_EQ(replica_names(), before);
}

TEST_F(AppTest, SyncsARepatchBeforeItsOperationEndsAndLeavesReplicasUntouched) {  // CA-S3
  const std::string second = put("second");
  const auto before = replica_names();
  ASSERT_EQ(patch(repatch_body).status, 202);
  EXPECT_EQ(state(), "InProgress");
  sim_.advance(seconds(8));
  EXPECT_EQ(app().secrets().loaded().at("redis").version, second);
  EXPECT_EQ(state(), "InProgress");
  sim_.advance(seconds(5));
  EXPECT_EQ(state(), "Succeeded");
  sim_.advance(minutes(1));
  EXPECT_EQ(replica_names(), before);
  restart();
  sim_.advance(seconds(30));
  EXPECT_EQ(loaded(true), std::set<std::string>{second});
}

TEST_F(AppTest, CanReplaceReplicasOfARepatchBeforeTheRecordOfItsSync) {  // CA-S3
  ASSERT_EQ(
      sim_.seed(
          R"({"apps":[{"name":"eager","resourceGroup":"erp","patchRestartsOnChange":true,"secrets":[{"name":"redis","keyVaultUrl":"{vault:main}/secrets/redis"}]}]})"),
      "");
  const std::string second = put("second");
  ASSERT_EQ(sim_.arm("PATCH", "/eager", repatch_body).status, 202);
  sim_.advance(seconds(8));
  const App& eager = *sim_.cloud().apps.find("eager");
  const Replica& replica = eager.revisions().back().replicas.back();
  EXPECT_EQ(replica.loaded.at("redis").version, second);
  EXPECT_LT(replica.created, eager.sync_records().back().at);
}

TEST_F(AppTest, CanTreatAnIdenticalBodyAsNoSync) {  // CA-S3
  ASSERT_EQ(
      sim_.seed(
          R"({"apps":[{"name":"lazy","resourceGroup":"erp","identicalPatchSyncs":false,"secrets":[{"name":"redis","keyVaultUrl":"https://main.vault.azure.net/secrets/redis"}]}]})"),
      "");
  const std::string second = put("second");
  ASSERT_EQ(sim_.arm("PATCH", "/lazy", repatch_body).status, 202);
  sim_.advance(seconds(13));
  App& lazy = *sim_.cloud().apps.find("lazy");
  EXPECT_NE(lazy.secrets().loaded().at("redis").version, second);
  ASSERT_EQ(sim_.arm("PATCH", "/lazy", R"({"properties":{"configuration":{"maxInactiveRevisions":7}}})").status, 202);
  sim_.advance(seconds(13));
  EXPECT_EQ(lazy.secrets().loaded().at("redis").version, second);
}

TEST_F(AppTest, KeepsItsValueWhenASyncFailsAndTriesAgainNextPeriod) {  // CA-S4
  const std::string first = app().secrets().loaded().at("redis").version;
  const std::string second = put("second");
  disable(second);
  const auto before = replica_names();
  sim_.advance(minutes(30));
  EXPECT_EQ(app().secrets().loaded().at("redis").version, first);
  EXPECT_EQ(app().sync_records().back().reason, "SecretDisabled");
  EXPECT_FALSE(app().sync_records().back().succeeded);
  sim_.advance(minutes(1));
  EXPECT_EQ(replica_names(), before);
  put("third");
  sim_.advance(minutes(29));
  EXPECT_TRUE(app().sync_records().back().succeeded);
}

TEST_F(AppTest, RefusesAWriteWithAReferenceItCannotReadAndHidesTheCause) {  // CA-S4
  disable(put("second"));
  const Reply refused = patch(repatch_body);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.error_code(), "InvalidParameterValueInContainerTemplate");
  EXPECT_NE(refused.text_at("/error/message").find("Unable to get value using Managed identity"), std::string::npos);
  EXPECT_EQ(refused.text.find("isabled"), std::string::npos);
  EXPECT_EQ(state(), "Succeeded");
}

TEST_F(AppTest, ReadsReferencesAsItsOwnIdentity) {  // CA-S4
  sim_.admin("POST", "/admin/grants", R"({"principal":"app:orders","vault":"main","actions":[]})");
  EXPECT_EQ(patch(repatch_body).status, 400);
  sim_.advance(minutes(30));
  EXPECT_EQ(app().sync_records().back().reason, "ForbiddenByRbac");
}

TEST_F(AppTest, SyncsAPinnedReferenceToItsVersionOnly) {
  const std::string first = app().secrets().loaded().at("redis").version;
  put("second");
  std::string pinned = repatch_body;
  pinned.replace(pinned.find("/secrets/redis\""), 14, "/secrets/redis/" + first);
  ASSERT_EQ(patch(pinned).status, 202);
  sim_.advance(minutes(45));
  EXPECT_EQ(app().secrets().loaded().at("redis").version, first);
}

TEST_F(AppTest, ReplacesTheWholeSecretsArray) {  // CA-S5
  ASSERT_EQ(patch(R"({"properties":{"template":{"containers":[{"name":"orders","image":"repo/orders:v2"}]}}})").status, 202);
  sim_.advance(seconds(13));
  ASSERT_EQ(patch(R"({"properties":{"configuration":{"secrets":[{"name":"other","value":"x"}]}}})").status, 202);
  const json::array secrets = get().at("/properties/configuration/secrets").as_array();
  ASSERT_EQ(secrets.size(), 1U);
  EXPECT_EQ(secrets[0].at("name").as_string(), "other");
  EXPECT_FALSE(secrets[0].as_object().contains("value"));
}

TEST_F(AppTest, RefusesSecretsThatAreNotWhole) {  // CA-S5
  for (const char* secrets : {R"([{"name":"redis"}])", R"([{"name":"redis","keyVaultUrl":"https://main.vault.azure.net/secrets/redis"}])",
                              R"([{"value":"x"}])", R"({})", R"([1])", R"([{"name":"redis","value":"x"},{"name":"REDIS","value":"y"}])"}) {
    EXPECT_EQ(patch(R"({"properties":{"configuration":{"secrets":)" + std::string(secrets) + "}}}").status, 400) << secrets;
  }
  // Losing a secret that the template needs is refused as well.
  EXPECT_EQ(patch(R"({"properties":{"configuration":{"secrets":null}}})").error_code(), "ContainerAppSecretRefNotFound");
}

TEST_F(AppTest, ReadsEnvBackWithAnEmptyValueAndRefusesItInAWrite) {  // CA-S5
  const Reply shown = get();
  EXPECT_EQ(shown.text_at("/properties/template/containers/0/env/0/secretRef"), "redis");
  EXPECT_EQ(shown.text_at("/properties/template/containers/0/env/0/value"), "");
  const std::string body = R"({"properties":{"template":)" + json::serialize(shown.at("/properties/template")) + "}}";
  EXPECT_EQ(patch(body).status, 400);
}

TEST_F(AppTest, ShowsIdentityIdsInAnotherLetterCase) {  // CA-S5
  const std::string written = "/subscriptions/s/resourceGroups/erp/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Reader";
  std::string body = repatch_body;
  body.replace(body.find("\"system\""), 8, "\"" + written + "\"");
  ASSERT_EQ(patch(body).status, 202);
  const std::string shown = get().text_at("/properties/configuration/secrets/0/identity");
  EXPECT_NE(shown, written);
  EXPECT_NE(shown.find("/resourcegroups/"), std::string::npos);
}

TEST_F(AppTest, AcceptsAStaleRevisionSuffixAndFailsSilentlyUntilItIsCured) {  // CA-S6
  const auto with_suffix = [](const std::string& suffix, const std::string& image) {
    return R"({"properties":{"template":{"revisionSuffix":")" + suffix + R"(","containers":[{"name":"orders","image":")" + image +
           R"("}]}}})";
  };
  ASSERT_EQ(patch(with_suffix("v1", "repo/orders:v2")).status, 202);
  sim_.advance(minutes(1));
  EXPECT_EQ(latest(), "orders--v1");
  // The stored suffix stays in the merged template, so that the next change collides with it.
  ASSERT_EQ(patch(R"({"properties":{"template":{"containers":[{"name":"orders","image":"repo/orders:v3"}]}}})").status, 202);
  sim_.advance(minutes(1));
  EXPECT_EQ(state(), "Failed");
  EXPECT_NE(get().text_at("/properties/deploymentErrors").find("suffix v1 already exists"), std::string::npos);
  EXPECT_EQ(get().text_at("/properties/template/containers/0/image"), "repo/orders:v2");
  // Every later write tries the broken template again, and the errors of the time before stay to be seen until it ends.
  ASSERT_EQ(patch(R"({"properties":{"configuration":{"maxInactiveRevisions":5}}})").status, 202);
  EXPECT_TRUE(get().at("/properties").as_object().contains("deploymentErrors"));
  sim_.advance(minutes(1));
  EXPECT_EQ(state(), "Failed");
  ASSERT_EQ(patch(with_suffix("v2", "repo/orders:v3")).status, 202);
  sim_.advance(minutes(1));
  EXPECT_EQ(state(), "Succeeded");
  EXPECT_FALSE(get().at("/properties").as_object().contains("deploymentErrors"));
  EXPECT_EQ(latest(), "orders--v2");
}

TEST_F(AppTest, RefusesARevisionNameThatIsTooLong) {  // CA-S6
  ASSERT_EQ(patch(R"({"properties":{"template":{"revisionSuffix":")" + std::string(60, 'a') + R"("}}})").status, 202);
  sim_.advance(minutes(1));
  EXPECT_EQ(state(), "Failed");
}

TEST_F(AppTest, FollowsAWriteInEachOfTheFourStyles) {  // CA-S7, AR-S1
  struct Case {
    std::string style;
    bool location;
    bool operation;
    int status;
  };
  for (const Case& c : {Case{"Location", true, false, 202}, Case{"AzureAsyncOperation", false, true, 202}, Case{"Both", true, true, 202},
                        Case{"None", false, false, 200}}) {
    const std::string name = "app-" + lower(c.style);
    ASSERT_EQ(sim_.seed(R"({"apps":[{"name":")" + name + R"(","resourceGroup":"erp","lro":")" + c.style + R"("}]})"), "");
    const Reply reply = sim_.arm("PATCH", "/" + name, R"({"properties":{"configuration":{"maxInactiveRevisions":5}}})");
    EXPECT_EQ(reply.status, c.status);
    EXPECT_EQ(!reply.header("Location").empty(), c.location) << c.style;
    EXPECT_EQ(!reply.header("azure-asyncoperation").empty(), c.operation) << c.style;
    if (c.status == 202) EXPECT_EQ(reply.text, "");
  }
}

TEST_F(AppTest, ShowsTheEndOfAnOperationAtBothOfItsUrls) {  // CA-S7, AR-S1
  ASSERT_EQ(sim_.seed(R"({"apps":[{"name":"both","resourceGroup":"erp","lro":"Both"}]})"), "");
  const Reply accepted = sim_.arm("PATCH", "/both", R"({"properties":{"template":{"revisionSuffix":"Bad_Suffix"}}})");
  EXPECT_EQ(sim_.get_url(accepted.header("Location")).status, 202);
  EXPECT_EQ(sim_.get_url(accepted.header("azure-asyncoperation")).text_at("/status"), "InProgress");
  sim_.advance(seconds(13));
  // The failure is inside an HTTP 200 at one, and only in the resource at the other.
  const Reply status = sim_.get_url(accepted.header("azure-asyncoperation"));
  EXPECT_EQ(status.status, 200);
  EXPECT_EQ(status.text_at("/status"), "Failed");
  EXPECT_EQ(status.text_at("/error/code"), "ContainerAppOperationError");
  const Reply result = sim_.get_url(accepted.header("Location"));
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.text_at("/properties/provisioningState"), "Failed");
}

TEST_F(AppTest, CanPointOperationsElsewhereAndMakeTheirUrlsLong) {  // AR-S1
  ASSERT_EQ(sim_.seed(R"({"apps":[{"name":"odd","resourceGroup":"erp","operationHost":"evil.example","operationPadding":4000}]})"), "");
  const Reply reply = sim_.arm("PATCH", "/odd", R"({"properties":{"configuration":{"maxInactiveRevisions":5}}})");
  EXPECT_TRUE(reply.header("Location").starts_with("https://evil.example/"));
  EXPECT_GT(reply.header("Location").size(), 4000U);
}

TEST_F(AppTest, KeepsTheOldRevisionInSingleModeUntilTheNewOneIsReady) {  // CA-S8
  const std::string old = latest();
  ASSERT_EQ(patch(R"({"properties":{"template":{"containers":[{"name":"orders","image":"repo/orders:v2"}]}}})").status, 202);
  sim_.advance(seconds(13));
  EXPECT_NE(latest(), old);
  EXPECT_EQ(get().text_at("/properties/latestReadyRevisionName"), old);
  EXPECT_TRUE(app().revision(old)->active);
  sim_.advance(seconds(16));
  EXPECT_EQ(get().text_at("/properties/latestReadyRevisionName"), latest());
  EXPECT_FALSE(app().revision(old)->active);
  sim_.advance(seconds(10));
  EXPECT_TRUE(app().revision(old)->replicas.empty());
}

TEST_F(AppTest, CanLetTheReadyRevisionLag) {  // CA-S8
  ASSERT_EQ(sim_.seed(R"({"apps":[{"name":"slow","resourceGroup":"erp","readyLagSeconds":60}]})"), "");
  sim_.advance(seconds(60));
  ASSERT_EQ(sim_.arm("PATCH", "/slow", R"({"properties":{"template":{"revisionSuffix":"v2"}}})").status, 202);
  sim_.advance(seconds(13 + 16 + 59));
  EXPECT_NE(sim_.arm("GET", "/slow").text_at("/properties/latestReadyRevisionName"), "slow--v2");
  sim_.advance(seconds(1));
  EXPECT_EQ(sim_.arm("GET", "/slow").text_at("/properties/latestReadyRevisionName"), "slow--v2");
}

TEST_F(AppTest, KeepsSeveralRevisionsActiveInMultipleModeAndMovesTrafficOnlyByIngress) {  // CA-S8
  ASSERT_EQ(
      sim_.seed(
          R"({"apps":[{"name":"multi","resourceGroup":"erp","revisionMode":"Multiple","template":{"revisionSuffix":"v1","containers":[]},
                          "ingress":{"traffic":[{"revisionName":"multi--v1","weight":100}]}}]})"),
      "");
  ASSERT_EQ(sim_.arm("PATCH", "/multi", R"({"properties":{"template":{"revisionSuffix":"v2"}}})").status, 202);
  sim_.advance(minutes(1));
  const auto weight = [&](const std::string& revision) {
    return sim_.arm("GET", "/multi/revisions/" + revision).at("/properties/trafficWeight").as_int64();
  };
  EXPECT_EQ(sim_.arm("GET", "/multi/revisions").at("/value").as_array().size(), 2U);
  EXPECT_TRUE(sim_.arm("GET", "/multi/revisions/multi--v1").at("/properties/active").as_bool());
  EXPECT_EQ(weight("multi--v1"), 100);
  EXPECT_EQ(weight("multi--v2"), 0);
  ASSERT_EQ(
      sim_.arm("PATCH", "/multi", R"({"properties":{"configuration":{"ingress":{"traffic":[{"latestRevision":true,"weight":100}]}}}})")
          .status,
      202);
  EXPECT_EQ(weight("multi--v2"), 100);
  EXPECT_EQ(sim_.arm("POST", "/multi/revisions/multi--v1/deactivate").status, 200);
  EXPECT_FALSE(sim_.arm("GET", "/multi/revisions/multi--v1").at("/properties/active").as_bool());
  EXPECT_EQ(sim_.arm("POST", "/multi/revisions/multi--v1/activate").status, 200);
  EXPECT_TRUE(sim_.arm("GET", "/multi/revisions/multi--v1").at("/properties/active").as_bool());
}

TEST_F(AppTest, SaysRunningWhileEveryContainerCrashesWithTheNewValue) {  // CA-S9
  ASSERT_EQ(sim_.admin("POST", "/admin/apps/orders/health", R"({"rule":"unlessValue","secret":"redis"})").status, 200);
  EXPECT_TRUE(app().healthy());
  put("bad");
  patch(repatch_body);
  sim_.advance(seconds(13));
  restart();
  sim_.advance(seconds(2 + 16 + 10));
  EXPECT_FALSE(app().healthy());
  EXPECT_EQ(get().text_at("/properties/runningStatus"), "Running");
  const Reply revision = sim_.arm("GET", "/orders/revisions/" + latest());
  EXPECT_EQ(revision.text_at("/properties/runningState"), "Failed");
  EXPECT_EQ(revision.text_at("/properties/healthState"), "Unhealthy");
  const auto restarts = [&] {
    return sim_.arm("GET", "/orders/revisions/" + latest() + "/replicas").at("/value/0/properties/containers/0/restartCount").as_int64();
  };
  const std::int64_t before = restarts();
  sim_.advance(seconds(40));
  EXPECT_EQ(restarts(), before + 2);
  EXPECT_FALSE(sim_.arm("GET", "/orders/revisions/" + latest() + "/replicas").at("/value/0/properties/containers/0/ready").as_bool());
}

TEST_F(AppTest, GetsHealthyAgainWithTheOldValueUnderANewVersion) {  // CA-S9
  sim_.admin("POST", "/admin/apps/orders/health", R"({"rule":"unlessValue","secret":"redis"})");
  for (const char* value : {"bad", "first"}) {
    put(value);
    patch(repatch_body);
    sim_.advance(seconds(13));
    restart();
    sim_.advance(seconds(30));
    EXPECT_EQ(app().healthy(), std::string(value) == "first");
  }
}

TEST_F(AppTest, CanBeUnhealthyAfterTheNextRestartOnly) {  // CA-S9
  sim_.admin("POST", "/admin/apps/orders/health", R"({"rule":"afterRestart","affects":"Endpoint"})");
  EXPECT_TRUE(app().healthy());
  restart();
  sim_.advance(seconds(30));
  EXPECT_FALSE(app().healthy());
  // The health endpoint says so, while the platform sees nothing.
  EXPECT_EQ(sim_.arm("GET", "/orders/revisions/" + latest()).text_at("/properties/healthState"), "Healthy");
  EXPECT_EQ(sim_.admin("DELETE", "/admin/apps/orders/health").status, 200);
  EXPECT_TRUE(app().healthy());
}

TEST_F(AppTest, ShowsUnknownStatesWhenAskedTo) {  // CA-S9
  sim_.admin("POST", "/admin/apps/orders/states",
             R"({"revision.runningState":"RunningAtMaxScale","app.runningStatus":"Activating","replica.runningState":"Odd"})");
  EXPECT_EQ(sim_.arm("GET", "/orders/revisions/" + latest()).text_at("/properties/runningState"), "RunningAtMaxScale");
  EXPECT_EQ(get().text_at("/properties/runningStatus"), "Activating");
  EXPECT_EQ(sim_.arm("GET", "/orders/revisions/" + latest() + "/replicas").text_at("/value/0/properties/runningState"), "Odd");
  sim_.admin("POST", "/admin/apps/orders/states", "{}");
  EXPECT_EQ(get().text_at("/properties/runningStatus"), "Running");
}

TEST_F(AppTest, GivesAReplicaOfAScaleOutTheValueSyncedAtThatTime) {  // CA-S10
  const std::string first = app().secrets().loaded().at("redis").version;
  put("second");
  ASSERT_EQ(sim_.admin("POST", "/admin/apps/orders/scale", R"({"replicas":3})").status, 200);
  EXPECT_EQ(replica_names().size(), 3U);
  EXPECT_EQ(loaded(), std::set<std::string>{first});
}

TEST_F(AppTest, WakesFromZeroByARequest) {  // CA-S10
  sim_.admin("POST", "/admin/apps/orders/scale", R"({"replicas":0})");
  EXPECT_EQ(sim_.arm("GET", "/orders/revisions/" + latest()).text_at("/properties/runningState"), "ScaledToZero");
  EXPECT_EQ(sim_.send("GET", "localhost:8443", "/apps/orders/health", "", "").status, 503);
  sim_.advance(seconds(16));
  EXPECT_EQ(sim_.send("GET", "localhost:8443", "/apps/orders/health", "", "").status, 200);
}

TEST_F(AppTest, RefusesAWriteWhileAnotherOperationRuns) {  // CA-S11, AR-S3
  ASSERT_EQ(patch(repatch_body).status, 202);
  const Reply refused = patch(repatch_body);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.error_code(), "ContainerAppOperationInProgress");
  sim_.advance(seconds(13));
  EXPECT_EQ(patch(repatch_body).status, 202);
}

TEST_F(AppTest, LosesAnUpdateWhenTwoWritersReplaceTheArray) {  // CA-S11
  ASSERT_EQ(patch(R"({"properties":{"configuration":{"secrets":[{"name":"redis","value":"mine"},{"name":"extra","value":"x"}]}}})").status,
            202);
  sim_.advance(seconds(13));
  ASSERT_EQ(patch(repatch_body).status, 202);
  EXPECT_EQ(get().at("/properties/configuration/secrets").as_array().size(), 1U);
}

TEST_F(AppTest, ListsSecretsOnlyForThoseWhoMay) {  // CA-S12
  EXPECT_EQ(sim_.arm("POST", "/orders/listSecrets").status, 403);
  sim_.admin("POST", "/admin/grants", R"({"principal":"auditor","arm":["listSecrets"]})");
  const Reply reply = sim_.arm("POST", "/orders/listSecrets", "", "auditor");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text_at("/value/0/value"), "first");
  EXPECT_EQ(sim_.arm("GET", "/orders", "", "auditor").status, 403);
}

TEST_F(AppTest, RefusesOtherMediaTypes) {  // CA-S12
  const Reply reply = sim_.arm("PATCH", "/orders", repatch_body, "keyturn", "application/merge-patch+json");
  EXPECT_EQ(reply.status, 415);
  EXPECT_EQ(reply.error_code(), "UnsupportedMediaType");
  EXPECT_EQ(sim_.arm("PATCH", "/orders", repatch_body, "keyturn", "application/json; charset=utf-8").status, 202);
}

TEST_F(AppTest, RefusesBodiesItCannotUse) {  // SIM-3
  for (const char* body : {"", "{", "[]", R"({"properties":1})", R"({"properties":{"template":1}})"})
    EXPECT_EQ(patch(body).status, 400) << body;
  EXPECT_EQ(sim_.send("GET", "localhost:8443", SimulatedCloud::apps_path() + "/orders", "", sim_.token("https://management.azure.com"))
                .error_code(),
            "MissingApiVersionParameter");
}

TEST_F(AppTest, KeepsUnknownButLegalMembers) {  // SIM-3
  ASSERT_EQ(patch(R"({"properties":{"configuration":{"runtime":{"dotnet":{"autoConfigureDataProtection":true}}}}})").status, 202);
  EXPECT_TRUE(get().at("/properties/configuration/runtime/dotnet/autoConfigureDataProtection").as_bool());
}

TEST_F(AppTest, StopsAndStarts) {
  EXPECT_EQ(sim_.arm("POST", "/orders/stop").status, 202);
  EXPECT_EQ(get().text_at("/properties/runningStatus"), "Stopped");
  EXPECT_FALSE(app().healthy());
  sim_.advance(seconds(13));
  EXPECT_EQ(sim_.arm("POST", "/orders/start").status, 202);
  sim_.advance(seconds(16));
  EXPECT_TRUE(app().healthy());
}

TEST_F(AppTest, AnswersNotFoundForWhatIsNotThere) {
  EXPECT_EQ(sim_.arm("GET", "/absent").status, 404);
  EXPECT_EQ(sim_.arm("GET", "/orders/revisions/absent").status, 404);
  EXPECT_EQ(sim_.arm("POST", "/orders/revisions/absent/restart").status, 404);
  EXPECT_EQ(sim_.arm("GET", "/orders/revisions/" + latest() + "/replicas/absent").status, 404);
  EXPECT_EQ(sim_.arm("DELETE", "/orders").status, 404);
  EXPECT_EQ(sim_.send("GET", "localhost:8443",
                      "/subscriptions/other/resourceGroups/erp/providers/Microsoft.App/containerApps/orders?api-version=1", "",
                      sim_.token("https://management.azure.com"))
                .error_code(),
            "SubscriptionNotFound");
  EXPECT_EQ(sim_.send("GET", "localhost:8443", "/apps/absent/health", "", "").status, 404);
}

TEST_F(AppTest, ComparesPathsWithoutRegardToCase) {
  EXPECT_EQ(sim_.send("GET", "localhost:8443",
                      "/SUBSCRIPTIONS/" + std::string(default_subscription) +
                          "/resourcegroups/ERP/providers/microsoft.app/CONTAINERAPPS/Orders?api-version=1",
                      "", sim_.token("https://management.azure.com"))
                .status,
            200);
}

TEST_F(AppTest, CountsArmRequestsDownAndRenewsTheWaitOfEarlyOnes) {  // AR-S2
  const std::string token = sim_.token("https://management.azure.com");
  const auto read = [&] { return sim_.send("GET", "localhost:8443", SimulatedCloud::apps_path() + "?api-version=1", "", token); };
  EXPECT_EQ(read().header("x-ms-ratelimit-remaining-subscription-reads"), "249");
  for (int i = 0; i < 249; ++i) EXPECT_EQ(read().status, 200);
  const Reply refused = read();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  sim_.advance(Duration(900));
  EXPECT_EQ(read().status, 429);
  sim_.advance(Duration(900));
  EXPECT_EQ(read().status, 429);
  sim_.advance(seconds(1));
  EXPECT_EQ(read().status, 200);
}

TEST_F(AppTest, PassesItsOwnTimeFasterWithoutChangingTheClock) {
  SimulatedCloud fast(60);
  ASSERT_EQ(fast.seed(plain_seed), "");
  const std::string second = version_of(fast.vault("PUT", "/secrets/redis?api-version=7.4", R"({"value":"second"})"));
  fast.advance(seconds(29));
  EXPECT_NE(fast.cloud().apps.find("orders")->secrets().loaded().at("redis").version, second);
  fast.advance(seconds(1));
  EXPECT_EQ(fast.cloud().apps.find("orders")->secrets().loaded().at("redis").version, second);
}

}  // namespace
}  // namespace keyturn::sim
