// The planner where services share a key: four documents, and a barrier between each and the next.
#include <gtest/gtest.h>

#include "api/codec.h"
#include "api/reasons.h"
#include "reconcilers/rotation/plan.h"
#include "tests/unit/reconcilers/rotation/sound_world.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
using std::chrono::hours;
using std::chrono::minutes;
namespace reason = api::reason;

Plan advance_to(Phase phase, std::string_view why = {}) { return {.action = Action::Advance, .phase = phase, .reason = why}; }
Plan act(Action action, std::uint16_t target, Credential credential) {
  return {.action = action, .credential = credential, .target = target};
}
Plan wait_for(std::string_view why, std::optional<Instant> until = {}) { return {.action = Action::Wait, .reason = why, .look_at = until}; }
Plan blocked_by(std::string_view why) { return {.action = Action::Block, .reason = why}; }
RunSpec shared() { return run_of(Protocol::SharedKey); }
Plan plan_now(Phase phase, const Observation& seen, Duration in_it = Duration{0}, const RunSpec& run = shared()) {
  return plan(run, in_phase(phase, in_it), seen, test_now);
}

// Every vault returns this document, and the services have not loaded it yet.
Observation published(Published document) {
  Observation seen = untouched_world();
  seen.staged = true;
  seen.dependents.clear();
  for (VaultObservation& vault : seen.vaults) vault.latest = document;
  return seen;
}
Observation loaded(Published document) {
  Observation seen = published(document);
  seen.consumers.assign(2, {.state = ConsumerState::Proven, .begun = true, .proven_since = test_now});
  return seen;
}

struct Step {
  Phase phase;
  Published before;
  Credential document;
  Phase next;
};
constexpr Step barriers[] = {{Phase::Switching, Published::Old, Credential::OldOfBoth, Phase::Publishing},
                             {Phase::Retiring, Published::PendingOfBoth, Credential::Pending, Phase::Succeeded},
                             {Phase::Withdrawing, Published::OldOfBoth, Credential::Old, Phase::RolledBack},
                             {Phase::RollingBack, Published::PendingOfBoth, Credential::OldOfBoth, Phase::Withdrawing}};

TEST(PlanOfASharedKey, PublishesADocumentEverywhereAndBringsEverybodyToItBeforeTheNext) {
  for (const Step& step : barriers) {
    SCOPED_TRACE(std::string(api::name_of(step.phase)));
    Observation seen = loaded(step.before);
    EXPECT_EQ(plan_now(step.phase, seen), act(Action::Publish, 0, step.document));
    seen.vaults[0].latest = published_as(step.document);
    EXPECT_EQ(plan_now(step.phase, seen), act(Action::Publish, 1, step.document));
    seen = published(published_as(step.document));
    EXPECT_EQ(plan_now(step.phase, seen), act(Action::Converge, 0, step.document));
    seen.consumers[0] = {.state = ConsumerState::Proven};
    seen.consumers[1] = {.state = ConsumerState::Unknown};
    EXPECT_EQ(plan_now(step.phase, seen), wait_for(waits::consumers)) << "one that cannot be reached holds the barrier";
    EXPECT_EQ(plan_now(step.phase, loaded(published_as(step.document))), advance_to(step.next));
  }
}

TEST(PlanOfASharedKey, SendsTheNewKeyFromPublishingOn) {
  EXPECT_EQ(plan_now(Phase::Publishing, loaded(Published::OldOfBoth)), act(Action::Publish, 0, Credential::PendingOfBoth));
  EXPECT_EQ(plan_now(Phase::Publishing, published(Published::PendingOfBoth)), advance_to(Phase::Rolling));
  EXPECT_EQ(plan_now(Phase::Rolling, published(Published::PendingOfBoth)), act(Action::Converge, 0, Credential::PendingOfBoth));
  EXPECT_EQ(plan_now(Phase::Rolling, loaded(Published::PendingOfBoth)), advance_to(Phase::Verifying));
  EXPECT_EQ(plan_now(Phase::Verifying, loaded(Published::PendingOfBoth)), wait_for(waits::soak, test_now + hours(24)));
  EXPECT_EQ(plan_now(Phase::Verifying, loaded(Published::PendingOfBoth), hours(24)), advance_to(Phase::Retiring));
}

