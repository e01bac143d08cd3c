#include "reconcilers/rotation/status.h"

#include <gtest/gtest.h>

#include "api/reasons.h"
#include "tests/unit/reconcilers/rotation/sound_world.h"
#include "tests/unit/reconcilers/rotation/test_runs.h"

namespace keyturn {
namespace {

using api::CredentialState;
using api::Phase;
using api::Tristate;
namespace reason = api::reason;

const Instant now = epoch_of_tests + std::chrono::days(30);
const Instant later = now + std::chrono::minutes(5);

LedgerEntry entry(const char* revision, int serial, CredentialState state, int day = 1) {
  const Instant at = epoch_of_tests + std::chrono::days(day);
  return {.name = {revision, serial}, .version = {"v"}, .state = state, .issued_at = at, .proven_at = at};
}

// A pass whose parts a test sets; the knowledge points into it.
struct Situation {
  api::SecretRotation object = test_rotation();
  Ledger ledger{.entries = {entry("a", 1, CredentialState::Current)}};
  Decision decision{.verb = Verb::Keep, .credential = {"a", 1}};
  std::optional<api::RotationRun> run;
  std::optional<Plan> next;
  std::optional<Observation> seen;
  std::string_view refusal;
  std::optional<std::string> drift;
  Gate held;

