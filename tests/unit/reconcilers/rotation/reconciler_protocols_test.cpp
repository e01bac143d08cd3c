// The real reconciler with a provider that makes the values, with shared keys and with several vaults: it ends well whatever reply is lost
// and wherever it crashes, and nobody is refused on the way.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/reasons.h"
#include "reconcilers/rotation/admission.h"
#include "reconcilers/rotation/targets.h"
#include "tests/unit/reconcilers/rotation/protocol_site.h"

namespace keyturn {
namespace {

using api::Phase;
using std::chrono::minutes;
using std::chrono::seconds;
namespace reason = api::reason;

class EveryKind : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryKind, testing::ValuesIn(every_kind), [](const auto& kind) { return word_of(kind.param); });

void expect_new_one_in_force(ProtocolSite& site, const Secret& before) {
  ASSERT_EQ(site.phase(), Phase::Succeeded);
  site.expect_one_value_everywhere();
  EXPECT_FALSE(site.published_in(0).equals(before));
  const SimulatedVault::Version* noted = site.vaults[0]->find(secret_name, site.run_record()->status.published_version);
  ASSERT_NE(noted, nullptr);
  EXPECT_TRUE(noted->value.equals(site.published_in(0)));
  if (site.kind == Kind::FanOut) EXPECT_EQ(site.live_values(), 1U);
  if (site.revokes()) EXPECT_FALSE(site.is_accepted(before));
  if (site.kind == Kind::Slots || site.kind == Kind::Shift) EXPECT_TRUE(site.is_accepted(before));
  if (site.kind == Kind::AcceptSet) {
    const auto keys = read_key_set(site.published_in(0));
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->accept.size(), 1U) << "the old key is refused by everybody";
  }
}

void expect_old_one_in_force(ProtocolSite& site, const Secret& before) {
  ASSERT_EQ(site.phase(), Phase::RolledBack);
  site.expect_one_value_everywhere();
  EXPECT_TRUE(site.published_in(0).equals(before));
  if (site.kind == Kind::FanOut) EXPECT_EQ(site.live_values(), 1U);
}

// A site that has adopted what is published and is to bring in another revision.
struct Story {
  explicit Story(Kind kind) : site(kind) {
    EXPECT_TRUE(site.adopt());
    before = site.published_in(0).clone();
    site.watch_the_invariants();
  }
  ProtocolSite site;
  Secret before;
};

TEST_P(EveryKind, AdoptsWhatIsPublishedAndTouchesNothing) {
  ProtocolSite site(GetParam());
  ASSERT_TRUE(site.adopt());
  EXPECT_EQ(site.phase(), Phase::Succeeded);
  EXPECT_EQ(site.effects->count, 0);
}

TEST_P(EveryKind, RotatesToANewRevision) {
  Story story(GetParam());
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  expect_new_one_in_force(story.site, story.before);
  EXPECT_EQ(story.site.reason_of("Ready"), reason::current_verified);
  EXPECT_EQ(story.site.condition("Stalled"), nullptr);
}

TEST_P(EveryKind, RotatesAgainAndAgain) {
  Story story(GetParam());
  for (const char* revision : {"b", "c", "d"}) {
    const Secret before = story.site.published_in(0).clone();
    story.site.want(revision);
    ASSERT_TRUE(story.site.settle(std::string(revision) + ".1"));
    expect_new_one_in_force(story.site, before);
  }
}

TEST_P(EveryKind, WritesNothingMoreOnceItIsDone) {
  Story story(GetParam());
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  for (int count = 0; count < 5; ++count) story.site.pass();
  const int writes = story.site.records.writes;
  const int effects = story.site.effects->count;
  for (int count = 0; count < 50; ++count) story.site.pass();
  EXPECT_EQ(story.site.records.writes, writes);
  EXPECT_EQ(story.site.effects->count, effects);
  EXPECT_EQ(story.site.reason_of("Drifted"), "");
}

