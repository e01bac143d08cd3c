#include "api/reasons.h"
#include "tests/contract/azure/simulated_azure.h"

namespace keyturn {
namespace {

std::string seed_of(const std::string& app_more) {
  return R"({"armThrottling":false,"vaults":[{"name":"main","secrets":[{"name":"redis","value":"old"},{"name":"sql","value":"s"}]}],
    "apps":[{"name":"orders","resourceGroup":"erp","replicas":2,"syncPhaseSeconds":1700,
      "secrets":[{"name":"redis","keyVaultUrl":"{vault:main}/secrets/redis","identity":"system"},
                 {"name":"sql","keyVaultUrl":"{vault:main}/secrets/sql",
                  "identity":"/subscriptions/s/resourceGroups/RG/providers/Microsoft.ManagedIdentity/userAssignedIdentities/apps"}])" +
         app_more + "}]}";
}

class SimulatedContainerApp : public SimulatedAzure {
 protected:
  void begin_with(const std::string& app_more = "", api::ReferenceMode mode = api::ReferenceMode::Versionless, bool with_health = true) {
    begin(seed_of(app_more));
    orders = consumer("orders", mode, with_health);
    clock.advance(Duration{120'000});
    target.vault_url = vault_url;
    target.secret = "redis";
  }
  void publish(const std::string& text) {
    const Secret value = Secret::copy_of(text);
    VersionTags tags;
    tags.owner = "owner";
    target.version = run_task(vault->append(context(), "redis", value, tags))->id;
    mark.clear();
  }
  ConsumerFacts observe() {
    const auto seen = run_task(orders->observe(context(), target, mark));
    EXPECT_TRUE(seen) << seen.error().message;
    return seen ? *seen : ConsumerFacts{};
  }
  // The reconciler in miniature: look, act when an act is due, look again `step` later.
  ConsumerFacts drive(Duration at_most, ConsumerState until = ConsumerState::Proven, Duration step = Duration{2'000}) {
    const Instant end = clock.now() + at_most;
    for (;;) {
      ConsumerFacts facts = observe();
      if (facts.state == until || !facts.refusal.empty() || clock.now() >= end) return facts;
      if (facts.state == ConsumerState::Stale) {
        const auto next = run_task(orders->converge(context(), target, mark));
        if (next) mark = *next;
        ++acts;
      }
      clock.advance(step);
    }
  }
  // The truth, which the adapter never sees: what every running replica loaded.
  bool all_loaded(const VersionId& version) {
    bool all = true;
    for (const sim::Revision& revision : app("orders").revisions())
      for (const sim::Replica& replica : revision.replicas) all = all && replica.loaded.at("redis").version == version.value;
    return all;
  }
  std::shared_ptr<Consumer> orders;
  ConvergeTarget target;
  std::string mark;
  int acts = 0;
};

TEST_F(SimulatedContainerApp, ARestartAloneDoesNotReadTheVaultAgain) {
  begin_with();
  publish("new");
  ASSERT_TRUE(app("orders").restart(app("orders").latest_revision(), clock.now()));
  clock.advance(Duration{60'000});
  EXPECT_FALSE(all_loaded(target.version));
}

TEST_F(SimulatedContainerApp, ConvergesByWritingTheReferencesAndRestarting) {
  for (const char* style : {"Location", "AzureAsyncOperation", "Both", "None"}) {
    if (sim) run_task(sim->stop(Duration{1'000}));
    begin_with(std::string(R"(,"lro":")") + style + "\"");
    publish("new");
    acts = 0;
    const ConsumerFacts facts = drive(Duration{300'000});
    EXPECT_EQ(facts.state, ConsumerState::Proven) << style << ": " << facts.evidence;
    EXPECT_EQ(facts.evidence, "2 of 2 replicas started after the sync");
    EXPECT_TRUE(all_loaded(target.version)) << style;
    EXPECT_LE(acts, 3) << style;
    EXPECT_EQ(app("orders").secrets().entries().size(), 2u);
    EXPECT_EQ(app("orders").secrets().entries()[0].key_vault_url, vault_url + "/secrets/redis");
  }
}

TEST_F(SimulatedContainerApp, ConvergesByPinningTheReference) {
  begin_with("", api::ReferenceMode::Pinned);
  const VersionId old{stored("redis").versions.front().id};
  publish("new");
  EXPECT_EQ(drive(Duration{300'000}).state, ConsumerState::Proven);
  EXPECT_TRUE(all_loaded(target.version));
  EXPECT_EQ(app("orders").secrets().entries()[0].key_vault_url, vault_url + "/secrets/redis/" + target.version.value);
  EXPECT_EQ(app("orders").secrets().entries()[1].key_vault_url, vault_url + "/secrets/sql");
  // And back.
  target.version = old;
  EXPECT_EQ(drive(Duration{300'000}).state, ConsumerState::Proven);
  EXPECT_TRUE(all_loaded(old));
}

TEST_F(SimulatedContainerApp, GoesOnAfterTheControllerRestartedAtAnyMoment) {
  begin_with();
  publish("new");
  for (int i = 0; i < 100; ++i) {
    open();
    orders = consumer("orders", api::ReferenceMode::Versionless, true);
    if (drive(Duration{0}).state == ConsumerState::Proven) break;
    if (observe().state == ConsumerState::Stale) mark = run_task(orders->converge(context(), target, mark)).value();
    clock.advance(Duration{2'000});
  }
  EXPECT_EQ(observe().state, ConsumerState::Proven);
  EXPECT_TRUE(all_loaded(target.version));
}

TEST_F(SimulatedContainerApp, StaysMovingWhenTheRestartDoesNothing) {
  begin_with();
  publish("new");
  fault(R"({"match":{"operation":"revisions.restart"},"action":"ignore","count":1})");
  const ConsumerFacts facts = drive(Duration{120'000});
  EXPECT_EQ(facts.state, ConsumerState::Moving);
  EXPECT_EQ(facts.evidence, "0 of 2 replicas started after the sync");
  EXPECT_EQ(drive(Duration{600'000}).state, ConsumerState::Proven);
  EXPECT_TRUE(all_loaded(target.version));
}

TEST_F(SimulatedContainerApp, SurvivesLostAnswersOfEveryKind) {
  for (const char* operation : {"apps.get", "apps.patch", "revisions.list", "revisions.restart", "replicas.list", "operations.result"}) {
    for (const char* action : {"drop-before", "drop-after-effect"}) {
      if (sim) run_task(sim->stop(Duration{1'000}));
      begin_with();
      publish("new");
      fault(std::string(R"({"match":{"operation":")") + operation + R"("},"action":")" + action + R"("})");
      ConsumerFacts facts;
      for (int i = 0; i < 200 && facts.state != ConsumerState::Proven; ++i) {
        const auto seen = run_task(orders->observe(context(), target, mark));
        if (seen) facts = *seen;
        if (seen && seen->state == ConsumerState::Stale) {
          const auto next = run_task(orders->converge(context(), target, mark));
          if (next) mark = *next;
        }
        clock.advance(Duration{2'000});
      }
      EXPECT_EQ(facts.state, ConsumerState::Proven) << operation << " " << action;
      EXPECT_TRUE(all_loaded(target.version)) << operation << " " << action;
    }
  }
}

TEST_F(SimulatedContainerApp, CallsALostAnswerToItsWriteUnknown) {
  begin_with();
  publish("new");
  fault(R"({"match":{"operation":"apps.patch"},"action":"drop-after-effect"})");
  EXPECT_EQ(run_task(orders->converge(context(), target, "")).error().code, Errc::OutcomeUnknown);
}

TEST_F(SimulatedContainerApp, ReportsAValueThatTheApplicationCannotUse) {
  begin_with();
  publish("bad");
  admin("apps/orders/health", R"({"rule":"afterRestart"})");
  EXPECT_EQ(drive(Duration{900'000}, ConsumerState::Unhealthy).state, ConsumerState::Unhealthy);
}

TEST_F(SimulatedContainerApp, IsNotFooledByAPlatformThatCallsASickApplicationReady) {
  begin_with();
  publish("bad");
  admin("apps/orders/health", R"({"rule":"afterRestart","affects":"Endpoint"})");
  const ConsumerFacts facts = drive(Duration{900'000}, ConsumerState::Unhealthy);
  EXPECT_EQ(facts.state, ConsumerState::Unhealthy);
  EXPECT_EQ(facts.evidence, "2 of 2 replicas started after the sync; the health check fails");
}

TEST_F(SimulatedContainerApp, ReportsAReferenceThatThePlatformCannotRead) {
  begin_with();
  publish("new");
  grant(R"({"principal":"app:orders","vault":"main","actions":[]})");
  EXPECT_EQ(drive(Duration{120'000}).refusal, api::reason::consumer_template_failed);
  EXPECT_FALSE(all_loaded(target.version));
  grant(R"({"principal":"app:orders","vault":"main","actions":["get"]})");
  clock.advance(Duration{61'000});
  EXPECT_EQ(drive(Duration{300'000}).state, ConsumerState::Proven);
}

TEST_F(SimulatedContainerApp, RefusesInlineSecretsWithoutTouchingThem) {
  begin(R"({"armThrottling":false,"vaults":[{"name":"main","secrets":[{"name":"redis","value":"old"}]}],
    "apps":[{"name":"orders","resourceGroup":"erp","secrets":[{"name":"redis","keyVaultUrl":"{vault:main}/secrets/redis","identity":"system"},
                                                             {"name":"inline","value":"kept"}]}]})");
  orders = consumer("orders", api::ReferenceMode::Versionless);
  target.vault_url = vault_url;
  target.secret = "redis";
  publish("new");
  EXPECT_EQ(observe().refusal, api::reason::inline_secrets_present);
  EXPECT_EQ(run_task(orders->converge(context(), target, "")).error().code, Errc::Invalid);
  EXPECT_EQ(app("orders").secrets().entries().size(), 2u);
}

TEST_F(SimulatedContainerApp, CannotVerifyAnAppThatIsScaledToZero) {
  begin_with();
  publish("new");
  admin("apps/orders/scale", R"({"replicas":0})");
  clock.advance(Duration{60'000});
  const ConsumerFacts facts = drive(Duration{60'000}, ConsumerState::Unknown);
  EXPECT_EQ(facts.state, ConsumerState::Unknown);
  EXPECT_EQ(facts.evidence, "scaled to zero: not verified");
}

TEST_F(SimulatedContainerApp, WaitsForThePlatformsOwnSyncWhenItIsToPoll) {
  begin_with();
  publish("new");
  target.reload = api::ReloadMode::Poll;
  EXPECT_EQ(drive(Duration{1'200'000}, ConsumerState::Proven, Duration{30'000}).state, ConsumerState::Moving);
  EXPECT_FALSE(all_loaded(target.version));
  EXPECT_EQ(drive(Duration{1'200'000}, ConsumerState::Proven, Duration{30'000}).state, ConsumerState::Proven);
  EXPECT_TRUE(all_loaded(target.version));
  EXPECT_EQ(acts, 1);
}

TEST_F(SimulatedContainerApp, WaitsForADeploymentOfSomebodyElse) {
  begin_with();
  publish("new");
  ASSERT_TRUE(app("orders").patch(boost::json::parse(R"({"properties":{"template":{"containers":[{"name":"orders","image":"repo/orders:v2",
      "env":[{"name":"REDIS","secretRef":"redis"}]}]}}})"),
                                  clock.now()));
  EXPECT_EQ(observe().state, ConsumerState::Moving);
  EXPECT_EQ(drive(Duration{600'000}).state, ConsumerState::Proven);
  EXPECT_TRUE(all_loaded(target.version));
}

TEST_F(SimulatedContainerApp, NeverTouchesAnAppWhoseTemplateFailed) {
  begin_with();
  publish("new");
  const std::string spent = app("orders").latest_revision().substr(std::string("orders--").size());
  ASSERT_TRUE(app("orders").patch(boost::json::parse(R"({"properties":{"template":{"revisionSuffix":")" + spent + R"(",
      "containers":[{"name":"orders","image":"repo/orders:v2"}]}}})"),
                                  clock.now()));
  clock.advance(Duration{30'000});
  EXPECT_EQ(app("orders").provisioning_state(), "Failed");
  EXPECT_EQ(observe().refusal, api::reason::consumer_template_failed);
  EXPECT_EQ(run_task(orders->baseline(context(), vault_url, "redis"))->state, ConsumerState::Unhealthy);
  const std::size_t requests_before = sim->cloud().journal.entries().size();
  EXPECT_EQ(run_task(orders->converge(context(), target, "")).value(), "");
  EXPECT_EQ(sim->cloud().journal.entries().size(), requests_before + 1);  // one look, no write
}

TEST_F(SimulatedContainerApp, DoesNotTrustWordsThatItDoesNotKnow) {
  begin_with();
  publish("new");
  admin("apps/orders/states", R"({"revision.runningState":"Pondering"})");
  EXPECT_EQ(drive(Duration{300'000}).state, ConsumerState::Unknown);
  admin("apps/orders/states", "{}");
  EXPECT_EQ(drive(Duration{60'000}).state, ConsumerState::Proven);
}

TEST_F(SimulatedContainerApp, StartsFromAHealthyBaseline) {
  begin_with();
  const auto facts = run_task(orders->baseline(context(), vault_url, "redis"));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->state, ConsumerState::Proven);
  EXPECT_EQ(facts->replicas, 2);
  EXPECT_EQ(facts->refusal, "");
}

TEST_F(SimulatedContainerApp, TellsWhatItsIdentityMayNotDo) {
  begin_with();
  EXPECT_TRUE(run_task(orders->baseline(context(), vault_url, "redis"))->findings.empty());
  grant(R"({"principal":"keyturn","arm":["read"]})");
  EXPECT_EQ(run_task(orders->baseline(context(), vault_url, "redis"))->findings,
            (std::vector{ConsumerFinding::WriteDenied, ConsumerFinding::RestartDenied}));
  grant(R"({"principal":"keyturn","arm":["write"]})");
  EXPECT_EQ(run_task(orders->baseline(context(), vault_url, "redis")).error().code, Errc::Denied);
}

TEST_F(SimulatedContainerApp, FindsEveryAppAndJobThatRefersToTheSecretOverAllPages) {
  std::string apps;
  for (int i = 10; i < 55; ++i) {
    const std::string secret = i % 2 == 0 ? "redis" : "sql";
    apps += R"(,{"name":"app-)" + std::to_string(i) +
            R"(","resourceGroup":"erp","replicas":0,"secrets":[{"name":"s","keyVaultUrl":"{vault:main}/secrets/)" + secret +
            R"(","identity":"system"}]})";
  }
  std::string seed = seed_of("");
  seed.resize(seed.rfind("]}"));
  begin(seed + apps +
        R"(],"jobs":[{"name":"nightly","resourceGroup":"erp","secrets":[{"name":"s","keyVaultUrl":"{vault:main}/secrets/redis"}]},
      {"name":"other","resourceGroup":"crm","secrets":[{"name":"s","keyVaultUrl":"{vault:main}/secrets/redis"}]}]})");
  orders = consumer("orders", api::ReferenceMode::Versionless);
  const SecretUsers found = run_task(orders->users_of(context(), {vault_url}, "redis"));
  EXPECT_TRUE(found.not_read.empty());
  ASSERT_EQ(found.users.size(), 1U + 23U + 1U) << "orders, every second of 45, and one job";
  EXPECT_EQ(found.users.front().name, "orders");
  EXPECT_EQ(found.users.back(), (SecretUser{SecretUser::Kind::Job, "erp", "nightly", false}));
  fault(R"({"match":{"operation":"jobs.list"},"action":"status","status":403,"code":"AuthorizationFailed"})");
  EXPECT_EQ(run_task(orders->users_of(context(), {vault_url}, "redis")).not_read, std::vector<std::string>{"jobs"});
}

TEST_F(SimulatedContainerApp, RefusesAnOperationOnAForeignHost) {
  begin_with(R"(,"operationHost":"localhost:1")");
  publish("new");
  EXPECT_EQ(run_task(orders->converge(context(), target, "")).error().code, Errc::Invalid);
}

TEST_F(SimulatedContainerApp, KeepsTheAddressOfAnOperationOfFourKilobytes) {
  begin_with(R"(,"operationPadding":3800)");
  publish("new");
  EXPECT_EQ(drive(Duration{300'000}).state, ConsumerState::Proven);
}

}  // namespace
}  // namespace keyturn
