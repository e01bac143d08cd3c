// The real reconciler against a world in memory, in virtual time: what it leaves behind, and that no crash and no lost reply changes that.
#include "reconcilers/rotation/reconciler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/reasons.h"
#include "reconcilers/rotation/credential_format.h"
#include "tests/unit/reconcilers/rotation/site.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
using api::Tristate;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
namespace reason = api::reason;

class EveryProtocol : public testing::TestWithParam<Protocol> {};

INSTANTIATE_TEST_SUITE_P(Protocols, EveryProtocol, testing::ValuesIn(every_protocol),
                         [](const auto& protocol) { return std::string(api::name_of(protocol.param)); });

// ---- adoption ----------------------------------------------------------------------------------------------------------------

TEST_P(EveryProtocol, AdoptsWhatIsPublishedAndTouchesNothing) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  expect_in_force(site, "2026-q4.1");
  EXPECT_EQ(site.effects->count, 0);
  EXPECT_EQ(site.vault->secrets.size(), 1U);
  EXPECT_TRUE(site.recorder.heard(reason::adopted));
  ASSERT_NE(site.condition("Ready"), nullptr);
  EXPECT_EQ(site.reason_of("Ready"), reason::current_verified);
  EXPECT_EQ(site.object().status.current->name.to_string(), "2026-q4.1");
}

TEST(Adoption, TakesTheNameAndGenerationFromTheTagsWhenTheJournalIsLost) {
  Site site(Protocol::Dual);
  site.vault->put(secret_name, first_value, {.run = "lost", .generation = 9, .owner = site.records.owner(), .credential = {"2026-q3", 4}});
  for (const auto& consumer : site.consumers) consumer->loaded = site.vault->newest(secret_name).about.id;
  site.want("2026-q3");
  ASSERT_TRUE(site.adopt());
  EXPECT_EQ(site.run_record()->spec.credential.to_string(), "2026-q3.4");
  EXPECT_EQ(site.run_record()->spec.generation, 9);
  EXPECT_EQ(site.effects->count, 0);
}

// ---- rotation ----------------------------------------------------------------------------------------------------------------

TEST_P(EveryProtocol, RotatesToANewRevision) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  if (GetParam() != Protocol::Single) watch_for_outages(site);
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_in_force(site, "inc-4711.1");
  EXPECT_FALSE(site.published().equals(Secret::copy_of(first_value)));
  EXPECT_TRUE(site.everything_staged_is_disabled());
  EXPECT_EQ(site.reason_of("Ready"), reason::current_verified);
  EXPECT_EQ(site.condition("Stalled"), nullptr);
  EXPECT_EQ(site.object().status.current->name.to_string(), "inc-4711.1");
  EXPECT_EQ(site.object().status.observed_generation, 2);
  const std::vector<std::string>& finalizers = site.object().meta.finalizers;
  EXPECT_EQ(std::count(finalizers.begin(), finalizers.end(), std::string(api::finalizer)), 1);
}

TEST_P(EveryProtocol, TakesEachStepOnce) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  std::vector<std::string> expected{"stage", "install erp-db", "publish", "converge portal", "converge inventory"};
  if (GetParam() != Protocol::Single) expected.push_back("withdraw erp-db");
  EXPECT_EQ(site.effects->done, expected);
}

TEST_P(EveryProtocol, RotatesAgainAndAgain) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  if (GetParam() != Protocol::Single) watch_for_outages(site);
  for (const char* revision : {"b", "c", "d"}) {
    site.want(revision);
    ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
    expect_in_force(site, std::string(revision) + ".1");
  }
  EXPECT_EQ(site.run_record()->spec.generation, 4);
}

TEST(Alternation, ChangesTheLoginWithEachRotation) {
  Site site(Protocol::Alternating);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  EXPECT_EQ(site.run_record()->spec.pending_principal, "app_b");
  EXPECT_TRUE(site.dependent->accepted["app_a"].empty());
  site.want("c");
  ASSERT_TRUE(site.settle("c.1"));
  EXPECT_EQ(site.run_record()->spec.pending_principal, "app_a");
  EXPECT_TRUE(site.dependent->accepted["app_b"].empty());
}

TEST(Alternation, WaitsForSomebodyOnTheIdleLogin) {
  Site site(Protocol::Alternating);
  ASSERT_TRUE(site.adopt());
  site.dependent->connections["app_b"] = 1;
  site.want("b");
  for (int count = 0; count < 100; ++count) site.pass();
  EXPECT_EQ(site.phase(), Phase::Staging);
  EXPECT_TRUE(site.dependent->accepted["app_b"].empty());
  site.dependent->connections["app_b"] = 0;
  ASSERT_TRUE(site.settle("b.1"));
  expect_in_force(site, "b.1");
}

