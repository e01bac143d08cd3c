#include "controller/runtime/work_queue.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <set>
#include <vector>

#include "base/task_group.h"
#include "tests/support/run_loop.h"
#include "tests/support/seeded_random.h"

namespace keyturn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const ObjectKey a{"erp", "a"};
const ObjectKey b{"erp", "b"};
const ObjectKey c{"erp", "c"};

class WorkQueueTest : public ::testing::Test {
 protected:
  // The next key, or nothing when there is none now.
  std::optional<ObjectKey> take(WorkQueue& queue) {
    if (queue.size() == 0) return std::nullopt;
    auto item = run(io_, clock_, queue.get());
    if (!item) return std::nullopt;
    return item->key;
  }
  std::optional<ObjectKey> take() { return take(queue_); }
  // Takes and finishes all that is ready.
  std::vector<std::string> visit_all() {
    std::vector<std::string> visited;
    while (const auto key = take()) {
      visited.push_back(key->name);
      queue_.done(*key);
    }
    return visited;
  }
  void wait(Duration span) { run_for(io_, clock_, span); }

  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  WorkQueue queue_{io_.get_executor(), clock_};
};

using Visits = std::vector<std::string>;

TEST_F(WorkQueueTest, K48FirstComeFirstServed) {
  for (const auto& key : {a, b, c}) EXPECT_TRUE(queue_.add(key));
  EXPECT_EQ(visit_all(), (Visits{"a", "b", "c"}));
}

TEST_F(WorkQueueTest, K48AKeyThatIsQueuedIsNotQueuedTwice) {
  for (int i = 0; i < 10; ++i) queue_.add(a);
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_EQ(queue_.counters().adds, 1U);
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K48AThousandAddsWhileProcessingAreOneMoreVisit) {
  queue_.add(a);
  EXPECT_EQ(take(), a);
  for (int i = 0; i < 1000; ++i) queue_.add(a);
  EXPECT_EQ(take(), std::nullopt) << "never twice at once";
  queue_.done(a);
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K48AKeyThatWasDoneCanComeBack) {
  queue_.add(a);
  EXPECT_EQ(visit_all(), (Visits{"a"}));
  queue_.add(a);
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K48DoneForAKeyThatNobodyHasIsIgnored) {
  queue_.done(a);
  queue_.add(a);
  queue_.done(a);
  EXPECT_EQ(queue_.size(), 1U);
}

TEST_F(WorkQueueTest, K48AWaitingTakerGetsTheKeyAsSoonAsItIsAdded) {
  auto taker = start(io_, queue_.get());
  run_ready(io_);
  EXPECT_FALSE(taker.done());
  queue_.add(a);
  run_ready(io_);
  ASSERT_TRUE(taker.done());
  EXPECT_EQ(taker.take()->key, a);
}

TEST_F(WorkQueueTest, K48EveryTakerGetsADifferentKey) {
  std::vector<Started<std::optional<WorkItem>>> takers;
  for (int i = 0; i < 3; ++i) takers.push_back(start(io_, queue_.get()));
  run_ready(io_);
  for (const auto& key : {a, b, c, a, b, c}) queue_.add(key);
  run_ready(io_);
  std::set<ObjectKey> taken;
  for (auto& taker : takers) taken.insert(taker.take()->key);
  EXPECT_EQ(taken, (std::set<ObjectKey>{a, b, c}));
}

TEST_F(WorkQueueTest, K49ADelayedKeyComesWhenItsTimeHasPassed) {
  queue_.add_after(a, seconds(10));
  wait(seconds(10) - milliseconds(1));
  EXPECT_EQ(take(), std::nullopt);
  EXPECT_EQ(queue_.counters().delayed, 1U);
  wait(milliseconds(1));
  EXPECT_EQ(visit_all(), (Visits{"a"}));
  EXPECT_EQ(queue_.counters().delayed, 0U);
}

