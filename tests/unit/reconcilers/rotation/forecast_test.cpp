// What `keyturn plan` answers and what an approval binds: the real look ahead, against a world in memory.
#include "reconcilers/rotation/forecast.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "api/hazards.h"
#include "api/reasons.h"
#include "reconcilers/rotation/look_ahead.h"
#include "tests/unit/reconcilers/rotation/site.h"
#include "tests/unit/reconcilers/rotation/test_runs.h"

namespace keyturn {
namespace {

namespace hazard = api::hazard;
using api::Protocol;

// Answers as a test says, and counts who is asked for other users.
class ToldConsumer final : public Consumer {
 public:
  Result<ConsumerFacts> told = ConsumerFacts{.state = ConsumerState::Proven, .replicas = 2};
  std::string where = "erp";
  SecretUsers users;
  int asked = 0;

  Task<ConsumerFacts> observe(Context, ConvergeTarget, std::string) override { co_return told; }
  Task<std::string> converge(Context, ConvergeTarget, std::string) override { co_return std::string(); }
  Task<ConsumerFacts> baseline(Context, std::string, std::string) override { co_return told; }
  std::string place() const override { return where; }
  Awaitable<SecretUsers> users_of(Context, std::vector<std::string>, std::string) override {
    ++asked;
    co_return users;
  }
};

// A vault that may not be listed.
class ClosedVault final : public SecretVault {
 public:
  Task<Latest> read_latest(Context, std::string) override { co_return denied(); }
  Task<Secret> read(Context, std::string, VersionId) override { co_return denied(); }
  Task<std::vector<VaultVersion>> versions(Context, std::string) override { co_return denied(); }
  Task<VaultVersion> append(Context, std::string, const Secret&, VersionTags) override { co_return denied(); }
  Task<> tag(Context, std::string, VersionId, VersionTags) override { co_return denied(); }
  Task<> set_enabled(Context, std::string, VersionId, bool) override { co_return denied(); }

 private:
  static Error denied() { return {Errc::Denied, "denied"}; }
};

class LookAhead : public testing::Test {
 protected:
  LookAhead() {
    const auto vault = std::make_shared<SimulatedVault>(std::make_shared<Effects>());
    targets.vaults = {vault};
    targets.vault_urls = {"https://main.vault.example"};
    targets.staging = vault;
    targets.staging_name = "keyturn-stage-x";
    targets.dependents = {std::make_shared<SimulatedDependent>("erp-db", 2, std::make_shared<Effects>())};
    targets.consumers = {portal, inventory};
  }
  EnvironmentView look() { return run(io, clock, look_ahead(Context(clock, "test"), targets, environment, spec)); }

  boost::asio::io_context io;
  VirtualClock clock{io.get_executor()};
  std::shared_ptr<ToldConsumer> portal = std::make_shared<ToldConsumer>();
  std::shared_ptr<ToldConsumer> inventory = std::make_shared<ToldConsumer>();
  Targets targets;
  api::RotationEnvironmentSpec environment;
  api::SecretRotationSpec spec = test_rotation().spec;
};

TEST_F(LookAhead, FindsNothingInASoundWorld) {
  const EnvironmentView view = look();
  ASSERT_EQ(view.consumers.size(), 2U);
  EXPECT_EQ(view.consumers[0].replicas, 2);
  EXPECT_TRUE(hazards(spec, view).empty());
}

TEST_F(LookAhead, KeepsWhatAConsumerTells) {
  portal->told = ConsumerFacts{.state = ConsumerState::Unhealthy, .replicas = 1, .findings = {ConsumerFinding::VolumeUser}};
  const EnvironmentView view = look();
  EXPECT_TRUE(view.consumers[0].unhealthy);
  EXPECT_EQ(view.consumers[0].replicas, 1);
  EXPECT_EQ(view.consumers[0].findings, std::vector{ConsumerFinding::VolumeUser});
  EXPECT_FALSE(view.consumers[1].unhealthy);
}

TEST_F(LookAhead, TellsARefusalFromASilence) {
  portal->told = Error{Errc::Denied, "no"};
  inventory->told = Error{Errc::Unavailable, "gone"};
  const EnvironmentView view = look();
  EXPECT_EQ(view.consumers[0].findings, std::vector{ConsumerFinding::ReadDenied});
  EXPECT_EQ(view.consumers[1].findings, std::vector{ConsumerFinding::Unreachable});
  EXPECT_EQ(view.consumers[1].replicas, -1) << "not told is not zero";
}

TEST_F(LookAhead, AsksOnceInEachPlaceWhoElseRefersToTheSecret) {
  portal->users = {.users = {{SecretUser::Kind::Application, "erp", "reports", false}}, .not_read = {"jobs"}};
  EnvironmentView view = look();
  EXPECT_EQ(portal->asked + inventory->asked, 1);
  ASSERT_EQ(view.users.users.size(), 1U);
  EXPECT_EQ(view.users.not_read, std::vector<std::string>{"jobs of erp"});
  inventory->where = "crm";
  view = look();
  EXPECT_EQ(portal->asked, 2);
  EXPECT_EQ(inventory->asked, 1);
  portal->where.clear();
  look();
  EXPECT_EQ(portal->asked, 2) << "a consumer without a place is not asked";
}

TEST_F(LookAhead, FindsTheVaultThatMayNotBeListed) {
  targets.vaults = {std::make_shared<ClosedVault>()};
  EXPECT_EQ(look().vaults_denied, std::vector<std::string>{"main"});
  targets.staging = std::make_shared<ClosedVault>();
  EXPECT_EQ(look().vaults_denied, (std::vector<std::string>{"main", "staging vault"}));
}

// ---- the unsafe window -------------------------------------------------------------------------------------------------------

TEST(UnsafeWindow, IsNothingWhileTwoCredentialsLive) {
  api::RotationRunSpec run = test_run(1, {"b", 1}, api::Phase::Admitted).spec;
  for (const Protocol protocol : {Protocol::Dual, Protocol::Alternating}) {
    run.protocol = protocol;
    EXPECT_EQ(unsafe_window_of(run), Duration::zero());
  }
}

TEST(UnsafeWindow, OfOneCredentialIsThePublicationAndTheRestarts) {
  api::RotationRunSpec run = test_run(1, {"b", 1}, api::Phase::Admitted).spec;
  run.protocol = Protocol::Single;
  EXPECT_EQ(unsafe_window_of(run), std::chrono::seconds(45)) << "consumers restart together, however many they are";
  run.frozen.consumers.back().reload = api::ReloadMode::Poll;
  EXPECT_EQ(unsafe_window_of(run), std::chrono::seconds(45) + std::chrono::minutes(30)) << "one follows its platform";
}

TEST(UnsafeWindow, OfASharedKeyIsThereOnlyWhereItIsChangedAtOnce) {
  api::RotationRunSpec run = test_run(1, {"b", 1}, api::Phase::Admitted).spec;
  run.protocol = Protocol::Single;
  run.frozen.secret_class = api::SecretClass::SharedKey;
  EXPECT_EQ(unsafe_window_of(run), Duration::zero());
  run.frozen.strategy.shared_key = api::SharedKeyMode::AcknowledgedWindow;
  EXPECT_GT(unsafe_window_of(run), Duration::zero());
}

// ---- the approval ------------------------------------------------------------------------------------------------------------

class Approval : public testing::Test {
 protected:
  Approval() {
    site.environment().protection.approval_required = true;
    EXPECT_TRUE(site.adopt());
    site.want("inc-4711");
  }
  Forecast plan() {
    auto found = run(site.io, site.clock, forecast(Context(site.clock, "plan"), site.records, site.catalog, zones, site.key));
    EXPECT_TRUE(found);
    return std::move(*found);
  }
  void passes(int count) {
    for (int i = 0; i < count; ++i) site.pass();
  }
  std::string stalled_message() {
    const api::Condition* stalled = site.condition("Stalled");
    return stalled && stalled->reason == api::reason::approval_required ? stalled->message : std::string();
  }

