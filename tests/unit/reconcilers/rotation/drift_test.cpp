// What somebody changes by hand while nothing is under way: named, and put back where the spec says so.
#include <gtest/gtest.h>

#include <string>

#include "api/codec.h"
#include "api/reasons.h"
#include "reconcilers/rotation/ledger.h"
#include "tests/unit/reconcilers/rotation/site.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
namespace reason = api::reason;

constexpr std::string_view foreign_value = R"({"user":"app_a","password":"by-hand-Password-1"})";

class Drift : public testing::TestWithParam<Protocol> {
 protected:
  // At rest after a rotation, so that every consumer was proven once.
  void SetUp() override {
    ASSERT_TRUE(site.adopt());
    site.want("b");
    ASSERT_TRUE(site.settle("b.1"));
    expect_in_force(site, "b.1");
  }
  void enforce() {
    site.object().spec.strategy.drift_policy = api::DriftPolicy::Enforce;
    ++site.object().meta.generation;
  }
  std::string principal() const { return principal_in_force(*site.run_record()); }
  void somebody_sets_another_password() {
    site.dependent->accepted[principal()].clear();
    site.dependent->accept(principal(), "by-hand-Password-1");
  }

  // Until a run of its own has put the credential back.
  void expect_repaired() {
    const std::int64_t before = site.run_record()->spec.generation;
    ASSERT_TRUE(site.pass_until([&] { return site.run_record()->spec.generation > before && site.at_rest(); }));
    EXPECT_EQ(site.run_record()->spec.direction, api::Direction::Repair);
    EXPECT_EQ(site.phase(), Phase::Succeeded);
    EXPECT_EQ(site.run_record()->spec.credential.to_string(), "b.1");
    EXPECT_TRUE(site.published_logs_in());
    EXPECT_TRUE(site.consumers_use_what_is_published());
    EXPECT_TRUE(site.pass_until([&] { return site.reason_of("Ready") == reason::current_verified; }));
    EXPECT_TRUE(site.everything_staged_is_disabled());
    EXPECT_FALSE(site.condition("Drifted") && site.condition("Drifted")->status == api::Tristate::True);
  }
  void expect_reported_only() {
    const int effects = site.effects->count;
    ASSERT_TRUE(site.pass_until([&] { return site.reason_of("Drifted") == reason::drift; }));
    for (int pass = 0; pass < 20; ++pass) site.pass();
    EXPECT_EQ(site.effects->count, effects);
    EXPECT_EQ(site.run_record()->spec.direction, api::Direction::Forward);
    EXPECT_TRUE(site.recorder.heard(reason::drift));
  }

  Site site{GetParam()};
};

TEST_P(Drift, OfASystemIsReported) {
  somebody_sets_another_password();
  expect_reported_only();
}
TEST_P(Drift, OfASystemIsPutBackWhenAskedTo) {
  enforce();
  somebody_sets_another_password();
  expect_repaired();
}

// A publication that was given up and sent again, and arrived after all.
TEST_P(Drift, IsNotWhatTheLastRunPublishedTwice) {
  site.reach(Phase::Succeeded);
  const VersionTags tags = site.vault->newest(secret_name).about.tags;
  site.published().expose([&](std::string_view value) { site.vault->put(secret_name, std::string(value), tags); });
  site.consumers[1]->loaded = site.vault->newest(secret_name).about.id;  // it was restarted since
  for (int pass = 0; pass < 20; ++pass) site.pass();
  EXPECT_NE(site.reason_of("Drifted"), reason::drift);
  EXPECT_FALSE(site.recorder.heard(reason::drift));
  EXPECT_EQ(site.reason_of("Ready"), reason::current_verified);
}

TEST_P(Drift, OfAVaultIsReported) {
  site.vault->put(secret_name, foreign_value);
  expect_reported_only();
}
TEST_P(Drift, OfAVaultIsPutBackWhenAskedTo) {
  enforce();
  site.vault->put(secret_name, foreign_value);
  expect_repaired();
}
TEST_P(Drift, OfAVaultAndASystemIsPutBackWhenAskedTo) {
  enforce();
  site.vault->put(secret_name, foreign_value);
  somebody_sets_another_password();
  expect_repaired();
}

