#include "controller/runtime/backoff.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/seeded_random.h"

namespace keyturn {
namespace {

using std::chrono::minutes;

constexpr BootInstant at_start{};

TEST(Exponential, DoublesUpToTheCapAndStaysThere) {
  EXPECT_EQ(exponential(Duration(5), Duration(1000), 0), Duration(5));
  EXPECT_EQ(exponential(Duration(5), Duration(1000), 1), Duration(10));
  EXPECT_EQ(exponential(Duration(5), Duration(1000), 7), Duration(640));
  EXPECT_EQ(exponential(Duration(5), Duration(1000), 8), Duration(1000));
  EXPECT_EQ(exponential(Duration(5), Duration(1000), 1'000'000), Duration(1000));
  EXPECT_EQ(exponential(Duration(50), Duration(10), 0), Duration(10));
  EXPECT_EQ(exponential(Duration(0), Duration(10), 60), Duration(0));
}

TEST(Exponential, DoesNotOverflowAtTheLargestCap) {
  EXPECT_EQ(exponential(Duration(1), Duration::max(), 63), Duration::max());
  EXPECT_EQ(exponential(Duration(1), Duration::max(), 62), Duration(std::int64_t{1} << 62));
}

TEST(Backoff, K60EachPauseLiesBetweenTheDelayAndTwiceTheDelay) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    Backoff backoff(random);
    Duration delay{800};
    for (int n = 0; n < 10; ++n) {
      const Duration pause = backoff.next(at_start);
      EXPECT_GE(pause, delay) << "seed " << seed << ", failure " << n;
      EXPECT_LE(pause, 2 * delay) << "seed " << seed << ", failure " << n;
      delay = std::min<Duration>(2 * delay, Duration(30'000));
    }
  }
}

TEST(Backoff, K60ThePausesAreScattered) {
  SeededRandom random(7);
  std::set<Duration> pauses;
  for (int i = 0; i < 50; ++i) {
    Backoff backoff(random);
    pauses.insert(backoff.next(at_start));
  }
  EXPECT_GT(pauses.size(), 30U);
}

TEST(Backoff, K60StartsOverAfterTwoQuietMinutes) {
  SeededRandom random(1);
  Backoff backoff(random);
  for (int i = 0; i < 6; ++i) (void)backoff.next(at_start);
  EXPECT_GE(backoff.next(at_start + minutes(2) - Duration(1)), Duration(30'000));
  EXPECT_LE(backoff.next(at_start + minutes(4)), Duration(1'600));
}

TEST(Backoff, StartsOverWhenTold) {
  SeededRandom random(1);
  Backoff backoff(random, {.base = Duration(10), .cap = Duration(1000)});
  for (int i = 0; i < 6; ++i) (void)backoff.next(at_start);
  EXPECT_EQ(backoff.failures(), 6);
  backoff.reset();
  EXPECT_LE(backoff.next(at_start), Duration(20));
}

TEST(Backoff, FailingForAYearKeepsTheCap) {
  SeededRandom random(1);
  Backoff backoff(random);
  for (int i = 0; i < 100'000; ++i) EXPECT_LE(backoff.next(at_start), Duration(60'000));
}

}  // namespace
}  // namespace keyturn
