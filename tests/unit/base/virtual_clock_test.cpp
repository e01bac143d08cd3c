#include "tests/support/virtual_clock.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <vector>

#include "tests/support/run_loop.h"

namespace keyturn {
namespace {

using namespace std::chrono_literals;

TEST(VirtualClock, StandsStillUntilMoved) {
  VirtualClock clock;
  const Instant wall = clock.now();
  const BootInstant boot = clock.boot_now();
  clock.advance(1500ms);
  EXPECT_EQ(clock.now() - wall, 1500ms);
  EXPECT_EQ(clock.boot_now() - boot, 1500ms);
}

TEST(VirtualClock, RunsCallbacksInOrderOfTimeThenOfArming) {
  VirtualClock clock;
  std::vector<int> order;
  const Timer late = clock.after(3s, [&] { order.push_back(3); });
  const Timer early = clock.after(1s, [&] { order.push_back(1); });
  const Timer same = clock.after(3s, [&] { order.push_back(4); });
  const Timer beyond = clock.after(9s, [&] { order.push_back(9); });
  clock.advance(3s);
  EXPECT_EQ(order, (std::vector{1, 3, 4}));
  EXPECT_EQ(clock.until_next(), 6s);
}

TEST(VirtualClock, ShowsEachCallbackItsOwnTime) {
  VirtualClock clock;
  const BootInstant begin = clock.boot_now();
  std::vector<Duration> seen;
  const Timer first = clock.after(1s, [&] { seen.push_back(clock.boot_now() - begin); });
  const Timer second = clock.after(2s, [&] { seen.push_back(clock.boot_now() - begin); });
  clock.advance(1h);
  EXPECT_EQ(seen, (std::vector<Duration>{1s, 2s}));
}

TEST(VirtualClock, RunsWhatACallbackArmsWithinTheSameAdvance) {
  VirtualClock clock;
  int ticks = 0;
  Timer next;
  std::function<void()> tick = [&] {
    ++ticks;
    next = clock.after(1s, tick);
  };
  next = clock.after(1s, tick);
  clock.advance(10s);
  EXPECT_EQ(ticks, 10);
}

TEST(VirtualClock, NeverCallsInsideAfter) {
  VirtualClock clock;
  bool called = false;
  const Timer timer = clock.after(0s, [&] { called = true; });
  EXPECT_FALSE(called);
  clock.advance(0s);
  EXPECT_TRUE(called);
}

TEST(VirtualClock, ForgetsACancelledTimer) {
  VirtualClock clock;
  bool called = false;
  Timer timer = clock.after(1s, [&] { called = true; });
  timer.cancel();
  EXPECT_EQ(clock.until_next(), std::nullopt);
  {
    const Timer dropped = clock.after(1s, [&] { called = true; });
  }
  clock.advance(2s);
  EXPECT_FALSE(called);
}

TEST(VirtualClock, ForgetsATimerCancelledAfterItsCallbackWasPosted) {
  boost::asio::io_context io;
  VirtualClock clock(io.get_executor());
  bool called = false;
  Timer timer = clock.after(1s, [&] { called = true; });
  clock.advance(1s);
  timer.cancel();
  run_ready(io);
  EXPECT_FALSE(called);
}

TEST(VirtualClock, LetsATimerOutliveIt) {
  Timer timer;
  {
    VirtualClock clock;
    timer = clock.after(1s, [] {});
  }
  timer.cancel();
}

TEST(VirtualClock, SetsTheWallClockWithoutMovingBootTime) {
  VirtualClock clock;
  const BootInstant boot = clock.boot_now();
  clock.set_wall_clock(Instant(5s));
  EXPECT_EQ(clock.now(), Instant(5s));
  EXPECT_EQ(clock.boot_now(), boot);
}

TEST(VirtualClock, TakesTheLongestDelay) {
  VirtualClock clock;
  const Timer timer = clock.after(Duration::max(), [] {});
  EXPECT_GT(*clock.until_next(), std::chrono::years(1'000'000));
}

Awaitable<int> sleep_and_return(VirtualClock& clock, int value) {
  co_await clock.sleep_for(24h);
  co_return value;
}

Awaitable<> sleep_and_throw(VirtualClock& clock) {
  co_await clock.sleep_for(1h);
  throw std::runtime_error("thrown");
}

TEST(RunLoop, JumpsFromTimerToTimer) {
  boost::asio::io_context io;
  VirtualClock clock(io.get_executor());
  const Instant begin = clock.now();
  EXPECT_EQ(run(io, clock, sleep_and_return(clock, 7)), 7);
  EXPECT_EQ(clock.now() - begin, 24h);
}

TEST(RunLoop, PassesExceptionsOn) {
  boost::asio::io_context io;
  VirtualClock clock(io.get_executor());
  EXPECT_THROW(run(io, clock, sleep_and_throw(clock)), std::runtime_error);
}

TEST(RunLoop, SaysWhenNothingIsLeftToRun) {
  boost::asio::io_context io;
  VirtualClock clock(io.get_executor());
  EXPECT_THROW(run_until(io, clock, [] { return false; }), std::runtime_error);
  EXPECT_THROW(run_until(io, [] { return false; }), std::runtime_error);
}

TEST(RunLoop, RunsASpanAndStopsAtItsEnd) {
  boost::asio::io_context io;
  VirtualClock clock(io.get_executor());
  auto short_one = start(io, sleep_and_return(clock, 1));
  run_for(io, clock, 23h);
  EXPECT_FALSE(short_one.done());
  run_for(io, clock, 1h);
  ASSERT_TRUE(short_one.done());
  EXPECT_EQ(short_one.take(), 1);
}

}  // namespace
}  // namespace keyturn