// The rollback of the old runbook: the newest version is disabled, and nothing can be read any more.
TEST_P(Drift, OfADisabledNewestVersionIsHealedWhenAskedTo) {
  enforce();
  site.vault->secrets.at(secret_name).back().about.enabled = false;
  expect_repaired();
}

TEST_P(Drift, OfAConsumerIsReported) {
  site.consumers[1]->loaded = site.vault->secrets.at(secret_name).front().about.id;
  expect_reported_only();
}
TEST_P(Drift, OfAConsumerIsPutBackWhenAskedTo) {
  enforce();
  site.consumers[1]->loaded = site.vault->secrets.at(secret_name).front().about.id;
  const std::size_t done = site.effects->done.size();
  expect_repaired();
  for (std::size_t i = done; i < site.effects->done.size(); ++i) {
    EXPECT_NE(site.effects->done[i], "converge portal") << "who still runs what was proven is not restarted";
  }
}

TEST_P(Drift, IsPutBackThroughACrashAtEveryWrite) {
  enforce();
  for (int at = 1; at <= 12; ++at) {
    somebody_sets_another_password();
    site.records.fault = at % 2 == 0 ? MemoryRecords::Fault::CrashAfter : MemoryRecords::Fault::CrashBefore;
    site.records.fault_at = site.records.writes + at;
    expect_repaired();
  }
}

TEST_P(Drift, IsNotPutBackWhileSuspended) {
  enforce();
  site.object().spec.suspend = true;
  somebody_sets_another_password();
  expect_reported_only();
}

TEST_P(Drift, RepairDoesNotMoveTheSchedule) {
  enforce();
  site.object().spec.schedule = api::Schedule{.every = std::chrono::hours(1), .windows = {}};
  ASSERT_TRUE(site.pass_until([&] { return site.object().status.next_rotation.has_value(); }));
  const auto next = site.object().status.next_rotation;
  somebody_sets_another_password();
  expect_repaired();
  EXPECT_EQ(site.object().status.next_rotation, next);
}

INSTANTIATE_TEST_SUITE_P(EveryProtocol, Drift, testing::ValuesIn(every_protocol),
                         [](const auto& info) { return std::string(api::name_of(info.param)); });

// protocol.md 8: refused logins count towards the lock-out of an account.
class LockOut : public testing::TestWithParam<Protocol> {};

TEST_P(LockOut, OfAnAccountIsNotBroughtOnByInstallsThatFail) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.dependent->refused_logins = 0;
  site.dependent->knows_principals = false;  // the system refuses the change itself, again and again
  site.want("b");
  ASSERT_TRUE(site.reach(Phase::Switching));
  for (int pass = 0; pass < 30; ++pass) site.pass();
  EXPECT_EQ(site.dependent->refused_logins, 0);
}

TEST_P(LockOut, OfAnAccountIsNotBroughtOnByAnUndisturbedRun) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.dependent->refused_logins = 0;
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  EXPECT_LE(site.dependent->refused_logins, 1) << "one login proves that the old credential is refused";
}

// While a consumer is away the end of the run has to wait, and the old credential is not tried over and over.
TEST_P(LockOut, OfAnAccountIsNotBroughtOnByWaitingForTheEnd) {
  Site site(GetParam());
  if (GetParam() == Protocol::Single) return;  // nothing is withdrawn where one lives
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.reach(Phase::Retiring));
  site.dependent->refused_logins = 0;
  site.consumers[0]->sick_on.insert(site.consumers[0]->loaded);
  for (int pass = 0; pass < 30; ++pass) site.pass();
  EXPECT_FALSE(site.at_rest());
  EXPECT_EQ(site.dependent->refused_logins, 1);
  site.consumers[0]->sick_on.clear();
  ASSERT_TRUE(site.settle("b.1"));
  expect_in_force(site, "b.1");
}

INSTANTIATE_TEST_SUITE_P(EveryProtocol, LockOut, testing::ValuesIn(every_protocol),
                         [](const auto& info) { return std::string(api::name_of(info.param)); });

}  // namespace
}  // namespace keyturn