  Site site{Protocol::Dual};
  UtcOnly zones;
};

TEST_F(Approval, OfThePlanThatIsShownLetsItBegin) {
  const Forecast ahead = plan();
  ASSERT_FALSE(ahead.hash.empty());
  passes(3);
  EXPECT_NE(stalled_message().find(ahead.hash), std::string::npos) << "the plan shows the hash that is asked for: " << stalled_message();
  site.object().spec.approved_plan = ahead.hash;
  EXPECT_TRUE(site.settle("inc-4711.1"));
  EXPECT_EQ(site.run_record()->spec.plan_hash, ahead.hash);
}

TEST_F(Approval, OfAnotherPlanIsRefusedWithTheNewHash) {
  site.object().spec.approved_plan = plan().hash;
  site.object().spec.generator.length = 64;
  ++site.object().meta.generation;
  passes(3);
  const std::string message = stalled_message();
  EXPECT_NE(message.find(plan().hash), std::string::npos) << message;
  EXPECT_EQ(message.find(site.object().spec.approved_plan), std::string::npos);
  EXPECT_EQ(site.effects->count, 0);
}

TEST_F(Approval, DoesNotHoldForHazardsThatCameLater) {
  site.object().spec.approved_plan = plan().hash;
  site.environment().protection.approval_required = true;
  site.object().spec.consumers.clear();
  ++site.object().meta.generation;
  passes(3);
  EXPECT_FALSE(stalled_message().empty());
}

TEST_F(Approval, IsNotLostByWaiting) {
  site.object().spec.suspend = true;
  ++site.object().meta.generation;
  site.clock.advance(std::chrono::hours(30));
  const std::string earlier = plan().hash;
  site.object().spec.suspend = false;
  ++site.object().meta.generation;
  site.clock.advance(std::chrono::hours(30));
  const std::string hash = plan().hash;
  EXPECT_FALSE(hash.empty());
  if (!earlier.empty()) EXPECT_EQ(hash, earlier);
  site.object().spec.approved_plan = hash;
  EXPECT_TRUE(site.settle("inc-4711.1"));
}

TEST_F(Approval, ThatIsWithdrawnBeforeAnythingWasTouchedHoldsTheRun) {
  site.object().spec.approved_plan = plan().hash;
  ASSERT_TRUE(site.reach(api::Phase::Admitted));
  site.object().spec.approved_plan.clear();
  passes(5);
  EXPECT_EQ(site.phase(), api::Phase::Admitted);
  EXPECT_EQ(site.run_record()->status.blocked, api::reason::approval_required);
  EXPECT_EQ(site.effects->count, 0);
  site.object().spec.approved_plan = site.run_record()->spec.plan_hash;
  EXPECT_TRUE(site.settle("inc-4711.1"));
}

TEST_F(Approval, ThatIsWithdrawnLaterStopsNothing) {
  site.object().spec.approved_plan = plan().hash;
  ASSERT_TRUE(site.reach(api::Phase::Rolling));
  site.object().spec.approved_plan.clear();
  EXPECT_TRUE(site.settle("inc-4711.1"));
}

}  // namespace
}  // namespace keyturn