  api::SecretRotationStatus status(Instant at = now) const {
    return project({.object = &object,
                    .ledger = &ledger,
                    .decision = &decision,
                    .run = run ? &*run : nullptr,
                    .next = next ? &*next : nullptr,
                    .seen = seen ? &*seen : nullptr,
                    .refusal = refusal,
                    .held = held,
                    .drift = drift},
                   at);
  }
};

const Tristate absent = static_cast<Tristate>(9);
Tristate status_of(const api::SecretRotationStatus& status, std::string_view type) {
  const api::Condition* found = api::find_condition(status.conditions, type);
  return found ? found->status : absent;
}
std::string reason_of(const api::SecretRotationStatus& status, std::string_view type) {
  const api::Condition* found = api::find_condition(status.conditions, type);
  return found ? found->reason : std::string{};
}

Situation rotating(Phase phase, CredentialName credential = {"b", 1}) {
  Situation situation;
  situation.object.spec.revision = credential.revision;
  situation.run = test_run(2, credential, phase);
  situation.run->spec.old_credential = {"a", 1};
  situation.decision = {.verb = Verb::Activate, .credential = credential, .reason = reason::revision_changed};
  situation.next = Plan{};
  situation.seen = untouched_world();
  return situation;
}

// ---- the table of conditions -------------------------------------------------------------------------------------------------

TEST(Conditions, OfASteadyStateAreReadyAlone) {
  const api::SecretRotationStatus status = Situation{}.status();
  EXPECT_EQ(status_of(status, "Ready"), Tristate::True);
  EXPECT_EQ(reason_of(status, "Ready"), reason::current_verified);
  EXPECT_EQ(status_of(status, "Reconciling"), absent);
  EXPECT_EQ(status_of(status, "Stalled"), absent);
  EXPECT_EQ(status_of(status, "Rotating"), absent);
  EXPECT_EQ(status.observed_generation, 1);
}

TEST(Conditions, OfARevisionThatIsRolledOutSayThatItIsNotYetReached) {
  const api::SecretRotationStatus status = rotating(Phase::Rolling).status();
  EXPECT_EQ(status_of(status, "Ready"), Tristate::False);
  EXPECT_EQ(reason_of(status, "Ready"), reason::rotating);
  EXPECT_EQ(status_of(status, "Reconciling"), Tristate::True);
  EXPECT_EQ(reason_of(status, "Reconciling"), reason::revision_changed);
  EXPECT_EQ(status_of(status, "Rotating"), Tristate::True);
}

TEST(Conditions, OfARunWhoseConsumersAreProvenAreReadyAgain) {
  for (const Phase phase : {Phase::Verifying, Phase::Retiring}) {
    Situation situation = rotating(phase);
    situation.ledger.entries = {entry("a", 1, CredentialState::Previous), entry("b", 1, CredentialState::Current, 2)};
    const api::SecretRotationStatus status = situation.status();
    EXPECT_EQ(status_of(status, "Ready"), Tristate::True);
    EXPECT_EQ(status_of(status, "Reconciling"), absent);
    EXPECT_EQ(status_of(status, "Rotating"), Tristate::True);
  }
}

TEST(Conditions, OfAScheduledRotationStayReady) {
  const api::SecretRotationStatus status = rotating(Phase::Rolling, {"a", 2}).status();
  EXPECT_EQ(status_of(status, "Ready"), Tristate::True);
  EXPECT_EQ(status_of(status, "Reconciling"), absent);
  EXPECT_EQ(status_of(status, "Rotating"), Tristate::True);
}

TEST(Conditions, OfARunGoingBackSaySo) {
  const api::SecretRotationStatus status = rotating(Phase::RollingBack).status();
  EXPECT_EQ(reason_of(status, "Ready"), reason::rolling_back);
  EXPECT_EQ(reason_of(status, "Reconciling"), reason::rolling_back);
}

TEST(Conditions, AfterARollbackSayWhatIsInUse) {
  Situation situation;
  situation.object.spec.revision = "b";
  situation.decision = {.verb = Verb::Hold, .reason = reason::rolled_back, .due = later};
  const api::SecretRotationStatus status = situation.status();
  EXPECT_EQ(status_of(status, "Ready"), Tristate::False);
  EXPECT_EQ(reason_of(status, "Ready"), reason::rolled_back);
  EXPECT_EQ(status_of(status, "Stalled"), absent);
}

TEST(Conditions, AreNeverReconcilingAndStalledAtOnce) {
  for (int way = 0; way < 3; ++way) {
    Situation situation = rotating(Phase::Publishing);
    if (way == 0) situation.next = Plan{.action = Action::Block, .reason = reason::foreign_publish};
    if (way == 1) situation.refusal = reason::foreign_publish;
    if (way == 2) situation.decision = {.verb = Verb::Refuse, .reason = reason::foreign_publish};
    const api::SecretRotationStatus status = situation.status();
    EXPECT_EQ(status_of(status, "Ready"), Tristate::False);
    EXPECT_EQ(status_of(status, "Stalled"), Tristate::True);
    EXPECT_EQ(reason_of(status, "Stalled"), reason::foreign_publish);
    EXPECT_EQ(status_of(status, "Reconciling"), absent);
  }
}

TEST(Conditions, OfARevisionThatIsGoneNameThoseThatCanBeReached) {
  Situation situation;
  situation.decision = {.verb = Verb::Refuse, .reason = reason::revision_not_retained};
  situation.ledger.entries.push_back(entry("b", 1, CredentialState::Retired));
  situation.ledger.entries.push_back(entry("c", 1, CredentialState::Revoked));
  const api::SecretRotationStatus status = situation.status();
  const api::Condition* stalled = api::find_condition(status.conditions, "Stalled");
  ASSERT_NE(stalled, nullptr);
  EXPECT_NE(stalled->message.find("reached: a, b."), std::string::npos) << stalled->message;
}

TEST(Conditions, OfDriftAreNotReady) {
  Situation situation;
  situation.drift = "the published credential is no longer accepted by erp-db";
  const api::SecretRotationStatus drifted = situation.status();
  EXPECT_EQ(reason_of(drifted, "Ready"), reason::verification_lost);
  EXPECT_EQ(status_of(drifted, "Drifted"), Tristate::True);
  situation.drift = "";
  EXPECT_EQ(status_of(situation.status(), "Drifted"), Tristate::False);
}

TEST(Conditions, OfDriftAreKeptWhenAPassDidNotLook) {
  Situation situation;
  situation.drift = "gone";
  situation.object.status = situation.status();
  situation.drift.reset();
  EXPECT_EQ(status_of(situation.status(later), "Drifted"), Tristate::True);
}

TEST(Conditions, OfASuspendedObjectStayAsTheyWere) {
  Situation situation;
  situation.object.spec.suspend = true;
  situation.decision = {.verb = Verb::Hold, .reason = reason::suspended};
  const api::SecretRotationStatus status = situation.status();
  EXPECT_EQ(status_of(status, "Ready"), Tristate::True);
  EXPECT_EQ(status_of(status, "Suspended"), Tristate::True);
}

TEST(Conditions, TellOfAPinAndOfAMissedWindow) {
  Situation situation;
  situation.object.spec.pin_serial = 1;
  EXPECT_EQ(status_of(situation.status(), "Pinned"), Tristate::True);
  situation.decision.reason = reason::outside_window;
  EXPECT_EQ(reason_of(situation.status(), "RotationOverdue"), reason::outside_window);
}

TEST(Conditions, OfARevisionThatMayNotStartYetSayWhyAndUntilWhen) {
  Situation situation;
  situation.object.spec.revision = "b";
  situation.decision = {.verb = Verb::Mint, .credential = {"b", 1}, .reason = reason::revision_changed, .due = later};
  situation.held = {reason::not_promoted, later, "b starts here later"};
  const api::SecretRotationStatus status = situation.status();
  EXPECT_EQ(status_of(status, "Ready"), Tristate::False);
  EXPECT_EQ(reason_of(status, "Ready"), reason::not_promoted);
  EXPECT_EQ(reason_of(status, "Reconciling"), reason::not_promoted);
  EXPECT_EQ(api::find_condition(status.conditions, "Ready")->message, "a.1 is in use; b may not start yet: b starts here later");
  EXPECT_EQ(status_of(status, "Stalled"), absent) << "it goes on by itself";
  EXPECT_EQ(status.next_rotation, later);
}

TEST(Conditions, OfAScheduledSerialThatMayNotStartYetStayReadyAndOverdue) {
  Situation situation;
  situation.decision = {.verb = Verb::Mint, .credential = {"a", 2}, .reason = reason::scheduled, .due = later};
  situation.held = {reason::frozen, later, "the environment is frozen"};
  const api::SecretRotationStatus status = situation.status();
  EXPECT_EQ(reason_of(status, "Ready"), reason::current_verified);
  EXPECT_EQ(status_of(status, "Ready"), Tristate::True);
  EXPECT_EQ(reason_of(status, "RotationOverdue"), reason::frozen);
  EXPECT_EQ(status_of(status, "Reconciling"), absent);
  EXPECT_EQ(status.next_rotation, later);
}

TEST(Conditions, OfAScheduleThatBacksOffAreReadyAndOverdue) {
  Situation situation;
  situation.decision = {.verb = Verb::Keep, .credential = {"a", 1}, .reason = reason::rolled_back, .due = later};
  EXPECT_EQ(status_of(situation.status(), "Ready"), Tristate::True);
  EXPECT_EQ(reason_of(situation.status(), "RotationOverdue"), reason::rolled_back);
}

TEST(Conditions, OfAParkedRunTellWhoseWishItIs) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {waits::frozen, reason::frozen}, {waits::suspended, reason::suspended}, {waits::restart_budget, reason::restart_budget}};
  for (const auto& [wait, why] : rows) {
    Situation situation = rotating(Phase::Publishing);
    situation.next = Plan{.action = Action::Wait, .reason = wait, .look_at = later};
    const api::SecretRotationStatus status = situation.status();
    EXPECT_EQ(reason_of(status, "Ready"), why);
    EXPECT_EQ(reason_of(status, "Rotating"), why);
    EXPECT_EQ(api::find_condition(status.conditions, "Rotating")->message,
              "rolling out b.1: Publishing, parked: " + std::string(why) + " until " + format_seconds(later));
    EXPECT_EQ(status_of(status, "Suspended"), absent) << "only the spec suspends";
  }
}

