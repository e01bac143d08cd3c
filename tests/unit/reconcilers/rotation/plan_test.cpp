#include "reconcilers/rotation/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "api/reasons.h"
#include "tests/support/seeded_random.h"
#include "tests/unit/reconcilers/rotation/sound_world.h"

namespace {
std::atomic<std::size_t> allocations = 0;
}

// Counts for the whole binary, so that "never allocates" can be seen.
void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace keyturn {
namespace {

using api::Direction;
using api::Phase;
using api::Protocol;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
namespace reason = api::reason;

constexpr Protocol every_protocol[] = {Protocol::Single, Protocol::Dual, Protocol::Alternating};
constexpr Protocol two_live_protocols[] = {Protocol::Dual, Protocol::Alternating};
constexpr Phase every_phase[] = {Phase::Admitted,    Phase::Staging,     Phase::Minting,    Phase::Pinned,   Phase::Switching,
                                 Phase::Publishing,  Phase::Rolling,     Phase::Verifying,  Phase::Retiring, Phase::Succeeded,
                                 Phase::RollingBack, Phase::Withdrawing, Phase::RolledBack, Phase::Abandoned};
constexpr Phase untouched_phases[] = {Phase::Admitted, Phase::Staging, Phase::Pinned};
constexpr Phase running_phases[] = {Phase::Switching, Phase::Publishing, Phase::Rolling, Phase::Verifying};
constexpr Phase live_phases[] = {Phase::Admitted,  Phase::Staging,     Phase::Minting,    Phase::Pinned,
                                 Phase::Switching, Phase::Publishing,  Phase::Rolling,    Phase::Verifying,
                                 Phase::Retiring,  Phase::RollingBack, Phase::Withdrawing};

Plan advance_to(Phase phase, std::string_view why = {}) { return {.action = Action::Advance, .phase = phase, .reason = why}; }
Plan pin() { return {.action = Action::Advance, .phase = Phase::Pinned, .pins = true}; }
Plan act(Action action, std::uint16_t target = 0, Credential credential = Credential::Pending) {
  return {.action = action, .credential = credential, .target = target};
}
Plan wait_for(std::string_view why, std::optional<Instant> until = {}) { return {.action = Action::Wait, .reason = why, .look_at = until}; }
Plan blocked_by(std::string_view why) { return {.action = Action::Block, .reason = why}; }
const Plan finished{.action = Action::Finished};

Plan plan_now(const RunSpec& run, Phase phase, const Observation& seen, Duration in_it = Duration{0}) {
  return plan(run, in_phase(phase, in_it), seen, test_now);
}

// ---- every phase in a sound world --------------------------------------------------------------------------------------------

struct Row {
  const char* what;
  Phase phase;
  Observation seen;
  Plan single;
  Plan two_live;
  Duration in_it{};
};

Observation with(Observation seen, auto change) {
  change(seen);
  return seen;
}

std::vector<Row> sound_rows() {
  const Observation none = untouched_world();
  const Observation staged = with(none, [](Observation& seen) { seen.staged = true; });
  const Observation half_installed = with(staged, [](Observation& seen) { seen.dependents[0].pending = ProbeResult::Accepted; });
  const Observation half_published = with(switched_world(), [](Observation& seen) { seen.vaults[0].latest = Published::Pending; });
  const Observation retired = with(rolled_world(), [](Observation& seen) {
    for (DependentObservation& dependent : seen.dependents) dependent.old = ProbeResult::Rejected;
  });
  const Observation half_retired = with(rolled_world(), [](Observation& seen) { seen.dependents[0].old = ProbeResult::Locked; });
  const Observation replaced = with(rolled_world(), [](Observation& seen) {
    for (DependentObservation& dependent : seen.dependents) dependent.old = ProbeResult::Rejected;
  });
  const Observation stale_back =
      with(returned_world(), [](Observation& seen) { seen.consumers.assign(2, {.state = ConsumerState::Stale, .act_due = true}); });
  const Observation withdrawn = with(returned_world(), [](Observation& seen) {
    for (DependentObservation& dependent : seen.dependents) dependent.pending = ProbeResult::Rejected;
  });
  const auto both = [](const char* what, Phase phase, const Observation& seen, const Plan& step) {
    return Row{what, phase, seen, step, step};
  };
  return {
      both("a sound baseline is left", Phase::Admitted, none, advance_to(Phase::Staging)),
      both("nothing is staged", Phase::Staging, none, act(Action::Stage)),
      both("the value is staged", Phase::Staging, staged, pin()),
      both("nobody else makes the value", Phase::Minting, staged, wait_for(waits::observation)),
      both("pinned", Phase::Pinned, staged, advance_to(Phase::Switching)),
      both("no dependent accepts it", Phase::Switching, staged, act(Action::Install, 0)),
      both("one dependent accepts it", Phase::Switching, half_installed, act(Action::Install, 1)),
      both("all accept it", Phase::Switching, switched_world(), advance_to(Phase::Publishing)),
      both("no vault returns it", Phase::Publishing, switched_world(), act(Action::Publish, 0)),
      both("one vault returns it", Phase::Publishing, half_published, act(Action::Publish, 1)),
      both("all vaults return it", Phase::Publishing, published_world(), advance_to(Phase::Rolling)),
      both("consumers are stale", Phase::Rolling, published_world(), act(Action::Converge, 0)),
      both("consumers are proven", Phase::Rolling, rolled_world(), advance_to(Phase::Verifying)),
      {"all is verified", Phase::Verifying, rolled_world(), advance_to(Phase::Succeeded), wait_for(waits::soak, test_now + hours(24))},
      {"the old one has stayed", Phase::Verifying, rolled_world(), advance_to(Phase::Succeeded), advance_to(Phase::Retiring), hours(24)},
      both("the old one is accepted", Phase::Retiring, rolled_world(), act(Action::Withdraw, 0, Credential::Old)),
      both("the old one is accepted at one", Phase::Retiring, half_retired, act(Action::Withdraw, 1, Credential::Old)),
      both("the old one is refused everywhere", Phase::Retiring, retired, advance_to(Phase::Succeeded)),
      both("the old one is to be accepted again", Phase::RollingBack, replaced, act(Action::Install, 0, Credential::Old)),
      both("the old one is to be published again", Phase::RollingBack, rolled_world(), act(Action::Publish, 0, Credential::Old)),
      both("consumers are to return", Phase::RollingBack, stale_back, act(Action::Converge, 0, Credential::Old)),
      {"all have returned", Phase::RollingBack, returned_world(), advance_to(Phase::RolledBack), advance_to(Phase::Withdrawing)},
      both("the pending one is still accepted", Phase::Withdrawing, returned_world(), act(Action::Withdraw, 0, Credential::Pending)),
      both("the pending one is gone", Phase::Withdrawing, withdrawn, advance_to(Phase::RolledBack)),
      both("succeeded", Phase::Succeeded, rolled_world(), finished),
      both("rolled back", Phase::RolledBack, none, finished),
      both("abandoned", Phase::Abandoned, none, finished),
  };
}

TEST(Plan, TakesTheOneNextStepOfEachPhaseInASoundWorld) {
  for (const Row& row : sound_rows()) {
    for (const Protocol protocol : every_protocol) {
      const Plan& expected = protocol == Protocol::Single ? row.single : row.two_live;
      EXPECT_EQ(plan_now(run_of(protocol), row.phase, row.seen, row.in_it), expected)
          << row.what << ", protocol " << static_cast<int>(protocol);
    }
  }
}

TEST(Plan, HasARowForEveryPhase) {
  const std::vector<Row> rows = sound_rows();
  for (const Phase phase : every_phase) {
    EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.phase == phase; })) << static_cast<int>(phase);
  }
}

