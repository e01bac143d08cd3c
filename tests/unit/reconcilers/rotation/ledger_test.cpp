#include "reconcilers/rotation/ledger.h"

#include <gtest/gtest.h>

#include "api/reasons.h"
#include "tests/unit/reconcilers/rotation/test_runs.h"

namespace keyturn {
namespace {

using api::CredentialState;
using api::Direction;
using api::Phase;
using std::chrono::days;

using Runs = std::vector<api::RotationRun>;

Ledger ledger_for(const Runs& runs, const char* revision = "a") { return ledger_of(runs, revision, {}, {}); }
CredentialState state_of(const Ledger& ledger, const char* revision, int serial) {
  const LedgerEntry* entry = ledger.find({revision, serial});
  EXPECT_NE(entry, nullptr) << revision << "." << serial;
  return entry ? entry->state : CredentialState::Candidate;
}
api::RotationRun back(api::RotationRun run) {
  run.spec.direction = Direction::Back;
  return run;
}
api::RotationRun failed(api::RotationRun run, std::string_view why) {
  run.status.failure = std::string(why);
  return run;
}

TEST(Ledger, OfNoRunsIsEmpty) {
  const Ledger ledger = ledger_for({});
  EXPECT_TRUE(ledger.entries.empty());
  EXPECT_EQ(ledger.current(), nullptr);
  EXPECT_EQ(ledger.find({"a", 1}), nullptr);
}

TEST(Ledger, HasTheCredentialOfTheLastSuccessAsCurrent) {
  const Ledger ledger = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Succeeded)});
  ASSERT_NE(ledger.current(), nullptr);
  EXPECT_EQ(ledger.current()->name.to_string(), "b.1");
  EXPECT_EQ(ledger.current()->version.value, "version-2");
  EXPECT_EQ(ledger.current()->issued_at, epoch_of_tests + days(2));
  EXPECT_EQ(ledger.current()->proven_at, epoch_of_tests + days(2) + std::chrono::hours(1));
  EXPECT_EQ(state_of(ledger, "a", 1), CredentialState::Retired);
}

TEST(Ledger, KeepsTheIssueOfACredentialThatWasBroughtBack) {
  const Ledger ledger = ledger_for(
      {test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Succeeded), back(test_run(3, {"a", 1}, Phase::Succeeded))});
  ASSERT_NE(ledger.current(), nullptr);
  EXPECT_EQ(ledger.current()->name.to_string(), "a.1");
  EXPECT_EQ(ledger.current()->issued_at, epoch_of_tests + days(1));
  EXPECT_EQ(ledger.current()->reactivated_at, epoch_of_tests + days(3) + std::chrono::hours(1));
  EXPECT_EQ(state_of(ledger, "b", 1), CredentialState::Retired);
}

TEST(Ledger, TakesWhatWasIssuedForAFloorAsIssuedAfterIt) {
  const Instant floor = epoch_of_tests + days(50);  // a clock that ran ahead, or a date that is still to come
  for (const Phase phase : {Phase::Admitted, Phase::Succeeded}) {
    api::RotationRun run = test_run(2, {"a", 2}, phase);
    run.spec.frozen.issued_not_before = floor;
    const Ledger ledger = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), run});
    EXPECT_EQ(ledger.find({"a", 2})->issued_at, floor);
    EXPECT_LT(ledger.find({"a", 1})->issued_at, floor);
  }
}

TEST(Ledger, CountsFailuresToBringACredentialBack) {
  Runs runs{test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Succeeded)};
  EXPECT_EQ(ledger_for(runs).find({"a", 1})->failed_returns, 0);
  runs.push_back(failed(back(test_run(3, {"a", 1}, Phase::RolledBack)), api::reason::consumer_unhealthy));
  EXPECT_EQ(ledger_for(runs).find({"a", 1})->failed_returns, 1);
  EXPECT_EQ(ledger_for(runs).find({"a", 1})->last_failed_return, epoch_of_tests + days(3) + std::chrono::hours(1));
  runs.push_back(failed(back(test_run(4, {"a", 1}, Phase::RolledBack)), api::reason::revision_changed));
  EXPECT_EQ(ledger_for(runs).find({"a", 1})->failed_returns, 1) << "a human who changed their mind is no failure";
  runs.push_back(back(test_run(5, {"a", 1}, Phase::Succeeded)));
  EXPECT_EQ(ledger_for(runs).find({"a", 1})->failed_returns, 0);
  EXPECT_FALSE(ledger_for(runs).find({"a", 1})->last_failed_return.has_value());
}