TEST(Conditions, OfAnObjectOfWhichNothingIsKnownAreUnknown) {
  Situation situation;
  situation.ledger.entries.clear();
  situation.decision = {.verb = Verb::Mint, .credential = {"a", 1}};
  EXPECT_EQ(status_of(situation.status(), "Ready"), Tristate::Unknown);
  EXPECT_EQ(reason_of(situation.status(), "Ready"), reason::not_yet_issued);
}

TEST(Conditions, MoveTheirTimeOnlyWithTheirStatus) {
  Situation situation;
  situation.object.status = situation.status(now);
  situation.decision = {.verb = Verb::Keep, .credential = {"a", 1}, .reason = reason::outside_window};
  const api::SecretRotationStatus same = situation.status(later);
  EXPECT_EQ(api::find_condition(same.conditions, "Ready")->last_transition, now);
  EXPECT_EQ(api::find_condition(same.conditions, "RotationOverdue")->last_transition, later);
  situation.refusal = reason::not_bound;
  EXPECT_EQ(api::find_condition(situation.status(later).conditions, "Ready")->last_transition, later);
}

TEST(Conditions, CarryTheGenerationThatWasSeen) {
  Situation situation;
  situation.object.meta.generation = 7;
  const api::SecretRotationStatus status = situation.status();
  EXPECT_EQ(status.observed_generation, 7);
  for (const api::Condition& condition : status.conditions) EXPECT_EQ(condition.observed_generation, 7) << condition.type;
}