TEST(Plan, FinishesInEveryTerminalPhaseWhateverIsSeen) {
  Observation bad;
  bad.authorised = false;
  bad.value_lost = true;
  bad.go_back = true;
  for (const Phase phase : {Phase::Succeeded, Phase::RolledBack, Phase::Abandoned}) {
    EXPECT_EQ(plan_now(run_of(Protocol::Dual), phase, bad), finished);
  }
}

// ---- admission ---------------------------------------------------------------------------------------------------------------

TEST(PlanOfAnAdmittedRun, BlocksUntilItIsApproved) {
  Observation seen = untouched_world();
  seen.approved = false;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Admitted, seen), blocked_by(reason::approval_required));
}

TEST(PlanOfAnAdmittedRun, WaitsForAVaultThatCannotBeTold) {
  Observation seen = untouched_world();
  seen.vaults[1].latest = Published::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Admitted, seen), wait_for(waits::observation));
}

TEST(PlanOfAnAdmittedRun, WaitsForADependentThatCannotBeTold) {
  Observation seen = untouched_world();
  seen.dependents[1].old = ProbeResult::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Admitted, seen), wait_for(waits::observation));
}

TEST(PlanOfAnAdmittedRun, NamesWhyAVaultRefuses) {
  const std::pair<VaultRefusal, std::string_view> rows[] = {
      {VaultRefusal::Disabled, reason::secret_disabled}, {VaultRefusal::SoftDeleted, reason::secret_soft_deleted},
      {VaultRefusal::Permission, reason::permission},    {VaultRefusal::Firewall, reason::permission},
      {VaultRefusal::ReadOnly, reason::vault_read_only}, {VaultRefusal::Missing, reason::baseline},
      {VaultRefusal::Managed, reason::baseline},         {VaultRefusal::None, reason::baseline}};
  for (const auto& [refusal, why] : rows) {
    Observation seen = untouched_world();
    seen.vaults[0] = {.latest = Published::Refused, .refusal = refusal};
    EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Admitted, seen), blocked_by(why));
  }
}

TEST(PlanOfAnAdmittedRun, BlocksWhenTheOldCredentialDoesNotLogIn) {
  for (const ProbeResult probe : {ProbeResult::Rejected, ProbeResult::Locked}) {
    Observation seen = untouched_world();
    seen.dependents[1].old = probe;
    EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Admitted, seen), blocked_by(reason::baseline));
  }
}

TEST(PlanOfAnAdmittedRun, BlocksOnAnIllConsumerGoingForwardOnly) {
  Observation seen = untouched_world();
  seen.consumers[1].healthy_baseline = false;
  RunSpec run = run_of(Protocol::Dual);
  EXPECT_EQ(plan_now(run, Phase::Admitted, seen), blocked_by(reason::baseline));
  run.direction = Direction::Back;
  EXPECT_EQ(plan_now(run, Phase::Admitted, seen), advance_to(Phase::Staging));
}

TEST(PlanOfAnAdmittedRun, BlocksOnAValueThatSomebodyElsePublishedUnlessAskedToOverwriteIt) {
  Observation seen = untouched_world();
  seen.vaults[1].latest = Published::Foreign;
  RunSpec run = run_of(Protocol::Single);
  EXPECT_EQ(plan_now(run, Phase::Admitted, seen), blocked_by(reason::foreign_publish));
  run.enforce_drift = true;
  EXPECT_EQ(plan_now(run, Phase::Admitted, seen), advance_to(Phase::Staging));
}

TEST(PlanOfAnAdmittedRun, BlocksOnAConsumerThatCannotBeConverged) {
  Observation seen = untouched_world();
  seen.consumers[1].refusal = reason::inline_secrets_present;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Admitted, seen), blocked_by(reason::inline_secrets_present));
}

// ---- staging -----------------------------------------------------------------------------------------------------------------

TEST(PlanOfStaging, WaitsForQuietUntilTheQuarantineEnds) {
  Observation seen = untouched_world();
  seen.staged = true;
  seen.quiet = false;
  seen.quiet_at = test_now + minutes(2);
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Staging, seen), wait_for(waits::quiet, test_now + minutes(2)));
}

TEST(PlanOfStaging, WaitsWhileSomebodyUsesTheIdleLogin) {
  Observation seen = untouched_world();
  seen.staged = true;
  seen.idle_in_use = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Alternating), Phase::Staging, seen), wait_for(waits::idle_login));
}

TEST(PlanOfStaging, StagesBeforeItWaitsForAnything) {
  Observation seen = untouched_world();
  seen.quiet = false;
  seen.idle_in_use = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Alternating), Phase::Staging, seen), act(Action::Stage));
}

// ---- switching ---------------------------------------------------------------------------------------------------------------

TEST(PlanOfSwitching, WaitsForADependentThatCannotBeTold) {
  Observation seen = untouched_world();
  seen.dependents[0].pending = ProbeResult::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Switching, seen), wait_for(waits::observation));
}