TEST(Alternation, WaitsForSomebodyStillLoggedInBeforeItRetires) {
  Site site(Protocol::Alternating);
  ASSERT_TRUE(site.adopt());
  site.dependent->connections["app_a"] = 2;
  site.want("b");
  ASSERT_TRUE(site.reach(Phase::Verifying));
  for (int count = 0; count < 100; ++count) site.pass();
  EXPECT_EQ(site.phase(), Phase::Verifying);
  EXPECT_EQ(site.live_values(), 2U);
  site.dependent->connections["app_a"] = 0;
  ASSERT_TRUE(site.settle("b.1"));
  expect_in_force(site, "b.1");
}

// ---- going back --------------------------------------------------------------------------------------------------------------

TEST_P(EveryProtocol, UsesTheEarlierValueAgainAfterARevertAndMintsNothing) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  if (GetParam() != Protocol::Single) watch_for_outages(site);
  site.want("2026-q4");
  ASSERT_TRUE(site.settle("2026-q4.1"));
  expect_in_force(site, "2026-q4.1");
  EXPECT_EQ(site.run_record()->spec.direction, api::Direction::Back);
  const auto before = extract(site.object().spec.secret.format, Secret::copy_of(first_value), "app_a");
  const auto after = extract(site.object().spec.secret.format, site.published(), "app_a");
  ASSERT_TRUE(before && after);
  EXPECT_TRUE(after->password.equals(before->password));
}

TEST_P(EveryProtocol, EnablesARetainedVersionThatWasDisabled) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  const VersionId first = site.vault->newest(secret_name).about.id;
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  site.vault->secrets.at(secret_name).front().about.enabled = false;
  site.want("2026-q4");
  ASSERT_TRUE(site.settle("2026-q4.1"));
  expect_in_force(site, "2026-q4.1");
  EXPECT_TRUE(site.vault->find(secret_name, first)->about.enabled);
}

void expect_old_one_in_force(Site& site) {
  EXPECT_EQ(site.phase(), Phase::RolledBack);
  EXPECT_TRUE(site.published().equals(Secret::copy_of(first_value)));
  EXPECT_TRUE(site.published_logs_in());
  EXPECT_TRUE(site.consumers_use_what_is_published());
  EXPECT_EQ(site.live_values(), 1U);
}

TEST_P(EveryProtocol, RollsBackWhenAConsumerFallsIll) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  if (GetParam() != Protocol::Single) watch_for_outages(site);
  site.consumers[1]->sick_on_the_next = true;
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_old_one_in_force(site);
  EXPECT_EQ(site.run_record()->status.failure, reason::consumer_unhealthy);
  ASSERT_NE(site.condition("Ready"), nullptr);
  EXPECT_EQ(site.condition("Ready")->status, Tristate::False);
  EXPECT_EQ(site.condition("Ready")->reason, reason::rolled_back);
  EXPECT_EQ(site.condition("Stalled"), nullptr);
  EXPECT_TRUE(site.everything_staged_is_disabled());
}

TEST(Rollback, IsTriedAgainWithANewSerialAfterTheBackOff) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.consumers[1]->sick_on_the_next = true;
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  site.clock.advance(attempt_backoff_min);
  ASSERT_TRUE(site.settle("inc-4711.2"));
  expect_in_force(site, "inc-4711.2");
}

TEST_P(EveryProtocol, TurnsBackWhenTheRevisionIsRevertedMidRun) {
  for (const Phase when : {Phase::Switching, Phase::Publishing, Phase::Rolling}) {
    Site site(GetParam());
    ASSERT_TRUE(site.adopt());
    site.want("inc-4711");
    ASSERT_TRUE(site.reach(when));
    site.want("2026-q4");
    ASSERT_TRUE(site.pass_until([&] { return site.at_rest(); }));
    EXPECT_EQ(site.run_record()->status.failure, reason::revision_changed);
    expect_old_one_in_force(site);
    site.pass();
    site.pass();
    EXPECT_EQ(site.reason_of("Ready"), reason::current_verified);
  }
}

