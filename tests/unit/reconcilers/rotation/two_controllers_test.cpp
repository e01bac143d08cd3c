// Two controllers on one journal, each of which believes to lead: what one of them has begun, sent or staged, the other one respects.
// Linked with the reconciler whose guards can be taken out.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/codec.h"
#include "reconcilers/rotation/claims.h"
#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/reconciler.h"
#include "tests/unit/reconcilers/rotation/site.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
using std::chrono::seconds;

class TwoControllers : public Site {
 public:
  explicit TwoControllers(Protocol protocol) : Site(protocol) {
    restart();
    other = std::move(reconciler);
    restart();
  }
  // From here on the other one runs.
  void change_places() { std::swap(reconciler, other); }

  std::unique_ptr<RotationReconciler> other;
};

// ---- whose run it is ---------------------------------------------------------------------------------------------------------

const ObjectKey rotation{"erp-dev", "erp-connection"};
constexpr Duration silence = seconds(60);
BootInstant at(int second) { return BootInstant{} + seconds(second); }

TEST(Claims, LetARunBeTakenThatWasNeverDrivenHere) {
  Claims claims;
  EXPECT_TRUE(claims.may_take(rotation, "run-1", "5", at(1), silence));
  claims.took(rotation, "run-1");
  EXPECT_TRUE(claims.may_take(rotation, "run-2", "5", at(1), silence)) << "another run of the same rotation";
}

TEST(Claims, LeaveALostRunToWhoeverTookItUntilThatOneIsSilent) {
  Claims claims;
  claims.took(rotation, "run-1");
  EXPECT_FALSE(claims.may_take(rotation, "run-1", "5", at(0), silence));
  EXPECT_FALSE(claims.may_take(rotation, "run-1", "5", at(59), silence));
  EXPECT_FALSE(claims.may_take(rotation, "run-1", "6", at(61), silence)) << "it has written meanwhile";
  EXPECT_FALSE(claims.may_take(rotation, "run-1", "6", at(120), silence));
  EXPECT_TRUE(claims.may_take(rotation, "run-1", "6", at(121), silence));
}

TEST(Claims, ForgetWhatIsOver) {
  Claims claims;
  claims.took(rotation, "run-1");
  claims.forget(rotation);
  EXPECT_TRUE(claims.may_take(rotation, "run-1", "5", at(0), silence));
}

class BothLead : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, BothLead, testing::ValuesIn(every_protocol),
                         [](const auto& protocol) { return std::string(api::name_of(protocol.param)); });

TEST_P(BothLead, AndEachRunStillComesToItsEnd) {
  TwoControllers site(GetParam());
  ASSERT_TRUE(site.adopt());
  if (GetParam() != Protocol::Single) watch_for_outages(site);
  site.want("inc-4711");
  for (int pass = 0; pass < 1'000 && !(site.at_rest() && site.run_record()->spec.credential.revision == "inc-4711"); ++pass) {
    site.pass();
    site.change_places();
  }
  expect_in_force(site, "inc-4711.1");
}

TEST(BothLead, AndWhoeverIsLeftTakesTheRunOver) {
  TwoControllers site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("inc-4711");
  ASSERT_TRUE(site.reach(Phase::Switching));
  site.change_places();
  site.pass();  // takes the run, and is never heard of again
  site.change_places();
  const EpochId taken_by = site.run_record()->status.owner_epoch;
  site.pass();
  EXPECT_EQ(site.run_record()->status.owner_epoch, taken_by) << "it is left alone at first";
  ASSERT_TRUE(site.settle("inc-4711.1"));
}

// ---- what the other one may have sent ----------------------------------------------------------------------------------------

// One controller ends a run; the other one, which has stood by for long, is asked to begin the next.
Phase phase_of_a_run_begun_after_anothers() {
  TwoControllers site(Protocol::Single);
  EXPECT_TRUE(site.adopt());
  site.change_places();
  for (int pass = 0; pass < 2; ++pass) site.pass();  // knows the adoption, and has stood by for long
  site.clock.advance(std::chrono::hours(1));
  site.change_places();
  site.want("b");
  EXPECT_TRUE(site.settle("b.1"));
  site.want("c");
  site.change_places();
  EXPECT_TRUE(site.pass_until([&] { return site.run_record()->spec.credential.revision == "c"; }));
  EXPECT_TRUE(site.reach(Phase::Staging));
  for (int pass = 0; pass < 2; ++pass) site.pass();  // stages, and looks whether it may pin
  return site.phase();
}

TEST(TakeoverIsNoted, AlsoWhereTheOtherOneHasEndedItsRun) {
  EXPECT_EQ(phase_of_a_run_begun_after_anothers(), Phase::Staging) << "a late request of the run before may still land";
  remove_guards({Guard::TakeoverIsNoted});
  EXPECT_NE(phase_of_a_run_begun_after_anothers(), Phase::Staging);
  remove_guards({});
}

// ---- what the other one has staged -------------------------------------------------------------------------------------------

TEST(CleaningUp, LeavesWhatARunHasStagedThatIsNotKnownYet) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  const std::string staging = site.vault->secrets.begin()->first.starts_with(staging_prefix) ? site.vault->secrets.begin()->first
                                                                                             : site.vault->secrets.rbegin()->first;
  ASSERT_TRUE(staging.starts_with(staging_prefix));
  const std::int64_t next = site.run_record()->spec.generation + 1;
  const VersionId foreign = site.vault->put(staging, "of-a-later-run", {.run = "later", .generation = next, .owner = site.records.owner()});
  const VersionId left = site.vault->put(staging, "left-behind", {.run = "lost", .generation = next - 1, .owner = site.records.owner()});
  site.clock.advance(site.environment().timing.drift_interval);
  site.pass();
  EXPECT_TRUE(site.vault->find(staging, foreign)->about.enabled);
  EXPECT_FALSE(site.vault->find(staging, left)->about.enabled);
}

}  // namespace
}  // namespace keyturn