TEST(PlanOfSwitching, BlocksWhenADependentAcceptsNeither) {
  Observation seen = untouched_world();
  seen.dependents[0] = {.pending = ProbeResult::Rejected, .old = ProbeResult::Rejected};
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Switching, seen), blocked_by(reason::drift));
}

TEST(PlanOfSwitching, OverwritesDriftWhenAskedTo) {
  Observation seen = untouched_world();
  seen.dependents[0] = {.pending = ProbeResult::Rejected, .old = ProbeResult::Rejected};
  RunSpec run = run_of(Protocol::Single);
  run.enforce_drift = true;
  EXPECT_EQ(plan_now(run, Phase::Switching, seen), act(Action::Install));
}

TEST(PlanOfSwitching, BlocksWhereTwoLiveWhenTheOldOneDidNotSurviveTheAddition) {
  Observation seen = switched_world();
  seen.dependents[1].old = ProbeResult::Rejected;
  for (const Protocol protocol : two_live_protocols) {
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Switching, seen), blocked_by(reason::drift));
  }
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Switching, seen), advance_to(Phase::Publishing));
}

TEST(PlanOfSwitching, WaitsWhereTwoLiveWhenTheOldOneCannotBeTold) {
  Observation seen = switched_world();
  seen.dependents[1].old = ProbeResult::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Switching, seen), wait_for(waits::observation));
}

TEST(PlanOfSwitching, TurnsBackAfterTheDeadlineAndNotAtIt) {
  const Observation seen = untouched_world();
  const RunSpec run = run_of(Protocol::Dual);
  EXPECT_EQ(plan_now(run, Phase::Switching, seen, run.progress_deadline), act(Action::Install));
  EXPECT_EQ(plan_now(run, Phase::Switching, seen, run.progress_deadline + Duration{1}),
            advance_to(Phase::RollingBack, reason::progress_deadline_exceeded));
}

// ---- publishing --------------------------------------------------------------------------------------------------------------

TEST(PlanOfPublishing, TurnsBackAfterItsOwnDeadline) {
  const RunSpec run = run_of(Protocol::Single);
  EXPECT_EQ(plan_now(run, Phase::Publishing, switched_world(), run.publish_deadline + Duration{1}),
            advance_to(Phase::RollingBack, reason::publish_deadline_exceeded));
}

TEST(PlanOfPublishing, IsPastItsDeadlineOnlyWhileSomethingIsMissing) {
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Publishing, published_world(), hours(9)), advance_to(Phase::Rolling));
}

TEST(PlanOfPublishing, WaitsForAVaultThatIsReadOnlyForAMoment) {
  Observation seen = switched_world();
  seen.vaults[0] = {.latest = Published::Refused, .refusal = VaultRefusal::ReadOnly};
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Publishing, seen), wait_for(waits::observation));
}

TEST(PlanOfPublishing, BlocksOnEveryOtherRefusal) {
  Observation seen = switched_world();
  seen.vaults[0] = {.latest = Published::Refused, .refusal = VaultRefusal::SoftDeleted};
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Publishing, seen), blocked_by(reason::secret_soft_deleted));
}

TEST(PlanOfPublishing, DoesNotStarveAVaultBehindOneThatCannotBeTold) {
  Observation seen = switched_world();
  seen.vaults[0].latest = Published::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Publishing, seen), act(Action::Publish, 1));
  seen.vaults[1].latest = Published::Pending;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Publishing, seen), wait_for(waits::observation));
}

TEST(PlanOfPublishing, LeavesAForeignValueUnlessAskedToOverwriteIt) {
  Observation seen = switched_world();
  seen.vaults[1].latest = Published::Foreign;
  seen.vaults[0].latest = Published::Pending;
  RunSpec run = run_of(Protocol::Dual);
  EXPECT_EQ(plan_now(run, Phase::Publishing, seen), blocked_by(reason::foreign_publish));
  run.enforce_drift = true;
  EXPECT_EQ(plan_now(run, Phase::Publishing, seen), act(Action::Publish, 1));
}

TEST(PlanOfPublishing, VerifiesOnceMoreBeforeItPublishes) {
  Observation seen = switched_world();
  seen.dependents[1].pending = ProbeResult::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Publishing, seen), wait_for(waits::observation));
  seen.dependents[1].pending = ProbeResult::Rejected;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Publishing, seen), advance_to(Phase::Switching));
}

// ---- rolling -----------------------------------------------------------------------------------------------------------------

ConsumerObservation begun(ConsumerState state) { return {.state = state, .begun = true, .act_due = state == ConsumerState::Stale}; }
ConsumerObservation proven(Instant since) { return {.state = ConsumerState::Proven, .begun = true, .proven_since = since}; }

TEST(PlanOfRolling, MovesOneConsumerAtATimeWhereTwoLive) {
  Observation seen = published_world();
  seen.consumers[0] = begun(ConsumerState::Moving);
  for (const Protocol protocol : two_live_protocols) {
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Rolling, seen), wait_for(waits::consumers));
  }
}

TEST(PlanOfRolling, MovesAllAtOnceWhereOneLives) {
  Observation seen = published_world();
  seen.consumers[0] = begun(ConsumerState::Moving);
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Rolling, seen), act(Action::Converge, 1));
}

TEST(PlanOfRolling, KeepsToTheDeclaredBudget) {
  Observation seen = published_world();
  seen.consumers.assign(3, {.state = ConsumerState::Stale, .act_due = true});
  seen.consumers[0] = begun(ConsumerState::Moving);
  RunSpec run = run_of(Protocol::Dual);
  run.max_unavailable = 2;
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), act(Action::Converge, 1));
  seen.consumers[1] = begun(ConsumerState::Unknown);
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), wait_for(waits::consumers));
}

TEST(PlanOfRolling, TakesABudgetOfNoneAsOne) {
  RunSpec run = run_of(Protocol::Dual);
  run.max_unavailable = 0;
  EXPECT_EQ(plan_now(run, Phase::Rolling, published_world()), act(Action::Converge, 0));
}

TEST(PlanOfRolling, GivesAConsumerThatBeganItsNextActWhateverTheBudget) {
  Observation seen = published_world();
  seen.consumers[0] = begun(ConsumerState::Moving);
  seen.consumers[1] = begun(ConsumerState::Stale);
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, seen), act(Action::Converge, 1));
}

