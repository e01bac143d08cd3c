// What may hold up a run, with the real reconciler: freezes, promotion, the restart budget, canaries, failed attempts, and a lost store.
#include <gtest/gtest.h>

#include <string>
#include <vector>

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

constexpr Protocol two_live_protocols[] = {Protocol::Dual, Protocol::Alternating};

void freeze(Site& site, Duration left) {
  site.environment().protection.freezes = {{.from = site.clock.now(), .to = site.clock.now() + left, .reason = "holidays"}};
}
void thaw(Site& site) { site.environment().protection.freezes.clear(); }
void pass_often(Site& site, int times = 50) {
  for (int count = 0; count < times; ++count) site.pass();
}
std::size_t count_of(const Site& site, const std::string& effect) {
  return static_cast<std::size_t>(std::count(site.effects->done.begin(), site.effects->done.end(), effect));
}

// ---- freezes -----------------------------------------------------------------------------------------------------------------

TEST(Freeze, StartsNothingUntilItIsOver) {
  for (const Protocol protocol : every_protocol) {
    Site site(protocol);
    ASSERT_TRUE(site.adopt());
    freeze(site, hours(3));
    const Instant over = site.environment().protection.freezes.front().to;
    site.want("inc-4711");
    pass_often(site, 20);
    EXPECT_EQ(site.effects->count, 0);
    ASSERT_NE(site.condition("Ready"), nullptr);
    EXPECT_EQ(site.condition("Ready")->reason, reason::frozen);
    EXPECT_EQ(site.condition("Stalled"), nullptr);
    EXPECT_EQ(site.object().status.next_rotation, over);
    ASSERT_TRUE(site.settle("inc-4711.1"));
    EXPECT_GE(*site.run_record()->status.started_at, over);
    expect_in_force(site, "inc-4711.1");
    EXPECT_EQ(site.reason_of("Ready"), reason::current_verified);
  }
}

TEST(Freeze, WritesNothingMoreWhileItHolds) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  freeze(site, hours(30));
  site.want("inc-4711");
  pass_often(site, 5);
  const int writes = site.records.writes;
  pass_often(site);
  EXPECT_EQ(site.records.writes, writes);
}

TEST(Freeze, ParksARunUnderWayAndLetsItGoOnWhereItWas) {
  for (const Protocol protocol : two_live_protocols) {
    for (const Phase when : {Phase::Staging, Phase::Switching, Phase::Publishing, Phase::Rolling}) {
      Site site(protocol);
      ASSERT_TRUE(site.adopt());
      watch_for_outages(site);
      site.want("inc-4711");
      ASSERT_TRUE(site.reach(when));
      freeze(site, hours(10));  // much longer than any deadline of a phase
      const Instant over = site.environment().protection.freezes.front().to;
      site.pass();
      const int effects = site.effects->count;
      ASSERT_TRUE(site.pass_until([&] { return site.clock.now() + minutes(1) > over; }));
      EXPECT_EQ(site.phase(), when);
      EXPECT_EQ(site.effects->count, effects);
      EXPECT_EQ(site.condition("Rotating")->reason, reason::frozen);
      EXPECT_EQ(site.condition("Suspended"), nullptr);
      ASSERT_TRUE(site.settle("inc-4711.1"));
      expect_in_force(site, "inc-4711.1");
    }
  }
}

TEST(Freeze, DoesNotStopASingleCredentialInItsSwitchWindow) {
  Site site(Protocol::Single);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Publishing));
  freeze(site, hours(40));
  const Instant over = site.environment().protection.freezes.front().to;
  ASSERT_TRUE(site.settle("inc-4711.1"));
  EXPECT_LT(site.clock.now(), over);
  expect_in_force(site, "inc-4711.1");
}

TEST(Freeze, DoesNotHoldTheWayBack) {
  for (const Protocol protocol : every_protocol) {
    Site site(protocol);
    ASSERT_TRUE(site.adopt());
    site.want("inc-4711");
    ASSERT_TRUE(site.settle("inc-4711.1"));
    freeze(site, hours(40));
    const Instant over = site.environment().protection.freezes.front().to;
    site.want("2026-q4");
    ASSERT_TRUE(site.settle("2026-q4.1"));
    EXPECT_LT(site.clock.now(), over);
    expect_in_force(site, "2026-q4.1");
  }
}