TEST_F(WorkQueueTest, K49KeepsTheEarlierOfTwoTimesForOneKey) {
  queue_.add_after(a, seconds(10));
  queue_.add_after(a, seconds(60));
  wait(seconds(10));
  EXPECT_EQ(visit_all(), (Visits{"a"}));
  wait(hours(1));
  EXPECT_EQ(visit_all(), Visits()) << "no second visit later";

  queue_.add_after(b, seconds(60));
  queue_.add_after(b, seconds(10));
  wait(seconds(10));
  EXPECT_EQ(visit_all(), (Visits{"b"}));
  wait(hours(1));
  EXPECT_EQ(visit_all(), Visits());
}

TEST_F(WorkQueueTest, K49AnAddMakesADelayedKeyReadyAtOnceAndOnlyOnce) {
  queue_.add_after(a, seconds(10));
  queue_.add(a);
  EXPECT_EQ(visit_all(), (Visits{"a"}));
  wait(hours(1));
  EXPECT_EQ(visit_all(), Visits());
}

TEST_F(WorkQueueTest, K49ADelayForAReadyKeyChangesNothing) {
  queue_.add(a);
  queue_.add_after(a, seconds(10));
  EXPECT_EQ(visit_all(), (Visits{"a"}));
  wait(hours(1));
  EXPECT_EQ(visit_all(), Visits());
}

TEST_F(WorkQueueTest, K49ADelayAskedForWhileProcessingCounts) {
  queue_.add(a);
  EXPECT_EQ(take(), a);
  queue_.add_after(a, seconds(10));
  queue_.done(a);
  EXPECT_EQ(take(), std::nullopt);
  wait(seconds(10));
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K49ADelayThatEndsWhileProcessingWaitsForDone) {
  queue_.add(a);
  EXPECT_EQ(take(), a);
  queue_.add_after(a, seconds(10));
  wait(seconds(20));
  EXPECT_EQ(take(), std::nullopt);
  queue_.done(a);
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K49DelayedKeysComeInTheOrderOfTheirTimes) {
  queue_.add_after(c, seconds(3));
  queue_.add_after(a, seconds(1));
  queue_.add_after(b, seconds(2));
  wait(seconds(5));
  EXPECT_EQ(visit_all(), (Visits{"a", "b", "c"}));
}

TEST_F(WorkQueueTest, K49ANegativeOrZeroDelayIsNow) {
  queue_.add_after(a, Duration(0));
  queue_.add_after(b, Duration(-5));
  EXPECT_EQ(visit_all(), (Visits{"a", "b"}));
}

TEST_F(WorkQueueTest, K49SettingTheWallClockDoesNotMoveDelays) {
  queue_.add_after(a, seconds(10));
  clock_.set_wall_clock(clock_.now() + hours(24 * 365));
  wait(seconds(9));
  EXPECT_EQ(take(), std::nullopt);
  clock_.set_wall_clock(clock_.now() - hours(24 * 365 * 2));
  wait(seconds(1));
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K50TheBackOffDoublesFromFiveMillisecondsToAThousandSeconds) {
  Duration expected{5};
  for (int n = 0; n < 25; ++n) {
    queue_.add_rate_limited(a);
    wait(expected - milliseconds(1));
    EXPECT_EQ(take(), std::nullopt) << "failure " << n;
    wait(milliseconds(1));
    EXPECT_EQ(visit_all(), (Visits{"a"})) << "failure " << n;
    expected = std::min<Duration>(2 * expected, seconds(1000));
  }
  EXPECT_EQ(queue_.failures(a), 25);
  EXPECT_EQ(queue_.counters().retries, 25U);
}