std::vector<std::string> steps_of(Kind kind) {
  const std::vector<std::string> rollout{"converge portal", "converge inventory"};
  std::vector<std::string> steps;
  const auto add = [&](const std::vector<std::string>& more) { steps.insert(steps.end(), more.begin(), more.end()); };
  switch (kind) {
    case Kind::Slots:
    case Kind::SlotsRevoked:
      add({"stage"});  // what the slot holds, so that a change is seen
      [[fallthrough]];
    case Kind::Shift:
    case Kind::ShiftRevoked:
      add({"mint erp-db", "stage", "publish"});
      add(rollout);
      if (kind == Kind::SlotsRevoked || kind == Kind::ShiftRevoked) add({"withdraw erp-db"});
      break;
    case Kind::AcceptSet:
      add({"stage"});
      for (int document = 0; document < 3; ++document) {
        add({"publish", "publish second"});
        add(rollout);
        add({"converge worker"});
      }
      break;
    case Kind::Window:
      add({"stage", "publish", "publish second"});
      add(rollout);
      add({"converge worker"});
      break;
    case Kind::FanOut:
      add({"stage", "install erp-db", "publish", "publish second", "publish third"});
      add(rollout);
      add({"converge worker", "withdraw erp-db"});
      break;
  }
  return steps;
}

TEST_P(EveryKind, TakesEachStepOnce) {
  Story story(GetParam());
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  EXPECT_EQ(story.site.effects->done, steps_of(GetParam()));
}

// ---- crashes, lost replies and requests that land late -----------------------------------------------------------------------

int writes_of(Kind kind) {
  Story story(kind);
  const int before = story.site.records.writes;
  story.site.want("b");
  EXPECT_TRUE(story.site.settle("b.1"));
  return story.site.records.writes - before;
}

TEST_P(EveryKind, SurvivesACrashAtEveryWriteOfTheJournal) {
  const int writes = writes_of(GetParam());
  ASSERT_GT(writes, 10);
  for (const auto fault : {MemoryRecords::Fault::CrashBefore, MemoryRecords::Fault::CrashAfter, MemoryRecords::Fault::Conflict}) {
    for (int nth = 1; nth <= writes && !testing::Test::HasFailure(); ++nth) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at write " + std::to_string(nth));
      Story story(GetParam());
      story.site.records.fault = fault;
      story.site.records.fault_at = story.site.records.writes + nth;
      story.site.want("b");
      ASSERT_TRUE(story.site.settle("b.1"));
      expect_new_one_in_force(story.site, story.before);
    }
  }
}

struct Strike {
  Effects::Fault fault;
  Duration lands;  // Travels: how much later
};
const std::vector<Strike> strikes{{Effects::Fault::LostReply, {}},
                                  {Effects::Fault::NotSent, {}},
                                  {Effects::Fault::Crash, {}},
                                  {Effects::Fault::Travels, seconds(2)},
                                  {Effects::Fault::Travels, seconds(8)}};

TEST_P(EveryKind, SurvivesAFaultAtEveryEffect) {
  const int effects = static_cast<int>(steps_of(GetParam()).size());
  for (const Strike& strike : strikes) {
    for (int nth = 1; nth <= effects && !testing::Test::HasFailure(); ++nth) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(strike.fault)) + " at effect " + std::to_string(nth) + ", lands after " +
                   std::to_string(strike.lands.count()));
      Story story(GetParam());
      story.site.effects->fault = strike.fault;
      story.site.effects->fault_at = nth;
      story.site.want("b");
      ASSERT_TRUE(story.site.settle_landing("b.1", strike.lands));
      expect_new_one_in_force(story.site, story.before);
    }
  }
}

// What a run left under way must not hurt the one after it.
TEST_P(EveryKind, SurvivesTheNextRotationAfterAFaultAtEveryEffect) {
  const int effects = static_cast<int>(steps_of(GetParam()).size());
  for (int nth = 1; nth <= effects && !testing::Test::HasFailure(); ++nth) {
    SCOPED_TRACE("at effect " + std::to_string(nth));
    Story story(GetParam());
    story.site.effects->fault = Effects::Fault::Travels;
    story.site.effects->fault_at = nth;
    story.site.want("b");
    ASSERT_TRUE(story.site.settle_landing("b.1", seconds(8)));
    const Secret before = story.site.published_in(0).clone();
    story.site.want("c");
    ASSERT_TRUE(story.site.settle_landing("c.1", seconds(8)));
    expect_new_one_in_force(story.site, before);
  }
}

// ---- going back --------------------------------------------------------------------------------------------------------------

class EveryKindWithAWayBack : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryKindWithAWayBack,
                         testing::Values(Kind::Slots, Kind::SlotsRevoked, Kind::AcceptSet, Kind::Window, Kind::FanOut),
                         [](const auto& kind) { return word_of(kind.param); });

