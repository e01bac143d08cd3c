#include "reconcilers/azure/container_app.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "api/reasons.h"
#include "tests/support/seeded_random.h"
#include "tests/unit/reconcilers/azure/scripted_azure.h"

namespace keyturn {
namespace {

constexpr const char* base = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.App/containerApps/orders";
constexpr const char* version = "11111111111111111111111111111111";

class ContainerApp : public ::testing::Test {
 protected:
  ContainerApp() {
    azure.otherwise([this](const SeenRequest& request) { return answer(request); });
  }

  // The smallest Resource Manager: one app, one active revision, and answers to writes that a test sets.
  ScriptedAzure::Answer answer(const SeenRequest& request) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (request.method == "PATCH" || request.method == "POST") {
      ScriptedAzure::Answer out = write_answer;
      if (out) out->headers.set("Date", format_http_date(azure.clock.now()));
      return out;
    }
    if (path == "/op") return operation_answer;
    if (path == base)
      return azure.reply(
          200, R"({"properties":{"provisioningState":")" + provisioning + R"(","configuration":{"secrets":)" + secrets + "}" + more + "}}");
    if (path.ends_with("/permissions")) return permissions_answer;
    if (path.ends_with("/Microsoft.App/containerApps")) return apps_page(request.target);
    if (path.ends_with("/Microsoft.App/jobs")) return jobs_answer;
    if (path.ends_with("/replicas"))
      return azure.reply(200, R"({"value":[{"name":"r","properties":{"createdTime":")" + format_seconds(born) +
                                  R"(","runningState":"Running","containers":[{"ready":true}]}}]})");
    if (path.ends_with("/revisions")) {
      if (request.target.find("page=2") == std::string::npos && paged)
        return azure.reply(200, R"({"value":[{"name":"orders--0","properties":{"active":false}}],"nextLink":")" +
                                    (next_host.empty() ? azure.url("") : next_host) + base + R"(/revisions?page=2"})");
      return azure.reply(200, R"({"value":[{"name":"orders--1","properties":{"active":true,"provisioningState":"Provisioned"}}]})");
    }
    return azure.reply(404, R"({"error":{"code":"ResourceNotFound"}})");
  }
  // Two pages: "orders", and then "reports", which is pinned, and one that uses something else.
  ScriptedAzure::Answer apps_page(const std::string& target) {
    const auto app_item = [](const std::string& name, const std::string& reference) {
      return R"({"name":")" + name + R"(","properties":{"configuration":{"secrets":[{"name":"r","keyVaultUrl":")" + reference + R"("}]}}})";
    };
    if (target.find("page=2") == std::string::npos)
      return azure.reply(200, R"({"value":[)" + app_item("orders", "https://main.vault.azure.net/secrets/redis") + R"(],"nextLink":")" +
                                  azure.url("/subscriptions/sub/resourceGroups/rg/providers/Microsoft.App/containerApps?page=2") + R"("})");
    return azure.reply(200, R"({"value":[)" + app_item("reports", "https://MAIN.vault.azure.net/secrets/Redis/" + std::string(version)) +
                                "," + app_item("hr", "https://main.vault.azure.net/secrets/sql") + R"(,7,{"properties":null}]})");
  }
  ConsumerFacts baseline() { return azure.run_task(app->baseline(azure.context(), "https://main.vault.azure.net", "redis")).value(); }
  SecretUsers users() { return azure.run_task(app->users_of(azure.context(), {"https://main.vault.azure.net", "nonsense"}, "redis")); }
  std::unique_ptr<AzureContainerApp> make(api::ReferenceMode mode = api::ReferenceMode::Versionless, const std::string& name = "orders",
                                          api::DataProtection protection = api::DataProtection::NotUsed) {
    AzureContainerApp::Settings settings{"sub", "rg", name, protection, {}};
    settings.rules.reference = mode;
    return std::make_unique<AzureContainerApp>(arm, nullptr, settings);
  }
  ConvergeTarget target(const std::string& id = version) {
    return {"https://main.vault.azure.net", "redis", VersionId{id}, api::ReloadMode::Restart};
  }
  Result<std::string> converge(const std::string& mark) { return azure.run_task(app->converge(azure.context(), target(), mark)); }
  ConsumerFacts observe(const std::string& mark) { return azure.run_task(app->observe(azure.context(), target(), mark)).value(); }
  std::vector<SeenRequest> writes() {
    std::vector<SeenRequest> out;
    for (const SeenRequest& request : azure.seen)
      if (request.method != "GET") out.push_back(request);
    return out;
  }

  ScriptedAzure azure;
  std::shared_ptr<ArmClient> arm = std::make_shared<ArmClient>(
      azure.http, std::make_shared<TokenSource>(std::make_shared<NumberedTokens>()), std::make_shared<SeededRandom>(1),
      ArmClient::Settings{azure.origin(), "https://management.azure.com", "t", false});
  std::string provisioning = "Succeeded";
  std::string secrets = R"([{"name":"redis","keyVaultUrl":"https://main.vault.azure.net/secrets/redis","identity":"system"},
      {"name":"sql","keyVaultUrl":"https://main.vault.azure.net/secrets/sql","identity":"/subscriptions/s/resourcegroups/rg/id"}])";
  std::string more;  // further properties, with a comma before them
  ScriptedAzure::Answer permissions_answer = azure.reply(404, "");
  ScriptedAzure::Answer jobs_answer = azure.reply(200, R"({"value":[{"name":"nightly","properties":{"configuration":{"secrets":[
      {"name":"r","keyVaultUrl":"https://main.vault.azure.net/secrets/redis","identity":"system"}]}}}]})");
  Instant born = azure.clock.now() - Duration{3'600'000};
  bool paged = false;
  std::string next_host;
  ScriptedAzure::Answer write_answer = azure.reply(202, "", {{"Location", azure.url("/op")}});
  ScriptedAzure::Answer operation_answer = azure.reply(202, "");
  std::unique_ptr<AzureContainerApp> app = make();
};

