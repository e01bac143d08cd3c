#include "controller/runtime/wait_list.h"

#include <gtest/gtest.h>

#include <boost/asio/this_coro.hpp>
#include <vector>

#include "base/task_group.h"
#include "tests/support/run_loop.h"

namespace keyturn {
namespace {

class WaitListTest : public ::testing::Test {
 protected:
  static Awaitable<> wait_as(WaitList& list, int name, std::vector<std::pair<int, bool>>& woken) {
    const bool notified = co_await list.wait();
    woken.emplace_back(name, notified);
  }

  void spawn(int name) {
    tasks_.spawn("waiter", [this, name] { return wait_as(list_, name, woken_); });
  }
  void TearDown() override { (void)run(io_, clock_, tasks_.stop(clock_, Duration(0))); }

  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  WaitList list_{io_.get_executor()};
  std::vector<std::pair<int, bool>> woken_;
  TaskGroup tasks_{io_.get_executor()};
};

using Woken = std::vector<std::pair<int, bool>>;

TEST_F(WaitListTest, WakesInTheOrderOfArrival) {
  for (int name : {1, 2, 3}) spawn(name);
  run_ready(io_);
  EXPECT_EQ(list_.waiting(), 3U);
  EXPECT_TRUE(list_.notify_one());
  EXPECT_TRUE(woken_.empty()) << "not from inside the call";
  run_ready(io_);
  EXPECT_EQ(woken_, (Woken{{1, true}}));
  list_.notify_all();
  run_ready(io_);
  EXPECT_EQ(woken_, (Woken{{1, true}, {2, true}, {3, true}}));
  EXPECT_FALSE(list_.notify_one());
}

TEST_F(WaitListTest, ACancelledWaiterIsToldSo) {
  spawn(1);
  run_ready(io_);
  (void)run(io_, clock_, tasks_.stop(clock_, Duration(0)));
  run_ready(io_);
  EXPECT_EQ(woken_, (Woken{{1, false}}));
  EXPECT_EQ(list_.waiting(), 0U);
  EXPECT_FALSE(list_.notify_one());
}

TEST_F(WaitListTest, ANotificationBeforeACancellationCounts) {
  spawn(1);
  run_ready(io_);
  EXPECT_TRUE(list_.notify_one());
  (void)run(io_, clock_, tasks_.stop(clock_, Duration(0)));
  run_ready(io_);
  EXPECT_EQ(woken_, (Woken{{1, true}}));
}

TEST(WaitListLifetime, WaitersMayBeLeftBehindWithTheirLoop) {
  auto io = std::make_unique<boost::asio::io_context>();
  auto list = std::make_unique<WaitList>(io->get_executor());
  auto started = start(*io, list->wait());
  run_ready(*io);
  EXPECT_EQ(list->waiting(), 1U);
  list.reset();
  io.reset();
  EXPECT_FALSE(started.done());
}

class TurnstileTest : public ::testing::Test {
 protected:
  static Awaitable<> pass(Turnstile& turnstile, WaitList& inside, int name, std::vector<int>& log) {
    const Turnstile::Turn turn = co_await turnstile.enter();
    if (!turn) co_return;
    log.push_back(name);
    const bool notified = co_await inside.wait();
    (void)notified;
    log.push_back(-name);
  }

  void spawn(TaskGroup& tasks, int name) {
    tasks.spawn("visitor", [this, name] { return pass(turnstile_, inside_, name, log_); });
  }
  void TearDown() override {
    (void)run(io_, clock_, others_.stop(clock_, Duration(0)));
    (void)run(io_, clock_, tasks_.stop(clock_, Duration(0)));
  }

  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  Turnstile turnstile_{io_.get_executor()};
  WaitList inside_{io_.get_executor()};
  std::vector<int> log_;
  TaskGroup tasks_{io_.get_executor()};
  TaskGroup others_{io_.get_executor()};
};

TEST_F(TurnstileTest, LetsOneThroughAtATimeInTheOrderOfArrival) {
  for (int name : {1, 2, 3}) spawn(tasks_, name);
  run_ready(io_);
  EXPECT_EQ(log_, (std::vector<int>{1}));
  EXPECT_EQ(turnstile_.waiting(), 2U);
  for (int i = 0; i < 3; ++i) {
    inside_.notify_all();
    run_ready(io_);
  }
  EXPECT_EQ(log_, (std::vector<int>{1, -1, 2, -2, 3, -3}));
}

TEST_F(TurnstileTest, ACancelledVisitorInsideGivesItsTurnBack) {
  spawn(others_, 1);
  run_ready(io_);
  spawn(tasks_, 2);
  run_ready(io_);
  (void)run(io_, clock_, others_.stop(clock_, Duration(0)));
  run_ready(io_);
  EXPECT_EQ(log_, (std::vector<int>{1, -1, 2}));
}

TEST_F(TurnstileTest, ACancelledVisitorInTheQueueIsPassedOver) {
  spawn(tasks_, 1);
  run_ready(io_);
  spawn(others_, 2);
  run_ready(io_);
  spawn(tasks_, 3);
  run_ready(io_);
  (void)run(io_, clock_, others_.stop(clock_, Duration(0)));
  inside_.notify_all();
  run_ready(io_);
  EXPECT_EQ(log_, (std::vector<int>{1, -1, 3}));
}

TEST_F(TurnstileTest, IsFreeAgainAfterTheLast) {
  spawn(tasks_, 1);
  run_ready(io_);
  inside_.notify_all();
  run_ready(io_);
  spawn(tasks_, 2);
  run_ready(io_);
  EXPECT_EQ(log_, (std::vector<int>{1, -1, 2}));
}

}  // namespace
}  // namespace keyturn