TEST_P(EveryKindWithAWayBack, RollsBackWhenAConsumerFallsIll) {
  Story story(GetParam());
  story.site.consumers[1]->sick_on_the_next = true;
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  expect_old_one_in_force(story.site, story.before);
  EXPECT_EQ(story.site.run_record()->status.failure, reason::consumer_unhealthy);
}

TEST_P(EveryKindWithAWayBack, SurvivesAFaultAtEveryEffectOnTheWayBack) {
  const int effects = 30;  // more than the way there and back has: the last ones strike nothing
  for (const Strike& strike : strikes) {
    for (int nth = 1; nth <= effects && !testing::Test::HasFailure(); ++nth) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(strike.fault)) + " at effect " + std::to_string(nth) + ", lands after " +
                   std::to_string(strike.lands.count()));
      Story story(GetParam());
      story.site.effects->fault = strike.fault;
      story.site.effects->fault_at = nth;
      story.site.consumers[1]->sick_on_the_next = true;
      story.site.want("b");
      ASSERT_TRUE(story.site.settle_landing("b.1", strike.lands));
      expect_old_one_in_force(story.site, story.before);
    }
  }
}

TEST_P(EveryKindWithAWayBack, TurnsBackWhenTheRevisionIsRevertedMidRun) {
  for (const Phase when : {Phase::Minting, Phase::Switching, Phase::Publishing, Phase::Rolling, Phase::Verifying}) {
    const bool minted = GetParam() == Kind::Slots || GetParam() == Kind::SlotsRevoked;
    if (when == Phase::Minting && !minted) continue;
    SCOPED_TRACE(std::string(api::name_of(when)));
    Story story(GetParam());
    story.site.want("b");
    ASSERT_TRUE(story.site.reach(when));
    story.site.want("2026-q4");
    ASSERT_TRUE(story.site.pass_until([&] { return story.site.at_rest(); }));
    expect_old_one_in_force(story.site, story.before);
    story.site.pass();
    story.site.pass();
    EXPECT_EQ(story.site.reason_of("Ready"), reason::current_verified);
  }
}

TEST_P(EveryKindWithAWayBack, BringsTheEarlierValueBackAfterItHasSucceeded) {
  Story story(GetParam());
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  story.site.want("2026-q4");
  if (GetParam() == Kind::SlotsRevoked) {
    for (int count = 0; count < 30; ++count) story.site.pass();
    EXPECT_EQ(story.site.phase(), Phase::Pinned);
    EXPECT_EQ(story.site.run_record()->status.blocked, reason::revision_not_retained);
    story.site.want("c");
    ASSERT_TRUE(story.site.settle("c.1")) << "what cannot be brought back does not hold up the next";
    return;
  }
  ASSERT_TRUE(story.site.settle("2026-q4.1"));
  EXPECT_EQ(story.site.phase(), Phase::Succeeded);
  story.site.expect_one_value_everywhere();
  EXPECT_TRUE(story.site.published_in(0).equals(story.before));
}

// ---- a provider's slots ------------------------------------------------------------------------------------------------------

TEST(Slots, TakesTheSlotThatNobodyUsesWhicheverItIs) {
  Story story(Kind::Slots);
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  EXPECT_EQ(story.site.run_record()->status.slot, 1);
  story.site.want("c");
  ASSERT_TRUE(story.site.settle("c.1"));
  EXPECT_EQ(story.site.run_record()->status.slot, 0);
}

TEST(Slots, BringsAConsumerToThePublishedValueBeforeItsOwnIsDropped) {
  Story story(Kind::Slots);
  const VersionId first = story.site.consumers[1]->loaded;
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  story.site.consumers[1]->loaded = first;  // it came up again with what it had
  story.site.want("c");
  ASSERT_TRUE(story.site.settle("c.1"));
  story.site.expect_one_value_everywhere();
}

TEST(Slots, AreBlockedWhenNeitherHoldsWhatIsPublished) {
  Story story(Kind::Slots);
  story.site.effects->after_each = nullptr;
  story.site.want("b");
  ASSERT_TRUE(story.site.reach(Phase::Staging));
  story.site.provider->values[0] = Secret::copy_of("by-hand");
  for (int count = 0; count < 5; ++count) story.site.pass();
  EXPECT_EQ(story.site.run_record()->status.blocked, reason::drift);
  EXPECT_EQ(story.site.effects->count, 0);
}