TEST(PlanOfASharedKey, StepsBackToThePublicationThatIsNoLongerTrue) {
  Observation seen = loaded(Published::PendingOfBoth);
  seen.vaults[1].latest = Published::OldOfBoth;
  EXPECT_EQ(plan_now(Phase::Rolling, seen), advance_to(Phase::Publishing));
  EXPECT_EQ(plan_now(Phase::Verifying, seen, hours(24)), advance_to(Phase::Publishing));
}

TEST(PlanOfASharedKey, GoesStraightToTheOldDocumentWhileNobodySendsTheNewKey) {
  Observation reverted = published(Published::OldOfBoth);
  reverted.go_back = true;
  EXPECT_EQ(plan_now(Phase::Switching, reverted), advance_to(Phase::Withdrawing, reason::revision_changed));
  for (const Phase phase : {Phase::Publishing, Phase::Rolling, Phase::Verifying}) {
    EXPECT_EQ(plan_now(phase, reverted), advance_to(Phase::RollingBack, reason::revision_changed));
  }
  Observation ill = published(Published::OldOfBoth);
  ill.consumers[0] = {.state = ConsumerState::Unhealthy, .begun = true};
  EXPECT_EQ(plan_now(Phase::Switching, ill), advance_to(Phase::Withdrawing, reason::consumer_unhealthy));
}

TEST(PlanOfASharedKey, TurnsBackWhenTheAcceptanceIsLate) {
  const RunSpec run = shared();
  EXPECT_EQ(plan_now(Phase::Switching, published(Published::OldOfBoth), run.progress_deadline),
            act(Action::Converge, 0, Credential::OldOfBoth));
  EXPECT_EQ(plan_now(Phase::Switching, published(Published::OldOfBoth), run.progress_deadline + Duration{1}),
            advance_to(Phase::Withdrawing, reason::progress_deadline_exceeded));
  EXPECT_EQ(plan_now(Phase::Switching, loaded(Published::OldOfBoth), run.progress_deadline + Duration{1}), advance_to(Phase::Publishing));
}

TEST(PlanOfASharedKey, WaitsForQuietBeforeTheOldDocumentIsTheOnlyOne) {
  Observation seen = loaded(Published::OldOfBoth);
  seen.quiet = false;
  EXPECT_EQ(plan_now(Phase::Withdrawing, seen), wait_for(waits::quiet));
  EXPECT_EQ(plan_now(Phase::RollingBack, seen), wait_for(waits::quiet));
  Observation rolled = loaded(Published::PendingOfBoth);
  rolled.quiet = false;
  EXPECT_EQ(plan_now(Phase::Verifying, rolled, hours(24)), wait_for(waits::quiet));
}

TEST(PlanOfASharedKey, NeverReturnsToACompromisedKeyAndDoesNotKeepIt) {
  RunSpec run = shared();
  run.compromised = true;
  Observation reverted = loaded(Published::PendingOfBoth);
  reverted.go_back = true;
  EXPECT_EQ(plan_now(Phase::Verifying, reverted, Duration{0}, run), advance_to(Phase::Retiring));
  Observation ill = published(Published::PendingOfBoth);
  ill.consumers[0] = {.state = ConsumerState::Unhealthy, .begun = true};
  EXPECT_EQ(plan_now(Phase::Rolling, ill, Duration{0}, run), blocked_by(reason::consumer_unhealthy));
}

TEST(PlanOfASharedKey, BlocksOnAForeignDocument) {
  for (const Phase phase : {Phase::Switching, Phase::Publishing, Phase::Rolling, Phase::Retiring, Phase::RollingBack, Phase::Withdrawing}) {
    Observation seen = loaded(Published::Old);
    seen.vaults[0].latest = Published::Foreign;
    EXPECT_EQ(plan_now(phase, seen), blocked_by(reason::foreign_publish));
  }
}

TEST(PlanOfASharedKey, ParksASuspendedRunBetweenAnyTwoDocuments) {
  Observation seen = loaded(Published::OldOfBoth);
  seen.suspended = true;
  for (const Phase phase : {Phase::Switching, Phase::Publishing, Phase::Rolling, Phase::Verifying}) {
    EXPECT_EQ(plan_now(phase, seen), wait_for(waits::suspended));
  }
  EXPECT_EQ(plan_now(Phase::Retiring, seen), act(Action::Publish, 0, Credential::Pending));
}