TEST_P(EveryProtocol, AbandonsARunThatTouchedNothing) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Staging));
  site.want("2026-q4");
  ASSERT_TRUE(site.pass_until([&] { return site.at_rest(); }));
  EXPECT_EQ(site.phase(), Phase::Abandoned);
  EXPECT_TRUE(site.published().equals(Secret::copy_of(first_value)));
  EXPECT_EQ(site.live_values(), 1U);
}

// ---- crashes and lost replies ------------------------------------------------------------------------------------------------

// How many store writes and effects an undisturbed rotation needs.
struct Cost {
  int writes = 0;
  int effects = 0;
};
Cost cost_of(Protocol protocol) {
  Site site(protocol);
  EXPECT_TRUE(site.adopt());
  const int before = site.records.writes;
  site.want("inc-4711");
  EXPECT_TRUE(site.settle("inc-4711.1"));
  return {site.records.writes - before, site.effects->count};
}

TEST_P(EveryProtocol, SurvivesACrashAtEveryWriteOfTheJournal) {
  const int writes = cost_of(GetParam()).writes;
  ASSERT_GT(writes, 10);
  for (const auto fault : {MemoryRecords::Fault::CrashBefore, MemoryRecords::Fault::CrashAfter, MemoryRecords::Fault::Conflict}) {
    for (int nth = 1; nth <= writes && !testing::Test::HasFailure(); ++nth) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at write " + std::to_string(nth));
      Site site(GetParam());
      ASSERT_TRUE(site.adopt());
      if (GetParam() != Protocol::Single) watch_for_outages(site);
      site.records.fault = fault;
      site.records.fault_at = site.records.writes + nth;
      site.want("inc-4711");
      ASSERT_TRUE(site.settle("inc-4711.1"));
      expect_in_force(site, "inc-4711.1");
    }
  }
}

TEST_P(EveryProtocol, SurvivesALostReplyAFailureAndACrashAtEveryEffect) {
  const int effects = cost_of(GetParam()).effects;
  ASSERT_GE(effects, 5);
  for (const auto fault : {Effects::Fault::LostReply, Effects::Fault::NotSent, Effects::Fault::Crash}) {
    for (int nth = 1; nth <= effects && !testing::Test::HasFailure(); ++nth) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at effect " + std::to_string(nth));
      Site site(GetParam());
      ASSERT_TRUE(site.adopt());
      if (GetParam() != Protocol::Single) watch_for_outages(site);
      site.effects->fault = fault;
      site.effects->fault_at = nth;
      site.want("inc-4711");
      ASSERT_TRUE(site.settle("inc-4711.1"));
      expect_in_force(site, "inc-4711.1");
    }
  }
}

TEST_P(EveryProtocol, SurvivesALostReplyOrACrashAtEveryEffectOnTheWayBack) {
  const int effects = 20;  // more than the way there and back has: the last ones strike nothing
  for (const auto fault : {Effects::Fault::LostReply, Effects::Fault::Crash}) {
    for (int nth = 1; nth <= effects && !testing::Test::HasFailure(); ++nth) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at effect " + std::to_string(nth));
      Site site(GetParam());
      ASSERT_TRUE(site.adopt());
      if (GetParam() != Protocol::Single) watch_for_outages(site);
      site.effects->fault = fault;
      site.effects->fault_at = nth;
      site.consumers[1]->sick_on_the_next = true;
      site.want("inc-4711");
      ASSERT_TRUE(site.settle("inc-4711.1"));
      expect_old_one_in_force(site);
    }
  }
}

TEST(Takeover, WaitsForQuietBeforeItPins) {
  Site site(Protocol::Single);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Staging));
  site.restart();
  const Instant taken_over = site.clock.now();
  ASSERT_TRUE(site.reach(Phase::Pinned));
  EXPECT_GE(site.clock.now() - taken_over, site.environment().timing.quarantine());
  EXPECT_EQ(site.run_record()->status.owner_epoch.value, "epoch-2");
}

// ---- what stalls it, with nothing written ------------------------------------------------------------------------------------

void expect_stalled(Site& site, std::string_view why, int effects_before = 0) {
  for (int count = 0; count < 3; ++count) site.pass();
  EXPECT_EQ(site.reason_of("Stalled"), why);
  ASSERT_NE(site.condition("Ready"), nullptr);
  EXPECT_EQ(site.condition("Ready")->status, Tristate::False);
  EXPECT_EQ(site.effects->count, effects_before);
  EXPECT_TRUE(site.published_logs_in() || site.live_values() == 0);
}