TEST(PlanOfRolling, SendsTheCanariesFirstAndAlone) {
  Observation seen = published_world();
  seen.consumers.assign(3, {.state = ConsumerState::Stale, .act_due = true});
  RunSpec run = run_of(Protocol::Dual);
  run.canaries = 1;
  run.max_unavailable = 3;
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), act(Action::Converge, 0));
  seen.consumers[0] = begun(ConsumerState::Moving);
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), wait_for(waits::consumers));
}

TEST(PlanOfRolling, LetsTheCanariesBakeBeforeTheOthersFollow) {
  Observation seen = published_world();
  seen.consumers.assign(3, {.state = ConsumerState::Stale, .act_due = true});
  seen.consumers[0] = proven(test_now - minutes(4));
  seen.consumers[1] = proven(test_now - minutes(9));
  RunSpec run = run_of(Protocol::Dual);
  run.canaries = 2;
  run.bake = minutes(5);
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), wait_for(waits::bake, test_now + minutes(1)));
  seen.consumers[0] = proven(test_now - minutes(5));
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), act(Action::Converge, 2));
}

TEST(PlanOfRolling, IgnoresMoreCanariesThanThereAreConsumers) {
  RunSpec run = run_of(Protocol::Dual);
  run.canaries = 9;
  EXPECT_EQ(plan_now(run, Phase::Rolling, published_world()), act(Action::Converge, 0));
  EXPECT_EQ(plan_now(run, Phase::Rolling, rolled_world()), advance_to(Phase::Verifying));
}

TEST(PlanOfRolling, HasNoCanariesWhereOneLives) {
  Observation seen = published_world();
  seen.consumers[0] = begun(ConsumerState::Moving);
  RunSpec run = run_of(Protocol::Single);
  run.canaries = 1;
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), act(Action::Converge, 1));
}

TEST(PlanOfRolling, TurnsBackWhenAConsumerIsUnhealthy) {
  Observation seen = published_world();
  seen.consumers[1] = begun(ConsumerState::Unhealthy);
  for (const Protocol protocol : every_protocol) {
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Rolling, seen), advance_to(Phase::RollingBack, reason::consumer_unhealthy));
  }
}

TEST(PlanOfRolling, HoldsWhenAConsumerIsUnhealthyAndFailuresAreToBeHeld) {
  Observation seen = published_world();
  seen.consumers[1] = begun(ConsumerState::Unhealthy);
  RunSpec run = run_of(Protocol::Dual);
  run.back_on_failure = false;
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), blocked_by(reason::consumer_unhealthy));
}

TEST(PlanOfRolling, BlocksOnAConsumerThatCannotBeConverged) {
  Observation seen = published_world();
  seen.consumers[1].refusal = reason::reference_pinned;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, seen), blocked_by(reason::reference_pinned));
}

TEST(PlanOfRolling, TurnsBackAfterTheDeadlineOnlyWhileSomebodyIsMissing) {
  const RunSpec run = run_of(Protocol::Dual);
  const Duration late = run.progress_deadline + Duration{1};
  EXPECT_EQ(plan_now(run, Phase::Rolling, published_world(), late), advance_to(Phase::RollingBack, reason::progress_deadline_exceeded));
  EXPECT_EQ(plan_now(run, Phase::Rolling, rolled_world(), late), advance_to(Phase::Verifying));
}

TEST(PlanOfRolling, GivesTheBakeOnTopOfTheDeadline) {
  Observation seen = published_world();
  seen.consumers[0] = proven(test_now - minutes(1));
  RunSpec run = run_of(Protocol::Dual);
  run.canaries = 1;
  run.bake = minutes(20);
  const Duration allowed = run.progress_deadline + run.bake;
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen, allowed), wait_for(waits::bake, test_now + minutes(19)));
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen, allowed + Duration{1}), advance_to(Phase::RollingBack, reason::progress_deadline_exceeded));
  run.canaries = 0;
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen, allowed), advance_to(Phase::RollingBack, reason::progress_deadline_exceeded))
      << "without canaries nothing bakes";
}

TEST(PlanOfRolling, HaltsAtTheFirstIllCanaryBeforeAnybodyElseMoves) {
  Observation seen = published_world();
  seen.consumers[0] = begun(ConsumerState::Unhealthy);
  RunSpec run = run_of(Protocol::Dual);
  run.canaries = 1;
  run.max_unavailable = 2;
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), advance_to(Phase::RollingBack, reason::consumer_unhealthy));
}

// ---- the restart budget

TEST(PlanOverTheRestartBudget, HoldsAConsumerThatWasNotBegunYet) {
  Observation seen = published_world();
  seen.consumers[0].restart_again_at = test_now + minutes(7);
  seen.consumers[1].restart_again_at = test_now + minutes(5);
  for (const Protocol protocol : two_live_protocols) {
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Rolling, seen), wait_for(waits::restart_budget, test_now + minutes(5)));
  }
}

TEST(PlanOverTheRestartBudget, HoldsNobodyElse) {
  Observation seen = published_world();
  seen.consumers[0].restart_again_at = test_now + minutes(7);
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, seen), act(Action::Converge, 1));
}

TEST(PlanOverTheRestartBudget, DoesNotStopAConsumerHalfWay) {
  Observation seen = published_world();
  seen.consumers[0] = begun(ConsumerState::Stale);
  seen.consumers[0].restart_again_at = test_now + minutes(7);
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, seen), act(Action::Converge, 0));
}

TEST(PlanOverTheRestartBudget, LeavesTheDeadlineToAConsumerThatIsOnItsWay) {
  Observation seen = published_world();
  seen.consumers[0] = begun(ConsumerState::Moving);
  seen.consumers[1].restart_again_at = test_now + minutes(7);
  RunSpec run = run_of(Protocol::Dual);
  run.max_unavailable = 2;
  EXPECT_EQ(plan_now(run, Phase::Rolling, seen), wait_for(waits::consumers));
}

TEST(PlanOverTheRestartBudget, DoesNotHoldASingleLiveCredentialNorACompromiseNorARollback) {
  Observation seen = published_world();
  seen.consumers[0].restart_again_at = test_now + minutes(7);
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Rolling, seen), act(Action::Converge, 0));
  RunSpec compromised = run_of(Protocol::Dual);
  compromised.compromised = true;
  EXPECT_EQ(plan_now(compromised, Phase::Rolling, seen), act(Action::Converge, 0));
  RunSpec back = run_of(Protocol::Dual);
  back.direction = Direction::Back;
  EXPECT_EQ(plan_now(back, Phase::Rolling, seen), act(Action::Converge, 0));
  Observation returning = returned_world();
  returning.consumers.assign(2, {.state = ConsumerState::Stale, .act_due = true, .restart_again_at = test_now + minutes(7)});
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::RollingBack, returning), act(Action::Converge, 0, Credential::Old));
}

