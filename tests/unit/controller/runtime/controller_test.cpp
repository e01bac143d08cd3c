#include "controller/runtime/controller.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <deque>
#include <functional>
#include <set>

#include "controller/runtime/memory_store.h"
#include "controller/runtime/stored_object.h"
#include "tests/support/faulty_store.h"
#include "tests/support/run_loop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/test_objects.h"

namespace keyturn {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Does what the test says, and remembers who was visited.
class ScriptedReconciler final : public Reconciler {
 public:
  explicit ScriptedReconciler(Clock& clock) : clock_(clock) {}

  Task<Outcome> reconcile(Context context, ObjectKey key) override {
    EXPECT_TRUE(running.insert(key).second) << "twice at once";
    const Leave leave{running, key};
    visits.push_back(key.name);
    last_remaining = context.remaining();
    most_at_once = std::max(most_at_once, running.size());
    if (takes > Duration::zero()) co_await clock_.sleep_for(takes);
    if (throws) throws();
    if (script.empty()) co_return otherwise;
    Result<Outcome> next = std::move(script.front());
    script.pop_front();
    co_return next;
  }

  std::deque<Result<Outcome>> script;
  Result<Outcome> otherwise = Outcome::done();
  std::function<void()> throws;
  Duration takes{0};
  std::set<ObjectKey> running;
  std::size_t most_at_once = 0;
  std::optional<Duration> last_remaining;
  std::vector<std::string> visits;

 private:
  struct Leave {
    std::set<ObjectKey>& running;
    ObjectKey key;
    ~Leave() { running.erase(key); }
  };
  Clock& clock_;
};

using Visits = std::vector<std::string>;

class ControllerTest : public ::testing::Test {
 protected:
  Controller& make(ControllerOptions options = {}) {
    if (options.name.empty()) options.name = "rotations";
    informer_ = std::make_unique<Informer>(io_.get_executor(), clock_, random_, faulty_, rotations, informer_options_);
    secondary_ = std::make_unique<Informer>(io_.get_executor(), clock_, random_, memory_, runs);
    controller_ = std::make_unique<Controller>(io_.get_executor(), clock_, reconciler_, std::move(options));
    controller_->watch(*informer_);
    controller_->watch_mapped(*secondary_, [](const StoredObject& run) {
      return std::vector<ObjectKey>{{run.key.ns, "owner-" + std::to_string(number_of(run))}};
    });
    return *controller_;
  }
  Controller& make_and_start(ControllerOptions options = {}) {
    make(std::move(options));
    informer_->start();
    secondary_->start();
    EXPECT_TRUE(run(io_, clock_, controller_->start()));
    run_ready(io_);
    return *controller_;
  }
  void TearDown() override {
    if (!controller_) return;
    (void)run(io_, clock_, informer_->stop(seconds(1)));
    (void)run(io_, clock_, secondary_->stop(seconds(1)));
    EXPECT_EQ(run(io_, clock_, controller_->stop(seconds(1))), 0U);
  }

