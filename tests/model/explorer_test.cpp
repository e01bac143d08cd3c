#include "tests/model/explorer.h"

#include <gtest/gtest.h>

namespace keyturn::model {
namespace {

struct Counter {
  std::uint8_t value = 0;
  std::uint8_t broken = 0;
};

// Counts up by one or by three to 12, and may break once on the way.
void count(const Counter& world, const Emit<Counter>& emit) {
  if (world.value >= 12 || world.broken != 0) return;
  for (const int step : {1, 3}) {
    const Counter next{static_cast<std::uint8_t>(world.value + step), 0};
    emit(Cause::System, [&] { return "adds " + std::to_string(step); }, next);
  }
  if (world.value == 4) emit(Cause::Fault, [] { return "breaks"; }, Counter{world.value, 1});
}
bool is_done(const Counter& world) { return world.value >= 12; }

TEST(Explorer, VisitsEachWorldOnceAndCountsEveryEdge) {
  Explorer<Counter> explorer(count);
  const auto found = explorer.explore({}, {}, {});
  EXPECT_EQ(found.worlds, 16u);  // 0 to 14, and 4 broken
  EXPECT_EQ(found.edges, 25u);
  EXPECT_EQ(found.depth, 6u);  // 11 is 3+3+3+1+1, and one more
  EXPECT_TRUE(found.complete);
}

TEST(Explorer, ShowsAShortestWayIntoAViolation) {
  Explorer<Counter> explorer(count);
  const auto found = explorer.explore({}, {{"below seven", [](const Counter& world) { return world.value < 7; }}}, {});
  ASSERT_EQ(found.violations.size(), 1u);
  const auto& trace = found.violations.front().trace;
  ASSERT_EQ(trace.size(), 4u);
  EXPECT_EQ(trace[0].label, "");
  EXPECT_EQ(trace[3].world.value, 7);
  EXPECT_EQ(trace[3].label, trace[2].world.value == 4 ? "adds 3" : "adds 1");
}

TEST(Explorer, NoticesAWorldWithoutAGoodEnd) {
  Explorer<Counter> explorer(count);
  const auto found = explorer.explore({}, {}, is_done);
  ASSERT_TRUE(found.stuck);
  EXPECT_EQ(found.stuck_trace.back().label, "breaks");
}

TEST(Explorer, CountsOnNobodyButTheSystemForAGoodEnd) {
  const auto by_fault = [](const Counter& world, const Emit<Counter>& emit) {
    if (world.value == 0) emit(Cause::Fault, [] { return "a fault"; }, Counter{12, 0});
  };
  Explorer<Counter> explorer(by_fault);
  const auto found = explorer.explore({}, {}, is_done);
  EXPECT_TRUE(found.stuck);
  EXPECT_EQ(found.stuck_trace.size(), 1u);
}

}  // namespace
}  // namespace keyturn::model