TEST(Slots, ChoosesAnewWhenSomebodyRegeneratesTheSlotMidRun) {
  for (const Phase when : {Phase::Switching, Phase::Publishing}) {
    Story story(Kind::Slots);
    story.site.want("b");
    ASSERT_TRUE(story.site.reach(when));
    story.site.provider->values[1] = Secret::copy_of("by-hand");
    ASSERT_TRUE(story.site.settle("b.1"));
    expect_new_one_in_force(story.site, story.before);
    EXPECT_TRUE(story.site.published_in(0).equals(Secret::copy_of("by-hand")));
  }
}

TEST(Slots, RepublishesWhenSomebodyRegeneratesTheSlotThatIsPublished) {
  Story story(Kind::Slots);
  story.site.effects->after_each = nullptr;  // those who have loaded it are refused until it is published anew
  story.site.want("b");
  ASSERT_TRUE(story.site.reach(Phase::Rolling));
  story.site.pass();
  story.site.provider->values[1] = Secret::copy_of("by-hand");
  ASSERT_TRUE(story.site.settle("b.1"));
  expect_new_one_in_force(story.site, story.before);
}

TEST(Slots, GoBackWhenTheProviderMakesNoValueInTime) {
  for (const Kind kind : {Kind::Slots, Kind::Shift}) {
    Story story(kind);
    story.site.provider->refuses_to_make = true;
    story.site.object().spec.strategy.progress_deadline = minutes(2);
    story.site.want("b");
    ASSERT_TRUE(story.site.settle("b.1")) << word_of(kind);
    expect_old_one_in_force(story.site, story.before);
    EXPECT_EQ(story.site.run_record()->status.failure, reason::progress_deadline_exceeded);
  }
}

// Whether the provider has made a value is told by what the slot held before: without that note nothing can be told.
TEST(Slots, SayWhenTheNoteOfWhatTheyHeldIsGoneOrDisabled) {
  for (const bool gone : {true, false}) {
    Story story(Kind::Slots);
    story.site.want("b");
    ASSERT_TRUE(story.site.reach(Phase::Minting));
    const VersionId noted = story.site.run_record()->status.slot_before;
    ASSERT_FALSE(noted.empty());
    const std::string staged = staging_name("main", secret_name);
    if (gone) {
      story.site.vault->secrets.erase(staged);
    } else {
      story.site.vault->disable(staged, noted);
    }
    for (int count = 0; count < 5; ++count) story.site.pass();
    EXPECT_EQ(story.site.run_record()->status.blocked, gone ? reason::value_lost : reason::secret_disabled);
  }
}

// ---- a value that fades out --------------------------------------------------------------------------------------------------

TEST(ShiftRegister, HasNoWayBackAndGoesOnWhenTheConsumerIsWell) {
  Story story(Kind::Shift);
  story.site.consumers[1]->sick_on_the_next = true;
  story.site.want("b");
  ASSERT_TRUE(story.site.pass_until([&] { return story.site.run_record()->status.blocked == reason::consumer_unhealthy; }));
  for (int count = 0; count < 20; ++count) story.site.pass();
  story.site.consumers[1]->sick_on.clear();
  ASSERT_TRUE(story.site.settle("b.1"));
  expect_new_one_in_force(story.site, story.before);
}

TEST(ShiftRegister, GoesForwardWhenTheOneBeforeIsGoneEarly) {
  Story story(Kind::Shift);
  story.site.effects->after_each = nullptr;  // a grace period that is too short is an outage; what remains is to end it
  story.site.want("b");
  ASSERT_TRUE(story.site.reach(Phase::Switching));
  story.site.provider->expire();
  ASSERT_TRUE(story.site.settle("b.1"));
  story.site.expect_one_value_everywhere();
}

TEST(ShiftRegister, NamesNoWayBackToAnEarlierRevision) {
  Story story(Kind::Shift);
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  const int effects = story.site.effects->count;
  story.site.want("2026-q4");
  for (int count = 0; count < 5; ++count) story.site.pass();
  EXPECT_EQ(story.site.reason_of("Stalled"), reason::revision_not_retained);
  EXPECT_EQ(story.site.effects->count, effects);
}