TEST(PlanOfASharedKey, CompletesTheRunOfADeletedObject) {
  Observation seen = published(Published::OldOfBoth);
  seen.deleted = true;
  EXPECT_EQ(plan_now(Phase::Switching, seen), act(Action::Converge, 0, Credential::OldOfBoth));
}

// ---- services that hold one key ----------------------------------------------------------------------------------------------

TEST(PlanOfAWindow, PublishesAndMovesAllAtOnce) {
  const RunSpec run = run_of(Protocol::Single);
  EXPECT_EQ(plan_now(Phase::Switching, published(Published::Old), Duration{0}, run), advance_to(Phase::Publishing));
  EXPECT_EQ(plan_now(Phase::Publishing, published(Published::Old), Duration{0}, run), act(Action::Publish, 0, Credential::Pending));
  Observation seen = published(Published::Pending);
  seen.consumers[0] = {.state = ConsumerState::Moving, .begun = true};
  EXPECT_EQ(plan_now(Phase::Rolling, seen, Duration{0}, run), act(Action::Converge, 1, Credential::Pending));
  EXPECT_EQ(plan_now(Phase::Verifying, loaded(Published::Pending), Duration{0}, run), advance_to(Phase::Succeeded));
}

// ---- the first credential ----------------------------------------------------------------------------------------------------

RunSpec first() {
  RunSpec run = run_of(Protocol::Single);
  run.bootstrap = true;
  return run;
}

TEST(PlanOfAFirstCredential, AsksForNoBaselineOfWhatIsNotThere) {
  Observation seen = untouched_world();
  for (DependentObservation& dependent : seen.dependents) dependent.old = ProbeResult::Unknown;
  seen.consumers[0].healthy_baseline = false;
  EXPECT_EQ(plan_now(Phase::Admitted, seen, Duration{0}, first()), advance_to(Phase::Staging));
  seen.consumers[0].refusal = reason::inline_secrets_present;
  EXPECT_EQ(plan_now(Phase::Admitted, seen, Duration{0}, first()), blocked_by(reason::inline_secrets_present));
  seen.vaults[1].latest = Published::Foreign;
  EXPECT_EQ(plan_now(Phase::Admitted, seen, Duration{0}, first()), blocked_by(reason::foreign_publish));
}

TEST(PlanOfAFirstCredential, HasNoDeadlineAndNoWayBack) {
  Observation seen = untouched_world();
  EXPECT_EQ(plan_now(Phase::Switching, seen, hours(99), first()), act(Action::Install, 0, Credential::Pending));
  EXPECT_EQ(plan_now(Phase::Publishing, switched_world(), hours(99), first()), act(Action::Publish, 0, Credential::Pending));
  EXPECT_EQ(plan_now(Phase::Rolling, published_world(), hours(99), first()), act(Action::Converge, 0, Credential::Pending));
  Observation ill = published_world();
  ill.consumers[0] = {.state = ConsumerState::Unhealthy, .begun = true};
  EXPECT_EQ(plan_now(Phase::Rolling, ill, Duration{0}, first()), blocked_by(reason::consumer_unhealthy));
}

TEST(PlanOfAFirstCredential, IsLetGoWhileItIsAcceptedNowhereAndNothingCanLand) {
  for (bool Observation::* unwanted : {&Observation::deleted, &Observation::superseded}) {
    Observation seen = untouched_world();
    seen.*unwanted = true;
    EXPECT_EQ(plan_now(Phase::Switching, seen, Duration{0}, first()), advance_to(Phase::Abandoned));
    Observation travelling = seen;
    travelling.quiet = false;
    EXPECT_EQ(plan_now(Phase::Switching, travelling, Duration{0}, first()), act(Action::Install, 0, Credential::Pending));
    seen.dependents[0].pending = ProbeResult::Accepted;
    EXPECT_EQ(plan_now(Phase::Switching, seen, Duration{0}, first()), act(Action::Install, 1, Credential::Pending));
  }
}

}  // namespace
}  // namespace keyturn
