// Each guard alone: with it the unsafe step is refused, without it the step is taken. Linked with the planner of the model check, whose
// guards can be taken out.
#include "reconcilers/rotation/guard.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/reasons.h"
#include "tests/unit/reconcilers/rotation/sound_world.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
namespace reason = api::reason;

struct Situation {
  RunSpec run;
  Journal journal;
  Observation seen;
  Plan guarded;    // what is done with the guard
  Plan unguarded;  // what would be done without it
};

Plan advance_to(Phase phase, std::string_view why = {}) { return {.action = Action::Advance, .phase = phase, .reason = why}; }
Plan act(Action action, Credential credential = Credential::Pending, std::uint16_t target = 0) {
  return {.action = action, .credential = credential, .target = target};
}
Plan wait_for(std::string_view why) { return {.action = Action::Wait, .reason = why}; }
Plan blocked_by(std::string_view why) { return {.action = Action::Block, .reason = why}; }
Plan pin() { return {.action = Action::Advance, .phase = Phase::Pinned, .pins = true}; }

Observation staged_world() {
  Observation seen = untouched_world();
  seen.staged = true;
  return seen;
}
Observation restless(Observation seen) {
  seen.quiet = false;
  return seen;
}
Plan note_the_slot() { return {.action = Action::Advance, .phase = Phase::Minting, .pins = true}; }

// The provider holds what it held before, or another value that is staged.
Observation unmade_world() {
  Observation seen = staged_world();
  seen.mint = {.known = true, .idle = 0, .unchanged = true};
  return seen;
}
Observation made_world() {
  Observation seen = unmade_world();
  seen.mint.unchanged = false;
  return seen;
}
// Every vault returns this document of a shared key; the services still have the one before.
Observation shared_world(Published published) {
  Observation seen = staged_world();
  seen.dependents.clear();
  for (VaultObservation& vault : seen.vaults) vault.latest = published;
  return seen;
}
Observation retired_world() {
  Observation seen = rolled_world();
  for (DependentObservation& dependent : seen.dependents) dependent.old = ProbeResult::Rejected;
  return seen;
}
constexpr Duration long_ago = std::chrono::hours(48);

