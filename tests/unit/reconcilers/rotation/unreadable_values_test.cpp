// What a run does when one of the two values that it works with may not be read: it says why, and goes on once it may.
#include <gtest/gtest.h>

#include <string>

#include "api/codec.h"
#include "api/reasons.h"
#include "tests/unit/reconcilers/rotation/site.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
namespace reason = api::reason;

std::string staging_of(const Site& site) {
  for (const auto& [name, versions] : site.vault->secrets) {
    if (name.starts_with(staging_prefix)) return name;
  }
  return {};
}

class UnreadableValues : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, UnreadableValues, testing::ValuesIn(every_protocol),
                         [](const auto& protocol) { return std::string(api::name_of(protocol.param)); });

// As after a backup of the journal was restored that was taken before the run ended.
TEST_P(UnreadableValues, EnablesItsStagedValueAgain) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Rolling));
  site.vault->disable(staging_of(site), site.run_record()->status.staged_version);
  ASSERT_TRUE(site.settle("inc-4711.1"));
  expect_in_force(site, "inc-4711.1");
  EXPECT_TRUE(site.everything_staged_is_disabled());
}

TEST_P(UnreadableValues, SaysThatThePermissionForTheStagedValueIsGone) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Switching));
  site.vault->denies_values = true;
  site.pass();
  site.pass();
  EXPECT_EQ(site.run_record()->status.blocked, reason::permission);
  site.vault->denies_values = false;
  ASSERT_TRUE(site.settle("inc-4711.1"));
}

TEST_P(UnreadableValues, SaysThatTheOldValueWasDisabledBySomebody) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Rolling));
  site.vault->disable(secret_name, site.run_record()->status.old_version);
  site.want("2026-q4");  // back, for which the old value is needed
  ASSERT_TRUE(site.reach(Phase::RollingBack));
  site.pass();
  EXPECT_EQ(site.run_record()->status.blocked, reason::secret_disabled);
  EXPECT_EQ(site.reason_of("Stalled"), reason::secret_disabled);
}

TEST_P(UnreadableValues, NeedsNoValueToLetGoOfARunThatHasTouchedNothing) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Pinned));
  site.vault->secrets.erase(staging_of(site));
  site.want("2026-q4");
  EXPECT_TRUE(site.reach(Phase::Abandoned));
}

// The idle one before it is set, the old one before it is withdrawn.
TEST(AlternatingLogin, IsTakenFromNobodyWhileTheListOfConnectionsCannotBeHad) {
  for (const Phase when : {Phase::Staging, Phase::Verifying}) {
    Site site(Protocol::Alternating);
    ASSERT_TRUE(site.adopt());
    site.want("inc-4711");
    ASSERT_TRUE(site.reach(when));
    site.dependent->lists_sessions = false;
    for (int count = 0; count < 50; ++count) site.pass();
    EXPECT_EQ(site.phase(), when);
    site.dependent->lists_sessions = true;
    ASSERT_TRUE(site.settle("inc-4711.1"));
  }
}

TEST(OneRun, IsNotBegunWhereAnotherControllerBeganOneMeanwhile) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  int looks = 0;
  site.records.before_each_look = [&] {
    if (++looks != 2) return;  // between what the pass decides by and what it begins by
    api::RotationRun others = *site.run_record();
    others.meta.name += "-of-another";
    others.status.phase = Phase::Admitted;
    others.status.finished_at.reset();
    site.records.stored_runs.push_back(others);
  };
  site.pass();
  site.records.before_each_look = {};
  EXPECT_GE(looks, 2);
  EXPECT_EQ(site.records.stored_runs.size(), 2U) << "the adoption, and the run of the other controller";
}

TEST(PhaseSince, CountsFromNowWhereTheClockWasAhead) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Verifying));
  site.records.stored_runs.back().status.phase_since = site.clock.now() + std::chrono::hours(24 * 365);
  ASSERT_TRUE(site.settle("inc-4711.1"));
  EXPECT_LT(site.clock.now(), *site.run_record()->status.started_at + std::chrono::hours(1));
}

}  // namespace
}  // namespace keyturn