TEST(PlanOfRolling, StepsBackToWhatIsNoLongerTrue) {
  Observation unpublished = published_world();
  unpublished.vaults[1].latest = Published::Old;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, unpublished), advance_to(Phase::Publishing));
  Observation refused = published_world();
  refused.dependents[1].pending = ProbeResult::Rejected;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, refused), advance_to(Phase::Switching));
  refused.dependents[1].pending = ProbeResult::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, refused), wait_for(waits::observation));
}

TEST(PlanOfRolling, NeedsNoConsumers) {
  Observation seen = published_world();
  seen.consumers.clear();
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, seen), advance_to(Phase::Verifying));
}

// ---- verifying and retiring --------------------------------------------------------------------------------------------------

TEST(PlanOfVerifying, StaysForTheLongerOfSoakAndOverlap) {
  RunSpec run = run_of(Protocol::Dual);
  run.overlap = minutes(1);
  EXPECT_EQ(plan_now(run, Phase::Verifying, rolled_world()), wait_for(waits::soak, test_now + minutes(31)));
}

TEST(PlanOfVerifying, KeepsNoOverlapForSomebodyWhoIsAlreadySuperseded) {
  Observation seen = rolled_world();
  seen.superseded = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Verifying, seen), wait_for(waits::soak, test_now + minutes(31)));
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Verifying, seen, minutes(31)), advance_to(Phase::Retiring));
}

TEST(PlanOfVerifying, DoesNotStayForACompromisedCredential) {
  RunSpec run = run_of(Protocol::Dual);
  run.compromised = true;
  Observation seen = rolled_world();
  seen.dependents[0].sessions_on_old = 7;
  EXPECT_EQ(plan_now(run, Phase::Verifying, seen), advance_to(Phase::Retiring));
}

TEST(PlanOfVerifying, WaitsWhileSomebodyIsLoggedInWithTheOldOne) {
  Observation seen = rolled_world();
  seen.dependents[1].sessions_on_old = 1;
  EXPECT_EQ(plan_now(run_of(Protocol::Alternating), Phase::Verifying, seen, hours(48)), wait_for(waits::sessions));
}

TEST(PlanOfVerifying, WaitsForQuietBeforeThePointOfNoReturn) {
  Observation seen = rolled_world();
  seen.quiet = false;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Verifying, seen, hours(48)), wait_for(waits::quiet));
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Verifying, seen), advance_to(Phase::Succeeded));
}

TEST(PlanOfVerifying, SendsAConsumerThatFellBackOnItsWayAgain) {
  Observation seen = rolled_world();
  seen.consumers[1] = begun(ConsumerState::Stale);
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Verifying, seen, hours(48)), advance_to(Phase::Rolling));
  seen.consumers[1] = begun(ConsumerState::Moving);
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Verifying, seen, hours(48)), wait_for(waits::consumers));
}

TEST(PlanOfVerifying, TurnsBackWhenAConsumerFallsIll) {
  Observation seen = rolled_world();
  seen.consumers[1] = begun(ConsumerState::Unhealthy);
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Verifying, seen), advance_to(Phase::RollingBack, reason::consumer_unhealthy));
}

TEST(PlanOfVerifying, StepsBackToWhatIsNoLongerTrue) {
  Observation seen = rolled_world();
  seen.vaults[0].latest = Published::Old;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Verifying, seen, hours(48)), advance_to(Phase::Publishing));
}

Observation retired_world() {
  Observation seen = rolled_world();
  for (DependentObservation& dependent : seen.dependents) dependent.old = ProbeResult::Rejected;
  return seen;
}

TEST(PlanOfRetiring, WaitsForADependentThatCannotBeTold) {
  Observation seen = retired_world();
  seen.dependents[1].old = ProbeResult::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Retiring, seen), wait_for(waits::observation));
}

TEST(PlanOfRetiring, MendsWhatSomebodyElseUndidBeforeItSucceeds) {
  RunSpec run = run_of(Protocol::Dual);
  run.enforce_drift = true;
  Observation refused = retired_world();
  refused.dependents[1].pending = ProbeResult::Rejected;
  EXPECT_EQ(plan_now(run, Phase::Retiring, refused), act(Action::Install, 1));
  Observation unpublished = retired_world();
  unpublished.vaults[1].latest = Published::Old;
  EXPECT_EQ(plan_now(run, Phase::Retiring, unpublished), act(Action::Publish, 1));
  Observation stale = retired_world();
  stale.consumers[1] = begun(ConsumerState::Stale);
  EXPECT_EQ(plan_now(run, Phase::Retiring, stale), act(Action::Converge, 1));
}

TEST(PlanOfRetiring, NeverTurnsBack) {
  Observation seen = retired_world();
  seen.consumers[0] = begun(ConsumerState::Unhealthy);
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Retiring, seen), blocked_by(reason::consumer_unhealthy));
  seen = retired_world();
  seen.go_back = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Retiring, seen), advance_to(Phase::Succeeded));
}

// ---- going back --------------------------------------------------------------------------------------------------------------

TEST(PlanOfRollingBack, WaitsWhereOneLivesUntilTheForwardRequestsHaveLanded) {
  Observation seen = rolled_world();
  seen.quiet = false;
  seen.quiet_at = test_now + seconds(30);
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::RollingBack, seen), wait_for(waits::quiet, test_now + seconds(30)));
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::RollingBack, seen), act(Action::Publish, 0, Credential::Old));
}

TEST(PlanOfRollingBack, WaitsForQuietWhereTwoLiveBeforeItWithdraws) {
  Observation seen = returned_world();
  seen.quiet = false;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::RollingBack, seen), wait_for(waits::quiet));
}

TEST(PlanOfRollingBack, BringsAllConsumersBackAtOnceWhateverTheirHealth) {
  Observation seen = returned_world();
  seen.consumers[0] = begun(ConsumerState::Unhealthy);
  seen.consumers[1] = {.state = ConsumerState::Stale, .act_due = true};
  RunSpec run = run_of(Protocol::Dual);
  run.canaries = 1;
  EXPECT_EQ(plan_now(run, Phase::RollingBack, seen), act(Action::Converge, 1, Credential::Old));
  seen.consumers[1] = begun(ConsumerState::Moving);
  EXPECT_EQ(plan_now(run, Phase::RollingBack, seen), wait_for(waits::consumers));
}