TEST(ShiftRegister, AsksForNothingWhileAnOlderRequestMayLand) {
  Story story(Kind::Shift);
  story.site.effects->fault = Effects::Fault::Travels;
  story.site.effects->fault_at = 1;  // the request for a value
  story.site.want("b");
  ASSERT_TRUE(story.site.pass_until([&] { return story.site.effects->travelling != nullptr; }));
  ASSERT_TRUE(story.site.settle_landing("b.1", seconds(8)));
  const std::vector<std::string>& done = story.site.effects->done;
  EXPECT_EQ(std::count(done.begin(), done.end(), "mint erp-db"), 1) << "one request, and no other meanwhile";
  expect_new_one_in_force(story.site, story.before);
}

// ---- several vaults ----------------------------------------------------------------------------------------------------------

class EveryKindOfSeveralVaults : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryKindOfSeveralVaults, testing::Values(Kind::AcceptSet, Kind::Window, Kind::FanOut),
                         [](const auto& kind) { return word_of(kind.param); });

TEST_P(EveryKindOfSeveralVaults, WaitsForAVaultThatIsAwayForAWhile) {
  for (const Phase when : {Phase::Admitted, Phase::Switching, Phase::Publishing, Phase::Rolling, Phase::Verifying, Phase::Retiring}) {
    if (when == Phase::Retiring && GetParam() == Kind::Window) continue;
    for (std::size_t away = 0; away < 2; ++away) {
      SCOPED_TRACE(std::string(api::name_of(when)) + ", vault " + std::to_string(away));
      Story story(GetParam());
      story.site.want("b");
      ASSERT_TRUE(story.site.reach(when));
      story.site.vaults[away]->reachable = false;
      for (int count = 0; count < 20; ++count) story.site.pass();
      EXPECT_FALSE(story.site.at_rest());
      story.site.vaults[away]->reachable = true;
      ASSERT_TRUE(story.site.settle("b.1"));
      expect_new_one_in_force(story.site, story.before);
    }
  }
}

TEST(SeveralVaults, DoNotStarveEachOther) {
  Story story(Kind::FanOut);
  story.site.want("b");
  ASSERT_TRUE(story.site.reach(Phase::Publishing));
  story.site.vaults[1]->reachable = false;
  for (int count = 0; count < 10; ++count) story.site.pass();
  EXPECT_EQ(story.site.phase(), Phase::Publishing);
  EXPECT_TRUE(story.site.published_in(2).equals(story.site.published_in(0)));
  EXPECT_FALSE(story.site.published_in(1).equals(story.site.published_in(0)));
  EXPECT_TRUE(story.site.loaded_by(0).equals(story.before)) << "nobody moves before all are published";
}

TEST(SeveralVaults, GoBackTogetherWhenOneOfThemStaysAway) {
  Story story(Kind::FanOut);
  story.site.want("b");
  ASSERT_TRUE(story.site.reach(Phase::Publishing));
  story.site.vaults[1]->reachable = false;
  ASSERT_TRUE(story.site.reach(Phase::RollingBack));
  story.site.vaults[1]->reachable = true;
  ASSERT_TRUE(story.site.pass_until([&] { return story.site.at_rest(); }));
  expect_old_one_in_force(story.site, story.before);
  EXPECT_EQ(story.site.run_record()->status.failure, reason::publish_deadline_exceeded);
}

TEST(SeveralVaults, AreAdoptedOnlyWhenTheyReturnTheSame) {
  ProtocolSite site(Kind::FanOut);
  site.vaults[2]->put(secret_name, R"({"user":"app_a","password":"another-Password-2"})");
  for (int count = 0; count < 3; ++count) site.pass();
  EXPECT_EQ(site.reason_of("Stalled"), reason::baseline);
  EXPECT_TRUE(site.records.stored_runs.empty());
}

TEST(SeveralVaults, AreAllWatchedForDrift) {
  Story story(Kind::FanOut);
  story.site.want("b");
  ASSERT_TRUE(story.site.settle("b.1"));
  story.site.vaults[2]->put(secret_name, R"({"user":"app_a","password":"by-Hand-2"})");
  EXPECT_TRUE(story.site.pass_until([&] { return story.site.reason_of("Drifted") == reason::drift; }));
}