TEST(Ledger, HasARunUnderWayAsACandidate) {
  for (const Phase phase : {Phase::Admitted, Phase::Staging, Phase::Pinned, Phase::Switching, Phase::Publishing, Phase::Rolling}) {
    const Ledger ledger = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, phase)});
    EXPECT_EQ(state_of(ledger, "a", 1), CredentialState::Current);
    EXPECT_EQ(state_of(ledger, "b", 1), CredentialState::Candidate);
  }
}

TEST(Ledger, HasBothInForceWhileTheOldOneOverlaps) {
  for (const Phase phase : {Phase::Verifying, Phase::Retiring}) {
    const Ledger ledger = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, phase)});
    EXPECT_EQ(state_of(ledger, "a", 1), CredentialState::Previous);
    EXPECT_EQ(state_of(ledger, "b", 1), CredentialState::Current);
  }
}

TEST(Ledger, LeavesTheOldOneCurrentWhileARunGoesBack) {
  for (const Phase phase : {Phase::RollingBack, Phase::Withdrawing}) {
    const Ledger ledger = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, phase)});
    EXPECT_EQ(state_of(ledger, "a", 1), CredentialState::Current);
    EXPECT_EQ(ledger.find({"b", 1}), nullptr);
  }
}

TEST(Ledger, RejectsWhatARunTriedAndTookBack) {
  const Ledger ledger = ledger_for(
      {test_run(1, {"a", 1}, Phase::Succeeded), failed(test_run(2, {"a", 2}, Phase::RolledBack), api::reason::consumer_unhealthy)});
  EXPECT_EQ(state_of(ledger, "a", 1), CredentialState::Current);
  EXPECT_EQ(state_of(ledger, "a", 2), CredentialState::Rejected);
  EXPECT_EQ(ledger.attempts, 1);
  EXPECT_EQ(ledger.last_failure, epoch_of_tests + days(2) + std::chrono::hours(1));
}

TEST(Ledger, DoesNotRejectWhatAHumanOnlyTookBack) {
  api::RotationRun published = failed(test_run(2, {"b", 1}, Phase::RolledBack), api::reason::revision_changed);
  published.status.published_version = {"version-2"};
  const Ledger seen = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), published}, "b");
  EXPECT_EQ(state_of(seen, "b", 1), CredentialState::Retired);
  EXPECT_EQ(seen.attempts, 0);
  published.status.published_version = {};
  const Ledger unseen = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), published}, "b");
  EXPECT_EQ(unseen.find({"b", 1}), nullptr) << "never seen by anybody: as if it had not been";
}

TEST(Ledger, ForgetsAbandonedRuns) {
  const Ledger ledger = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Abandoned)});
  EXPECT_EQ(ledger.find({"b", 1}), nullptr);
}

TEST(Ledger, CountsOnlyFailuresOfTheWantedRevisionSinceItsLastSuccess) {
  const auto ill = [](std::int64_t generation, const char* revision, int serial) {
    return failed(test_run(generation, {revision, serial}, Phase::RolledBack), api::reason::consumer_unhealthy);
  };
  const Runs runs{test_run(1, {"a", 1}, Phase::Succeeded), ill(2, "b", 1), ill(3, "b", 2), ill(4, "c", 1)};
  EXPECT_EQ(ledger_for(runs, "b").attempts, 2);
  EXPECT_EQ(ledger_for(runs, "c").attempts, 1);
  EXPECT_EQ(ledger_for(runs, "a").attempts, 0);
  Runs mended = runs;
  mended.push_back(test_run(5, {"b", 3}, Phase::Succeeded));
  EXPECT_EQ(ledger_for(mended, "b").attempts, 0);
}

TEST(Ledger, RevokesEverythingElseAfterACompromise) {
  api::RotationRun compromise = test_run(3, {"inc-1", 1}, Phase::Succeeded);
  compromise.spec.reason = api::Reason::ConfirmedCompromise;
  const Ledger ledger = ledger_for({test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Succeeded), compromise});
  EXPECT_EQ(state_of(ledger, "a", 1), CredentialState::Revoked);
  EXPECT_EQ(state_of(ledger, "b", 1), CredentialState::Revoked);
  EXPECT_EQ(state_of(ledger, "inc-1", 1), CredentialState::Current);
}

