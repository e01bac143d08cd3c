// The guards of the reconciler itself, each alone: with it the unsafe effect does not happen, without it it does. Linked with the
// reconciler whose guards can be taken out.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/reconciler.h"
#include "tests/unit/reconcilers/rotation/site.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
using std::chrono::milliseconds;

// Takes a guard out for as long as it lives.
class Without {
 public:
  explicit Without(Guard guard) { remove_guards({guard}); }
  Without(const Without&) = delete;
  Without& operator=(const Without&) = delete;
  ~Without() { remove_guards({}); }
};

// What happened with all guards, and what with one taken out.
template <class Story>
auto with_and_without(Guard guard, Story story) {
  const auto with = story();
  const Without removed(guard);
  return std::pair(with, story());
}

int effects_of_an_owner_that_lost_the_run() {
  Site site(Protocol::Dual);
  EXPECT_TRUE(site.adopt());
  site.want("inc-4711");
  EXPECT_TRUE(site.reach(Phase::Switching));
  const int before = site.effects->count;
  site.records.fault = MemoryRecords::Fault::Conflict;
  site.records.fault_at = site.records.writes + 1;
  site.pass();
  return site.effects->count - before;
}

TEST(IntentBeforeEffect, KeepsAnOwnerThatLostTheRunFromTouchingAnything) {
  const auto [with, without] = with_and_without(Guard::IntentBeforeEffect, effects_of_an_owner_that_lost_the_run);
  EXPECT_EQ(with, 0);
  EXPECT_EQ(without, 1);
}

int effects_of_a_step_that_was_held_up() {
  Site site(Protocol::Dual);
  EXPECT_TRUE(site.adopt());
  site.want("inc-4711");
  EXPECT_TRUE(site.reach(Phase::Switching));
  const int before = site.effects->count;
  // As after a suspend: between the record of the intent and the first byte.
  site.effects->before_sending = [&] { site.clock.advance(site.environment().timing.issue + milliseconds(1)); };
  site.pass();
  return site.effects->count - before;
}

TEST(SendDeadline, KeepsAStepThatWasHeldUpFromLeaving) {
  const auto [with, without] = with_and_without(Guard::SendDeadline, effects_of_a_step_that_was_held_up);
  EXPECT_EQ(with, 0);
  EXPECT_EQ(without, 1);
}

// A process that stood by for long takes over from one that was just sending.
Phase phase_after_a_takeover() {
  Site site(Protocol::Single);
  site.restart();
  std::unique_ptr<RotationReconciler> standby = std::move(site.reconciler);
  site.restart();
  EXPECT_TRUE(site.adopt());
  site.want("inc-4711");
  EXPECT_TRUE(site.pass_until([&] { return site.effects->count == 1; }));  // staged
  site.clock.advance(site.environment().timing.quarantine());
  site.reconciler = std::move(standby);
  site.pass();  // takes it over
  site.pass();
  return site.phase();
}

TEST(TakeoverIsNoted, AndTheQuarantineBeginsAnew) {
  const auto [with, without] = with_and_without(Guard::TakeoverIsNoted, phase_after_a_takeover);
  EXPECT_EQ(with, Phase::Staging);
  EXPECT_EQ(without, Phase::Pinned);
}

std::size_t runs_while_a_twin_is_under_way() {
  Site site(Protocol::Dual);
  EXPECT_TRUE(site.adopt());
  const ObjectKey twin{"erp-dev", "erp-twin"};
  site.declare(twin, "2026-q4");
  for (int count = 0; count < 3; ++count) site.pass(twin);
  site.want("inc-4711");
  EXPECT_TRUE(site.reach(Phase::Rolling));
  const std::size_t before = site.records.stored_runs.size();
  site.records.rotations.at(twin).spec.revision = "twin-1";
  site.pass(twin);
  return site.records.stored_runs.size() - before;
}

TEST(OneRunPerIdentity, KeepsASecondRotationFromChangingTheSameCredential) {
  const auto [with, without] = with_and_without(Guard::OneRunPerIdentity, runs_while_a_twin_is_under_way);
  EXPECT_EQ(with, 0U);
  EXPECT_EQ(without, 1U);
}

std::size_t runs_begun_behind_the_vault() {
  Site site(Protocol::Dual);
  EXPECT_TRUE(site.adopt());
  site.vault->put(secret_name, first_value, {.run = "later", .generation = 9, .owner = site.records.owner(), .credential = {"x", 1}});
  const std::size_t before = site.records.stored_runs.size();
  site.want("inc-4711");
  for (int count = 0; count < 3; ++count) site.pass();
  return site.records.stored_runs.size() - before;
}

TEST(JournalBehindBlocks, KeepsARestoredJournalFromBeginningAnything) {
  const auto [with, without] = with_and_without(Guard::JournalBehindBlocks, runs_begun_behind_the_vault);
  EXPECT_EQ(with, 0U);
  EXPECT_EQ(without, 1U);
}

}  // namespace
}  // namespace keyturn