TEST_F(ContainerApp, WritesTheWholeArrayBack) {
  const auto mark = converge("");
  ASSERT_TRUE(mark);
  ASSERT_EQ(writes().size(), 1u);
  EXPECT_EQ(writes()[0].target, std::string(base) + "?api-version=2025-01-01");
  EXPECT_EQ(boost::json::parse(writes()[0].body), boost::json::parse("{\"properties\":{\"configuration\":{\"secrets\":" + secrets + "}}}"));
  EXPECT_EQ(observe(*mark).state, ConsumerState::Moving);
}

TEST_F(ContainerApp, PinsOnlyTheReferenceOfTheTarget) {
  app = make(api::ReferenceMode::Pinned);
  secrets =
      R"([{"name":"redis","keyVaultUrl":"https://MAIN.vault.azure.net/secrets/Redis/22222222222222222222222222222222","identity":"system"},
      {"name":"sql","keyVaultUrl":"https://main.vault.azure.net/secrets/sql/33333333333333333333333333333333","identity":"system"}])";
  ASSERT_TRUE(converge(""));
  const std::string body = writes()[0].body;
  EXPECT_NE(body.find(std::string("https://MAIN.vault.azure.net/secrets/Redis/") + version + "\""), std::string::npos);
  EXPECT_NE(body.find("secrets/sql/33333333333333333333333333333333"), std::string::npos);
}

