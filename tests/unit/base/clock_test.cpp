#include "base/clock.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/support/run_loop.h"

namespace keyturn {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

struct Woken {
  bool woken = false;
  std::exception_ptr thrown;
};

Awaitable<> note_waking(Clock& clock, Duration delay, Woken& note) {
  co_await clock.sleep_for(delay);
  note.woken = true;
}

Awaitable<> note_waking_at(Clock& clock, Instant at, Woken& note) {
  co_await clock.sleep_until(at);
  note.woken = true;
}

class Sleeping : public testing::Test {
 protected:
  void spawn(Awaitable<> task) {
    asio::co_spawn(io_, std::move(task),
                   asio::bind_cancellation_slot(signal_.slot(), [this](std::exception_ptr thrown) { note_.thrown = thrown; }));
    run_ready(io_);
  }
  asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  asio::cancellation_signal signal_;
  Woken note_;
};

TEST_F(Sleeping, EndsOnTimeAndNotBefore) {
  spawn(note_waking(clock_, 5s, note_));
  run_for(io_, clock_, 4999ms);
  EXPECT_FALSE(note_.woken);
  run_for(io_, clock_, 1ms);
  EXPECT_TRUE(note_.woken);
}

TEST_F(Sleeping, ForNoTimeOrLessEndsAtOnce) {
  spawn(note_waking(clock_, 0s, note_));
  EXPECT_TRUE(note_.woken);
  note_.woken = false;
  spawn(note_waking(clock_, -1h, note_));
  EXPECT_TRUE(note_.woken);
}

TEST_F(Sleeping, EndsQuietlyWhenCancelled) {
  spawn(note_waking(clock_, 5h, note_));
  signal_.emit(asio::cancellation_type::terminal);
  run_ready(io_);
  EXPECT_TRUE(note_.woken);
  EXPECT_FALSE(note_.thrown);
  EXPECT_EQ(clock_.until_next(), std::nullopt);
}

TEST_F(Sleeping, UntilAMomentEndsThere) {
  spawn(note_waking_at(clock_, clock_.now() + 25h, note_));
  run_for(io_, clock_, 25h - 1ms);
  EXPECT_FALSE(note_.woken);
  run_for(io_, clock_, 1ms);
  EXPECT_TRUE(note_.woken);
}

TEST_F(Sleeping, UntilAMomentInThePastEndsAtOnce) {
  spawn(note_waking_at(clock_, clock_.now() - 1s, note_));
  EXPECT_TRUE(note_.woken);
}

TEST_F(Sleeping, UntilAMomentNoticesThatTheWallClockWasSet) {
  const Instant at = clock_.now() + 1000h;
  spawn(note_waking_at(clock_, at, note_));
  clock_.set_wall_clock(at);
  run_for(io_, clock_, 1h);
  EXPECT_TRUE(note_.woken);
}

TEST_F(Sleeping, UntilAMomentEndsQuietlyWhenCancelled) {
  spawn(note_waking_at(clock_, clock_.now() + 1000h, note_));
  run_for(io_, clock_, 2h);
  signal_.emit(asio::cancellation_type::terminal);
  run_ready(io_);
  EXPECT_TRUE(note_.woken);
  EXPECT_FALSE(note_.thrown);
}

TEST(SystemClock, TellsTheTime) {
  asio::io_context io;
  const SystemClock clock(io.get_executor());
  EXPECT_GT(clock.now(), Instant(std::chrono::days(20'000)));
  const BootInstant first = clock.boot_now();
  EXPECT_GT(first, BootInstant());
  EXPECT_GE(clock.boot_now(), first);
}

TEST(SystemClock, RunsACallbackOnTheLoopAndNotInsideTheCall) {
  asio::io_context io;
  SystemClock clock(io.get_executor());
  bool called = false;
  const Timer timer = clock.after(0ms, [&] { called = true; });
  EXPECT_FALSE(called);
  io.run();
  EXPECT_TRUE(called);
}

TEST(SystemClock, NeverCallsBackAfterCancelling) {
  asio::io_context io;
  SystemClock clock(io.get_executor());
  bool called = false;
  Timer timer = clock.after(0ms, [&] { called = true; });
  // Due, and perhaps queued already.
  io.poll_one();
  const bool before = called;
  timer.cancel();
  io.restart();
  io.run();
  EXPECT_EQ(called, before);
}

TEST(SystemClock, TakesTheLongestDelay) {
  asio::io_context io;
  SystemClock clock(io.get_executor());
  bool called = false;
  const Timer timer = clock.after(Duration::max(), [&] { called = true; });
  io.poll();
  EXPECT_FALSE(called);
}

TEST(SystemClock, LetsACallbackDestroyItsOwnTimer) {
  asio::io_context io;
  SystemClock clock(io.get_executor());
  Timer timer;
  timer = clock.after(0ms, [&] { timer.cancel(); });
  io.run();
}

}  // namespace
}  // namespace keyturn