TEST_F(WorkQueueTest, K50ForgetStartsTheBackOffOver) {
  for (int n = 0; n < 10; ++n) queue_.add_rate_limited(a);
  EXPECT_EQ(queue_.failures(a), 10);
  queue_.forget(a);
  EXPECT_EQ(queue_.failures(a), 0);
  wait(hours(1));
  EXPECT_EQ(visit_all(), (Visits{"a"}));
  queue_.add_rate_limited(a);
  wait(milliseconds(5));
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K50TheBackOffOfOneKeyDoesNotSlowAnother) {
  for (int n = 0; n < 20; ++n) queue_.add_rate_limited(a);
  queue_.add_rate_limited(b);
  wait(milliseconds(5));
  EXPECT_EQ(visit_all(), (Visits{"a", "b"})) << "a keeps the earliest of its times";
  queue_.add_rate_limited(a);
  queue_.add_rate_limited(b);
  wait(milliseconds(10));
  EXPECT_EQ(visit_all(), (Visits{"b"}));
}

TEST_F(WorkQueueTest, K50AnAskedPauseIsTheLowerBoundOfTheBackOff) {
  queue_.add_rate_limited(a, 0, seconds(7));
  wait(seconds(7) - milliseconds(1));
  EXPECT_EQ(take(), std::nullopt);
  wait(milliseconds(1));
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K51AUserEditOvertakesFiveThousandKeysOfTheFirstList) {
  for (int i = 0; i < 5000; ++i) queue_.add({"erp", "initial-" + std::to_string(i)}, -100);
  queue_.add(a, 0);
  EXPECT_EQ(take(), a);
  EXPECT_EQ(take()->name, "initial-0");
}

TEST_F(WorkQueueTest, K51FirstComeFirstServedWithinAPriority) {
  queue_.add({"erp", "low-1"}, -100);
  queue_.add({"erp", "high-1"}, 100);
  queue_.add({"erp", "low-2"}, -100);
  queue_.add({"erp", "high-2"}, 100);
  queue_.add({"erp", "mid"}, 0);
  EXPECT_EQ(visit_all(), (Visits{"high-1", "high-2", "mid", "low-1", "low-2"}));
}

TEST_F(WorkQueueTest, K51AReAddRaisesThePriorityAndNeverLowersIt) {
  queue_.add(a, -100);
  queue_.add(b, 0);
  queue_.add(a, 100);
  queue_.add(a, -100);
  EXPECT_EQ(queue_.counters().depth, (std::map<int, std::size_t>{{0, 1}, {100, 1}}));
  EXPECT_EQ(visit_all(), (Visits{"a", "b"}));
}

TEST_F(WorkQueueTest, K51ARaisedKeyKeepsItsPlaceAmongItsNewEquals) {
  queue_.add(a, -100);
  queue_.add(b, 0);
  queue_.add(a, 0);
  EXPECT_EQ(visit_all(), (Visits{"a", "b"}));
}

TEST_F(WorkQueueTest, K51AReAddWhileProcessingIsRaisedToo) {
  queue_.add(a);
  EXPECT_EQ(take(), a);
  queue_.add(a, -100);
  queue_.add(a, 100);
  queue_.add(b, 0);
  queue_.done(a);
  EXPECT_EQ(visit_all(), (Visits{"a", "b"}));
}

TEST_F(WorkQueueTest, K51ADelayedKeyKeepsTheHigherPriorityWhenItsTimeComes) {
  queue_.add_after(a, seconds(5), 100);
  queue_.add_after(a, seconds(9), -100);
  queue_.add_after(b, seconds(1), 0);
  wait(seconds(10));
  EXPECT_EQ(visit_all(), (Visits{"a", "b"}));
}

TEST_F(WorkQueueTest, K51TheTakerIsToldThePriority) {
  queue_.add(a, 100);
  const auto item = run(io_, clock_, queue_.get());
  EXPECT_EQ(item->priority, 100);
}

TEST_F(WorkQueueTest, K52AfterShutDownWhatIsReadyIsHandedOutThenNothing) {
  queue_.add(a);
  queue_.add(b);
  queue_.add_after(c, seconds(1));
  queue_.shut_down(WorkQueue::Shutdown::HandOut);
  EXPECT_FALSE(queue_.add(c));
  EXPECT_FALSE(queue_.add_after(c, seconds(1)));
  EXPECT_FALSE(queue_.add_rate_limited(c));
  EXPECT_EQ(visit_all(), (Visits{"a", "b"}));
  const auto none = run(io_, clock_, queue_.get());
  EXPECT_FALSE(none);
  wait(hours(1));
  EXPECT_EQ(queue_.size(), 0U) << "delayed keys are dropped";
}

