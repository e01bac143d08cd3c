// The planner where a provider makes the value: two slots, and a value that fades out.
#include <gtest/gtest.h>

#include "api/reasons.h"
#include "reconcilers/rotation/plan.h"
#include "tests/unit/reconcilers/rotation/sound_world.h"

namespace keyturn {
namespace {

using api::Direction;
using api::Phase;
using api::Protocol;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
namespace reason = api::reason;

constexpr Protocol minted_protocols[] = {Protocol::Slots, Protocol::Shift};

Plan advance_to(Phase phase, std::string_view why = {}) { return {.action = Action::Advance, .phase = phase, .reason = why}; }
Plan recorded(Phase phase) { return {.action = Action::Advance, .phase = phase, .pins = true}; }
Plan act(Action action, std::uint16_t target = 0, Credential credential = Credential::Pending) {
  return {.action = action, .credential = credential, .target = target};
}
Plan wait_for(std::string_view why, std::optional<Instant> until = {}) { return {.action = Action::Wait, .reason = why, .look_at = until}; }
Plan blocked_by(std::string_view why) { return {.action = Action::Block, .reason = why}; }
Plan plan_now(const RunSpec& run, Phase phase, const Observation& seen, Duration in_it = Duration{0}) {
  return plan(run, in_phase(phase, in_it), seen, test_now);
}

// One system that holds what is published, and everybody on it.
Observation unmade() {
  Observation seen = untouched_world();
  seen.dependents.resize(1);
  seen.consumers.assign(2, {.state = ConsumerState::Proven});
  seen.mint = {.known = true, .idle = 1, .unchanged = true};
  return seen;
}
Observation made() {
  Observation seen = unmade();
  seen.mint.unchanged = false;
  return seen;
}
Observation accepted() {
  Observation seen = made();
  seen.staged = true;
  seen.dependents[0].pending = ProbeResult::Accepted;
  return seen;
}
Observation rolled() {
  Observation seen = accepted();
  for (VaultObservation& vault : seen.vaults) vault.latest = Published::Pending;
  return seen;
}
RunSpec back_of(Protocol protocol) {
  RunSpec run = run_of(protocol);
  run.direction = Direction::Back;
  return run;
}

// ---- staging: what is to be dropped ------------------------------------------------------------------------------------------

TEST(PlanOfAProvidersStaging, NotesWhatTheSlotHoldsBeforeItAsks) {
  Observation seen = unmade();
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::Staging, seen), act(Action::Stage));
  seen.staged = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::Staging, seen), recorded(Phase::Minting));
}

TEST(PlanOfAProvidersStaging, NotesNothingWhereThePublishedValueIsWhatWasThere) {
  EXPECT_EQ(plan_now(run_of(Protocol::Shift), Phase::Staging, unmade()), recorded(Phase::Minting));
}

TEST(PlanOfAProvidersStaging, WaitsUntilTheProviderCanBeRead) {
  for (const Protocol protocol : minted_protocols) {
    Observation seen = unmade();
    seen.mint.known = false;
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Staging, seen), wait_for(waits::observation));
  }
}

TEST(PlanOfAProvidersStaging, BlocksWhenItDoesNotHoldWhatIsPublished) {
  for (const Protocol protocol : minted_protocols) {
    Observation seen = unmade();
    seen.mint.idle = -1;
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Staging, seen), blocked_by(reason::drift));
  }
}

TEST(PlanOfAProvidersStaging, BringsEverybodyToThePublishedValueFirst) {
  for (const Protocol protocol : minted_protocols) {
    Observation seen = unmade();
    seen.staged = true;
    seen.consumers[1] = {.state = ConsumerState::Stale, .act_due = true};
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Staging, seen), act(Action::Converge, 1, Credential::Old));
    seen.consumers[1] = {.state = ConsumerState::Unknown};
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Staging, seen), wait_for(waits::consumers));
    seen.consumers[1] = {.state = ConsumerState::Unhealthy};
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Staging, seen), blocked_by(reason::consumer_unhealthy));
  }
}

TEST(PlanOfAProvidersStaging, WaitsForQuiet) {
  for (const Protocol protocol : minted_protocols) {
    Observation seen = unmade();
    seen.staged = true;
    seen.quiet = false;
    seen.quiet_at = test_now + minutes(1);
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Staging, seen), wait_for(waits::quiet, test_now + minutes(1)));
  }
}

// ---- minting -----------------------------------------------------------------------------------------------------------------