TEST(SeveralVaults, BlockBeforeAnythingIsTouchedWhenOneOfThemWasChangedByHand) {
  Story story(Kind::FanOut);
  story.site.vaults[2]->put(secret_name, R"({"user":"app_a","password":"by-Hand-2"})");
  story.site.effects->after_each = nullptr;
  story.site.want("b");
  for (int count = 0; count < 5; ++count) story.site.pass();
  EXPECT_EQ(story.site.phase(), Phase::Admitted);
  EXPECT_EQ(story.site.run_record()->status.blocked, reason::foreign_publish);
  EXPECT_EQ(story.site.effects->count, 0);
}

// ---- shared keys -------------------------------------------------------------------------------------------------------------

// A backup of the journal from the way forward, restored when the run has gone back: walking on from there would skip the document that
// lets every service accept the new key.
TEST_P(EveryKindWithAWayBack, DoesNotGoOnFromAJournalOfBeforeItWentBack) {
  ProtocolSite site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.reach(Phase::Rolling));
  const api::RotationRun backup = *site.run_record();
  site.want("2026-q4");
  ASSERT_TRUE(site.reach(Phase::RolledBack));
  site.restart();
  const std::string version = site.records.stored_runs.back().meta.resource_version;
  site.records.stored_runs.back() = backup;
  site.records.stored_runs.back().meta.resource_version = version;
  site.want("b");
  const int before = site.effects->count;
  for (int pass = 0; pass < 30; ++pass) site.pass();
  EXPECT_EQ(site.run_record()->status.blocked, reason::journal_behind);
  EXPECT_EQ(site.effects->count, before);
}

// The same from the phase in which everybody learns to accept both keys, restored when nobody accepts the old one any more.
TEST(SharedKey, IsNotSentAgainFromAJournalOfBeforeItWasRetired) {
  ProtocolSite site(Kind::AcceptSet);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.reach(Phase::Switching));
  ASSERT_TRUE(site.pass_until([&] { return may_have_published(*site.run_record()); }));
  const api::RotationRun backup = *site.run_record();
  ASSERT_TRUE(site.settle("b.1"));
  site.restart();
  const std::string version = site.records.stored_runs.back().meta.resource_version;
  site.records.stored_runs.back() = backup;
  site.records.stored_runs.back().meta.resource_version = version;
  const int before = site.effects->count;
  for (int pass = 0; pass < 30; ++pass) site.pass();
  EXPECT_EQ(site.run_record()->status.blocked, reason::journal_behind);
  EXPECT_EQ(site.effects->count, before);
}

// The services still hold the key of before: one that sends what somebody published by hand would be understood by none of them.
TEST(SharedKey, IsNotReplacedFromAKeyThatSomebodyPublishedByHand) {
  for (const api::DriftPolicy policy : {api::DriftPolicy::Report, api::DriftPolicy::Enforce}) {
    ProtocolSite site(Kind::AcceptSet);
    site.object().spec.strategy.drift_policy = policy;
    ASSERT_TRUE(site.adopt());
    for (const auto& vault : site.vaults) vault->put(secret_name, R"({"send":"by-hand","accept":["by-hand"]})");
    site.want("b");
    if (policy == api::DriftPolicy::Enforce) {
      ASSERT_TRUE(site.settle("b.1"));
      site.expect_one_value_everywhere();
      continue;
    }
    for (int count = 0; count < 5; ++count) site.pass();
    EXPECT_EQ(site.phase(), Phase::Admitted);
    EXPECT_EQ(site.run_record()->status.blocked, reason::foreign_publish);
    EXPECT_EQ(site.effects->count, 0);
  }
}

TEST(SharedKey, IsNotStagedWhereThereIsNoRoomForAnotherKey) {
  ProtocolSite site(Kind::AcceptSet);
  const std::string full = R"({"send":"a","accept":["a","b","c","d"]})";
  for (const auto& vault : site.vaults) vault->put(secret_name, full);
  for (std::size_t i = 0; i < site.consumers.size(); ++i) {
    site.consumers[i]->loaded = site.vaults[site.reads[i]]->newest(secret_name).about.id;
  }
  ASSERT_TRUE(site.adopt());
  site.want("b");
  for (int count = 0; count < 5; ++count) site.pass();
  EXPECT_EQ(site.phase(), Phase::Staging);
  EXPECT_EQ(site.effects->count, 0);
}

}  // namespace
}  // namespace keyturn
