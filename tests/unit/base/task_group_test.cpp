#include "base/task_group.h"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <stdexcept>

#include "tests/support/run_loop.h"

namespace keyturn {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

Awaitable<> count_seconds(Clock& clock, int& seconds) {
  for (;;) {
    co_await clock.sleep_for(1s);
    ++seconds;
  }
}

Awaitable<> set_after(Clock& clock, Duration delay, bool& flag) {
  co_await clock.sleep_for(delay);
  flag = true;
}

Awaitable<> ignore_cancellation(Clock& clock, Duration time, bool& done) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await clock.sleep_for(time);
  done = true;
}

Awaitable<> fail() {
  throw std::runtime_error("a text that might hold anything");
  co_return;
}

Awaitable<> fail_by_taking_a_value() {
  const Result<int> failed = Error{Errc::Invalid, "stable text"};
  static_cast<void>(failed.value());
  co_return;
}

class TaskGroups : public testing::Test {
 protected:
  ~TaskGroups() override { static_cast<void>(run(io_, clock_, group_.stop(clock_, 0s))); }
  asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  TaskGroup group_{io_.get_executor()};
};

TEST_F(TaskGroups, RunWhatTheySpawn) {
  bool flag = false;
  group_.spawn("set", [&] { return set_after(clock_, 3s, flag); });
  EXPECT_EQ(group_.running(), 1U);
  run_for(io_, clock_, 3s);
  EXPECT_TRUE(flag);
  EXPECT_EQ(group_.running(), 0U);
}

TEST_F(TaskGroups, NeverRunATaskInsideSpawn) {
  bool flag = false;
  Awaitable<> outer = [](TaskGroup& group, Clock& clock, bool& done, bool& seen) -> Awaitable<> {
    group.spawn("set", [&clock, &done] { return set_after(clock, 0s, done); });
    seen = done;
    co_return;
  }(group_, clock_, flag, flag);
  run(io_, std::move(outer));
  run_ready(io_);
  EXPECT_TRUE(flag);
}

TEST_F(TaskGroups, KeepTheBodyOfATaskAlive) {
  auto owned = std::make_shared<bool>(false);
  const std::weak_ptr<bool> watched = owned;
  group_.spawn("set", [this, flag = std::move(owned)] { return set_after(clock_, 1s, *flag); });
  run_ready(io_);
  EXPECT_FALSE(watched.expired());
  run_for(io_, clock_, 1s);
  EXPECT_TRUE(watched.expired());
}

TEST_F(TaskGroups, StopEndlessTasks) {
  int seconds = 0;
  group_.spawn("count", [&] { return count_seconds(clock_, seconds); });
  run_for(io_, clock_, 5s);
  EXPECT_EQ(seconds, 5);
  EXPECT_EQ(run(io_, clock_, group_.stop(clock_, 10s)), 0U);
  EXPECT_EQ(group_.running(), 0U);
  const BootInstant stopped = clock_.boot_now();
  EXPECT_EQ(clock_.until_next(), std::nullopt);
  EXPECT_EQ(stopped, clock_.boot_now());
}

TEST_F(TaskGroups, WaitForCleanupButNotForEver) {
  bool quick = false;
  bool slow = false;
  group_.spawn("quick", [&] { return ignore_cancellation(clock_, 2s, quick); });
  group_.spawn("slow", [&] { return ignore_cancellation(clock_, 1h, slow); });
  run_ready(io_);
  const BootInstant begin = clock_.boot_now();
  EXPECT_EQ(run(io_, clock_, group_.stop(clock_, 10s)), 1U);
  EXPECT_EQ(clock_.boot_now() - begin, 10s);
  EXPECT_TRUE(quick);
  EXPECT_FALSE(slow);
  run_for(io_, clock_, 1h);
  EXPECT_TRUE(slow);
}

TEST_F(TaskGroups, StopTwiceWithTheSameAnswer) {
  int seconds = 0;
  group_.spawn("count", [&] { return count_seconds(clock_, seconds); });
  run_ready(io_);
  EXPECT_EQ(run(io_, clock_, group_.stop(clock_, 1s)), 0U);
  EXPECT_EQ(run(io_, clock_, group_.stop(clock_, 1s)), 0U);
}

TEST_F(TaskGroups, SpawnNothingOnceStopped) {
  static_cast<void>(run(io_, clock_, group_.stop(clock_, 1s)));
  bool flag = false;
  group_.spawn("set", [&] { return set_after(clock_, 0s, flag); });
  run_for(io_, clock_, 1s);
  EXPECT_FALSE(flag);
}

TEST_F(TaskGroups, CancelATaskThatHasNotBegun) {
  bool flag = false;
  group_.spawn("set", [&] { return set_after(clock_, 0s, flag); });
  EXPECT_EQ(run(io_, clock_, group_.stop(clock_, 1s)), 0U);
  EXPECT_FALSE(flag);
}

TEST_F(TaskGroups, LogAnExceptionAndGoOn) {
  bool flag = false;
  testing::internal::CaptureStderr();
  group_.spawn("failing", [] { return fail(); });
  group_.spawn("broken", [] { return fail_by_taking_a_value(); });
  group_.spawn("set", [&] { return set_after(clock_, 1s, flag); });
  run_for(io_, clock_, 1s);
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(flag);
  EXPECT_NE(logged.find("task=failing"), std::string::npos) << logged;
  EXPECT_NE(logged.find("task=broken"), std::string::npos) << logged;
  EXPECT_NE(logged.find("stable text"), std::string::npos) << logged;
  EXPECT_EQ(logged.find("might hold anything"), std::string::npos) << logged;
}

TEST_F(TaskGroups, AreSilentAboutTasksThatWereAskedToStop) {
  testing::internal::CaptureStderr();
  int seconds = 0;
  group_.spawn("count", [&] { return count_seconds(clock_, seconds); });
  run_ready(io_);
  static_cast<void>(run(io_, clock_, group_.stop(clock_, 1s)));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

void destroy_unstopped() {
  asio::io_context io;
  VirtualClock clock(io.get_executor());
  int seconds = 0;
  TaskGroup group(io.get_executor());
  group.spawn("count", [&] { return count_seconds(clock, seconds); });
  run_ready(io);
}

TEST(TaskGroup, AbortsWhenDestroyedBeforeItWasStopped) { EXPECT_DEATH(destroy_unstopped(), "before it was stopped"); }

TEST(TaskGroup, MayBeDestroyedWhenNothingWasSpawned) {
  asio::io_context io;
  const TaskGroup group(io.get_executor());
  EXPECT_EQ(group.running(), 0U);
}

}  // namespace
}  // namespace keyturn