  void put(const std::string& name, const std::function<void(boost::json::object&)>& edit = {}, int number = 1,
           const Resource& resource = rotations) {
    const ObjectKey key{"erp", name};
    const Context context(clock_, "test");
    const auto current = run_now(memory_.get(context, resource, key));
    boost::json::object body = current ? (*current)->body : test_body(key, number);
    if (edit) edit(body);
    const Result<StoredPtr> written = current ? run_now(memory_.update(context, resource, key, body, (*current)->version))
                                              : run_now(memory_.create(context, resource, key, body));
    ASSERT_TRUE(written);
    run_ready(io_);
  }
  // The memory store never waits, so this must not move time.
  template <class T>
  T run_now(boost::asio::awaitable<T> task) {
    auto started = start(io_, std::move(task));
    run_ready(io_);
    return started.take();
  }
  void remove(const std::string& name) {
    const ObjectKey key{"erp", name};
    const Context context(clock_, "test");
    const auto current = run_now(memory_.get(context, rotations, key));
    ASSERT_TRUE(run_now(memory_.remove(context, rotations, key, (*current)->version)));
    run_ready(io_);
  }
  static void set_metadata(boost::json::object& body, std::string_view name, boost::json::value value) {
    body["metadata"].as_object()[name] = std::move(value);
  }
  void wait(Duration span) { run_for(io_, clock_, span); }
  Visits take_visits() { return std::exchange(reconciler_.visits, {}); }

  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  SeededRandom random_{1};
  MemoryStore memory_{io_.get_executor(), clock_, Uid{"memory"}};
  FaultyStore faulty_{memory_};
  ScriptedReconciler reconciler_{clock_};
  InformerOptions informer_options_;
  std::unique_ptr<Informer> informer_;
  std::unique_ptr<Informer> secondary_;
  std::unique_ptr<Controller> controller_;
};

TEST_F(ControllerTest, EveryObjectIsVisitedOnceAtTheStartAndAfterEachChangeOfIntent) {
  put("a");
  put("b");
  make_and_start();
  EXPECT_EQ(take_visits(), (Visits{"a", "b"}));
  put("a", [](auto& body) { set_metadata(body, "generation", 2); });
  EXPECT_EQ(take_visits(), (Visits{"a"}));
  remove("b");
  EXPECT_EQ(take_visits(), (Visits{"b"}));
  put("c");
  EXPECT_EQ(take_visits(), (Visits{"c"}));
  wait(hours(24));
  EXPECT_EQ(take_visits(), Visits());
  EXPECT_EQ(controller_->counters().success, 5U);
}

TEST_F(ControllerTest, K36AStatusWriteIsNoVisitButDeletionAndTheAnnotationAre) {
  put("a");
  make_and_start();
  (void)take_visits();
  put("a", [](auto& body) { body["status"] = {{"ready", true}}; });
  put("a", [](auto& body) { set_metadata(body, "labels", {{"team", "erp"}}); });
  put("a", [](auto& body) { set_metadata(body, "annotations", {{"other", "1"}}); });
  EXPECT_EQ(take_visits(), Visits());
  put("a", [](auto& body) { set_metadata(body, "annotations", {{"keyturn.dev/requestedAt", "1"}}); });
  put("a", [](auto& body) { set_metadata(body, "annotations", {{"keyturn.dev/requestedAt", "2"}}); });
  put("a", [](auto& body) { set_metadata(body, "annotations", boost::json::object()); });
  EXPECT_EQ(take_visits(), (Visits{"a", "a", "a"}));
  put("a", [](auto& body) { set_metadata(body, "deletionTimestamp", "2026-11-22T00:00:00Z"); });
  EXPECT_EQ(take_visits(), (Visits{"a"}));
}

TEST(ChangesIntent, IsATable) {
  const auto object = [](std::string_view metadata, ResourceVersion version) {
    boost::json::object body{{"metadata", boost::json::parse(metadata)}};
    return make_stored(rotations, {"erp", "a"}, std::move(body), version);
  };
  const auto old = object(R"({"uid":"1","generation":1})", 1);
  const auto changed = [&](std::string_view metadata) {
    return changes_intent({DeltaType::Updated, DeltaOrigin::Live, old, object(metadata, 2)});
  };
  EXPECT_FALSE(changed(R"({"uid":"1","generation":1})"));
  EXPECT_TRUE(changed(R"({"uid":"1","generation":2})"));
  EXPECT_TRUE(changed(R"({"uid":"2","generation":1})"));
  EXPECT_TRUE(changed(R"({"uid":"1"})"));
  EXPECT_TRUE(changed(R"({"uid":"1","generation":1,"deletionTimestamp":"x"})"));
  EXPECT_TRUE(changed(R"({"uid":"1","generation":1,"annotations":{"keyturn.dev/requestedAt":"x"}})"));
  EXPECT_FALSE(changed(R"({"uid":"1","generation":1,"annotations":{"a":"b"}})"));
  EXPECT_FALSE(changed(R"({"uid":"1","generation":1,"annotations":7})"));
  EXPECT_FALSE(changed(R"({"uid":"1","generation":1,"finalizers":["x"]})"));
  EXPECT_TRUE(changes_intent({DeltaType::Added, DeltaOrigin::InitialList, nullptr, old}));
  EXPECT_TRUE(changes_intent({DeltaType::Deleted, DeltaOrigin::Live, old, nullptr}));
  EXPECT_TRUE(changes_intent({DeltaType::Updated, DeltaOrigin::Resync, old, old}));
}

TEST_F(ControllerTest, K37AResyncVisitsEverythingBehindWhatIsFresh) {
  put("a");
  put("b");
  informer_options_.resync = hours(10);
  make_and_start({.workers = 1});
  (void)take_visits();
  wait(hours(11));
  EXPECT_EQ(take_visits(), (Visits{"a", "b"}));
}

TEST_F(ControllerTest, K30DifferentKeysRunInParallelUpToTheNumberOfWorkers) {
  for (int i = 0; i < 10; ++i) put("x" + std::to_string(i));
  reconciler_.takes = seconds(1);
  make_and_start({.workers = 3});
  EXPECT_EQ(controller_->counters().active_workers, 3U);
  wait(seconds(10));
  EXPECT_EQ(reconciler_.most_at_once, 3U);
  EXPECT_EQ(take_visits().size(), 10U);
  EXPECT_EQ(controller_->counters().active_workers, 0U);
}

TEST_F(ControllerTest, K30AChangeDuringAVisitLeadsToOneMoreVisitAfterIt) {
  put("a");
  reconciler_.takes = seconds(10);
  make_and_start();
  for (int generation = 2; generation < 7; ++generation) {
    put("a", [&](auto& body) { set_metadata(body, "generation", generation); });
  }
  EXPECT_EQ(take_visits(), (Visits{"a"}));
  wait(seconds(60));
  EXPECT_EQ(take_visits(), (Visits{"a"}));
}

TEST_F(ControllerTest, K33TimedWorkComesBackAtItsTime) {
  put("a");
  reconciler_.script = {Outcome::again(minutes(5))};
  make_and_start();
  EXPECT_EQ(take_visits(), (Visits{"a"}));
  wait(minutes(5) - milliseconds(1));
  EXPECT_EQ(take_visits(), Visits());
  wait(milliseconds(1));
  EXPECT_EQ(take_visits(), (Visits{"a"}));
  EXPECT_EQ(controller_->counters().requeue_after, 1U);
}

TEST_F(ControllerTest, K33AgainAtOnceStandsBehindThoseWhoWait) {
  reconciler_.script = {Outcome::again(Duration(0)), Outcome::again(Duration(0))};
  put("a");
  put("b");
  make_and_start({.workers = 1});
  EXPECT_EQ(take_visits(), (Visits{"a", "b", "a", "b"}));
  EXPECT_EQ(controller_->counters().requeue, 2U);
}

TEST_F(ControllerTest, K33AnErrorBacksOffAndASuccessStartsOver) {
  put("a");
  const Error failure{Errc::Unavailable, "no"};
  reconciler_.script = {failure, failure, failure};
  make_and_start();
  EXPECT_EQ(take_visits(), (Visits{"a"}));
  for (const int pause : {5, 10, 20}) {
    wait(milliseconds(pause - 1));
    EXPECT_EQ(take_visits(), Visits());
    wait(milliseconds(1));
    EXPECT_EQ(take_visits(), (Visits{"a"}));
  }
  EXPECT_EQ(controller_->counters().error, 3U);
  EXPECT_EQ(controller_->counters().success, 1U);
  reconciler_.script = {failure};
  put("a", [](auto& body) { set_metadata(body, "generation", 2); });
  (void)take_visits();
  wait(milliseconds(5));
  EXPECT_EQ(take_visits(), (Visits{"a"})) << "forgotten by the success";
}

TEST_F(ControllerTest, K33EveryErrorIsRetriedWhateverItsCode) {
  for (const Errc code : {Errc::NotFound, Errc::Conflict, Errc::Expired, Errc::Throttled, Errc::Unavailable, Errc::OutcomeUnknown,
                          Errc::Denied, Errc::Invalid, Errc::Cancelled, Errc::Internal}) {
    reconciler_.script.push_back(Error{code, "no"});
  }
  put("a");
  make_and_start();
  wait(hours(1));
  EXPECT_EQ(take_visits().size(), 11U);
  EXPECT_EQ(controller_->counters().error, 10U);
}

TEST_F(ControllerTest, K33AThrottledReconcileComesBackWhenItWasToldTo) {
  put("a");
  reconciler_.script = {Error{Errc::Throttled, "slow down", seconds(90)}};
  make_and_start();
  (void)take_visits();
  wait(seconds(90) - milliseconds(1));
  EXPECT_EQ(take_visits(), Visits());
  wait(milliseconds(1));
  EXPECT_EQ(take_visits(), (Visits{"a"}));
}

TEST_F(ControllerTest, K34AnExceptionIsCountedAndTheWorkerLivesOn) {
  put("a");
  int left = 3;
  reconciler_.throws = [&] {
    if (left == 3 && left-- > 0) throw std::runtime_error("a bug");
    if (left == 2 && left-- > 0) throw 42;
    if (left == 1 && left-- > 0) (void)Result<int>(Error{Errc::Internal, "x"}).value();
  };
  make_and_start({.workers = 1});
  wait(minutes(1));
  EXPECT_EQ(take_visits(), (Visits{"a", "a", "a", "a"}));
  EXPECT_EQ(controller_->counters().exceptions, 3U);
  EXPECT_EQ(controller_->counters().error, 3U);
  EXPECT_EQ(controller_->counters().success, 1U);
}

TEST_F(ControllerTest, K35AReconcileHasADeadlineAndMissingItIsCounted) {
  put("a");
  reconciler_.takes = minutes(3);
  reconciler_.script = {Error{Errc::Unavailable, "too slow"}};
  make_and_start({.reconcile_timeout = minutes(2)});
  EXPECT_EQ(reconciler_.last_remaining, Duration(minutes(2)));
  wait(minutes(10));
  EXPECT_EQ(controller_->counters().timeouts, 1U);
}

TEST_F(ControllerTest, K38AnotherKindWakesItsOwnersBeforeAndAfter) {
  make_and_start();
  put("run", {}, 1, runs);
  EXPECT_EQ(take_visits(), (Visits{"owner-1"}));
  put("run", [](auto& body) { body["spec"].as_object()["number"] = 2; }, 1, runs);
  EXPECT_EQ(take_visits(), (Visits{"owner-1", "owner-2"}));
}

TEST_F(ControllerTest, K51TheFirstListWaitsBehindWhatSomebodyChanges) {
  for (int i = 0; i < 5; ++i) put("x" + std::to_string(i));
  reconciler_.takes = seconds(1);
  make_and_start({.workers = 1});
  EXPECT_EQ(take_visits(), (Visits{"x0"}));
  put("edited");
  wait(seconds(1));
  EXPECT_EQ(take_visits(), (Visits{"edited"}));
  wait(seconds(10));
  EXPECT_EQ(take_visits(), (Visits{"x1", "x2", "x3", "x4"}));
}

TEST_F(ControllerTest, K51ACompromiseOvertakesEverything) {
  for (int i = 0; i < 5; ++i) put("x" + std::to_string(i));
  reconciler_.takes = seconds(1);
  ControllerOptions options;
  options.workers = 1;
  options.priority = [](const StoredObject& object) -> std::optional<int> {
    if (object.body.at("spec").as_object().contains("issuedNotBefore")) return priority_urgent;
    return std::nullopt;
  };
  make_and_start(std::move(options));
  EXPECT_EQ(take_visits(), (Visits{"x0"}));
  put("edited");
  put("x4", [](auto& body) {
    body["spec"].as_object()["issuedNotBefore"] = "2026-11-22T00:00:00Z";
    set_metadata(body, "generation", 2);
  });
  wait(seconds(10));
  EXPECT_EQ(take_visits(), (Visits{"x4", "edited", "x1", "x2", "x3"}));
}

TEST_F(ControllerTest, K51ARetryKeepsThePriorityOfItsKey) {
  put("initial");
  reconciler_.script = {Error{Errc::Unavailable, "no"}};
  make_and_start({.workers = 1});
  reconciler_.takes = seconds(1);
  put("busy");
  put("edited");
  wait(seconds(10));
  EXPECT_EQ(take_visits(), (Visits{"initial", "busy", "edited", "initial"}));
}

TEST_F(ControllerTest, K62NoWorkerStartsBeforeAllCachesAreInSync) {
  faulty_.list_errors = std::deque<Error>(5, Error{Errc::Unavailable, "no"});
  put("a");
  make();
  informer_->start();
  secondary_->start();
  auto starting = start(io_, controller_->start());
  wait(seconds(1));
  controller_->enqueue({"erp", "early"});
  run_ready(io_);
  EXPECT_FALSE(starting.done());
  EXPECT_EQ(take_visits(), Visits());
  wait(minutes(1));
  ASSERT_TRUE(starting.done());
  EXPECT_TRUE(starting.take());
  EXPECT_EQ(take_visits(), (Visits{"early", "a"}));
}

TEST_F(ControllerTest, K62ACacheThatNeverSyncsFailsTheStart) {
  faulty_.list_errors = std::deque<Error>(1000, Error{Errc::Unavailable, "no"});
  make({.sync_timeout = minutes(2)});
  informer_->start();
  secondary_->start();
  const BootInstant begun = clock_.boot_now();
  const Result<> started = run(io_, clock_, controller_->start());
  EXPECT_EQ(started.error().code, Errc::Unavailable);
  EXPECT_EQ(clock_.boot_now() - begun, Duration(minutes(2)));
}

TEST_F(ControllerTest, K52AStopLetsRunningReconcilesEndAndStartsNothingNew) {
  put("a");
  put("b");
  reconciler_.takes = seconds(10);
  make_and_start({.workers = 1});
  EXPECT_EQ(take_visits(), (Visits{"a"}));
  auto stopping = start(io_, controller_->stop(seconds(30)));
  wait(seconds(9));
  EXPECT_FALSE(stopping.done());
  wait(seconds(1));
  ASSERT_TRUE(stopping.done());
  EXPECT_EQ(stopping.take(), 0U);
  EXPECT_EQ(controller_->counters().success, 1U) << "it ended by itself";
  EXPECT_EQ(take_visits(), Visits()) << "b is left to the next start";
}

TEST_F(ControllerTest, K52WhatDoesNotEndInTimeIsCancelled) {
  put("a");
  reconciler_.takes = hours(10);
  make_and_start();
  const BootInstant begun = clock_.boot_now();
  EXPECT_EQ(run(io_, clock_, controller_->stop(seconds(30))), 0U);
  EXPECT_LE(clock_.boot_now() - begun, Duration(seconds(31)));
  EXPECT_TRUE(reconciler_.running.empty());
  EXPECT_EQ(controller_->counters().exceptions, 0U) << "being cancelled is no bug";
}

TEST_F(ControllerTest, AStopBeforeTheStartIsHarmless) {
  make();
  EXPECT_EQ(run(io_, clock_, controller_->stop(seconds(1))), 0U);
}

TEST_F(ControllerTest, AStopWhileTheCachesSyncEndsTheStart) {
  faulty_.list_errors = std::deque<Error>(1000, Error{Errc::Unavailable, "no"});
  make();
  informer_->start();
  auto starting = start(io_, controller_->start());
  run_ready(io_);
  (void)run(io_, clock_, controller_->stop(seconds(1)));
  (void)run(io_, clock_, informer_->stop(seconds(1)));
  run_ready(io_);
  ASSERT_TRUE(starting.done());
  EXPECT_EQ(starting.take().error().code, Errc::Cancelled);
}

TEST_F(ControllerTest, TheCountersAddUp) {
  for (int i = 0; i < 20; ++i) put("x" + std::to_string(i));
  for (int i = 0; i < 5; ++i) reconciler_.script.push_back(Error{Errc::Unavailable, "no"});
  for (int i = 0; i < 5; ++i) reconciler_.script.push_back(Outcome::again(seconds(1)));
  reconciler_.takes = milliseconds(30);
  make_and_start({.workers = 4});
  wait(hours(1));
  const ControllerCounters counters = controller_->counters();
  EXPECT_EQ(counters.workers, 4U);
  EXPECT_EQ(counters.success, 20U);
  EXPECT_EQ(counters.error, 5U);
  EXPECT_EQ(counters.requeue_after, 5U);
  EXPECT_EQ(counters.reconcile_time.count(), 30U);
  EXPECT_NEAR(counters.reconcile_time.sum_seconds(), 30 * 0.03, 1e-9);
  EXPECT_EQ(counters.queue.retries, 5U);
  EXPECT_EQ(counters.queue.adds, 30U);
  EXPECT_TRUE(counters.queue.depth.empty());
}

}  // namespace
}  // namespace keyturn