TEST_F(ContainerApp, DoesOneActPerCallUntilItIsProven) {
  const std::string writing = converge("").value();
  EXPECT_EQ(converge(writing).value(), writing);
  azure.clock.advance(Duration{13'000});
  operation_answer = azure.reply(200, "{}");
  EXPECT_EQ(observe(writing).state, ConsumerState::Stale);
  const std::string synced = converge(writing).value();
  EXPECT_EQ(parse_mark(synced)->stage, ConvergenceMark::Stage::Synced);
  EXPECT_EQ(parse_mark(synced)->at, azure.clock.now());
  EXPECT_EQ(converge(synced).value(), synced);
  azure.clock.advance(Duration{2'000});
  write_answer = azure.reply(200, "");
  const std::string restarted = converge(synced).value();
  EXPECT_EQ(parse_mark(restarted)->revisions, std::vector<std::string>{"orders--1"});
  EXPECT_EQ(writes().back().target, std::string(base) + "/revisions/orders--1/restart?api-version=2025-01-01");
  EXPECT_EQ(writes().size(), 2u);
  EXPECT_EQ(observe(restarted).state, ConsumerState::Moving);
  EXPECT_EQ(converge(restarted).value(), restarted);
  born = azure.clock.now() + Duration{2'000};
  azure.clock.advance(Duration{20'000});
  EXPECT_EQ(observe(restarted).state, ConsumerState::Proven);
  EXPECT_EQ(writes().size(), 2u);
}

TEST_F(ContainerApp, RestartsOnWhatTheLastObservationSawWhileThatIsFresh) {
  write_answer = azure.reply(200, R"({"properties":{"provisioningState":"Succeeded"}})");
  const std::string synced = converge("").value();
  write_answer = azure.reply(200, "");
  for (const Duration age : {AzureContainerApp::snapshot_age_max, AzureContainerApp::snapshot_age_max + Duration{1}}) {
    azure.clock.advance(Duration{2'000});
    EXPECT_EQ(observe(synced).state, ConsumerState::Stale);
    azure.clock.advance(age);
    const std::size_t before = azure.seen.size();
    ASSERT_TRUE(converge(synced));
    EXPECT_EQ(azure.seen.size() - before, age == AzureContainerApp::snapshot_age_max ? 1u : 4u);
    EXPECT_TRUE(azure.seen.back().target.find("/restart?") != std::string::npos);
  }
}

TEST_F(ContainerApp, WritesBackOnlyWhatItHasJustRead) {
  write_answer = azure.reply(200, R"({"properties":{"provisioningState":"Succeeded"}})");
  const std::string synced = converge("").value();
  secrets = R"([{"name":"redis","keyVaultUrl":"https://main.vault.azure.net/secrets/redis","identity":"system"}])";
  EXPECT_EQ(observe(synced).state, ConsumerState::Stale);
  secrets = R"([{"name":"redis","keyVaultUrl":"https://main.vault.azure.net/secrets/redis","identity":"system"},
      {"name":"later","keyVaultUrl":"https://main.vault.azure.net/secrets/later","identity":"system"}])";
  ASSERT_TRUE(converge(synced));
  EXPECT_NE(writes().back().body.find("later"), std::string::npos);
}

TEST_F(ContainerApp, TakesAWriteThatEndsAtOnceForSynced) {
  write_answer = azure.reply(200, R"({"properties":{"provisioningState":"Succeeded"}})");
  EXPECT_EQ(parse_mark(converge("").value())->stage, ConvergenceMark::Stage::Synced);
}

TEST_F(ContainerApp, WritesAgainWhenTheOperationFailedOrIsForgotten) {
  const std::string writing = converge("").value();
  for (const auto& end : {azure.reply(200, R"({"status":"Failed"})"), azure.reply(404, "")}) {
    operation_answer = end;
    ASSERT_TRUE(converge(writing));
  }
  EXPECT_EQ(writes().size(), 3u);
}

TEST_F(ContainerApp, DoesNotWriteAgainOverAFailedTemplate) {
  const std::string writing = converge("").value();
  operation_answer = azure.reply(200, R"({"status":"Failed"})");
  provisioning = "Failed";
  EXPECT_EQ(observe(writing).refusal, api::reason::consumer_template_failed);
  EXPECT_EQ(converge(writing).error().code, Errc::Invalid);
  EXPECT_EQ(writes().size(), 1u);
}

TEST_F(ContainerApp, RemembersThatThePlatformCannotReadTheReference) {
  write_answer = azure.reply(
      400, R"({"error":{"code":"InvalidParameterValueInContainerTemplate","message":"Unable to get value using Managed identity"}})");
  const std::string refused = converge("").value();
  EXPECT_EQ(parse_mark(refused)->stage, ConvergenceMark::Stage::Refused);
  EXPECT_EQ(observe(refused).refusal, api::reason::consumer_template_failed);
  azure.clock.advance(Duration{60'000});
  EXPECT_EQ(observe(refused).state, ConsumerState::Stale);
  write_answer = azure.reply(202, "", {{"Location", azure.url("/op")}});
  EXPECT_EQ(parse_mark(converge(refused).value())->stage, ConvergenceMark::Stage::Writing);
}

TEST_F(ContainerApp, PassesDefiniteAndAmbiguousRefusalsOn) {
  struct Row {
    int status;
    Errc code;
  };
  for (const Row& row : {Row{403, Errc::Denied}, Row{409, Errc::Throttled}, Row{429, Errc::Throttled}, Row{500, Errc::OutcomeUnknown},
                         Row{415, Errc::Invalid}, Row{400, Errc::Invalid}}) {
    write_answer = azure.reply(row.status, R"({"error":{"code":"Other"}})");
    EXPECT_EQ(converge("").error().code, row.code) << row.status;
    azure.clock.advance(Duration{60'000});
  }
  write_answer = std::nullopt;
  EXPECT_EQ(converge("").error().code, Errc::OutcomeUnknown);
}

TEST_F(ContainerApp, WritesNothingThatItMustRefuse) {
  secrets = R"([{"name":"redis","keyVaultUrl":"https://main.vault.azure.net/secrets/redis","identity":"system"},{"name":"inline"}])";
  EXPECT_EQ(converge("").error().code, Errc::Invalid);
  EXPECT_EQ(observe("").refusal, api::reason::inline_secrets_present);
  secrets = "[]";
  EXPECT_EQ(observe("").refusal, api::reason::invalid_reference);
  EXPECT_EQ(converge("").error().code, Errc::Invalid);
  EXPECT_TRUE(writes().empty());
}

TEST_F(ContainerApp, WritesNothingAfterTheSendDeadline) {
  const Context late = azure.context().sending_within(Duration{1'000});
  azure.clock.advance(Duration{1'000});
  EXPECT_EQ(azure.run_task(app->converge(late, target(), "")).error().code, Errc::Unavailable);
  EXPECT_TRUE(writes().empty());
}

TEST_F(ContainerApp, FollowsThePagesOfRevisionsOnItsOwnHostOnly) {
  paged = true;
  EXPECT_EQ(observe("").replicas, 1);
  ScriptedAzure foreign;
  next_host = foreign.url("");
  EXPECT_EQ(azure.run_task(app->observe(azure.context(), target(), "")).error().code, Errc::Invalid);
  EXPECT_TRUE(foreign.seen.empty());
}

TEST_F(ContainerApp, SendsNoTokenToTheHostOfAForeignOperation) {
  ScriptedAzure foreign;
  write_answer = azure.reply(202, "", {{"Location", foreign.url("/op")}});
  EXPECT_EQ(converge("").error().code, Errc::Invalid);
  EXPECT_TRUE(foreign.seen.empty());
}

TEST_F(ContainerApp, SaysThatAnAppDoesNotExist) {
  app = make(api::ReferenceMode::Versionless, "absent");
  EXPECT_EQ(observe("").refusal, api::reason::invalid_reference);
  EXPECT_EQ(converge("").error().code, Errc::NotFound);
  EXPECT_EQ(azure.run_task(app->baseline(azure.context(), "https://main.vault.azure.net", "redis"))->refusal,
            api::reason::invalid_reference);
}

TEST_F(ContainerApp, BeginsWithAHealthyBaseline) {
  app = make(api::ReferenceMode::Versionless, "orders", api::DataProtection::Detect);
  const auto healthy = azure.run_task(app->baseline(azure.context(), "https://main.vault.azure.net", "redis"));
  ASSERT_TRUE(healthy);
  EXPECT_EQ(healthy->state, ConsumerState::Proven);
  EXPECT_EQ(healthy->evidence, "1 replicas are healthy");
  EXPECT_EQ(healthy->findings, (std::vector{ConsumerFinding::NoUseSeen, ConsumerFinding::KeyRingNotSeen}));
  EXPECT_EQ(healthy->refusal, "");
  EXPECT_EQ(azure.run_task(app->baseline(azure.context(), "https://main.vault.azure.net", "other"))->refusal,
            api::reason::invalid_reference);
}

TEST_F(ContainerApp, TellsOfTheUseOfTheSecretAndOfAKeyRingThatARestartLoses) {
  more = R"(,"template":{"volumes":[{"name":"v","storageType":"Secret","secrets":[{"secretRef":"redis"}]}],
      "containers":[{"env":[{"name":"DataProtection__Path","value":"/app/keys"}]}]})";
  app = make(api::ReferenceMode::Versionless, "orders", api::DataProtection::Detect);
  EXPECT_EQ(baseline().findings, (std::vector{ConsumerFinding::VolumeUser, ConsumerFinding::KeyRingNotPersisted}));
  app = make(api::ReferenceMode::Versionless, "orders", api::DataProtection::Persisted);
  EXPECT_EQ(baseline().findings, std::vector{ConsumerFinding::VolumeUser});
}

TEST_F(ContainerApp, TellsWhatItMayNotDoBeforeItTries) {
  more = R"(,"template":{"containers":[{"env":[{"name":"R","secretRef":"redis"}]}]})";
  EXPECT_TRUE(baseline().findings.empty()) << "rights that cannot be read are not known, and so not missing";
  permissions_answer = azure.reply(200, R"({"value":[{"actions":["*/read"],"notActions":[]}]})");
  EXPECT_EQ(baseline().findings, (std::vector{ConsumerFinding::WriteDenied, ConsumerFinding::RestartDenied}));
  permissions_answer = azure.reply(200, R"({"value":[{"actions":["*"],"notActions":["*/restart/action"]}]})");
  EXPECT_EQ(baseline().findings, std::vector{ConsumerFinding::RestartDenied});
  permissions_answer = azure.reply(200, R"({"value":[{"actions":["Microsoft.App/containerApps/*"]}]})");
  EXPECT_TRUE(baseline().findings.empty());
  EXPECT_TRUE(writes().empty());
}

TEST_F(ContainerApp, FindsEverythingInItsGroupThatRefersToTheSecret) {
  EXPECT_EQ(app->place(), "rg");
  const SecretUsers found = users();
  const std::vector<SecretUser> expected{{SecretUser::Kind::Application, "rg", "orders", false},
                                         {SecretUser::Kind::Application, "rg", "reports", true},
                                         {SecretUser::Kind::Job, "rg", "nightly", false}};
  EXPECT_EQ(found.users, expected);
  EXPECT_TRUE(found.not_read.empty());
  EXPECT_EQ(azure.seen.size(), 3U) << "one list of each kind, page by page";
}

TEST_F(ContainerApp, SaysWhichListsItCouldNotRead) {
  jobs_answer = azure.reply(403, R"({"error":{"code":"AuthorizationFailed"}})");
  SecretUsers found = users();
  EXPECT_EQ(found.users.size(), 2U);
  EXPECT_EQ(found.not_read, std::vector<std::string>{"jobs"});
  azure.then(500, "");
  found = users();
  EXPECT_TRUE(found.users.empty());
  EXPECT_EQ(found.not_read, (std::vector<std::string>{"container apps", "jobs"}));
}

TEST_F(ContainerApp, ReportsFailuresToLook) {
  azure.then(500, "");
  EXPECT_EQ(azure.run_task(app->observe(azure.context(), target(), "")).error().code, Errc::Unavailable);
  azure.then(403, R"({"error":{"code":"AuthorizationFailed"}})");
  EXPECT_EQ(azure.run_task(app->observe(azure.context(), target(), "")).error().code, Errc::Denied);
  ConvergeTarget bad = target();
  bad.vault_url = "nonsense";
  EXPECT_EQ(azure.run_task(app->observe(azure.context(), bad, "")).error().code, Errc::Invalid);
}

}  // namespace
}  // namespace keyturn