TEST(PlanOfMinting, AsksOnceAndStagesAndChoosesWhatWasMade) {
  for (const Protocol protocol : minted_protocols) {
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Minting, unmade()), act(Action::Mint));
    Observation seen = made();
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Minting, seen), act(Action::Stage));
    seen.staged = true;
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Minting, seen), recorded(Phase::Pinned));
  }
}

TEST(PlanOfMinting, AsksAgainWhileOthersMayLandOnlyWhereNothingInUseIsDropped) {
  Observation seen = unmade();
  seen.quiet = false;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::Minting, seen), act(Action::Mint));
  EXPECT_EQ(plan_now(run_of(Protocol::Shift), Phase::Minting, seen), wait_for(waits::quiet));
}

TEST(PlanOfMinting, WaitsForQuietBeforeItChooses) {
  for (const Protocol protocol : minted_protocols) {
    Observation seen = made();
    seen.quiet = false;
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Minting, seen), wait_for(waits::quiet));
  }
}

TEST(PlanOfMinting, WaitsUntilTheProviderCanBeRead) {
  Observation seen = made();
  seen.mint.known = false;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::Minting, seen), wait_for(waits::observation));
}

TEST(PlanOfMinting, TurnsBackAfterTheDeadlineWhileNothingWasMade) {
  for (const Protocol protocol : minted_protocols) {
    const RunSpec run = run_of(protocol);
    EXPECT_EQ(plan_now(run, Phase::Minting, unmade(), run.progress_deadline), act(Action::Mint));
    const Duration late = run.progress_deadline + Duration{1};
    EXPECT_EQ(plan_now(run, Phase::Minting, unmade(), late), advance_to(Phase::RollingBack, reason::progress_deadline_exceeded));
    RunSpec compromised = run;
    compromised.compromised = true;
    EXPECT_EQ(plan_now(compromised, Phase::Minting, unmade(), late), act(Action::Mint)) << "there is only the way forward";
    EXPECT_EQ(plan_now(run, Phase::Minting, made(), late), act(Action::Stage));
  }
}

TEST(PlanOfMinting, EndsAtOnceWhenItIsNotWantedAndNothingWasOrWillBeMade) {
  for (const Protocol protocol : minted_protocols) {
    for (bool Observation::* unwanted : {&Observation::deleted, &Observation::superseded}) {
      Observation seen = unmade();
      seen.*unwanted = true;
      EXPECT_EQ(plan_now(run_of(protocol), Phase::Minting, seen), advance_to(Phase::Abandoned));
      seen.mint.unchanged = false;
      EXPECT_EQ(plan_now(run_of(protocol), Phase::Minting, seen), act(Action::Stage)) << "what was made is brought to its end";
    }
  }
}

TEST(PlanOfMinting, ParksASuspendedRun) {
  Observation seen = unmade();
  seen.suspended = true;
  for (const Protocol protocol : minted_protocols) {
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Minting, seen), wait_for(waits::suspended));
  }
}

// ---- pinned ------------------------------------------------------------------------------------------------------------------

TEST(PlanOfAPinnedMintedValue, IsNotAbandonedBecauseTheProviderHasMadeIt) {
  for (const Protocol protocol : minted_protocols) {
    Observation seen = accepted();
    seen.superseded = true;
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Pinned, seen), advance_to(Phase::Switching));
  }
  Observation reverted = accepted();
  reverted.go_back = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::Pinned, reverted), advance_to(Phase::RollingBack, reason::revision_changed));
}

TEST(PlanOfAPinnedRetainedValue, IsTriedBeforeAnythingIsBegun) {
  EXPECT_EQ(plan_now(back_of(Protocol::Slots), Phase::Pinned, accepted()), advance_to(Phase::Switching));
  Observation dropped = accepted();
  dropped.dependents[0].pending = ProbeResult::Rejected;
  EXPECT_EQ(plan_now(back_of(Protocol::Slots), Phase::Pinned, dropped), blocked_by(reason::revision_not_retained));
  dropped.superseded = true;
  EXPECT_EQ(plan_now(back_of(Protocol::Slots), Phase::Pinned, dropped), advance_to(Phase::Abandoned));
  Observation untold = accepted();
  untold.dependents[0].pending = ProbeResult::Unknown;
  EXPECT_EQ(plan_now(back_of(Protocol::Slots), Phase::Pinned, untold), wait_for(waits::observation));
}

// ---- from the switch on ------------------------------------------------------------------------------------------------------