// ---- the rest ----------------------------------------------------------------------------------------------------------------

TEST(Status, IsTheSameWhenNothingChangedHoweverMuchLater) {
  std::vector<Situation> situations{Situation{}, rotating(Phase::Staging), rotating(Phase::Rolling), rotating(Phase::RollingBack)};
  situations.push_back(rotating(Phase::Verifying, {"a", 2}));
  Situation drifted;
  drifted.drift = "gone";
  situations.push_back(drifted);
  for (Situation& situation : situations) {
    const api::SecretRotationStatus first = situation.status(now);
    situation.object.status = first;
    EXPECT_EQ(situation.status(later), first);
  }
}

TEST(Status, NamesTheCandidateAndItsRunWhileItIsUnderWay) {
  Situation situation = rotating(Phase::Rolling);
  const api::SecretRotationStatus under_way = situation.status();
  ASSERT_TRUE(under_way.candidate);
  EXPECT_EQ(under_way.candidate->name.to_string(), "b.1");
  EXPECT_EQ(under_way.candidate->step, "Rolling");
  EXPECT_EQ(under_way.run, "run-2");
  situation.object.status = under_way;
  situation.run->status.phase = Phase::Succeeded;
  EXPECT_FALSE(situation.status().candidate);
  EXPECT_TRUE(situation.status().run.empty());
}

TEST(Status, KeepsTheNewestOfTheHistory) {
  Situation situation;
  situation.object.spec.history_keep = 2;
  situation.ledger.entries = {entry("a", 1, CredentialState::Retired, 1), entry("b", 1, CredentialState::Previous, 2),
                              entry("c", 1, CredentialState::Current, 3)};
  const api::SecretRotationStatus status = situation.status();
  ASSERT_EQ(status.history.size(), 2U);
  EXPECT_EQ(status.history[0].name.to_string(), "c.1");
  EXPECT_EQ(status.history[1].name.to_string(), "b.1");
  EXPECT_EQ(status.current->name.to_string(), "c.1");
  EXPECT_EQ(status.previous->name.to_string(), "b.1");
}

TEST(Status, TellsWhichCredentialEachConsumerUses) {
  Situation situation = rotating(Phase::Rolling);
  situation.seen->consumers[0] = {.state = ConsumerState::Proven, .begun = true};
  const api::SecretRotationStatus status = situation.status();
  ASSERT_EQ(status.consumers.size(), 2U);
  EXPECT_EQ(status.consumers[0].name, "portal");
  EXPECT_EQ(status.consumers[0].using_credential, "b.1");
  EXPECT_EQ(status.consumers[0].state, "Verified");
  EXPECT_EQ(status.consumers[1].using_credential, "a.1");
  EXPECT_EQ(status.consumers[1].state, "Pending");
}

TEST(Status, TellsWhatADependentWasLastSeenToAccept) {
  Situation situation = rotating(Phase::Switching);
  situation.seen = switched_world();
  const api::SecretRotationStatus first = situation.status(now);
  ASSERT_EQ(first.dependents.size(), 1U) << "as many as the spec names";
  EXPECT_EQ(first.dependents[0].accepts, (std::vector<std::string>{"b.1", "a.1"}));
  EXPECT_EQ(first.dependents[0].verified_at, now);
  situation.object.status = first;
  EXPECT_EQ(situation.status(later).dependents[0].verified_at, now) << "the time moves with the facts only";
  situation.seen->dependents[0].old = ProbeResult::Rejected;
  EXPECT_EQ(situation.status(later).dependents[0].verified_at, later);
}

TEST(Status, TellsWhenTheScheduleRotatesNextAndTheFloor) {
  Situation situation;
  situation.decision.due = later;
  situation.ledger.floor = epoch_of_tests;
  const api::SecretRotationStatus status = situation.status();
  EXPECT_EQ(status.next_rotation, later);
  EXPECT_EQ(status.issued_not_before, epoch_of_tests);
}

TEST(Status, EchoesTheRequestToLookAgain) {
  Situation situation;
  situation.object.meta.annotations[std::string(api::requested_at_annotation)] = "2027-01-15T12:00:00Z";
  EXPECT_EQ(situation.status().last_handled_reconcile_at, "2027-01-15T12:00:00Z");
}

}  // namespace
}  // namespace keyturn