TEST(Stalled, WhenAnotherInstallationOwnsTheSecret) {
  Site site(Protocol::Dual);
  site.vault->put(secret_name, first_value, {.run = "theirs", .generation = 1, .owner = "another-store", .credential = {"x", 1}});
  expect_stalled(site, reason::foreign_owner);
  EXPECT_TRUE(site.records.stored_runs.empty());
}

TEST(Stalled, WhenTheJournalIsBehindTheVault) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.vault->put(secret_name, first_value, {.run = "later", .generation = 9, .owner = site.records.owner(), .credential = {"x", 1}});
  site.want("inc-4711");
  expect_stalled(site, reason::journal_behind);
  EXPECT_EQ(site.records.stored_runs.size(), 1U);
}

// Back to `backup`, as after a backup of the journal was restored: the controller starts again, and knows nothing of what came after.
void restore(Site& site, const api::RotationRun& backup) {
  site.restart();
  const std::string version = site.records.stored_runs.back().meta.resource_version;
  site.records.stored_runs.back() = backup;
  site.records.stored_runs.back().meta.resource_version = version;
}

TEST_P(EveryProtocol, IsBlockedWhenTheJournalIsOfBeforeTheRunPublished) {
  for (const Phase when : {Phase::Admitted, Phase::Staging, Phase::Switching}) {
    Site site(GetParam());
    ASSERT_TRUE(site.adopt());
    site.want("inc-4711");
    ASSERT_TRUE(site.reach(when));
    const api::RotationRun backup = *site.run_record();
    ASSERT_TRUE(site.reach(Phase::Rolling));
    restore(site, backup);
    const int before = site.effects->count;
    for (int pass = 0; pass < 30; ++pass) site.pass();
    EXPECT_EQ(site.run_record()->status.blocked, reason::journal_behind);
    EXPECT_EQ(site.effects->count, before);
  }
}

TEST(StagedValue, IsKeptWhereASystemMayAcceptNothingElse) {
  Site site(Protocol::Single);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Admitted));
  const api::RotationRun backup = *site.run_record();
  ASSERT_TRUE(site.reach(Phase::Publishing));
  restore(site, backup);
  site.want("2026-q4");
  ASSERT_TRUE(site.reach(Phase::Abandoned));
  for (int pass = 0; pass < 30; ++pass) site.pass();
  EXPECT_EQ(site.reason_of("Drifted"), reason::drift);
  EXPECT_FALSE(site.everything_staged_is_disabled());
}

TEST(Stalled, WhenTheNamespaceIsNotBound) {
  Site site(Protocol::Dual);
  site.environment().bindings.clear();
  expect_stalled(site, reason::not_bound);
  EXPECT_TRUE(site.records.stored_runs.empty());
}

TEST(Stalled, WhenTheBindingIsTakenAwayMidRunUntilItIsBack) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Publishing));
  const auto bindings = site.environment().bindings;
  site.environment().bindings.clear();
  expect_stalled(site, reason::not_bound, site.effects->count);
  EXPECT_EQ(site.run_record()->status.blocked, reason::not_bound);
  site.environment().bindings = bindings;
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_in_force(site, "inc-4711.1");
  EXPECT_EQ(site.condition("Stalled"), nullptr);
}

TEST(Stalled, WhenTheEnvironmentDoesNotExist) {
  Site site(Protocol::Dual);
  site.object().spec.environment = "elsewhere";
  expect_stalled(site, reason::invalid_reference);
  EXPECT_TRUE(site.records.stored_runs.empty());
}

TEST(Stalled, WhenAnEntryHasNoAdapter) {
  Site site(Protocol::Dual);
  site.catalog.dependents.clear();
  expect_stalled(site, reason::unsupported);
}

TEST(Stalled, WhenTheVaultCannotBeReached) {
  Site site(Protocol::Dual);
  site.vault->reachable = false;
  expect_stalled(site, reason::store_unreachable);
  site.vault->reachable = true;
  ASSERT_TRUE(site.adopt());
  ASSERT_TRUE(site.pass_until([&] { return site.condition("Stalled") == nullptr; }));
}