TEST(Freeze, DoesNotHoldARunThatIsReverted) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Rolling));
  freeze(site, hours(40));
  const Instant over = site.environment().protection.freezes.front().to;
  pass_often(site, 3);
  site.want("2026-q4");
  ASSERT_TRUE(site.pass_until([&] { return site.at_rest(); }));
  EXPECT_EQ(site.phase(), Phase::RolledBack);
  EXPECT_LT(site.clock.now(), over);
}

TEST(Freeze, DoesNotHoldTheReplacementOfACompromisedCredential) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  freeze(site, hours(40));
  const Instant over = site.environment().protection.freezes.front().to;
  site.object().spec.reason = api::Reason::ConfirmedCompromise;
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  EXPECT_LT(site.clock.now(), over);
  expect_in_force(site, "inc-4711.1");
}

TEST(Freeze, ThatIsTakenAwayIsOver) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  freeze(site, hours(40));
  const Instant over = site.environment().protection.freezes.front().to;
  site.want("inc-4711");
  pass_often(site, 3);
  thaw(site);
  ASSERT_TRUE(site.settle("inc-4711.1"));
  EXPECT_LT(site.clock.now(), over);
}

TEST(Suspension, IsNoLackOfProgress) {
  for (const Protocol protocol : two_live_protocols) {
    for (const Phase when : {Phase::Switching, Phase::Publishing, Phase::Rolling}) {
      Site site(protocol);
      ASSERT_TRUE(site.adopt());
      site.want("inc-4711");
      ASSERT_TRUE(site.reach(when));
      site.object().spec.suspend = true;
      pass_often(site, 3);
      EXPECT_TRUE(site.run_record()->status.parked_since);
      EXPECT_EQ(site.condition("Rotating")->reason, reason::suspended);
      site.clock.advance(hours(48));
      site.object().spec.suspend = false;
      ASSERT_TRUE(site.settle("inc-4711.1"));
      EXPECT_TRUE(site.run_record()->status.failure.empty()) << site.run_record()->status.failure;
      EXPECT_FALSE(site.run_record()->status.parked_since);
      expect_in_force(site, "inc-4711.1");
    }
  }
}

// ---- promotion ---------------------------------------------------------------------------------------------------------------

// What the journal tells of the same rotation in another environment.
void in_use_in_stage(Site& site, const std::string& revision, Duration ago) {
  api::RotationRun run;
  run.meta.name = "stage-" + revision;
  run.spec.rotation = {"erp-stage", site.key.name};
  run.spec.identity = "stage/erp-db:app_a";
  run.spec.credential = {revision, 1};
  run.spec.frozen = site.object().spec;
  run.spec.frozen.environment = "stage";
  run.status.phase = Phase::Succeeded;
  run.status.finished_at = site.clock.now() - ago;
  site.records.stored_runs.push_back(run);
}

TEST(Promotion, WaitsForTheBakeInTheOtherEnvironment) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.environment().protection.promote_after = {.environment = "stage", .bake = hours(2)};
  site.want("inc-4711");
  pass_often(site, 5);
  EXPECT_EQ(site.condition("Ready")->reason, reason::not_promoted);
  EXPECT_FALSE(site.object().status.next_rotation);
  in_use_in_stage(site, "inc-4711", hours(1));
  const Instant baked = site.clock.now() + hours(1);
  pass_often(site, 2);
  EXPECT_EQ(site.object().status.next_rotation, baked);
  EXPECT_EQ(site.effects->count, 0);
  ASSERT_TRUE(site.settle("inc-4711.1"));
  EXPECT_GE(*site.run_record()->status.started_at, baked);
  expect_in_force(site, "inc-4711.1");
}

TEST(Promotion, DoesNotHoldTheWayBack) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.settle("inc-4711.1"));
  site.environment().protection.promote_after = {.environment = "stage", .bake = hours(2)};
  site.want("2026-q4");
  ASSERT_TRUE(site.settle("2026-q4.1"));
  expect_in_force(site, "2026-q4.1");
}

// ---- the restart budget ------------------------------------------------------------------------------------------------------