// A guard without a row here does not compile: the switch has no default.
std::vector<Situation> situations_of(Guard guard) {
  const RunSpec single = run_of(Protocol::Single);
  const RunSpec dual = run_of(Protocol::Dual);
  switch (guard) {
    case Guard::None:
      return {};
    case Guard::PinTheChoice:
      return {{single, in_phase(Phase::Staging), staged_world(), pin(), advance_to(Phase::Pinned)}};
    case Guard::QuietBeforePin:
      return {{single, in_phase(Phase::Staging), restless(staged_world()), wait_for(waits::quiet), pin()}};
    case Guard::QuietBeforeReversing: {
      Observation seen = restless(published_world());
      for (DependentObservation& dependent : seen.dependents) dependent.old = ProbeResult::Rejected;
      return {{single, in_phase(Phase::RollingBack), seen, wait_for(waits::quiet), act(Action::Install, Credential::Old)}};
    }
    case Guard::QuietBeforeWithdrawing:
      return {{dual, in_phase(Phase::RollingBack), restless(returned_world()), wait_for(waits::quiet), advance_to(Phase::Withdrawing)}};
    case Guard::QuietBeforeRetiring:
      return {{dual, in_phase(Phase::Verifying, long_ago), restless(rolled_world()), wait_for(waits::quiet), advance_to(Phase::Retiring)}};
    case Guard::VerifyBeforePublish: {
      return {{single, in_phase(Phase::Switching), untouched_world(), act(Action::Install), advance_to(Phase::Publishing)},
              {single, in_phase(Phase::Publishing), untouched_world(), advance_to(Phase::Switching), act(Action::Publish)}};
    }
    case Guard::RetiringIsJournalled:
      return {{dual, in_phase(Phase::Verifying, long_ago), rolled_world(), advance_to(Phase::Retiring),
               act(Action::Withdraw, Credential::Old)}};
    case Guard::ConsumersBeforeRetiring:
      return {{dual, in_phase(Phase::Rolling), published_world(), act(Action::Converge), advance_to(Phase::Verifying)},
              {dual, in_phase(Phase::Verifying, long_ago), published_world(), advance_to(Phase::Rolling), advance_to(Phase::Retiring)}};
    case Guard::AcceptedBeforeRestart: {
      Observation seen = published_world();
      for (DependentObservation& dependent : seen.dependents) dependent.pending = ProbeResult::Rejected;
      return {{dual, in_phase(Phase::Rolling), seen, advance_to(Phase::Switching), act(Action::Converge)}};
    }
    case Guard::FinishWhenDeleted: {
      Observation seen = staged_world();
      seen.deleted = true;
      return {{single, in_phase(Phase::Switching), seen, act(Action::Install), advance_to(Phase::Abandoned)}};
    }
    case Guard::NewerGenerationBlocks: {
      Observation seen = switched_world();
      seen.vaults.back().ahead_of_journal = true;
      return {{single, in_phase(Phase::Publishing), seen, blocked_by(reason::journal_behind), act(Action::Publish)}};
    }
    case Guard::IdleLoginUnused: {
      Observation seen = staged_world();
      seen.idle_in_use = true;
      return {{run_of(Protocol::Alternating), in_phase(Phase::Staging), seen, wait_for(waits::idle_login), pin()}};
    }
    case Guard::EvictedUnused:
      return {{run_of(Protocol::Slots), in_phase(Phase::Staging), unmade_world(), act(Action::Converge, Credential::Old), note_the_slot()}};
    case Guard::QuietAfterMint:
      return {{run_of(Protocol::Slots), in_phase(Phase::Minting), restless(made_world()), wait_for(waits::quiet), pin()}};
    case Guard::OneMintInTheAir:
      return {{run_of(Protocol::Shift), in_phase(Phase::Minting), restless(unmade_world()), wait_for(waits::quiet), act(Action::Mint)}};
    case Guard::EveryServiceAccepts: {
      const RunSpec shared = run_of(Protocol::SharedKey);
      return {{shared, in_phase(Phase::Switching), shared_world(Published::OldOfBoth), act(Action::Converge, Credential::OldOfBoth),
               advance_to(Phase::Publishing)},
              {shared, in_phase(Phase::Withdrawing), shared_world(Published::Old), act(Action::Converge, Credential::Old),
               advance_to(Phase::RolledBack)}};
    }
    case Guard::EveryVaultPublished: {
      Observation seen = published_world();
      seen.vaults.back().latest = Published::Unknown;
      return {{dual, in_phase(Phase::Publishing), seen, wait_for(waits::observation), advance_to(Phase::Rolling)}};
    }
    case Guard::ForeignOwnerBlocks: {
      Observation seen = switched_world();
      seen.vaults.back().foreign_owner = true;
      return {{single, in_phase(Phase::Publishing), seen, blocked_by(reason::foreign_owner), act(Action::Publish)}};
    }
    case Guard::LostValueBlocks: {
      Observation seen = switched_world();
      seen.value_lost = true;
      return {{single, in_phase(Phase::Publishing), seen, blocked_by(reason::value_lost), act(Action::Publish)}};
    }
    case Guard::ParkOnlySafely: {
      Observation seen = staged_world();
      seen.suspended = true;
      return {{single, in_phase(Phase::Switching), seen, act(Action::Install), wait_for(waits::suspended)}};
    }
    case Guard::OldRefusedBeforeSuccess:
      return {{dual, in_phase(Phase::Retiring), rolled_world(), act(Action::Withdraw, Credential::Old), advance_to(Phase::Succeeded)}};
    case Guard::AllTrueBeforeSuccess: {
      Observation undone = retired_world();
      undone.vaults.back().latest = Published::Old;
      return {{dual, in_phase(Phase::Retiring), undone, act(Action::Publish, Credential::Pending, 1), advance_to(Phase::Succeeded)},
              {single, in_phase(Phase::Verifying), undone, advance_to(Phase::Publishing), advance_to(Phase::Succeeded)}};
    }
    case Guard::OldSurvivesTheAddition: {
      Observation seen = switched_world();
      seen.dependents.back().old = ProbeResult::Rejected;
      return {{dual, in_phase(Phase::Switching), seen, blocked_by(reason::drift), advance_to(Phase::Publishing)}};
    }
    case Guard::UnknownIsNoAnswer: {
      Observation seen = retired_world();
      seen.dependents.back().old = ProbeResult::Unknown;
      return {{dual, in_phase(Phase::Retiring), seen, wait_for(waits::observation), advance_to(Phase::Succeeded)}};
    }
    case Guard::SessionsBeforeRetiring: {
      Observation seen = rolled_world();
      seen.dependents.back().sessions_on_old = 1;
      return {{run_of(Protocol::Alternating), in_phase(Phase::Verifying, long_ago), seen, wait_for(waits::sessions),
               advance_to(Phase::Retiring)}};
    }
    case Guard::BaselineFirst: {
      Observation seen = untouched_world();
      seen.dependents.back().old = ProbeResult::Rejected;
      return {{single, in_phase(Phase::Admitted), seen, blocked_by(reason::baseline), advance_to(Phase::Staging)}};
    }
    // Not of the planner: reconciler_guards_test.cpp.
    case Guard::IntentBeforeEffect:
    case Guard::SendDeadline:
    case Guard::TakeoverIsNoted:
    case Guard::OneRunPerIdentity:
    case Guard::JournalBehindBlocks:
      return {};
    case Guard::ForeignPublishBlocks: {
      Observation seen = switched_world();
      seen.vaults.front().latest = Published::Foreign;
      return {{single, in_phase(Phase::Publishing), seen, blocked_by(reason::foreign_publish), act(Action::Publish)}};
    }
    case Guard::Authority: {
      Observation seen = switched_world();
      seen.authorised = false;
      return {{single, in_phase(Phase::Publishing), seen, blocked_by(reason::not_bound), act(Action::Publish)}};
    }
    case Guard::NoReturnWhenCompromised: {
      RunSpec compromised = dual;
      compromised.compromised = true;
      Observation asked = published_world();
      asked.go_back = true;
      Observation ill = published_world();
      ill.consumers.front() = {.state = ConsumerState::Unhealthy, .begun = true};
      return {
          {compromised, in_phase(Phase::Rolling), asked, act(Action::Converge), advance_to(Phase::RollingBack, reason::revision_changed)},
          {compromised, in_phase(Phase::Rolling), ill, blocked_by(reason::consumer_unhealthy),
           advance_to(Phase::RollingBack, reason::consumer_unhealthy)}};
    }
  }
  return {};
}