TEST(PlanOfRollingBack, BlocksOnAForeignValue) {
  Observation seen = rolled_world();
  seen.vaults[0].latest = Published::Foreign;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::RollingBack, seen), blocked_by(reason::foreign_publish));
}

TEST(PlanOfWithdrawing, WaitsForADependentThatCannotBeTold) {
  Observation seen = returned_world();
  seen.dependents[0].pending = ProbeResult::Unknown;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Withdrawing, seen), wait_for(waits::observation));
}

// ---- what overrides a phase --------------------------------------------------------------------------------------------------

TEST(Plan, BlocksInEveryLivePhaseWhenItMayNotGoOn) {
  for (const Phase phase : live_phases) {
    Observation foreign = rolled_world();
    foreign.vaults[1].foreign_owner = true;
    EXPECT_EQ(plan_now(run_of(Protocol::Dual), phase, foreign), blocked_by(reason::foreign_owner));
    Observation behind = rolled_world();
    behind.vaults[1].ahead_of_journal = true;
    EXPECT_EQ(plan_now(run_of(Protocol::Dual), phase, behind), blocked_by(reason::journal_behind));
    Observation unbound = rolled_world();
    unbound.authorised = false;
    EXPECT_EQ(plan_now(run_of(Protocol::Dual), phase, unbound), blocked_by(reason::not_bound));
    Observation lost = rolled_world();
    lost.value_lost = true;
    EXPECT_EQ(plan_now(run_of(Protocol::Dual), phase, lost), blocked_by(reason::value_lost));
  }
}

TEST(Plan, AbandonsARunThatTouchedNothingWhenItIsNoLongerWanted) {
  for (const Phase phase : untouched_phases) {
    for (bool Observation::* unwanted : {&Observation::deleted, &Observation::go_back, &Observation::superseded}) {
      Observation seen = untouched_world();
      seen.*unwanted = true;
      EXPECT_EQ(plan_now(run_of(Protocol::Single), phase, seen), advance_to(Phase::Abandoned));
    }
  }
}

TEST(Plan, TurnsBackWhenTheOldCredentialIsWantedAgain) {
  for (const Phase phase : running_phases) {
    Observation seen = rolled_world();
    seen.go_back = true;
    EXPECT_EQ(plan_now(run_of(Protocol::Dual), phase, seen), advance_to(Phase::RollingBack, reason::revision_changed));
  }
}

TEST(Plan, DoesNotTurnBackTwice) {
  Observation seen = returned_world();
  seen.go_back = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::RollingBack, seen), advance_to(Phase::Withdrawing));
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Withdrawing, seen), act(Action::Withdraw, 0, Credential::Pending));
}

TEST(Plan, CompletesASupersededRunBeforeTheNextOne) {
  Observation seen = published_world();
  seen.superseded = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, seen), act(Action::Converge, 0));
}

TEST(Plan, CompletesTheRunOfADeletedObject) {
  Observation seen = published_world();
  seen.deleted = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Rolling, seen), act(Action::Converge, 0));
}

TEST(Plan, ParksASuspendedRunWhereTwoLiveAnywhereBeforeRetirement) {
  Observation seen = rolled_world();
  seen.suspended = true;
  for (const Phase phase :
       {Phase::Admitted, Phase::Staging, Phase::Pinned, Phase::Switching, Phase::Publishing, Phase::Rolling, Phase::Verifying}) {
    EXPECT_EQ(plan_now(run_of(Protocol::Dual), phase, seen), wait_for(waits::suspended));
  }
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Retiring, seen), act(Action::Withdraw, 0, Credential::Old));
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::RollingBack, seen), act(Action::Publish, 0, Credential::Old));
}

TEST(Plan, ParksASuspendedRunWhereOneLivesOnlyBeforeTheSwitch) {
  Observation seen = untouched_world();
  seen.suspended = true;
  for (const Phase phase : untouched_phases) {
    EXPECT_EQ(plan_now(run_of(Protocol::Single), phase, seen), wait_for(waits::suspended));
  }
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Switching, seen), act(Action::Install));
  seen = published_world();
  seen.suspended = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Single), Phase::Publishing, seen), advance_to(Phase::Rolling));
}

// ---- a freeze

Observation frozen(Observation seen) {
  seen.frozen_until = test_now + hours(5);
  return seen;
}
const Plan held = wait_for(waits::frozen, test_now + hours(5));

TEST(PlanInAFreeze, ParksARunAtItsNextSafePoint) {
  for (const Protocol protocol : two_live_protocols) {
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Admitted, frozen(untouched_world())), held);
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Staging, frozen(untouched_world())), held);
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Switching, frozen(untouched_world())), held);
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Publishing, frozen(switched_world())), held);
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Rolling, frozen(published_world())), held);
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Verifying, frozen(rolled_world()), hours(25)), held);
    EXPECT_EQ(plan_now(run_of(protocol), Phase::Retiring, frozen(rolled_world())), act(Action::Withdraw, 0, Credential::Old));
  }
}

TEST(PlanInAFreeze, DoesNotStopASingleCredentialInItsSwitchWindow) {
  const RunSpec run = run_of(Protocol::Single);
  EXPECT_EQ(plan_now(run, Phase::Pinned, frozen(untouched_world())), held);
  EXPECT_EQ(plan_now(run, Phase::Switching, frozen(untouched_world())), act(Action::Install, 0));
  EXPECT_EQ(plan_now(run, Phase::Publishing, frozen(switched_world())), act(Action::Publish, 0));
  EXPECT_EQ(plan_now(run, Phase::Rolling, frozen(published_world())), act(Action::Converge, 0));
}

