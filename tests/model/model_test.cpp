// Every reachable world of the real planner functions, all faults within a budget. The same verdicts as the reference models of the
// protocol: what is proposed passes, and each guard that is taken out is missed.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "tests/model/catalogue.h"
#include "tests/model/orders.h"
#include "tests/model/page.h"

namespace keyturn::model {
namespace {

// Prints a row when it is explored for the first time.
const Verdict& explored(const Case& one) {
  static std::set<std::string> printed;
  const auto before = std::chrono::steady_clock::now();
  const Verdict& verdict = verdict_of(one);
  if (!printed.insert(one.id).second) return verdict;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  const char* word = verdict.passes() ? "PASS" : one.passes ? "FAIL" : "CAUGHT";
  std::printf("%-5s %-84s %-48s %-6s worlds %7zu  edges %8zu  depth %3zu  %5.2f s  violated: %s\n", one.id.c_str(), one.title.c_str(),
              removed_in(one).c_str(), word, verdict.worlds, verdict.edges, verdict.depth, seconds, violated_in(verdict).c_str());
  std::fflush(stdout);
  return verdict;
}

class ModelCheck : public testing::TestWithParam<Case> {};

TEST_P(ModelCheck, AgreesWithTheReferenceModel) {
  const Case& one = GetParam();
  const Verdict& verdict = explored(one);
  EXPECT_TRUE(verdict.complete);
  EXPECT_EQ(verdict.passes(), one.passes);
  if (verdict.passes() == one.passes) return;
  for (const Counterexample& example : verdict.counterexamples) {
    std::printf("  %s\n", example.what.c_str());
    for (const std::string& step : example.steps) std::printf("    %s\n", step.c_str());
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ModelCheck, testing::ValuesIn(catalogue()), [](const auto& info) { return info.param.id; });

// The verdicts of the reference models, by chapter: how many rows there are, and which of them fail.
TEST(ModelCatalogue, HasEveryVerdictOfTheReferenceModels) {
  struct Reference {
    char letter;
    int rows;
    std::set<int> failing;
  };
  const Reference references[] = {
      {'A', 22, {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 15, 20, 21}},
      {'B', 13, {5, 6, 7, 8, 11, 12, 13}},
      {'C', 11, {1, 2, 3, 6, 7, 8, 9, 11}},
      {'D', 6, {1, 2, 3, 6}},
      {'E', 2, {2}},
      {'R', 5, {3, 4}},
      {'W', 19, {1, 2, 7, 8, 9, 11, 13, 15, 18}},
  };
  for (const Reference& reference : references) {
    std::set<int> seen;
    for (const Case& one : catalogue()) {
      if (one.id.front() != reference.letter) continue;
      const int number = std::atoi(one.id.c_str() + 1);
      EXPECT_TRUE(seen.insert(number).second) << one.id;
      EXPECT_EQ(one.passes, reference.failing.count(number) == 0) << one.id;
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(reference.rows)) << reference.letter;
    EXPECT_EQ(*seen.rbegin(), reference.rows) << reference.letter;
  }
}

// These stand in the reconciler: the tests of the whole controller judge them.
bool is_judged_elsewhere(Guard guard) {
  switch (guard) {
    case Guard::None:
    case Guard::IntentBeforeEffect:
    case Guard::SendDeadline:
    case Guard::TakeoverIsNoted:
    case Guard::OneRunPerIdentity:
    case Guard::JournalBehindBlocks:
      return true;
    default:
      return false;
  }
}

TEST(ModelCatalogue, CatchesEveryGuardOfThePlannerTakenOutAlone) {
  std::set<Guard> caught;
  for (const Case& one : catalogue()) {
    if (!one.passes && one.removed.size() == 1) caught.insert(one.removed.front());
  }
  constexpr int guards_max = 64;
  for (int i = 0; i < guards_max; ++i) {
    const auto guard = static_cast<Guard>(i);
    const bool exists = guard == Guard::None || name_of(guard) != name_of(Guard::None);
    if (exists && !is_judged_elsewhere(guard)) EXPECT_TRUE(caught.contains(guard)) << name_of(guard);
  }
}

// Each row without guards stands beside one that holds with them: what fails there is the guards' doing.
TEST(ModelCatalogue, HoldsWithTheGuardWhatItCatchesWithout) {
  std::set<std::string> ids;
  for (const Case& one : catalogue()) EXPECT_TRUE(ids.insert(one.id).second) << one.id;
  for (const Case& one : catalogue()) {
    if (one.id.front() == 'G' && !one.passes) EXPECT_TRUE(ids.contains(one.id.substr(0, one.id.size() - 1))) << one.id;
  }
}

TEST(ModelOrders, FewOfTheOrdersOfTheStepsAreSafe) {
  const OrderCount one = orders_of_one_live_credential();
  EXPECT_EQ(one.orders, 24u);
  EXPECT_EQ(one.safe, 0u);
  EXPECT_EQ(one.converging, 2u);
  const OrderCount two = orders_of_two_live_credentials();
  EXPECT_EQ(two.orders, 120u);
  EXPECT_EQ(two.safe, 2u);
  EXPECT_EQ(two.converging, 10u);
}

TEST(ModelPage, IsWhatThisRunFinds) {
  const char* root = std::getenv("KEYTURN_SOURCE_DIR");
  ASSERT_NE(root, nullptr) << "ctest sets KEYTURN_SOURCE_DIR";
  std::size_t worlds = 0;
  std::size_t caught = 0;
  for (const Case& one : catalogue()) {
    worlds += explored(one).worlds;
    caught += !explored(one).passes();
  }
  std::printf("model check: %zu scenarios, %zu hold and %zu are caught, %zu worlds\n", catalogue().size(), catalogue().size() - caught,
              caught, worlds);
  std::ifstream file(std::string(root) + "/docs/model-check.md", std::ios::binary);
  const std::string committed{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(committed, render_page()) << "run ./dev gen and commit what it writes";
}

}  // namespace
}  // namespace keyturn::model