// All guards there are: names end where the enumerators do.
std::vector<Guard> all_guards() {
  std::vector<Guard> guards;
  for (std::uint8_t value = 1; name_of(static_cast<Guard>(value)) != name_of(Guard::None); ++value) {
    guards.push_back(static_cast<Guard>(value));
  }
  return guards;
}

std::vector<Guard> guards_of_the_planner() {
  std::vector<Guard> guards = all_guards();
  std::erase_if(guards, [](Guard guard) { return guard >= Guard::IntentBeforeEffect; });
  return guards;
}

Plan plan_without(std::initializer_list<Guard> guards, const Situation& situation) {
  remove_guards(guards);
  const Plan step = plan(situation.run, situation.journal, situation.seen, test_now);
  remove_guards({});
  return step;
}

class EveryGuard : public testing::TestWithParam<Guard> {};

TEST_P(EveryGuard, HasASituationThatIsItsOwn) { EXPECT_FALSE(situations_of(GetParam()).empty()); }

TEST_P(EveryGuard, RefusesTheUnsafeStep) {
  for (const Situation& situation : situations_of(GetParam())) {
    const Plan step = plan_without({}, situation);
    EXPECT_EQ(step, situation.guarded) << words_of(step);
  }
}

TEST_P(EveryGuard, IsTheOnlyThingThatRefusesIt) {
  for (const Situation& situation : situations_of(GetParam())) {
    const Plan step = plan_without({GetParam()}, situation);
    EXPECT_EQ(step, situation.unguarded) << words_of(step);
  }
}

TEST_P(EveryGuard, IsNotWeakenedByTheAbsenceOfTheNextOne) {
  const std::vector<Guard> guards = all_guards();
  const std::size_t next = static_cast<std::size_t>(GetParam()) % guards.size();
  for (const Situation& situation : situations_of(GetParam())) {
    EXPECT_NE(plan_without({guards[next]}, situation), situation.unguarded) << name_of(guards[next]);
  }
}

INSTANTIATE_TEST_SUITE_P(Guards, EveryGuard, testing::ValuesIn(guards_of_the_planner()),
                         [](const testing::TestParamInfo<Guard>& guard) { return std::string(name_of(guard.param)); });

TEST(Guards, AreAllEnforcedUntilOneIsTakenOut) {
  for (const Guard guard : all_guards()) EXPECT_TRUE(enforced(guard)) << name_of(guard);
  remove_guards({Guard::Authority});
  EXPECT_FALSE(enforced(Guard::Authority));
  EXPECT_TRUE(enforced(Guard::PinTheChoice));
  remove_guards({});
  EXPECT_TRUE(enforced(Guard::Authority));
}

TEST(Guards, TakingOneOutPutsTheOthersBack) {
  remove_guards({Guard::Authority, Guard::PinTheChoice});
  remove_guards({Guard::QuietBeforePin});
  EXPECT_TRUE(enforced(Guard::Authority));
  EXPECT_TRUE(enforced(Guard::PinTheChoice));
  EXPECT_FALSE(enforced(Guard::QuietBeforePin));
  remove_guards({});
}

TEST(Guards, HaveANameEachUpToTheLastEnumerator) {
  EXPECT_EQ(all_guards().back(), Guard::JournalBehindBlocks);
  EXPECT_EQ(all_guards().size(), static_cast<std::size_t>(Guard::JournalBehindBlocks));
}

}  // namespace
}  // namespace keyturn