TEST(PlanInAFreeze, DoesNotHoldTheWayBack) {
  const RunSpec run = run_of(Protocol::Dual);
  Observation ill = published_world();
  ill.consumers[0] = begun(ConsumerState::Unhealthy);
  EXPECT_EQ(plan_now(run, Phase::Rolling, frozen(ill)), advance_to(Phase::RollingBack, reason::consumer_unhealthy));
  Observation unwanted = published_world();
  unwanted.go_back = true;
  EXPECT_EQ(plan_now(run, Phase::Rolling, frozen(unwanted)), advance_to(Phase::RollingBack, reason::revision_changed));
  EXPECT_EQ(plan_now(run, Phase::RollingBack, frozen(rolled_world())), act(Action::Publish, 0, Credential::Old));
  EXPECT_EQ(plan_now(run, Phase::Withdrawing, frozen(returned_world())), act(Action::Withdraw, 0, Credential::Pending));
  RunSpec earlier = run;
  earlier.direction = Direction::Back;
  EXPECT_EQ(plan_now(earlier, Phase::Publishing, frozen(switched_world())), act(Action::Publish, 0));
}

TEST(PlanInAFreeze, DoesNotHoldTheReplacementOfACompromisedCredential) {
  RunSpec run = run_of(Protocol::Dual);
  run.compromised = true;
  EXPECT_EQ(plan_now(run, Phase::Publishing, frozen(switched_world())), act(Action::Publish, 0));
}

TEST(PlanInAFreeze, TellsWhyARunIsBlockedOrWaitsAllTheSame) {
  Observation refused = untouched_world();
  refused.approved = false;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Admitted, frozen(refused)), blocked_by(reason::approval_required));
  Observation moving = published_world();
  moving.consumers.assign(1, begun(ConsumerState::Moving));
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Rolling, frozen(moving)), wait_for(waits::consumers));
}

TEST(PlanInAFreeze, LetsARunGoThatTouchedNothingAndIsNoLongerWanted) {
  Observation seen = untouched_world();
  seen.superseded = true;
  EXPECT_EQ(plan_now(run_of(Protocol::Dual), Phase::Staging, frozen(seen)), advance_to(Phase::Abandoned));
}

TEST(Plan, NeverReturnsToACompromisedCredential) {
  RunSpec run = run_of(Protocol::Dual);
  run.compromised = true;
  Observation asked = published_world();
  asked.go_back = true;
  EXPECT_EQ(plan_now(run, Phase::Rolling, asked), act(Action::Converge, 0));
  const Duration late = run.progress_deadline + Duration{1};
  // Forward is the only way, also late: it is taken as soon as it is open, and a human is told as long as it is not.
  EXPECT_EQ(plan_now(run, Phase::Rolling, published_world(), late), act(Action::Converge, 0));
  EXPECT_EQ(plan_now(run, Phase::Publishing, switched_world(), late), act(Action::Publish));
  Observation moving = published_world();
  for (ConsumerObservation& consumer : moving.consumers) consumer = {.state = ConsumerState::Moving, .begun = true};
  EXPECT_EQ(plan_now(run, Phase::Rolling, moving, late), blocked_by(reason::progress_deadline_exceeded));
  Observation unreachable = switched_world();
  for (VaultObservation& vault : unreachable.vaults) vault.latest = Published::Unknown;
  EXPECT_EQ(plan_now(run, Phase::Publishing, unreachable, late), blocked_by(reason::publish_deadline_exceeded));
}

TEST(Plan, KnowsWhichPhasesMayStillReturn) {
  for (const Phase phase : every_phase) {
    const bool back = phase == Phase::RollingBack || phase == Phase::Withdrawing;
    EXPECT_EQ(going_back(phase), back);
    const bool may = !back && phase != Phase::Retiring && !api::is_terminal(phase);
    EXPECT_EQ(before_point_of_no_return(phase), may);
  }
}

TEST(Plan, NamesEveryAction) {
  std::vector<std::string_view> names;
  for (int action = 0; action <= static_cast<int>(Action::Finished); ++action) names.push_back(name_of(static_cast<Action>(action)));
  const std::vector<std::string_view> expected{"Advance",  "Stage",    "Mint", "Install", "Publish",
                                               "Converge", "Withdraw", "Wait", "Block",   "Finished"};
  EXPECT_EQ(names, expected);
}

// ---- totality ----------------------------------------------------------------------------------------------------------------

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  bool flag(std::uint32_t one_in = 2) { return random_.below(one_in) == 0; }
  int number(int low, int high) { return low + static_cast<int>(random_.below(static_cast<std::uint32_t>(high - low + 1))); }
  template <class E>
  E one_up_to(E last) {
    return static_cast<E>(random_.below(static_cast<std::uint32_t>(last) + 1));
  }
  Instant moment() { return test_now + minutes(number(-3'000, 3'000)); }

  RunSpec run() {
    RunSpec run = run_of(one_up_to(Protocol::SharedKey));
    run.revoke_old = flag();
    run.bootstrap = run.protocol == Protocol::Single && flag(4);
    run.direction = one_up_to(Direction::Back);
    run.compromised = flag(4);
    run.back_on_failure = flag();
    run.enforce_drift = flag(3);
    run.max_unavailable = number(-1, 3);
    run.canaries = number(0, 3);
    run.bake = minutes(number(0, 20));
    return run;
  }
  Observation observation(const RunSpec& run) {
    Observation seen;
    seen.mint = {.known = flag(), .idle = number(-1, 1), .unchanged = flag()};
    seen.authorised = !flag(12);
    seen.approved = !flag(8);
    seen.suspended = flag(12);
    if (flag(12)) seen.frozen_until = moment();
    seen.deleted = flag(12);
    seen.go_back = flag(12);
    seen.superseded = flag(12);
    seen.quiet = flag();
    if (flag()) seen.quiet_at = moment();
    seen.staged = flag();
    seen.value_lost = flag(20);
    seen.idle_in_use = flag(4);
    seen.vaults.resize(static_cast<std::size_t>(number(0, 3)));
    for (VaultObservation& vault : seen.vaults) {
      vault = {one_up_to(Published::Refused), one_up_to(VaultRefusal::Managed), flag(24), flag(24)};
    }
    seen.dependents.resize(static_cast<std::size_t>(run.protocol == Protocol::SharedKey ? 0 : number(0, 3)));
    for (DependentObservation& dependent : seen.dependents) {
      dependent = {one_up_to(ProbeResult::Locked), one_up_to(ProbeResult::Locked), number(0, 2)};
    }
    seen.consumers.resize(static_cast<std::size_t>(number(0, 4)));
    for (ConsumerObservation& consumer : seen.consumers) {
      consumer = {.state = one_up_to(ConsumerState::Unhealthy), .begun = flag(), .act_due = flag(), .healthy_baseline = !flag(6)};
      if (flag()) consumer.proven_since = moment();
      if (flag(4)) consumer.restart_again_at = moment();
      if (flag(20)) consumer.refusal = reason::inline_secrets_present;
    }
    return seen;
  }

 private:
  SeededRandom random_;
};

