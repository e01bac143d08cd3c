#include "reconcilers/rotation/gates.h"

#include <gtest/gtest.h>

#include <ostream>

#include "api/reasons.h"
#include "tests/unit/reconcilers/rotation/test_runs.h"

namespace keyturn {
namespace {

using api::Phase;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
namespace reason = api::reason;

const Instant now = epoch_of_tests + days(100);

Decision mints(const char* revision, std::string_view why = reason::revision_changed) {
  return {.verb = Verb::Mint, .credential = {revision, 1}, .reason = why};
}

// A protected environment and a rotation in it, of which a test changes what it is about.
struct Situation {
  api::Protection protection;
  api::SecretRotation rotation = test_rotation();
  Decision decision = mints("b");
  std::vector<api::RotationRun> all;
  SystemTimeZones zones;

  Gate gate(Instant at = now) const { return may_start(protection, rotation, decision, all, at, zones); }
};

void expect_closed(const Gate& gate, std::string_view why, std::optional<Instant> until) {
  EXPECT_EQ(gate.reason, why);
  EXPECT_EQ(gate.until, until);
  EXPECT_FALSE(gate.message.empty());
}

// ---- freezes -----------------------------------------------------------------------------------------------------------------

Situation frozen(Duration since = hours(1), Duration left = hours(2)) {
  Situation situation;
  situation.protection.freezes = {{.from = now - since, .to = now + left, .reason = "holidays"}};
  return situation;
}

TEST(Freeze, OfNoneIsOpen) { EXPECT_TRUE(Situation().gate().open()); }

TEST(Freeze, HoldsWhatIsNewUntilItIsOver) {
  const Situation situation = frozen();
  expect_closed(situation.gate(), reason::frozen, now + hours(2));
  EXPECT_EQ(situation.gate().message, "the environment is frozen until " + format_seconds(now + hours(2)) + ": holidays");
}

TEST(Freeze, HoldsFromItsFirstMomentAndNotInItsLast) {
  const Situation situation = frozen();
  EXPECT_TRUE(situation.gate(now - hours(1) - Duration{1}).open());
  EXPECT_FALSE(situation.gate(now - hours(1)).open());
  EXPECT_FALSE(situation.gate(now + hours(2) - Duration{1}).open());
  EXPECT_TRUE(situation.gate(now + hours(2)).open());
}

TEST(Freeze, ThatTouchesOrOverlapsAnotherIsOneWithIt) {
  Situation situation = frozen();
  situation.protection.freezes.push_back({.from = now + hours(2), .to = now + hours(3)});
  situation.protection.freezes.insert(situation.protection.freezes.begin(), {.from = now + hours(1), .to = now + hours(2) + minutes(1)});
  situation.protection.freezes.push_back({.from = now + hours(4), .to = now + hours(5)});
  EXPECT_EQ(frozen_until(situation.protection, now), now + hours(3));
  expect_closed(situation.gate(), reason::frozen, now + hours(3));
}

TEST(Freeze, LeavesAScheduledRunToItsNextWindowOutsideOfEveryFreeze) {
  Situation situation;
  const Instant noon = std::chrono::floor<days>(now) + hours(12);
  situation.decision = mints("a", reason::scheduled);
  situation.rotation.spec.schedule = api::Schedule{.every = hours(1), .windows = {{.start = "11:00", .duration = hours(2)}}};
  situation.protection.freezes = {{.from = noon, .to = noon + hours(2)}, {.from = noon + hours(20), .to = noon + days(1)}};
  expect_closed(situation.gate(noon), reason::frozen, noon + days(1));
}

TEST(Freeze, ThatCoversEveryWindowLeavesNoMomentToName) {
  Situation situation = frozen();
  situation.decision = mints("a", reason::scheduled);
  situation.rotation.spec.schedule = api::Schedule{.every = hours(1), .windows = {{.start = "nonsense", .duration = hours(2)}}};
  expect_closed(situation.gate(), reason::frozen, std::nullopt);
}

TEST(Freeze, DoesNotHoldTheWayBack) {
  Situation situation = frozen();
  situation.decision.verb = Verb::Activate;
  EXPECT_TRUE(situation.gate().open());
}

TEST(Freeze, DoesNotHoldTheReplacementOfACompromisedCredential) {
  Situation situation = frozen();
  situation.rotation.spec.reason = api::Reason::ConfirmedCompromise;
  EXPECT_TRUE(situation.gate().open());
  situation.rotation.spec.reason = api::Reason::SuspectedCompromise;
  EXPECT_FALSE(situation.gate().open()) << "a suspicion is not a confirmation";
}

TEST(Freeze, DoesNotHoldARaisedFloor) {
  Situation situation = frozen();
  situation.decision = mints("a", reason::floor_raised);
  situation.decision.urgent = true;
  EXPECT_TRUE(situation.gate().open());
}

TEST(Freeze, HoldsAScheduledRunWhoseSpecStillTellsOfAnOldCompromise) {
  Situation situation = frozen();
  situation.decision = mints("a", reason::scheduled);
  situation.rotation.spec.reason = api::Reason::ConfirmedCompromise;
  EXPECT_FALSE(situation.gate().open());
}

// ---- promotion ---------------------------------------------------------------------------------------------------------------

api::RotationRun in_stage(std::int64_t generation, CredentialName credential, Phase phase) {
  api::RotationRun run = test_run(generation, std::move(credential), phase);
  run.spec.rotation.ns = "erp-stage";
  run.spec.frozen.environment = "stage";
  return run;
}
Instant end_of(std::int64_t generation) { return epoch_of_tests + days(generation) + hours(1); }

Situation promoted(std::vector<api::RotationRun> all, Duration bake = days(2)) {
  Situation situation;
  situation.protection.promote_after = {.environment = "stage", .bake = bake};
  situation.all = std::move(all);
  return situation;
}

TEST(Promotion, WaitsUntilTheRevisionHasBakedElsewhere) {
  const Situation situation = promoted({in_stage(1, {"a", 1}, Phase::Succeeded), in_stage(99, {"b", 1}, Phase::Succeeded)});
  expect_closed(situation.gate(end_of(99)), reason::not_promoted, end_of(99) + days(2));
  EXPECT_FALSE(situation.gate(end_of(99) + days(2) - Duration{1}).open());
  EXPECT_TRUE(situation.gate(end_of(99) + days(2)).open());
}

TEST(Promotion, HasNoMomentToNameForARevisionThatIsNotInUseElsewhere) {
  const Gate gate = promoted({in_stage(1, {"a", 1}, Phase::Succeeded)}).gate();
  expect_closed(gate, reason::not_promoted, std::nullopt);
  EXPECT_EQ(gate.message, "b starts here after 48h0m0s in use in stage, where it is not in use yet");
}

TEST(Promotion, CountsOnlyASucceededRun) {
  for (const Phase phase : {Phase::Rolling, Phase::Verifying, Phase::Retiring, Phase::RolledBack, Phase::Abandoned}) {
    EXPECT_FALSE(promoted({in_stage(1, {"b", 1}, phase)}).gate().open()) << static_cast<int>(phase);
  }
}

TEST(Promotion, CountsFromTheRevisionAndNotFromItsLastSerial) {
  const Situation situation = promoted({in_stage(1, {"b", 1}, Phase::Succeeded), in_stage(99, {"b", 2}, Phase::Succeeded)});
  EXPECT_EQ(in_force_since(situation.all, situation.rotation, "stage", "b"), end_of(1));
  EXPECT_TRUE(situation.gate(end_of(99)).open());
}

TEST(Promotion, CountsAgainAfterAnotherRevisionWasInForce) {
  Situation situation = promoted({in_stage(1, {"b", 1}, Phase::Succeeded), in_stage(50, {"c", 1}, Phase::Succeeded)});
  EXPECT_FALSE(situation.gate().open()) << "it is not in use there any more";
  situation.all.push_back(in_stage(99, {"b", 1}, Phase::Succeeded));
  expect_closed(situation.gate(end_of(99)), reason::not_promoted, end_of(99) + days(2));
}

TEST(Promotion, GoesOnWhenAnAttemptElsewhereWasTakenBack) {
  EXPECT_TRUE(promoted({in_stage(1, {"b", 1}, Phase::Succeeded), in_stage(99, {"c", 1}, Phase::RolledBack)}).gate().open());
}

TEST(Promotion, LooksAtTheSameObjectNameAndSecretInTheNamedEnvironmentOnly) {
  api::RotationRun run = in_stage(1, {"b", 1}, Phase::Succeeded);
  EXPECT_TRUE(promoted({run}).gate().open());
  run.spec.rotation.name = "another";
  EXPECT_FALSE(promoted({run}).gate().open());
  run = in_stage(1, {"b", 1}, Phase::Succeeded);
  run.spec.frozen.secret.name = "another";
  EXPECT_FALSE(promoted({run}).gate().open());
  run = in_stage(1, {"b", 1}, Phase::Succeeded);
  run.spec.frozen.environment = "dev";
  EXPECT_FALSE(promoted({run}).gate().open());
}

TEST(Promotion, WithoutABakeNeedsTheRevisionInUseAllTheSame) {
  EXPECT_TRUE(promoted({in_stage(99, {"b", 1}, Phase::Succeeded)}, Duration{0}).gate(end_of(99)).open());
  EXPECT_FALSE(promoted({}, Duration{0}).gate().open());
}

TEST(Promotion, DoesNotHoldTheWayBackNorACompromiseNorTheScheduleOfWhatIsInUse) {
  Situation situation = promoted({});
  situation.decision.verb = Verb::Activate;
  EXPECT_TRUE(situation.gate().open());
  situation.decision = mints("a", reason::scheduled);
  EXPECT_TRUE(situation.gate().open());
  situation.decision = mints("b");
  EXPECT_FALSE(situation.gate().open());
  situation.rotation.spec.reason = api::Reason::ConfirmedCompromise;
  EXPECT_TRUE(situation.gate().open());
}

TEST(Gates, AreOpenForADecisionThatStartsNothing) {
  for (const Verb verb : {Verb::Keep, Verb::Hold, Verb::Refuse}) {
    Situation situation = frozen();
    situation.decision.verb = verb;
    EXPECT_TRUE(situation.gate().open());
  }
}

TEST(Gates, TellOfAFreezeBeforeAPromotion) {
  Situation situation = frozen();
  situation.protection.promote_after = {.environment = "stage"};
  EXPECT_EQ(situation.gate().reason, reason::frozen);
}

// ---- the restart budget ------------------------------------------------------------------------------------------------------

api::RotationRun with_restarts(std::string consumer, std::vector<Instant> restarts) {
  api::RotationRun run = test_run(1, {"a", 1}, Phase::Succeeded);
  run.status.targets = {{.kind = api::TargetKind::Vault, .name = "portal", .restarts = {now, now, now}},
                        {.kind = api::TargetKind::Consumer, .name = std::move(consumer), .restarts = std::move(restarts)}};
  return run;
}
std::optional<Instant> portal_again(const std::vector<api::RotationRun>& all, int per_hour = 3) {
  api::Protection protection;
  protection.restarts_per_hour = per_hour;
  return restart_again_at(protection, "erp", "portal", all, now);
}

TEST(RestartBudget, IsOpenUntilItIsSpent) {
  EXPECT_FALSE(portal_again({}));
  EXPECT_FALSE(portal_again({with_restarts("portal", {now - minutes(5), now})}));
}

TEST(RestartBudget, OpensAgainAnHourAfterTheRestartThatMakesRoom) {
  EXPECT_EQ(portal_again({with_restarts("portal", {now - minutes(50), now - minutes(20), now})}), now + minutes(10));
  EXPECT_EQ(portal_again({with_restarts("portal", {now, now - minutes(50), now - minutes(40), now - minutes(20)})}), now + minutes(20));
}

TEST(RestartBudget, ForgetsARestartAfterAnHour) {
  const std::vector<Instant> restarts{now - hours(1), now - minutes(20), now};
  EXPECT_FALSE(portal_again({with_restarts("portal", restarts)}));
}

TEST(RestartBudget, IsNotSpentByAClockThatWasWrong) {
  EXPECT_FALSE(portal_again({with_restarts("portal", {now + days(3'650), now + days(3'650), now + days(3'650)})}));
  EXPECT_TRUE(portal_again({with_restarts("portal", {now + seconds(5), now, now})}));
}

TEST(RestartBudget, IsSharedByEveryRotation) {
  const auto half = with_restarts("portal", {now - minutes(30)});
  EXPECT_FALSE(portal_again({half, half}));
  EXPECT_EQ(portal_again({half, half, half}), now + minutes(30));
}

TEST(RestartBudget, IsOneApplicationsInOneEnvironment) {
  const std::vector<Instant> restarts(3, now);
  EXPECT_TRUE(portal_again({with_restarts("portal", restarts)}));
  EXPECT_FALSE(portal_again({with_restarts("inventory", restarts)}));
  api::RotationRun elsewhere = with_restarts("portal", restarts);
  elsewhere.spec.frozen.environment = "stage";
  EXPECT_FALSE(portal_again({elsewhere}));
}

TEST(RestartBudget, OfNoneIsTakenAsOne) {
  EXPECT_FALSE(portal_again({}, 0));
  EXPECT_EQ(portal_again({with_restarts("portal", {now})}, 0), now + hours(1));
}

TEST(RestartBudget, IsNotedInAListThatDoesNotGrowForEver) {
  api::RunTarget consumer;
  note_restart(consumer, now - hours(2));
  note_restart(consumer, now - minutes(30));
  note_restart(consumer, now);
  EXPECT_EQ(consumer.restarts, (std::vector<Instant>{now - minutes(30), now}));
  for (std::size_t count = 0; count < restarts_kept_max * 2; ++count) note_restart(consumer, now + seconds(count));
  EXPECT_EQ(consumer.restarts.size(), restarts_kept_max);
  EXPECT_EQ(consumer.restarts.back(), now + seconds(restarts_kept_max * 2 - 1));
}

// ---- parked ------------------------------------------------------------------------------------------------------------------

Plan resting(std::string_view why) { return {.action = Action::Wait, .reason = why}; }

TEST(Parked, IsARunThatRestsBySomebodysWish) {
  for (const std::string_view why : {waits::suspended, waits::frozen, waits::restart_budget}) EXPECT_TRUE(is_parked(resting(why))) << why;
  for (const std::string_view why : {waits::quiet, waits::consumers, waits::bake, waits::soak})
    EXPECT_FALSE(is_parked(resting(why))) << why;
  EXPECT_FALSE(is_parked({.action = Action::Block, .reason = waits::suspended}));
}

TEST(Parked, TimeDoesNotCountForTheDeadlinesOfThePhase) {
  api::RotationRunStatus status;
  status.phase_since = now - minutes(10);
  EXPECT_EQ(phase_counts_from(status, now), now - minutes(10));
  EXPECT_TRUE(note_parked(status, resting(waits::frozen), now));
  EXPECT_FALSE(note_parked(status, resting(waits::suspended), now + hours(1))) << "still parked, for another reason";
  EXPECT_EQ(phase_counts_from(status, now + hours(5)), now + hours(5) - minutes(10));
  EXPECT_TRUE(note_parked(status, {.action = Action::Install}, now + hours(5)));
  EXPECT_FALSE(status.parked_since);
  EXPECT_EQ(phase_counts_from(status, now + hours(6)), now + hours(5) - minutes(10));
  EXPECT_FALSE(note_parked(status, resting(waits::consumers), now + hours(6)));
}

}  // namespace
}  // namespace keyturn