TEST(PlanOfAMintedValue, IsNeverInstalledButChosenAnew) {
  for (const Protocol protocol : minted_protocols) {
    Observation seen = rolled();
    seen.dependents[0].pending = ProbeResult::Rejected;
    for (const Phase phase : {Phase::Switching, Phase::Rolling, Phase::Verifying}) {
      EXPECT_EQ(plan_now(run_of(protocol), phase, seen), advance_to(Phase::Minting, reason::drift));
    }
    seen.vaults[0].latest = Published::Old;
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Publishing, seen), advance_to(Phase::Minting));
  }
}

TEST(PlanOfAMintedValue, PublishesOverItsOwnEarlierChoice) {
  Observation seen = rolled();
  seen.vaults[1].latest = Published::Earlier;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::Publishing, seen), act(Action::Publish, 1));
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::Rolling, seen), advance_to(Phase::Publishing));
}

TEST(PlanOfAMintedValue, MustLeaveTheOldOneAcceptedInTheOtherSlot) {
  Observation seen = accepted();
  seen.dependents[0].old = ProbeResult::Rejected;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::Switching, seen), blocked_by(reason::drift));
  EXPECT_EQ(plan_now(run_of(Protocol::Shift), Phase::Switching, seen), advance_to(Phase::Publishing)) << "forward is what helps";
}

TEST(PlanOfAMintedValue, LeavesTheOldOneValidUnlessItIsToBeRevoked) {
  for (const Protocol protocol : minted_protocols) {
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Verifying, rolled()), advance_to(Phase::Succeeded));
    RunSpec revoking = run_of(protocol);
    revoking.revoke_old = true;
    EXPECT_EQ(plan_now(revoking, Phase::Verifying, rolled()), wait_for(waits::soak, test_now + hours(24)));
    EXPECT_EQ(plan_now(revoking, Phase::Verifying, rolled(), hours(24)), advance_to(Phase::Retiring));
    EXPECT_EQ(plan_now(revoking, Phase::Retiring, rolled()), act(Action::Withdraw, 0, Credential::Old));
    Observation retired = rolled();
    retired.dependents[0].old = ProbeResult::Rejected;
    EXPECT_EQ(plan_now(revoking, Phase::Retiring, retired), advance_to(Phase::Succeeded));
    RunSpec compromised = run_of(protocol);
    compromised.compromised = true;
    EXPECT_EQ(plan_now(compromised, Phase::Verifying, rolled()), advance_to(Phase::Retiring));
  }
}

TEST(PlanOfAMintedValue, IsNotRevokedByARunThatBringsAnEarlierOneBack) {
  RunSpec back = back_of(Protocol::Slots);
  back.revoke_old = true;
  EXPECT_EQ(plan_now(back, Phase::Verifying, rolled()), advance_to(Phase::Succeeded));
}

// ---- back --------------------------------------------------------------------------------------------------------------------

TEST(PlanOfSlotsGoingBack, PublishesTheOtherSlotAgainAndLeavesWhatWasMade) {
  Observation seen = rolled();
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::RollingBack, seen), act(Action::Publish, 0, Credential::Old));
  for (VaultObservation& vault : seen.vaults) vault.latest = Published::Old;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::RollingBack, seen), advance_to(Phase::RolledBack));
  seen.quiet = false;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::RollingBack, seen), wait_for(waits::quiet));
}

TEST(PlanOfSlotsGoingBack, BlocksWhenTheOldValueIsNoLongerThere) {
  Observation seen = rolled();
  seen.dependents[0].old = ProbeResult::Rejected;
  EXPECT_EQ(plan_now(run_of(Protocol::Slots), Phase::RollingBack, seen), blocked_by(reason::drift));
}

TEST(PlanOfShift, HasNoWayBackOnceAValueWasMade) {
  Observation ill = rolled();
  ill.consumers[0] = {.state = ConsumerState::Unhealthy, .begun = true};
  EXPECT_EQ(plan_now(run_of(Protocol::Shift), Phase::Rolling, ill), blocked_by(reason::consumer_unhealthy));
  Observation reverted = rolled();
  reverted.go_back = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Shift), Phase::Rolling, reverted), advance_to(Phase::Verifying));
  const RunSpec run = run_of(Protocol::Shift);
  const Duration late = run.publish_deadline + Duration{1};
  EXPECT_EQ(plan_now(run, Phase::Publishing, accepted(), late), act(Action::Publish)) << "forward, as soon as it can be";
  Observation unreachable = accepted();
  for (VaultObservation& vault : unreachable.vaults) vault.latest = Published::Unknown;
  EXPECT_EQ(plan_now(run, Phase::Publishing, unreachable, late), blocked_by(reason::publish_deadline_exceeded));
}

}  // namespace
}  // namespace keyturn