TEST(RestartBudget, HoldsTheNextRotationUntilTheHourHasPassed) {
  for (const Protocol protocol : two_live_protocols) {
    Site site(protocol);
    ASSERT_TRUE(site.adopt());
    watch_for_outages(site);
    site.environment().protection.restarts_per_hour = 2;
    const Instant first = site.clock.now();
    for (const char* revision : {"b", "c"}) {
      site.want(revision);
      ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
    }
    EXPECT_LT(site.clock.now(), first + minutes(50)) << "two restarts of each are within the budget";
    site.want("d");
    ASSERT_TRUE(site.reach(Phase::Rolling));
    pass_often(site, 5);
    EXPECT_EQ(site.condition("Rotating")->reason, reason::restart_budget);
    EXPECT_EQ(count_of(site, "converge portal"), 2U);
    ASSERT_TRUE(site.settle("d.1"));
    EXPECT_TRUE(site.run_record()->status.failure.empty()) << "waiting for the budget is no lack of progress";
    EXPECT_GE(site.clock.now(), first + hours(1));
    expect_in_force(site, "d.1");
  }
}

TEST(RestartBudget, DoesNotHoldASingleLiveCredential) {
  Site site(Protocol::Single);
  ASSERT_TRUE(site.adopt());
  site.environment().protection.restarts_per_hour = 1;
  const Instant first = site.clock.now();
  for (const char* revision : {"b", "c", "d"}) {
    site.want(revision);
    ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
  }
  EXPECT_LT(site.clock.now(), first + hours(1));
}

TEST(RestartBudget, DoesNotHoldTheWayBackNorACompromise) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.environment().protection.restarts_per_hour = 1;
  const Instant first = site.clock.now();
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  site.want("2026-q4");
  ASSERT_TRUE(site.settle("2026-q4.1"));
  site.object().spec.reason = api::Reason::ConfirmedCompromise;
  site.want("c");
  ASSERT_TRUE(site.settle("c.1"));
  EXPECT_LT(site.clock.now(), first + hours(1));
}

TEST(RestartBudget, DoesNotHoldARollback) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.environment().protection.restarts_per_hour = 1;
  const Instant first = site.clock.now();
  site.consumers[1]->sick_on_the_next = true;
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  EXPECT_EQ(site.phase(), Phase::RolledBack);
  EXPECT_LT(site.clock.now(), first + hours(1));
  EXPECT_TRUE(site.consumers_use_what_is_published());
}

TEST(RestartBudget, CountsNoRestartThatCertainlyDidNotBegin) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  site.effects->fault = Effects::Fault::NotSent;
  site.effects->fault_at = 4;  // the first consumer
  ASSERT_TRUE(site.settle("b.1"));
  for (const api::RunTarget& target : site.run_record()->status.targets) {
    const std::size_t expected = target.kind == api::TargetKind::Consumer ? 1 : 0;
    EXPECT_EQ(target.restarts.size(), expected) << target.name;
  }
}

// ---- canaries and waves ------------------------------------------------------------------------------------------------------

TEST(Canary, GoesFirstAndBakesBeforeTheOthersFollow) {
  Site site(Protocol::Dual);
  site.object().spec.strategy.waves = {.max_unavailable = 2, .canary = {"inventory"}, .bake = minutes(10)};
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.pass_until([&] { return count_of(site, "converge inventory") == 1; }));
  const Instant moved = site.clock.now();
  ASSERT_TRUE(site.pass_until([&] { return count_of(site, "converge portal") == 1; }));
  EXPECT_GE(site.clock.now(), moved + minutes(10));
  ASSERT_TRUE(site.settle("b.1"));
  expect_in_force(site, "b.1");
}

TEST(Canary, BakesLongerThanTheDeadlineAllowsWithoutAndThatIsNoFailure) {
  Site site(Protocol::Dual);
  site.object().spec.strategy.waves = {.canary = {"inventory"}, .bake = hours(3)};
  site.object().spec.strategy.progress_deadline = minutes(10);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  EXPECT_TRUE(site.run_record()->status.failure.empty());
  expect_in_force(site, "b.1");
}