TEST_F(WorkQueueTest, K52ShutDownWakesWaitingTakers) {
  auto first = start(io_, queue_.get());
  auto second = start(io_, queue_.get());
  run_ready(io_);
  queue_.shut_down(WorkQueue::Shutdown::HandOut);
  run_ready(io_);
  EXPECT_FALSE(first.take());
  EXPECT_FALSE(second.take());
}

TEST_F(WorkQueueTest, K52ShutDownMayDiscardWhatIsReady) {
  queue_.add(a);
  EXPECT_EQ(take(), a);
  queue_.add(a);
  queue_.add(b);
  queue_.shut_down(WorkQueue::Shutdown::Discard);
  queue_.done(a);
  EXPECT_EQ(visit_all(), Visits());
}

TEST_F(WorkQueueTest, K52AKeyThatIsDirtyAtShutDownIsVisitedOnceMore) {
  queue_.add(a);
  EXPECT_EQ(take(), a);
  queue_.add(a);
  queue_.shut_down(WorkQueue::Shutdown::HandOut);
  queue_.done(a);
  EXPECT_EQ(visit_all(), (Visits{"a"}));
}

TEST_F(WorkQueueTest, K52DrainingWaitsForTheLastDone) {
  queue_.add(a);
  queue_.add(b);
  EXPECT_EQ(take(), a);
  queue_.shut_down(WorkQueue::Shutdown::HandOut);
  auto drained = start(io_, queue_.drained(hours(1)));
  run_ready(io_);
  queue_.done(a);
  run_ready(io_);
  EXPECT_FALSE(drained.done());
  EXPECT_EQ(take(), b);
  run_ready(io_);
  EXPECT_FALSE(drained.done());
  queue_.done(b);
  run_ready(io_);
  ASSERT_TRUE(drained.done());
  EXPECT_TRUE(drained.take());
}

TEST_F(WorkQueueTest, K52DrainingEndsWithItsTimeToo) {
  queue_.add(a);
  EXPECT_EQ(take(), a);
  queue_.shut_down(WorkQueue::Shutdown::Discard);
  auto drained = start(io_, queue_.drained(seconds(5)));
  wait(seconds(5));
  ASSERT_TRUE(drained.done());
  EXPECT_FALSE(drained.take());
}

TEST_F(WorkQueueTest, K52DrainingAnIdleQueueDoesNotWait) {
  queue_.shut_down(WorkQueue::Shutdown::HandOut);
  EXPECT_TRUE(run(io_, clock_, queue_.drained(Duration(0))));
}

TEST_F(WorkQueueTest, K52ShuttingDownTwiceIsHarmless) {
  queue_.add(a);
  queue_.shut_down(WorkQueue::Shutdown::HandOut);
  queue_.shut_down(WorkQueue::Shutdown::HandOut);
  EXPECT_EQ(visit_all(), (Visits{"a"}));
  EXPECT_TRUE(queue_.shutting_down());
}

TEST_F(WorkQueueTest, AFullQueueRefusesNewKeysAndCountsThem) {
  WorkQueue small(io_.get_executor(), clock_, {.keys_max = 2});
  EXPECT_TRUE(small.add(a));
  EXPECT_TRUE(small.add_after(b, seconds(1)));
  EXPECT_FALSE(small.add(c));
  EXPECT_FALSE(small.add_after(c, seconds(1)));
  EXPECT_TRUE(small.add(a)) << "a key that is there already has its place";
  EXPECT_EQ(small.counters().refused, 2U);
  EXPECT_EQ(take(small), a);
  small.done(a);
  EXPECT_TRUE(small.add(c));
}