bool mints(const RunSpec& run) { return keyturn::mints(run.protocol, run.direction); }
bool is_minted(const RunSpec& run) { return run.protocol == Protocol::Slots || run.protocol == Protocol::Shift; }
bool is_shared(const RunSpec& run) { return run.protocol == Protocol::SharedKey; }

void expect_accepted(const Observation& seen, Credential credential, const char* invariant) {
  for (const DependentObservation& dependent : seen.dependents) {
    EXPECT_EQ(credential == Credential::Old ? dependent.old : dependent.pending, ProbeResult::Accepted) << invariant;
  }
}

// What a provider made was dropped by somebody else after the old one had gone: another one is asked for, and there is no way back to take.
bool chooses_again(const Plan& step, const RunSpec& run, const Observation& seen) {
  const bool old_is_gone = std::all_of(seen.dependents.begin(), seen.dependents.end(), [](const DependentObservation& dependent) {
    return dependent.old == ProbeResult::Rejected || dependent.old == ProbeResult::Locked;
  });
  return step.phase == Phase::Minting && mints(run) && old_is_gone;
}

void expect_sound_advance(const Plan& step, const RunSpec& run, Phase phase, const Observation& seen) {
  EXPECT_NE(step.phase, phase) << "a step to where it is would never end";
  const bool notes_the_slot = step.phase == Phase::Minting && phase == Phase::Staging;
  EXPECT_EQ(step.pins, step.phase == Phase::Pinned || notes_the_slot);
  if (phase == Phase::Retiring) EXPECT_TRUE(step.phase == Phase::Succeeded || chooses_again(step, run, seen));
  if (going_back(phase)) EXPECT_TRUE(step.phase == Phase::Withdrawing || step.phase == Phase::RolledBack);
  if (going_back(step.phase) && !going_back(phase)) EXPECT_TRUE(before_point_of_no_return(phase)) << "I7";
  if (step.phase == Phase::Minting) EXPECT_TRUE(mints(run));
  if (step.phase == Phase::Abandoned) {
    const bool untouched = phase == Phase::Admitted || phase == Phase::Staging || phase == Phase::Pinned;
    EXPECT_TRUE(untouched || phase == Phase::Minting || (run.bootstrap && phase == Phase::Switching));
    EXPECT_FALSE(mints(run) && phase == Phase::Pinned) << "the provider has made a value";
  }
}

void expect_well_formed(const Plan& step, const RunSpec& run, Phase phase, const Observation& seen) {
  const Credential wanted = wanted_in(run.protocol, phase);
  const bool changes_the_world = phase == Phase::Switching || phase == Phase::Retiring || phase == Phase::RollingBack;
  switch (step.action) {
    case Action::Advance:
      expect_sound_advance(step, run, phase, seen);
      break;
    case Action::Stage:
      EXPECT_TRUE(phase == Phase::Staging || phase == Phase::Minting);
      break;
    case Action::Mint:
      EXPECT_TRUE(phase == Phase::Minting && seen.mint.unchanged);
      if (run.protocol == Protocol::Shift) EXPECT_TRUE(seen.quiet) << "at most one may be under way";
      break;
    case Action::Install:
      ASSERT_LT(step.target, seen.dependents.size());
      EXPECT_TRUE(changes_the_world && !is_minted(run) && !is_shared(run));
      EXPECT_EQ(step.credential, wanted);
      break;
    case Action::Publish:
      ASSERT_LT(step.target, seen.vaults.size());
      EXPECT_TRUE(phase == Phase::Publishing || phase == Phase::Retiring || phase == Phase::RollingBack ||
                  (is_shared(run) && (phase == Phase::Switching || phase == Phase::Withdrawing)));
      EXPECT_EQ(step.credential, wanted);
      expect_accepted(seen, step.credential, "I5");
      break;
    case Action::Converge:
      ASSERT_LT(step.target, seen.consumers.size());
      EXPECT_TRUE(seen.consumers[step.target].act_due);
      EXPECT_EQ(step.credential, wanted);
      // Before a provider is asked for a value, whoever is not on the published one is brought there: that is the sound baseline.
      if (phase != Phase::Staging) expect_accepted(seen, step.credential, "I8");
      break;
    case Action::Withdraw:
      ASSERT_LT(step.target, seen.dependents.size());
      EXPECT_TRUE(phase == Phase::Retiring || phase == Phase::Withdrawing);
      EXPECT_EQ(step.credential, phase == Phase::Retiring ? Credential::Old : Credential::Pending);
      break;
    case Action::Wait:
    case Action::Block:
      EXPECT_FALSE(step.reason.empty());
      break;
    case Action::Finished:
      EXPECT_TRUE(api::is_terminal(phase));
      break;
  }
  if (!seen.authorised && !api::is_terminal(phase)) EXPECT_EQ(step.action, Action::Block) << "I12";
}

TEST(Plan, IsTotalDeterministicAndWellFormed) {
  Dice dice(20'261'122);
  for (int round = 0; round < 20'000 && !testing::Test::HasFailure(); ++round) {
    const RunSpec run = dice.run();
    const Journal journal{.phase = dice.one_up_to(Phase::Abandoned), .phase_since = dice.moment()};
    const Observation seen = dice.observation(run);
    const Instant now = dice.moment();
    const Plan step = plan(run, journal, seen, now);
    SCOPED_TRACE("round " + std::to_string(round) + ", phase " + std::to_string(static_cast<int>(journal.phase)) + ": " + words_of(step));
    EXPECT_EQ(step, plan(run, journal, seen, now));
    expect_well_formed(step, run, journal.phase, seen);
  }
}

TEST(Plan, NeverAllocates) {
  Dice dice(4711);
  for (int round = 0; round < 2'000; ++round) {
    const RunSpec run = dice.run();
    const Journal journal{.phase = dice.one_up_to(Phase::Abandoned), .phase_since = dice.moment()};
    const Observation seen = dice.observation(run);
    const std::size_t before = allocations;
    const Plan step = plan(run, journal, seen, test_now);
    const std::size_t after = allocations;
    ASSERT_EQ(before, after) << words_of(step);
  }
}

}  // namespace
}  // namespace keyturn