TEST(Stalled, WhenTheVaultRefusesAndTheReasonSaysWhy) {
  const std::pair<VaultRefusal, std::string_view> rows[] = {
      {VaultRefusal::Disabled, reason::secret_disabled}, {VaultRefusal::SoftDeleted, reason::secret_soft_deleted},
      {VaultRefusal::Permission, reason::permission},    {VaultRefusal::Firewall, reason::permission},
      {VaultRefusal::ReadOnly, reason::vault_read_only}, {VaultRefusal::Missing, reason::baseline}};
  for (const auto& [refusal, why] : rows) {
    Site adopting(Protocol::Dual);
    adopting.vault->refusal = refusal;
    expect_stalled(adopting, why);
    EXPECT_TRUE(adopting.records.stored_runs.empty());
    Site rotating(Protocol::Dual);
    ASSERT_TRUE(rotating.adopt());
    rotating.vault->refusal = refusal;
    rotating.want("inc-4711");
    expect_stalled(rotating, why);
    EXPECT_EQ(rotating.records.stored_runs.size(), 1U);
  }
}

TEST(Stalled, WhenThePublishedValueCannotBeUnderstood) {
  Site site(Protocol::Dual);
  site.vault->put(secret_name, "not a document");
  for (int count = 0; count < 3; ++count) site.pass();
  EXPECT_EQ(site.reason_of("Stalled"), reason::format_not_reversible);
  EXPECT_TRUE(site.records.stored_runs.empty());
  EXPECT_EQ(site.effects->count, 0);
}

TEST(Stalled, WhenThePublishedCredentialDoesNotLogIn) {
  Site site(Protocol::Dual);
  site.dependent->accepted.clear();
  expect_stalled(site, reason::baseline);
  EXPECT_TRUE(site.records.stored_runs.empty());
}

TEST(Stalled, WhenAnOutageIsNotAcknowledged) {
  Site site(Protocol::Single);
  ASSERT_TRUE(site.adopt());
  site.object().spec.strategy.acknowledge_outage = false;
  site.want("inc-4711");
  expect_stalled(site, reason::outage_not_acknowledged);
}

TEST(Stalled, WhenAConsumerCannotBeConverged) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.consumers[0]->refusal = std::string(reason::inline_secrets_present);
  site.want("inc-4711");
  expect_stalled(site, reason::inline_secrets_present);
}

TEST(Stalled, WhenTheRunIsForANewerController) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Staging));
  site.records.stored_runs.back().spec.protocol_version = api::protocol_version + 1;
  expect_stalled(site, reason::version_too_new, site.effects->count);
}

TEST(Stalled, UntilTheShownPlanIsApproved) {
  Site site(Protocol::Dual);
  site.environment().protection.approval_required = true;
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  expect_stalled(site, reason::approval_required);
  ASSERT_TRUE(site.object().status.plan);
  site.object().spec.approved_plan = site.object().status.plan->hash;
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_in_force(site, "inc-4711.1");
}

const api::Condition* stalled_condition(Site& site, const ObjectKey& name) {
  return api::find_condition(site.records.rotations.at(name).status.conditions, "Stalled");
}

void expect_left_alone(Site& site, const ObjectKey& twin) {
  const int effects = site.effects->count;
  for (int count = 0; count < 3; ++count) site.pass(twin);
  const api::Condition* stalled = stalled_condition(site, twin);
  ASSERT_NE(stalled, nullptr);
  EXPECT_EQ(stalled->reason, reason::identity_in_use);
  EXPECT_NE(stalled->message.find("erp-dev/erp-connection manages"), std::string::npos) << stalled->message;
  EXPECT_EQ(site.records.last_run(twin), nullptr);
  EXPECT_EQ(site.effects->count, effects);
}

TEST(Stalled, WhileAnotherRotationChangesTheSameCredential) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Rolling));
  const ObjectKey twin{"erp-dev", "erp-twin"};
  site.declare(twin, "twin-1");
  expect_left_alone(site, twin);
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_in_force(site, "inc-4711.1");
}

TEST(Stalled, AsLongAsAnotherRotationKeepsTheSameCredential) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  const ObjectKey twin{"erp-dev", "erp-twin"};
  site.declare(twin, "twin-1");
  site.records.rotations.at(twin).spec.strategy.drift_policy = api::DriftPolicy::Enforce;
  expect_left_alone(site, twin);
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_left_alone(site, twin);
  expect_in_force(site, "inc-4711.1");
}

TEST(Stalled, UntilTheOtherRotationIsGoneOrKeepsSomethingElse) {
  for (const bool gone : {true, false}) {
    Site site(Protocol::Dual);
    ASSERT_TRUE(site.adopt());
    const ObjectKey twin{"erp-dev", "erp-twin"};
    site.declare(twin, "twin-1");
    expect_left_alone(site, twin);
    if (gone) {
      site.records.rotations.erase(site.key);
    } else {
      site.object().spec.secret.name = "another-secret";
      site.object().spec.dependents.front().principals = {"somebody-else"};
    }
    site.pass(twin);
    ASSERT_NE(site.records.last_run(twin), nullptr);
    EXPECT_EQ(site.records.last_run(twin)->status.phase, Phase::Succeeded) << "what was found is adopted";
  }
}