TEST_F(WorkQueueTest, ACancelledTakerDoesNotTakeAKeyAlong) {
  TaskGroup tasks(io_.get_executor());
  std::vector<ObjectKey> taken;
  const auto taker = [](WorkQueue& queue, std::vector<ObjectKey>& into) -> Awaitable<> {
    for (;;) {
      std::optional<WorkItem> item = co_await queue.get();
      if (!item) co_return;
      into.push_back(item->key);
      queue.done(item->key);
    }
  };
  tasks.spawn("taker", [&] { return taker(queue_, taken); });
  run_ready(io_);
  (void)run(io_, clock_, tasks.stop(clock_, Duration(0)));
  queue_.add(a);
  run_ready(io_);
  EXPECT_TRUE(taken.empty());
  EXPECT_EQ(take(), a);
}

TEST_F(WorkQueueTest, TheCountersTellWhatTheQueueDoes) {
  queue_.add(a);
  queue_.add(b);
  wait(seconds(2));
  EXPECT_EQ(take(), a);
  wait(seconds(3));
  EXPECT_EQ(take(), b);
  wait(seconds(1));
  WorkQueueCounters counters = queue_.counters();
  EXPECT_EQ(counters.processing, 2U);
  EXPECT_EQ(counters.adds, 2U);
  EXPECT_EQ(counters.unfinished, seconds(5));
  EXPECT_EQ(counters.longest_running, seconds(4));
  EXPECT_DOUBLE_EQ(counters.queued.sum_seconds(), 7);
  queue_.done(a);
  queue_.done(b);
  counters = queue_.counters();
  EXPECT_DOUBLE_EQ(counters.worked.sum_seconds(), 5);
  EXPECT_EQ(counters.worked.count(), 2U);
  EXPECT_EQ(counters.unfinished, Duration(0));
}

// Workers of random speed, adds of every sort, in virtual time. Whatever happens: no key twice at once, and no add is lost.
class RandomLoad {
 public:
  explicit RandomLoad(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int i = 0; i < 4; ++i) tasks_.spawn("worker", [this] { return work(); });
    for (int i = 0; i < 600; ++i) {
      add_something();
      run_for(io_, clock_, Duration(random_.below(20)));
    }
    run_for(io_, clock_, hours(1));
    for (const auto& [key, added] : last_added_) EXPECT_GE(last_visited_[key], added) << "an add was not followed by a visit";
    queue_.shut_down(WorkQueue::Shutdown::HandOut);
    (void)keyturn::run(io_, clock_, tasks_.stop(clock_, seconds(1)));
  }

 private:
  void add_something() {
    const ObjectKey key{"erp", std::to_string(random_.below(8))};
    const int priority = static_cast<int>(random_.below(3)) * 100 - 100;
    last_added_[key] = ++events_;
    switch (random_.below(3)) {
      case 0:
        queue_.add(key, priority);
        break;
      case 1:
        queue_.add_after(key, Duration(random_.below(100)), priority);
        break;
      default:
        queue_.add_rate_limited(key, priority);
    }
  }

  Awaitable<> work() {
    for (;;) {
      std::optional<WorkItem> item = co_await queue_.get();
      if (!item) co_return;
      EXPECT_TRUE(running_.insert(item->key).second) << "two workers on one key";
      last_visited_[item->key] = ++events_;
      co_await clock_.sleep_for(Duration(random_.below(50)));
      if (random_.below(4) == 0) queue_.forget(item->key);
      running_.erase(item->key);
      queue_.done(item->key);
    }
  }

  SeededRandom random_;
  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  WorkQueue queue_{io_.get_executor(), clock_};
  std::set<ObjectKey> running_;
  std::map<ObjectKey, int> last_added_;
  std::map<ObjectKey, int> last_visited_;
  int events_ = 0;
  TaskGroup tasks_{io_.get_executor()};
};

TEST(WorkQueueUnderRandomLoad, NoKeyIsVisitedTwiceAtOnceAndNoAddIsLost) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomLoad(seed).run();
  }
}

}  // namespace
}  // namespace keyturn