TEST(Canary, ThatFallsIllWhileItBakesHaltsTheRollOut) {
  Site site(Protocol::Dual);
  site.object().spec.strategy.waves = {.canary = {"inventory"}, .bake = hours(3)};
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.pass_until([&] { return count_of(site, "converge inventory") == 1; }));
  pass_often(site, 3);
  site.consumers[1]->sick_on.insert(site.consumers[1]->loaded);
  ASSERT_TRUE(site.pass_until([&] { return site.at_rest(); }));
  EXPECT_EQ(site.phase(), Phase::RolledBack);
  EXPECT_EQ(site.run_record()->status.failure, reason::consumer_unhealthy);
  EXPECT_EQ(site.consumers[0]->loaded, site.vault->newest(secret_name).about.id) << "brought to the republished old value at most";
  EXPECT_TRUE(site.consumers_use_what_is_published());
}

// ---- failed attempts ---------------------------------------------------------------------------------------------------------

TEST(Breaker, BacksOffWhenScheduledRunsAreTakenBackAndThenStops) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.environment().protection.restarts_per_hour = 1000;
  site.object().spec.schedule = api::Schedule{.every = hours(200)};
  site.clock.advance(hours(200));
  std::vector<Instant> starts;
  for (int serial = 2; serial < 2 + attempts_max; ++serial) {
    site.consumers[1]->sick_on_the_next = true;
    ASSERT_TRUE(site.settle("2026-q4." + std::to_string(serial))) << serial;
    EXPECT_EQ(site.phase(), Phase::RolledBack);
    EXPECT_EQ(site.object().status.current->name.to_string(), "2026-q4.1");
    starts.push_back(*site.run_record()->status.started_at);
  }
  for (std::size_t i = 1; i < starts.size(); ++i) {
    EXPECT_GE(starts[i] - starts[i - 1], attempt_backoff_min * (1 << (i - 1))) << "attempt " << i;
  }
  EXPECT_EQ(site.reason_of("Stalled"), reason::attempts_exhausted);
  const int effects = site.effects->count;
  pass_often(site);
  EXPECT_EQ(site.effects->count, effects);
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  expect_in_force(site, "b.1");
}

// ---- the store is lost -------------------------------------------------------------------------------------------------------

// Everything but the vault, the systems, the applications and Git: no journal, no status, a new process.
void lose_the_store(Site& site) {
  site.records.stored_runs.clear();
  site.object().status = {};
  site.restart();
}

TEST(LostStore, OfTheSameNameRotatesNothing) {
  for (const Protocol protocol : every_protocol) {
    Site site(protocol);
    ASSERT_TRUE(site.adopt());
    for (const char* revision : {"b", "c"}) {
      site.want(revision);
      ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
    }
    lose_the_store(site);
    const int effects = site.effects->count;
    ASSERT_TRUE(site.adopt());
    pass_often(site, 10);
    EXPECT_EQ(site.effects->count, effects);
    EXPECT_EQ(site.object().status.current->name.to_string(), "c.1");
    EXPECT_EQ(site.reason_of("Ready"), reason::current_verified);
    EXPECT_EQ(site.object().status.history.size(), 2U) << "b.1 is known from the vault's tags";
  }
}

TEST(LostStore, LetsAGitRevertReachAnOlderRevision) {
  for (const Protocol protocol : every_protocol) {
    Site site(protocol);
    ASSERT_TRUE(site.adopt());
    site.want("b");
    ASSERT_TRUE(site.settle("b.1"));
    const auto before = extract(site.object().spec.secret.format, site.published(), "app_a");
    for (const char* revision : {"c", "d"}) {
      site.want(revision);
      ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
    }
    lose_the_store(site);
    ASSERT_TRUE(site.adopt());
    if (protocol != Protocol::Single) watch_for_outages(site);
    site.want("b");
    ASSERT_TRUE(site.settle("b.1"));
    expect_in_force(site, "b.1");
    EXPECT_EQ(site.run_record()->spec.direction, api::Direction::Back);
    const auto after = extract(site.object().spec.secret.format, site.published(), "app_a");
    ASSERT_TRUE(before && after);
    EXPECT_TRUE(after->password.equals(before->password)) << "nothing was minted";
  }
}

