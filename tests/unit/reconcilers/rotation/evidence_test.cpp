#include "reconcilers/rotation/evidence.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/reconcilers/rotation/test_runs.h"

namespace keyturn {
namespace {

api::RotationRun a_run_with(int consumers) {
  api::RotationRun run = test_run(1, {"a", 1}, api::Phase::Rolling);
  run.spec.frozen.consumers.clear();
  for (int i = 0; i < consumers; ++i) run.spec.frozen.consumers.push_back({.name = "service-" + std::to_string(i)});
  return run;
}

Plan act_on(std::size_t target) {
  Plan step;
  step.action = Action::Converge;
  step.target = target;
  return step;
}

Plan turn_to(api::Phase phase) {
  Plan step;
  step.action = Action::Advance;
  step.phase = phase;
  return step;
}

TEST(Evidence, SaysWhenWhereAndWhat) {
  api::RotationRun run = a_run_with(1);
  add_evidence(run, act_on(0), epoch_of_tests);
  ASSERT_EQ(run.status.evidence.size(), 1U);
  EXPECT_EQ(run.status.evidence[0].at, epoch_of_tests);
  EXPECT_EQ(run.status.evidence[0].step, "Rolling");
  EXPECT_EQ(run.status.evidence[0].target, "service-0");
  EXPECT_FALSE(run.status.evidence[0].what.empty());
}

TEST(Evidence, OfARepeatedActIsThereOnceAndOfATurnEachTime) {
  api::RotationRun run = a_run_with(2);
  for (int i = 0; i < 3; ++i) add_evidence(run, act_on(1), epoch_of_tests);
  EXPECT_EQ(run.status.evidence.size(), 1U);
  for (int i = 0; i < 3; ++i) add_evidence(run, turn_to(api::Phase::Rolling), epoch_of_tests);
  EXPECT_EQ(run.status.evidence.size(), 4U);
}

TEST(Evidence, SaysThatActsAreLeftOutAndKeepsRoomForEveryTurn) {
  const int consumers = static_cast<int>(evidence_max) + 100;
  api::RotationRun run = a_run_with(consumers);
  for (int i = 0; i < consumers; ++i) add_evidence(run, act_on(static_cast<std::size_t>(i)), epoch_of_tests);
  EXPECT_EQ(run.status.evidence.size(), evidence_acts_max + 1);
  EXPECT_NE(run.status.evidence.back().what.find("left out"), std::string::npos);
  EXPECT_EQ(run.status.evidence[evidence_acts_max - 1].target, "service-" + std::to_string(evidence_acts_max - 1));
  for (int phase = 0; phase <= static_cast<int>(api::Phase::Abandoned); ++phase)
    add_evidence(run, turn_to(static_cast<api::Phase>(phase)), epoch_of_tests);
  EXPECT_EQ(run.status.evidence.size(), evidence_acts_max + 2 + static_cast<std::size_t>(api::Phase::Abandoned));
  EXPECT_LE(run.status.evidence.size(), evidence_max);
}

}  // namespace
}  // namespace keyturn