// ---- deletion and suspension -------------------------------------------------------------------------------------------------

TEST_P(EveryProtocol, CompletesTheRunOfADeletedObjectAndLetsItGo) {
  for (const Phase when : {Phase::Switching, Phase::Rolling, Phase::Verifying}) {
    Site site(GetParam());
    ASSERT_TRUE(site.adopt());
    site.want("inc-4711");
    ASSERT_TRUE(site.reach(when));
    site.object().meta.deleted = site.clock.now();
    ASSERT_TRUE(site.pass_until([&] { return site.records.rotations.empty(); }));
    expect_in_force(site, "inc-4711.1");
    EXPECT_FALSE(site.pass()) << "an object that is gone needs nothing";
  }
}

TEST_P(EveryProtocol, StartsNothingForADeletedObject) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  site.object().meta.finalizers = {std::string(api::finalizer)};
  site.object().meta.deleted = site.clock.now();
  EXPECT_FALSE(site.pass());
  EXPECT_TRUE(site.records.rotations.empty());
  EXPECT_EQ(site.effects->count, 0);
}

TEST_P(EveryProtocol, CompletesTheRunOfAnObjectThatWasRemovedByForce) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Rolling));
  site.records.rotations.clear();
  ASSERT_TRUE(site.pass_until([&] { return site.at_rest(); }));
  expect_in_force(site, "inc-4711.1");
}

TEST_P(EveryProtocol, StartsNothingWhileItIsSuspended) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.object().spec.suspend = true;
  site.want("inc-4711");
  for (int count = 0; count < 20; ++count) site.pass();
  EXPECT_EQ(site.effects->count, 0);
  EXPECT_EQ(site.reason_of("Suspended"), reason::suspended);
  site.object().spec.suspend = false;
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_in_force(site, "inc-4711.1");
  EXPECT_EQ(site.condition("Suspended"), nullptr);
}

TEST(Suspension, ParksARunWhereTwoCredentialsLive) {
  for (const Protocol protocol : {Protocol::Dual, Protocol::Alternating}) {
    Site site(protocol);
    ASSERT_TRUE(site.adopt());
    site.want("inc-4711");
    ASSERT_TRUE(site.reach(Phase::Publishing));
    site.object().spec.suspend = true;
    const int effects = site.effects->count;
    for (int count = 0; count < 50; ++count) site.pass();
    EXPECT_EQ(site.phase(), Phase::Publishing);
    EXPECT_EQ(site.effects->count, effects);
    site.object().spec.suspend = false;
    ASSERT_TRUE(site.settle("inc-4711.1"));
    expect_in_force(site, "inc-4711.1");
  }
}

TEST(Suspension, DoesNotStopASingleCredentialInItsSwitchWindow) {
  Site site(Protocol::Single);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Publishing));
  site.object().spec.suspend = true;
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_in_force(site, "inc-4711.1");
}

// ---- drift -------------------------------------------------------------------------------------------------------------------

TEST(Drift, IsToldAndLeftAlone) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.dependent->accepted.clear();
  ASSERT_TRUE(site.pass_until([&] { return site.reason_of("Drifted") == reason::drift; }));
  EXPECT_EQ(site.condition("Ready")->reason, reason::verification_lost);
  EXPECT_TRUE(site.recorder.heard(reason::drift));
  EXPECT_EQ(site.effects->count, 0);
  site.dependent->accept("app_a", "first-Password-1");
  ASSERT_TRUE(site.pass_until([&] { return site.reason_of("Ready") == reason::current_verified; }));
}

TEST(Drift, OfAVersionThatSomebodyElsePublishedIsTold) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.vault->put(secret_name, first_value);
  ASSERT_TRUE(site.pass_until([&] { return site.reason_of("Drifted") == reason::drift; }));
}

TEST(SteadyState, WritesNothingMore) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  for (int count = 0; count < 5; ++count) site.pass();
  const int writes = site.records.writes;
  for (int count = 0; count < 50; ++count) site.pass();
  EXPECT_EQ(site.records.writes, writes);
}

}  // namespace
}  // namespace keyturn