TEST(LostStore, BringsBackAHigherSerialThanTheFirst) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.environment().protection.restarts_per_hour = 1000;
  site.object().spec.schedule = api::Schedule{.every = hours(200)};
  site.clock.advance(hours(200));
  ASSERT_TRUE(site.settle("2026-q4.2"));
  site.clock.advance(hours(200));
  ASSERT_TRUE(site.settle("2026-q4.3"));
  site.object().spec.schedule.reset();
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  lose_the_store(site);
  ASSERT_TRUE(site.adopt());
  site.want("2026-q4");
  ASSERT_TRUE(site.settle("2026-q4.3"));
  expect_in_force(site, "2026-q4.3");
}

TEST(LostStore, DoesNotTryAgainWhatWasTakenBackNorGivesItsNameTwice) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  site.object().spec.schedule = api::Schedule{.every = hours(200)};
  site.clock.advance(hours(200));
  site.consumers[1]->sick_on_the_next = true;
  ASSERT_TRUE(site.settle("b.2"));
  EXPECT_EQ(site.phase(), Phase::RolledBack);
  lose_the_store(site);
  ASSERT_TRUE(site.adopt());
  const int effects = site.effects->count;
  pass_often(site, 10);
  EXPECT_EQ(site.effects->count, effects);
  EXPECT_EQ(site.object().status.current->name.to_string(), "b.1");
  site.clock.advance(hours(200));
  ASSERT_TRUE(site.settle("b.3"));
  expect_in_force(site, "b.3");
}

TEST(LostStore, NeverBringsBackACompromisedCredential) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  site.clock.advance(minutes(5));
  site.object().spec.reason = api::Reason::ConfirmedCompromise;
  site.want("c");
  ASSERT_TRUE(site.settle("c.1"));
  lose_the_store(site);
  site.object().spec.reason = api::Reason::Routine;
  ASSERT_TRUE(site.adopt());
  pass_often(site, 5);
  EXPECT_EQ(site.object().status.current->name.to_string(), "c.1");
  EXPECT_TRUE(site.object().status.issued_not_before) << "the floor is remembered too";
  const int effects = site.effects->count;
  site.want("b");
  pass_often(site, 10);
  EXPECT_EQ(site.reason_of("Stalled"), reason::revision_revoked);
  EXPECT_EQ(site.effects->count, effects);
}

TEST(LostStore, DecidesNothingUntilTheVaultHasTold) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  for (const char* revision : {"b", "c"}) {
    site.want(revision);
    ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
  }
  lose_the_store(site);
  ASSERT_TRUE(site.adopt());
  site.restart();
  site.want("b");
  site.vault->reachable = false;
  pass_often(site, 5);
  EXPECT_EQ(site.reason_of("Stalled"), reason::store_unreachable);
  site.vault->reachable = true;
  ASSERT_TRUE(site.settle("b.1"));
  EXPECT_EQ(site.run_record()->spec.direction, api::Direction::Back);
  expect_in_force(site, "b.1");
}

TEST(LostStore, SurvivesACrashWhileAnOlderRevisionComesBack) {
  for (int fault_at = 1; fault_at <= 6; ++fault_at) {
    Site site(Protocol::Dual);
    ASSERT_TRUE(site.adopt());
    for (const char* revision : {"b", "c"}) {
      site.want(revision);
      ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
    }
    lose_the_store(site);
    ASSERT_TRUE(site.adopt());
    watch_for_outages(site);
    site.effects->fault = Effects::Fault::Crash;
    site.effects->fault_at = site.effects->count + fault_at;
    site.want("b");
    ASSERT_TRUE(site.settle("b.1"));
    expect_in_force(site, "b.1");
    EXPECT_EQ(site.run_record()->spec.direction, api::Direction::Back);
  }
}

TEST(LostStore, LetsAPinReachAnOlderSerial) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.object().spec.schedule = api::Schedule{.every = hours(200)};
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  site.clock.advance(hours(200));
  ASSERT_TRUE(site.settle("b.2"));
  lose_the_store(site);
  ASSERT_TRUE(site.adopt());
  site.object().spec.pin_serial = 1;
  ASSERT_TRUE(site.settle("b.1"));
  expect_in_force(site, "b.1");
}

}  // namespace
}  // namespace keyturn
