#include "reconcilers/rotation/intent.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "api/reasons.h"
#include "tests/support/seeded_random.h"

namespace keyturn {

inline void PrintTo(Verb verb, std::ostream* out) { *out << name_of(verb); }

namespace {

using api::CredentialState;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
namespace reason = api::reason;

Instant at(const char* text) { return parse_rfc3339(text).value(); }

const Instant now = at("2027-01-15T12:00:00Z");
constexpr Duration quarter = hours(2'160);

LedgerEntry entry(const char* revision, int serial, CredentialState state, Instant issued = now - days(1)) {
  return {.name = {revision, serial},
          .version = {std::string("v-") + revision + std::to_string(serial)},
          .state = state,
          .issued_at = issued,
          .proven_at = issued};
}
api::SecretRotationSpec wants(const char* revision) {
  api::SecretRotationSpec spec;
  spec.revision = revision;
  return spec;
}
Ledger ledger_with(std::vector<LedgerEntry> entries) { return {.entries = std::move(entries)}; }
Decision decide_now(const api::SecretRotationSpec& spec, const Ledger& ledger) { return decide(spec, ledger, now, UtcOnly()); }

void expect(const Decision& decision, Verb verb, const char* revision, int serial) {
  EXPECT_EQ(decision.verb, verb) << decision.reason;
  EXPECT_EQ(decision.credential.to_string(), CredentialName(revision, serial).to_string());
}
void expect_refusal(const Decision& decision, std::string_view why) {
  EXPECT_EQ(decision.verb, Verb::Refuse);
  EXPECT_EQ(decision.reason, why);
  EXPECT_TRUE(decision.credential.empty());
}

// ---- what Git operations do ---------------------------------------------------------------------------------------------------

TEST(GitHistory, ANewNameMintsItsFirstSerial) {
  const Decision decision = decide_now(wants("inc-4711"), ledger_with({entry("2026-q4", 3, CredentialState::Current)}));
  expect(decision, Verb::Mint, "inc-4711", 1);
  EXPECT_EQ(decision.reason, reason::revision_changed);
}

TEST(GitHistory, ARevertBringsBackTheNewestUsableSerialOfTheOldName) {
  const Ledger ledger = ledger_with({entry("2026-q4", 1, CredentialState::Retired), entry("2026-q4", 2, CredentialState::Previous),
                                     entry("2026-q4", 3, CredentialState::Rejected), entry("inc-4711", 1, CredentialState::Current)});
  expect(decide_now(wants("2026-q4"), ledger), Verb::Activate, "2026-q4", 2);
}

TEST(GitHistory, ARevertOfTheRevertMintsNothing) {
  const Ledger ledger = ledger_with({entry("2026-q4", 1, CredentialState::Current), entry("inc-4711", 1, CredentialState::Retired)});
  expect(decide_now(wants("inc-4711"), ledger), Verb::Activate, "inc-4711", 1);
}

TEST(GitHistory, ARevertToANameThatIsNotRetainedIsRefused) {
  LedgerEntry trimmed = entry("2026-q4", 1, CredentialState::Retired);
  trimmed.retained = false;
  expect_refusal(decide_now(wants("2026-q4"), ledger_with({trimmed, entry("inc-4711", 1, CredentialState::Current)})),
                 reason::revision_not_retained);
}

TEST(GitHistory, ARevertToARevokedCredentialIsRefused) {
  expect_refusal(decide_now(wants("2026-q4"),
                            ledger_with({entry("2026-q4", 1, CredentialState::Revoked), entry("inc-4711", 1, CredentialState::Current)})),
                 reason::revision_revoked);
}

TEST(GitHistory, ARevertToANameBelowTheFloorIsRefused) {
  Ledger ledger =
      ledger_with({entry("2026-q4", 1, CredentialState::Retired, now - days(30)), entry("inc-4711", 1, CredentialState::Current)});
  ledger.floor = now - days(20);
  expect_refusal(decide_now(wants("2026-q4"), ledger), reason::revision_revoked);
}

TEST(GitHistory, RaisingTheFloorAloneMintsTheNextSerialAtOnceWhateverTheWindows) {
  api::SecretRotationSpec spec = wants("2026-q4");
  spec.issued_not_before = now;
  spec.schedule = api::Schedule{.every = quarter, .windows = {{.start = "02:00", .duration = hours(1)}}};
  const Decision decision = decide_now(spec, ledger_with({entry("2026-q4", 2, CredentialState::Current)}));
  expect(decision, Verb::Mint, "2026-q4", 3);
  EXPECT_EQ(decision.reason, reason::floor_raised);
  EXPECT_TRUE(decision.urgent);
}

TEST(GitHistory, RevertingTheFloorChangesNothing) {
  Ledger ledger =
      ledger_with({entry("2026-q4", 1, CredentialState::Revoked, now - days(9)), entry("2026-q4", 2, CredentialState::Current)});
  ledger.floor = now - days(5);
  expect(decide_now(wants("2026-q4"), ledger), Verb::Keep, "2026-q4", 2);
  api::SecretRotationSpec lowered = wants("2026-q4");
  lowered.issued_not_before = now - days(40);
  expect(decide_now(lowered, ledger), Verb::Keep, "2026-q4", 2);
}

TEST(GitHistory, TheHigherOfTwoFloorsHolds) {
  api::SecretRotationSpec spec = wants("2026-q4");
  spec.issued_not_before = now;
  Ledger ledger = ledger_with({entry("2026-q4", 1, CredentialState::Current)});
  ledger.floor = now - days(40);
  expect(decide_now(spec, ledger), Verb::Mint, "2026-q4", 2);
}

TEST(GitHistory, ACredentialIssuedAtTheFloorIsGoodEnough) {
  api::SecretRotationSpec spec = wants("2026-q4");
  spec.issued_not_before = now - days(1);
  expect(decide_now(spec, ledger_with({entry("2026-q4", 1, CredentialState::Current)})), Verb::Keep, "2026-q4", 1);
}

TEST(GitHistory, TheSameCommitTwiceKeepsWhatThereIs) {
  const Ledger ledger = ledger_with({entry("2026-q4", 1, CredentialState::Current)});
  expect(decide_now(wants("2026-q4"), ledger), Verb::Keep, "2026-q4", 1);
  expect(decide_now(wants("2026-q4"), ledger), Verb::Keep, "2026-q4", 1);
}

TEST(GitHistory, AScheduledSerialThatWasRejectedLeavesTheOneBeforeItInForce) {
  const Ledger ledger = ledger_with({entry("a", 2, CredentialState::Current), entry("a", 3, CredentialState::Rejected)});
  expect(decide_now(wants("a"), ledger), Verb::Keep, "a", 2);
}

TEST(GitHistory, AnEmptyLedgerMintsTheFirstSerial) { expect(decide_now(wants("a"), {}), Verb::Mint, "a", 1); }

TEST(GitHistory, ACandidateUnderWayIsStillWhatIsWanted) {
  const Ledger ledger = ledger_with({entry("a", 1, CredentialState::Current), entry("b", 1, CredentialState::Candidate)});
  expect(decide_now(wants("b"), ledger), Verb::Activate, "b", 1);
}

TEST(GitHistory, ANewNameWaitsForNoWindow) {
  api::SecretRotationSpec spec = wants("b");
  spec.schedule = api::Schedule{.every = quarter, .windows = {{.start = "02:00", .duration = hours(1)}}};
  expect(decide_now(spec, ledger_with({entry("a", 1, CredentialState::Current)})), Verb::Mint, "b", 1);
}

TEST(GitHistory, LoweringOrRemovingTheFloorLaterIsAcceptedAndIgnored) {
  Ledger ledger = ledger_with({entry("a", 1, CredentialState::Retired, now - days(30)), entry("b", 1, CredentialState::Current)});
  ledger.floor = now - days(20);
  for (const std::optional<Instant> lowered : {std::optional(now - days(60)), std::optional<Instant>()}) {
    api::SecretRotationSpec spec = wants("a");
    spec.issued_not_before = lowered;
    expect_refusal(decide_now(spec, ledger), reason::revision_revoked);
    spec.revision = "b";
    expect(decide_now(spec, ledger), Verb::Keep, "b", 1);
  }
}

TEST(GitHistory, TheNameOfACredentialThatTheRunTookBackByHandIsStillThere) {
  const Ledger ledger = ledger_with({entry("a", 1, CredentialState::Current), entry("b", 1, CredentialState::Retired)});
  expect(decide_now(wants("b"), ledger), Verb::Activate, "b", 1);
}

// ---- pins and suspension ------------------------------------------------------------------------------------------------------

api::SecretRotationSpec pinned(const char* revision, int serial) {
  api::SecretRotationSpec spec = wants(revision);
  spec.pin_serial = serial;
  return spec;
}

TEST(Pin, BringsItsSerialBack) {
  const Ledger ledger = ledger_with({entry("a", 2, CredentialState::Retired), entry("a", 3, CredentialState::Current)});
  const Decision decision = decide_now(pinned("a", 2), ledger);
  expect(decision, Verb::Activate, "a", 2);
  EXPECT_EQ(decision.reason, reason::pin_changed);
}

TEST(Pin, KeepsItsSerialWhateverTheSchedule) {
  api::SecretRotationSpec spec = pinned("a", 2);
  spec.schedule = api::Schedule{.every = hours(1)};
  const Decision decision = decide_now(spec, ledger_with({entry("a", 2, CredentialState::Current, now - days(400))}));
  expect(decision, Verb::Keep, "a", 2);
  EXPECT_FALSE(decision.due);
}

TEST(Pin, MayBringBackWhatARunRejected) {
  const Ledger ledger = ledger_with({entry("a", 2, CredentialState::Current), entry("a", 3, CredentialState::Rejected)});
  expect(decide_now(pinned("a", 3), ledger), Verb::Activate, "a", 3);
}

TEST(Pin, ToASerialThatIsNotThereIsRefused) {
  expect_refusal(decide_now(pinned("a", 9), ledger_with({entry("a", 2, CredentialState::Current)})), reason::pinned_serial_not_found);
  LedgerEntry trimmed = entry("a", 1, CredentialState::Retired);
  trimmed.retained = false;
  expect_refusal(decide_now(pinned("a", 1), ledger_with({trimmed})), reason::pinned_serial_not_found);
}

TEST(Pin, ToARevokedSerialIsRefused) {
  expect_refusal(decide_now(pinned("a", 1), ledger_with({entry("a", 1, CredentialState::Revoked)})), reason::pinned_serial_revoked);
}

TEST(Pin, ToASerialBelowTheFloorIsRefused) {
  Ledger ledger = ledger_with({entry("a", 1, CredentialState::Retired, now - days(9))});
  ledger.floor = now - days(8);
  expect_refusal(decide_now(pinned("a", 1), ledger), reason::pinned_serial_revoked);
}

TEST(Pin, TakenAwayDoesNotBringTheNewerSerialsBack) {
  api::SecretRotationSpec spec = wants("a");
  spec.schedule = api::Schedule{.every = quarter};
  Ledger ledger = ledger_with({entry("a", 2, CredentialState::Current), entry("a", 3, CredentialState::Rejected)});
  const Decision kept = decide_now(spec, ledger);
  expect(kept, Verb::Keep, "a", 2);
  ledger.entries.front().issued_at = ledger.entries.front().proven_at = now - quarter;
  expect(decide_now(spec, ledger), Verb::Mint, "a", 4);
}

TEST(Pin, OfAnotherNameIsLookedForUnderThatName) {
  const Ledger ledger = ledger_with({entry("a", 2, CredentialState::Retired), entry("b", 1, CredentialState::Current)});
  expect(decide_now(pinned("a", 2), ledger), Verb::Activate, "a", 2);
  expect_refusal(decide_now(pinned("a", 1), ledger), reason::pinned_serial_not_found);
}

TEST(Suspension, HoldsEverything) {
  api::SecretRotationSpec spec = pinned("b", 1);
  spec.suspend = true;
  spec.issued_not_before = now;
  const Decision decision = decide_now(spec, ledger_with({entry("a", 1, CredentialState::Current)}));
  EXPECT_EQ(decision.verb, Verb::Hold);
  EXPECT_EQ(decision.reason, reason::suspended);
}

// ---- failed attempts ----------------------------------------------------------------------------------------------------------

Ledger failed(int attempts, Duration ago) {
  Ledger ledger = ledger_with({entry("a", 1, CredentialState::Current)});
  for (int serial = 1; serial <= attempts; ++serial) ledger.entries.push_back(entry("b", serial, CredentialState::Rejected));
  ledger.attempts = attempts;
  ledger.last_failure = now - ago;
  return ledger;
}

TEST(FailedAttempts, BackOffTwiceAsLongEachTime) {
  Duration expected = attempt_backoff_min;
  for (int attempts = 1; attempts < attempts_max; ++attempts, expected *= 2) {
    const Decision held = decide_now(wants("b"), failed(attempts, expected - Duration{1}));
    EXPECT_EQ(held.verb, Verb::Hold) << attempts;
    EXPECT_EQ(held.reason, reason::rolled_back);
    EXPECT_EQ(held.due, now + Duration{1});
    expect(decide_now(wants("b"), failed(attempts, expected)), Verb::Mint, "b", attempts + 1);
  }
}

TEST(FailedAttempts, AreNotRepeatedForEver) {
  expect_refusal(decide_now(wants("b"), failed(attempts_max, days(30))), reason::attempts_exhausted);
}

TEST(FailedAttempts, DoNotStandInTheWayOfAnotherName) {
  expect(decide_now(wants("c"), failed(attempts_max, days(30))), Verb::Mint, "c", 1);
}

TEST(FailedAttempts, DoNotStandInTheWayBack) {
  Ledger ledger = failed(attempts_max, minutes(1));
  ledger.entries.push_back(entry("c", 1, CredentialState::Retired));
  ledger.entries.push_back(entry("b", 9, CredentialState::Retired));
  expect(decide_now(wants("c"), ledger), Verb::Activate, "c", 1);
  expect(decide_now(wants("b"), ledger), Verb::Activate, "b", 9);
}

TEST(FailedAttempts, DoNotStandInTheWayOfAPin) {
  expect(decide_now(pinned("b", 2), failed(attempts_max, minutes(1))), Verb::Activate, "b", 2);
}

TEST(FailedReturns, WaitBeforeTheNextTryAndAreNeverGivenUp) {
  for (const int count : {1, 2, 3, 50}) {
    const Duration wait = std::min(attempt_backoff_min * (1 << std::min(count - 1, 5)), return_backoff_max);
    Ledger ledger = ledger_with({entry("a", 1, CredentialState::Retired), entry("b", 1, CredentialState::Current)});
    ledger.entries.front().failed_returns = count;
    ledger.entries.front().last_failed_return = now - wait + Duration{1};
    const Decision held = decide_now(wants("a"), ledger);
    EXPECT_EQ(held.verb, Verb::Hold) << count;
    EXPECT_EQ(held.due, now + Duration{1});
    EXPECT_EQ(decide_now(pinned("a", 1), ledger).verb, Verb::Hold);
    ledger.entries.front().last_failed_return = now - wait;
    expect(decide_now(wants("a"), ledger), Verb::Activate, "a", 1);
  }
}

TEST(FailedAttempts, DoNotHoldUpTheReplacementOfACompromisedCredential) {
  api::SecretRotationSpec spec = wants("b");
  spec.reason = api::Reason::ConfirmedCompromise;
  expect(decide_now(spec, failed(attempts_max, minutes(1))), Verb::Mint, "b", attempts_max + 1);
  Ledger raised = failed(attempts_max, minutes(1));
  raised.floor = now;
  expect(decide_now(wants("a"), raised), Verb::Mint, "a", 2);
}

// ---- the schedule -------------------------------------------------------------------------------------------------------------

api::SecretRotationSpec scheduled(std::vector<api::ScheduleWindow> windows = {}) {
  api::SecretRotationSpec spec = wants("a");
  spec.schedule = api::Schedule{.every = quarter, .windows = std::move(windows)};
  return spec;
}
Ledger issued(Instant when) { return ledger_with({entry("a", 4, CredentialState::Current, when)}); }

TEST(Schedule, MintsTheNextSerialWhenItIsDueAndNotBefore) {
  const Decision early = decide_now(scheduled(), issued(now - quarter + Duration{1}));
  expect(early, Verb::Keep, "a", 4);
  EXPECT_EQ(early.due, now + Duration{1});
  const Decision due = decide_now(scheduled(), issued(now - quarter));
  expect(due, Verb::Mint, "a", 5);
  EXPECT_EQ(due.reason, reason::scheduled);
  EXPECT_FALSE(due.urgent);
}

TEST(Schedule, CountsFromTheLastProvenSuccess) {
  Ledger ledger = issued(now - quarter * 2);
  ledger.entries.front().proven_at = now - hours(1);
  const Decision decision = decide_now(scheduled(), ledger);
  expect(decision, Verb::Keep, "a", 4);
  EXPECT_EQ(decision.due, now - hours(1) + quarter);
}

TEST(Schedule, IsNotMovedByAFailedAttempt) {
  Ledger ledger = issued(now - hours(2));
  const std::optional<Instant> before = decide_now(scheduled(), ledger).due;
  ledger.attempts = 2;
  ledger.last_failure = now;
  EXPECT_EQ(decide_now(scheduled(), ledger).due, before);
}

TEST(Schedule, LeavesACredentialAloneThatWasJustBroughtBack) {
  Ledger ledger = issued(now - quarter * 2);
  ledger.entries.front().reactivated_at = now - minutes(5);
  const Decision decision = decide_now(scheduled(), ledger);
  expect(decision, Verb::Keep, "a", 4);
  EXPECT_EQ(decision.due, now - minutes(5) + hours(24));
}

TEST(Schedule, LooksForAWindowOnlyAfterTheRollbackHold) {
  Ledger ledger = issued(now - quarter * 2);
  ledger.entries.front().reactivated_at = now - minutes(5);
  api::SecretRotationSpec spec = scheduled({{.start = "11:30", .duration = hours(1)}});
  EXPECT_EQ(decide_now(spec, ledger).due, at("2027-01-16T11:55:00Z")) << "24 hours later a window is open";
  spec.strategy.rollback_hold = hours(49);
  EXPECT_EQ(decide_now(spec, ledger).due, at("2027-01-18T11:30:00Z"));
  spec.strategy.rollback_hold = Duration{0};
  expect(decide_now(spec, ledger), Verb::Mint, "a", 5);
}

TEST(Schedule, BacksOffAfterAFailedAttemptAndKeepsWhatIsInUse) {
  Duration expected = attempt_backoff_min;
  for (int attempts = 1; attempts < attempts_max; ++attempts, expected *= 2) {
    Ledger ledger = issued(now - quarter - days(3));
    ledger.attempts = attempts;
    ledger.last_failure = now - expected + Duration{1};
    const Decision waits = decide_now(scheduled(), ledger);
    expect(waits, Verb::Keep, "a", 4);
    EXPECT_EQ(waits.reason, reason::rolled_back);
    EXPECT_EQ(waits.due, now + Duration{1});
    ledger.last_failure = now - expected;
    expect(decide_now(scheduled(), ledger), Verb::Mint, "a", 5);
  }
}

TEST(Schedule, TriesAgainInsideAWindowOnly) {
  Ledger ledger = issued(now - quarter - days(3));
  ledger.attempts = 1;
  ledger.last_failure = now;
  const Decision waits = decide_now(scheduled({{.start = "11:00", .duration = minutes(65)}}), ledger);
  expect(waits, Verb::Keep, "a", 4);
  EXPECT_EQ(waits.due, at("2027-01-16T11:00:00Z"));
}

TEST(Schedule, GivesUpAfterTheLastAttempt) {
  Ledger ledger = issued(now - quarter - days(3));
  ledger.attempts = attempts_max;
  ledger.last_failure = now - days(2);
  expect_refusal(decide_now(scheduled(), ledger), reason::attempts_exhausted);
  expect(decide_now(wants("b"), ledger), Verb::Mint, "b", 1);
}

TEST(Schedule, FallsDueInTheLocalWindowOnEitherSideOfAChangeOfTheClock) {
  // Clocks in Berlin go forward on 2027-03-28 and back on 2027-10-31: the window opens at 02:00 there, an hour earlier or later in UTC.
  const auto due = [](const char* issued_at) {
    const api::SecretRotationSpec spec = scheduled({{.start = "02:00", .duration = hours(4), .time_zone = "Europe/Berlin"}});
    const std::optional<Instant> found = decide(spec, issued(at(issued_at)), at(issued_at) + hours(1), SystemTimeZones()).due;
    return found ? format_seconds(*found) : "never";
  };
  EXPECT_EQ(due("2026-12-26T12:00:00Z"), "2027-03-27T01:00:00Z");
  EXPECT_EQ(due("2026-12-27T12:00:00Z"), "2027-03-28T01:00:00Z") << "02:00 does not exist that night: 03:00 is as early as it gets";
  EXPECT_EQ(due("2026-12-28T12:00:00Z"), "2027-03-29T00:00:00Z");
  EXPECT_EQ(due("2027-08-01T12:00:00Z"), "2027-10-31T01:00:00Z") << "02:00 comes twice that night: the second one";
  EXPECT_EQ(due("2027-08-02T12:00:00Z"), "2027-11-01T01:00:00Z");
}

TEST(Schedule, WithoutAnIntervalNeverFallsDue) {
  api::SecretRotationSpec spec = wants("a");
  spec.schedule = api::Schedule{};
  EXPECT_FALSE(decide_now(spec, issued(now - days(4'000))).due);
}

TEST(Schedule, WaitsForItsWindow) {
  const Decision decision = decide_now(scheduled({{.start = "20:00", .duration = hours(2)}}), issued(now - quarter));
  expect(decision, Verb::Keep, "a", 4);
  EXPECT_EQ(decision.due, at("2027-01-15T20:00:00Z"));
}

TEST(Schedule, DoesNotMakeUpForAMissedWindowOutsideOfIt) {
  const Decision decision = decide_now(scheduled({{.start = "02:00", .duration = hours(2)}}), issued(now - quarter - days(3)));
  expect(decision, Verb::Keep, "a", 4);
  EXPECT_EQ(decision.reason, reason::outside_window);
  EXPECT_EQ(decision.due, at("2027-01-16T02:00:00Z"));
}

TEST(Schedule, MintsInsideItsWindow) {
  expect(decide_now(scheduled({{.start = "11:00", .duration = hours(2)}}), issued(now - quarter - days(3))), Verb::Mint, "a", 5);
}

TEST(Schedule, ThatNeverOpensNeverMints) {
  const Decision decision =
      decide_now(scheduled({{.start = "11:00", .duration = hours(2), .time_zone = "Nowhere/City"}}), issued(now - quarter - days(3)));
  expect(decision, Verb::Keep, "a", 4);
  EXPECT_FALSE(decision.due);
}

// ---- windows ------------------------------------------------------------------------------------------------------------------

using api::Weekday;

api::ScheduleWindow berlin(const char* start, Duration duration, std::vector<Weekday> weekdays = {}) {
  return {.days = std::move(weekdays), .start = start, .duration = duration, .time_zone = "Europe/Berlin"};
}
std::string opening(const std::vector<api::ScheduleWindow>& windows, const char* from) {
  const auto opens = next_opening(windows, at(from), SystemTimeZones());
  return opens ? format_seconds(*opens) : "never";
}

TEST(Windows, AreAlwaysOpenWhenThereAreNone) { EXPECT_EQ(opening({}, "2027-01-15T12:34:56Z"), "2027-01-15T12:34:56Z"); }

TEST(Windows, OpenNowWhenNowIsInside) {
  EXPECT_EQ(opening({berlin("02:00", hours(4))}, "2027-01-15T01:00:00Z"), "2027-01-15T01:00:00Z");
  EXPECT_EQ(opening({berlin("02:00", hours(4))}, "2027-01-15T04:59:59Z"), "2027-01-15T04:59:59Z");
  EXPECT_EQ(opening({berlin("02:00", hours(4))}, "2027-01-15T05:00:00Z"), "2027-01-16T01:00:00Z");
}

TEST(Windows, ReachOverMidnight) {
  EXPECT_EQ(opening({berlin("22:00", hours(6))}, "2027-01-16T01:30:00Z"), "2027-01-16T01:30:00Z");
  EXPECT_EQ(opening({berlin("22:00", hours(6), {Weekday::Fri})}, "2027-01-16T01:30:00Z"), "2027-01-16T01:30:00Z");
  EXPECT_EQ(opening({berlin("22:00", hours(6), {Weekday::Sat})}, "2027-01-16T01:30:00Z"), "2027-01-16T21:00:00Z");
}

TEST(Windows, KnowTheDaysOfTheWeekByTheLocalDate) {
  // 2027-01-15 is a Friday. Saturday begins in Berlin while it is still Friday in UTC.
  EXPECT_EQ(opening({berlin("00:15", hours(1), {Weekday::Sat})}, "2027-01-15T12:00:00Z"), "2027-01-15T23:15:00Z");
  EXPECT_EQ(opening({berlin("02:00", hours(4), {Weekday::Tue, Weekday::Wed, Weekday::Thu})}, "2027-01-15T12:00:00Z"),
            "2027-01-19T01:00:00Z");
  EXPECT_EQ(opening({berlin("02:00", hours(4), {Weekday::Fri})}, "2027-01-15T12:00:00Z"), "2027-01-22T01:00:00Z");
}

TEST(Windows, GiveTheEarliestOfSeveral) {
  EXPECT_EQ(opening({berlin("20:00", hours(1)), berlin("16:00", hours(1))}, "2027-01-15T12:00:00Z"), "2027-01-15T15:00:00Z");
}

TEST(Windows, KeepTheirLocalTimeInSummer) {
  EXPECT_EQ(opening({berlin("02:00", hours(4))}, "2027-07-01T12:00:00Z"), "2027-07-02T00:00:00Z");
  EXPECT_EQ(opening({berlin("02:00", hours(4))}, "2027-01-01T12:00:00Z"), "2027-01-02T01:00:00Z");
}

TEST(Windows, OpenAtTheLaterReadingInTheHourThatSummerTimeSkips) {
  // In Berlin 2027-03-28 goes from 02:00 to 03:00 at 01:00 UTC.
  EXPECT_EQ(opening({berlin("02:30", hours(1))}, "2027-03-27T12:00:00Z"), "2027-03-28T01:30:00Z");
  EXPECT_EQ(opening({berlin("01:30", hours(1))}, "2027-03-27T12:00:00Z"), "2027-03-28T00:30:00Z");
  EXPECT_EQ(opening({berlin("03:30", hours(1))}, "2027-03-27T12:00:00Z"), "2027-03-28T01:30:00Z");
  EXPECT_EQ(opening({berlin("02:30", hours(1))}, "2027-03-28T12:00:00Z"), "2027-03-29T00:30:00Z");
}

TEST(Windows, OpenOnceInTheHourThatWinterTimeRepeats) {
  // In Berlin 2027-10-31 goes from 03:00 back to 02:00 at 01:00 UTC.
  EXPECT_EQ(opening({berlin("02:30", minutes(20))}, "2027-10-30T12:00:00Z"), "2027-10-31T01:30:00Z");
  EXPECT_EQ(opening({berlin("02:30", minutes(20))}, "2027-10-31T01:50:00Z"), "2027-11-01T01:30:00Z");
  EXPECT_EQ(opening({berlin("01:30", minutes(20))}, "2027-10-30T12:00:00Z"), "2027-10-30T23:30:00Z");
}

TEST(Windows, LastTheirWholeDurationAcrossAChangeOfTheClock) {
  EXPECT_EQ(opening({berlin("01:00", hours(4))}, "2027-03-28T03:59:59Z"), "2027-03-28T03:59:59Z");
  EXPECT_EQ(opening({berlin("01:00", hours(4))}, "2027-03-28T04:00:00Z"), "2027-03-28T23:00:00Z");
}

TEST(Windows, ThatMakeNoSenseNeverOpen) {
  for (const char* start : {"", "2:00", "24:00", "02:60", "02-00", "ab:cd", "02:00:00", " 2:00"}) {
    EXPECT_EQ(opening({berlin(start, hours(1))}, "2027-01-15T12:00:00Z"), "never") << start;
  }
  EXPECT_EQ(opening({berlin("02:00", Duration{0})}, "2027-01-15T12:00:00Z"), "never");
  EXPECT_EQ(opening({berlin("02:00", -hours(1))}, "2027-01-15T12:00:00Z"), "never");
  EXPECT_EQ(opening({{.start = "02:00", .duration = hours(1), .time_zone = "../etc/passwd"}}, "2027-01-15T12:00:00Z"), "never");
}

TEST(Windows, ThatMakeNoSenseDoNotCloseTheOthers) {
  EXPECT_EQ(opening({berlin("nonsense", hours(1)), berlin("16:00", hours(1))}, "2027-01-15T12:00:00Z"), "2027-01-15T15:00:00Z");
}

// ---- totality -----------------------------------------------------------------------------------------------------------------

TEST(Intent, IsTotalAndDeterministic) {
  SeededRandom random(13);
  const auto number = [&](std::uint32_t bound) { return static_cast<int>(random.below(bound)); };
  const char* const revisions[] = {"a", "b", "c"};
  const SystemTimeZones zones;
  for (int round = 0; round < 20'000; ++round) {
    api::SecretRotationSpec spec = wants(revisions[number(3)]);
    spec.suspend = number(10) == 0;
    if (number(4) == 0) spec.pin_serial = number(4);
    if (number(4) == 0) spec.issued_not_before = now - days(number(60));
    if (number(2) == 0) spec.schedule = scheduled().schedule;
    if (spec.schedule && number(2) == 0) spec.schedule->windows = {berlin("02:00", hours(1 + number(24)), {Weekday(number(7))})};
    Ledger ledger;
    for (const char* revision : revisions) {
      for (int serial = number(4); serial > 0; --serial) {
        LedgerEntry one = entry(revision, serial, CredentialState(number(6)), now - days(number(200)));
        one.retained = number(4) != 0;
        if (number(4) == 0) one.reactivated_at = now - hours(number(100));
        ledger.entries.push_back(one);
      }
    }
    if (number(3) == 0) ledger.floor = now - days(number(100));
    ledger.attempts = number(8);
    if (number(2) == 0) ledger.last_failure = now - minutes(number(500));

    const Decision decision = decide(spec, ledger, now, zones);
    const Decision again = decide(spec, ledger, now, zones);
    ASSERT_EQ(decision.verb, again.verb);
    ASSERT_EQ(decision.credential, again.credential);
    ASSERT_EQ(decision.reason, again.reason);
    ASSERT_EQ(decision.due, again.due);
    switch (decision.verb) {
      case Verb::Mint:
        ASSERT_EQ(decision.credential.revision, spec.revision);
        ASSERT_EQ(ledger.find(decision.credential), nullptr) << "a serial is never given twice";
        break;
      case Verb::Keep:
      case Verb::Activate: {
        const LedgerEntry* chosen = ledger.find(decision.credential);
        ASSERT_NE(chosen, nullptr);
        ASSERT_TRUE(chosen->retained);
        ASSERT_NE(chosen->state, CredentialState::Revoked);
        if (ledger.floor) ASSERT_GE(chosen->issued_at, *ledger.floor);
        if (spec.issued_not_before) ASSERT_GE(chosen->issued_at, *spec.issued_not_before);
        break;
      }
      case Verb::Hold:
      case Verb::Refuse:
        ASSERT_FALSE(decision.reason.empty());
        break;
      case Verb::Repair:
        FAIL() << "what drifted is not seen here";
    }
  }
}

TEST(Intent, NamesEveryVerb) {
  EXPECT_EQ(name_of(Verb::Keep), "Keep");
  EXPECT_EQ(name_of(Verb::Activate), "Activate");
  EXPECT_EQ(name_of(Verb::Mint), "Mint");
  EXPECT_EQ(name_of(Verb::Hold), "Hold");
  EXPECT_EQ(name_of(Verb::Refuse), "Refuse");
}

}  // namespace
}  // namespace keyturn