TEST(Ledger, TakesTheHigherOfTwoFloors) {
  const Instant low = epoch_of_tests;
  const Instant high = epoch_of_tests + days(1);
  EXPECT_EQ(ledger_of({}, "a", {}, {}).floor, std::nullopt);
  EXPECT_EQ(ledger_of({}, "a", low, {}).floor, low);
  EXPECT_EQ(ledger_of({}, "a", {}, low).floor, low);
  EXPECT_EQ(ledger_of({}, "a", low, high).floor, high);
  EXPECT_EQ(ledger_of({}, "a", high, low).floor, high) << "it never moves back";
}

// ---- what the vault's tags tell ------------------------------------------------------------------------------------------------

VaultVersion tagged(const char* id, CredentialName name, int day, bool enabled = true) {
  return {.id = {id},
          .enabled = enabled,
          .created = epoch_of_tests + days(day),
          .tags = {.run = "run", .generation = day, .owner = "this-store", .credential = std::move(name)}};
}
const LedgerEntry* remembered(const Recollection& recollection, const char* revision, int serial) {
  for (const LedgerEntry& entry : recollection.entries) {
    if (entry.name == CredentialName{revision, serial}) return &entry;
  }
  return nullptr;
}

TEST(Recollection, HasOneEntryForEachNameOfThisInstallation) {
  VaultVersion foreign = tagged("v5", {"c", 1}, 5);
  foreign.tags.owner = "another-store";
  const Recollection found =
      recollect({{.id = {"v0"}}, tagged("v1", {"a", 1}, 1), tagged("v3", {"b", 1}, 3), tagged("v4", {"a", 1}, 4), foreign}, "this-store");
  ASSERT_EQ(found.entries.size(), 2U);
  const LedgerEntry* a = remembered(found, "a", 1);
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->state, CredentialState::Retired);
  EXPECT_EQ(a->issued_at, epoch_of_tests + days(1)) << "it is as old as its oldest version";
  EXPECT_TRUE(a->retained);
  EXPECT_FALSE(found.floor);
}

TEST(Recollection, TakesAnEnabledVersionInWhateverOrderTheyCome) {
  const VaultVersion disabled = tagged("off", {"a", 1}, 1, false);
  const VaultVersion enabled = tagged("on", {"a", 1}, 2);
  EXPECT_EQ(recollect({disabled, enabled}, "this-store").entries.front().version.value, "on");
  EXPECT_EQ(recollect({enabled, disabled}, "this-store").entries.front().version.value, "on");
  EXPECT_EQ(recollect({disabled}, "this-store").entries.front().version.value, "off") << "it can be enabled again";
}

TEST(Recollection, KeepsTheHighestFloorAndWhatWasIssuedForItAboveIt) {
  VaultVersion first = tagged("v2", {"b", 1}, 2);
  first.tags.floor = epoch_of_tests + days(2) + std::chrono::seconds(5);  // the vault's clock is behind
  VaultVersion second = tagged("v4", {"c", 1}, 4);
  second.tags.floor = epoch_of_tests + days(3);
  const Recollection found = recollect({second, tagged("v1", {"a", 1}, 1), first}, "this-store");
  EXPECT_EQ(found.floor, epoch_of_tests + days(3));
  EXPECT_EQ(remembered(found, "b", 1)->issued_at, epoch_of_tests + days(2) + std::chrono::seconds(5));
}

TEST(Recollection, IsNeededWhenEarlierRunsAreUnknown) {
  EXPECT_FALSE(earlier_runs_unknown({}));
  EXPECT_FALSE(earlier_runs_unknown({test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Rolling)}));
  EXPECT_TRUE(earlier_runs_unknown({test_run(7, {"a", 1}, Phase::Succeeded)}));
}

Ledger recalled(const Runs& runs, const std::vector<VaultVersion>& versions) {
  Ledger ledger = ledger_for(runs);
  recall(ledger, recollect(versions, "this-store"));
  return ledger;
}

TEST(Recollection, FillsInWhatTheRunsDoNotKnow) {
  const Ledger ledger = recalled({test_run(9, {"c", 1}, Phase::Succeeded)},
                                 {tagged("v1", {"a", 1}, 1), tagged("v2", {"b", 1}, 2), tagged("v9", {"c", 1}, 3)});
  ASSERT_EQ(ledger.entries.size(), 3U);
  EXPECT_EQ(ledger.current()->name.to_string(), "c.1");
  EXPECT_EQ(ledger.current()->version.value, "version-9") << "what the run knows stands";
  EXPECT_EQ(ledger.current()->issued_at, epoch_of_tests + days(3)) << "it is as old as it is";
  EXPECT_EQ(ledger.find({"a", 1})->version.value, "v1");
  EXPECT_EQ(state_of(ledger, "b", 1), CredentialState::Retired);
}

TEST(Recollection, DoesNotTryASerialAgainThatWasTakenBack) {
  const Ledger ledger = recalled({test_run(9, {"a", 2}, Phase::Succeeded)},
                                 {tagged("v1", {"a", 1}, 1), tagged("v3", {"a", 3}, 3), tagged("v2", {"a", 2}, 2)});
  EXPECT_EQ(state_of(ledger, "a", 3), CredentialState::Rejected);
  EXPECT_EQ(state_of(ledger, "a", 1), CredentialState::Retired);
  api::SecretRotationSpec spec;
  spec.revision = "a";
  EXPECT_EQ(decide(spec, ledger, epoch_of_tests + days(20), UtcOnly()).verb, Verb::Keep);
}

TEST(Recollection, NeverBringsBackWhatACompromiseRevoked) {
  VaultVersion replacement = tagged("v5", {"b", 1}, 5);
  replacement.tags.floor = epoch_of_tests + days(5);
  const Ledger ledger = recalled({test_run(9, {"b", 1}, Phase::Succeeded)}, {tagged("v1", {"a", 1}, 1), replacement});
  EXPECT_EQ(state_of(ledger, "a", 1), CredentialState::Revoked);
  EXPECT_EQ(ledger.floor, epoch_of_tests + days(5));
  api::SecretRotationSpec spec;
  spec.revision = "b";
  EXPECT_EQ(decide(spec, ledger, epoch_of_tests + days(20), UtcOnly()).verb, Verb::Keep) << "what replaced it is good enough";
  spec.revision = "a";
  EXPECT_EQ(decide(spec, ledger, epoch_of_tests + days(20), UtcOnly()).reason, api::reason::revision_revoked);
}

TEST(Ledger, RejectsTheSerialsAboveThePinnedOne) {
  const Ledger ledger = ledger_for(
      {test_run(1, {"a", 2}, Phase::Succeeded), test_run(2, {"a", 3}, Phase::Succeeded), back(test_run(3, {"a", 2}, Phase::Succeeded))});
  EXPECT_EQ(state_of(ledger, "a", 3), CredentialState::Rejected);
  api::SecretRotationSpec spec;
  spec.revision = "a";  // the pin is gone
  const Decision decision = decide(spec, ledger, epoch_of_tests + days(4), UtcOnly());
  EXPECT_EQ(decision.verb, Verb::Keep);
  EXPECT_EQ(decision.credential.to_string(), "a.2");
}

TEST(Runs, OfARotationAreSortedByGenerationAndNobodyElses) {
  api::RotationRun foreign = test_run(7, {"x", 1}, Phase::Succeeded);
  foreign.spec.rotation.name = "another";
  const Runs mine =
      runs_of(test_rotation().meta.key(), {test_run(3, {"c", 1}, Phase::Staging), foreign, test_run(1, {"a", 1}, Phase::Succeeded)});
  ASSERT_EQ(mine.size(), 2U);
  EXPECT_EQ(mine[0].spec.generation, 1);
  EXPECT_EQ(mine[1].spec.generation, 3);
}

TEST(Runs, TellWhichCredentialAndPrincipalIsInForce) {
  EXPECT_EQ(run_in_force({}), nullptr);
  const Runs forward{test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Abandoned)};
  ASSERT_NE(run_in_force(forward), nullptr);
  EXPECT_EQ(credential_in_force(*run_in_force(forward)).to_string(), "a.1");
  EXPECT_EQ(principal_in_force(*run_in_force(forward)), "app_b");
  const Runs returned{test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::RolledBack)};
  EXPECT_EQ(credential_in_force(*run_in_force(returned)).to_string(), "old.1");
  EXPECT_EQ(principal_in_force(*run_in_force(returned)), "app_a");
}

TEST(Runs, TellTheUnfinishedOne) {
  EXPECT_EQ(unfinished({test_run(1, {"a", 1}, Phase::Succeeded)}), nullptr);
  const Runs runs{test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Withdrawing)};
  ASSERT_NE(unfinished(runs), nullptr);
  EXPECT_EQ(unfinished(runs)->spec.generation, 2);
}

}  // namespace
}  // namespace keyturn
