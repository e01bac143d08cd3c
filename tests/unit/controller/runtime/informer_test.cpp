#include "controller/runtime/informer.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
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

const Error unavailable{Errc::Unavailable, "refused"};
const Error expired{Errc::Expired, "too old"};

class InformerTest : public ::testing::Test {
 protected:
  using Events = std::vector<std::string>;

  Informer& make(InformerOptions options = {}) {
    informer_ = std::make_unique<Informer>(io_.get_executor(), clock_, random_, faulty_, rotations, std::move(options));
    informer_->add_handler([this](const Delta& delta) { note(delta); });
    return *informer_;
  }
  Informer& make_and_start(InformerOptions options = {}) {
    make(std::move(options)).start();
    run_ready(io_);
    return *informer_;
  }
  void TearDown() override {
    if (informer_) {
      EXPECT_EQ(run(io_, clock_, informer_->stop(seconds(1))), 0U);
    }
  }

  void note(const Delta& delta) {
    static constexpr const char* types[] = {"+", "~", "-"};
    static constexpr const char* origins[] = {" initial", "", " resync"};
    const StoredObject& object = delta.now ? *delta.now : *delta.old;
    events_.push_back(types[static_cast<int>(delta.type)] + object.key.name + "=" + std::to_string(number_of(object)) +
                      origins[static_cast<int>(delta.origin)]);
    deltas_.push_back(delta);
  }
  Events take_events() { return std::exchange(events_, {}); }

  void put(const std::string& name, int number, const std::string& ns = "erp", const Resource& resource = rotations) {
    const ObjectKey key{ns, name};
    const Context context(clock_, "test");
    const auto current = run(io_, clock_, memory_.get(context, resource, key));
    const Result<StoredPtr> written =
        current ? run(io_, clock_, memory_.update(context, resource, key, test_body(key, number), (*current)->version))
                : run(io_, clock_, memory_.create(context, resource, key, test_body(key, number)));
    ASSERT_TRUE(written);
  }
  void remove(const std::string& name, const std::string& ns = "erp") {
    const ObjectKey key{ns, name};
    const Context context(clock_, "test");
    const auto current = run(io_, clock_, memory_.get(context, rotations, key));
    ASSERT_TRUE(run(io_, clock_, memory_.remove(context, rotations, key, (*current)->version)));
  }
  void wait(Duration span) { run_for(io_, clock_, span); }
  // What would be in the cache if it were perfect.
  void expect_cache_equals_store() {
    const auto all = run(io_, clock_, memory_.list(Context(clock_, "test"), rotations, {}));
    EXPECT_EQ(informer_->list(), all->items);
  }

  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  SeededRandom random_{1};
  MemoryStore memory_{io_.get_executor(), clock_, Uid{"memory"}};
  FaultyStore faulty_{memory_};
  std::unique_ptr<Informer> informer_;
  Events events_;
  std::vector<Delta> deltas_;
};

TEST_F(InformerTest, K54WatchesFromTheVersionOfItsList) {
  put("a", 1);
  put("b", 2);
  const ResourceVersion listed = memory_.version();
  make_and_start();
  EXPECT_EQ(faulty_.watches, (std::vector<ResourceVersion>{listed}));
  EXPECT_EQ(take_events(), (Events{"+a=1 initial", "+b=2 initial"}));
  put("a", 3);
  put("c", 4);
  remove("b");
  EXPECT_EQ(take_events(), (Events{"~a=3", "+c=4", "-b=2"}));
  expect_cache_equals_store();
}

TEST_F(InformerTest, K54WhatTheListContainedIsNotReportedAgain) {
  put("a", 1);
  // Written after the list was taken and before the watch is open: the backlog of the watch brings it, once.
  bool written = false;
  faulty_.before_watch = [&](ResourceVersion) {
    if (std::exchange(written, true)) return;
    const ObjectKey key{"erp", "b"};
    auto creation = start(io_, memory_.create(Context(clock_, "test"), rotations, key, test_body(key, 2)));
  };
  make_and_start();
  run_ready(io_);
  EXPECT_EQ(take_events(), (Events{"+a=1 initial", "+b=2"}));
}

TEST_F(InformerTest, K54AnEmptyListIsASync) {
  Informer& informer = make_and_start();
  EXPECT_TRUE(informer.has_synced());
  EXPECT_TRUE(informer.list().empty());
}

TEST_F(InformerTest, K55ListsInPagesOfOneVersion) {
  for (int i = 0; i < 11; ++i) put("x" + std::to_string(10 + i), i);
  make_and_start({.page_size = 5});
  ASSERT_EQ(faulty_.lists.size(), 3U);
  EXPECT_EQ(faulty_.lists[0].at, 0U);
  EXPECT_EQ(faulty_.lists[0].limit, 5U);
  EXPECT_EQ(faulty_.lists[1].at, memory_.version());
  EXPECT_EQ(faulty_.lists[2].at, memory_.version());
  expect_cache_equals_store();
}

TEST_F(InformerTest, K55TheDefaultPageHasFiveHundred) {
  make_and_start();
  EXPECT_EQ(faulty_.lists.at(0).limit, 500U);
}

TEST_F(InformerTest, K56AVersionThatExpiresBetweenPagesLeadsToOneUnpagedList) {
  for (int i = 0; i < 6; ++i) put("x" + std::to_string(i), i);
  faulty_.before_list = [&](const ListOptions& options) {
    if (options.after.empty()) return;
    faulty_.list_errors.push_back(expired);
    faulty_.before_list = nullptr;
  };
  Informer& informer = make_and_start({.page_size = 2});
  ASSERT_EQ(faulty_.lists.size(), 3U);
  EXPECT_EQ(faulty_.lists[2].limit, 0U);
  EXPECT_EQ(faulty_.lists[2].at, 0U);
  EXPECT_TRUE(faulty_.lists[2].after.empty());
  EXPECT_TRUE(informer.has_synced());
  EXPECT_EQ(take_events().size(), 6U) << "no object twice, none lost";
  expect_cache_equals_store();
}

TEST_F(InformerTest, K57EveryWatchGoesOnFromTheLastVersionSeen) {
  make_and_start();
  put("a", 1);
  wait(seconds(5));
  memory_.close_watches();
  run_ready(io_);
  ASSERT_EQ(faulty_.watches.size(), 2U);
  EXPECT_EQ(faulty_.watches[1], memory_.version());
  EXPECT_EQ(faulty_.lists.size(), 1U) << "the end of a watch is no reason to list";
  put("b", 2);
  EXPECT_EQ(take_events(), (Events{"+a=1", "+b=2"}));
}

TEST_F(InformerTest, K57NothingIsLostBetweenTwoWatches) {
  make_and_start();
  wait(seconds(5));
  faulty_.watch_errors = {unavailable, unavailable};
  memory_.close_watches();
  run_ready(io_);
  put("a", 1);
  put("a", 2);
  wait(seconds(10));
  EXPECT_EQ(take_events(), (Events{"+a=1", "~a=2"}));
}

TEST_F(InformerTest, K58AListThatHangsIsBoundedByItsDeadline) {
  std::optional<Duration> remaining;
  // The store is told how long it may take; a store over a network gives up then.
  class Deadlines final : public Store {
   public:
    explicit Deadlines(std::optional<Duration>& seen) : seen_(seen) {}
    Task<StoredPtr> get(Context, Resource, ObjectKey) override { co_return unavailable; }
    Task<ObjectList> list(Context context, Resource, ListOptions) override {
      seen_ = context.remaining();
      co_return unavailable;
    }
    Task<std::unique_ptr<Watch>> watch(Context, Resource, ResourceVersion, ChangeSink&) override { co_return unavailable; }
    Task<StoredPtr> create(Context, Resource, ObjectKey, boost::json::object) override { co_return unavailable; }
    Task<StoredPtr> update(Context, Resource, ObjectKey, boost::json::object, ResourceVersion) override { co_return unavailable; }
    Task<StoredPtr> remove(Context, Resource, ObjectKey, ResourceVersion) override { co_return unavailable; }
    ResourceVersion version() const override { return 1; }
    ResourceVersion oldest_watchable() const override { return 1; }
    Uid identity() const override { return {}; }

   private:
    std::optional<Duration>& seen_;
  };
  Deadlines store(remaining);
  Informer informer(io_.get_executor(), clock_, random_, store, rotations, {.call_timeout = seconds(60)});
  informer.start();
  run_ready(io_);
  EXPECT_EQ(remaining, Duration(seconds(60)));
  EXPECT_EQ(run(io_, clock_, informer.stop(seconds(1))), 0U);
}

TEST_F(InformerTest, K59AFailedWatchIsRepeatedAtTheSameVersionWithoutAList) {
  put("a", 1);
  const ResourceVersion listed = memory_.version();
  faulty_.watch_errors = {unavailable, {Errc::Throttled, "slow down"}, {Errc::Internal, "oops"}};
  make_and_start();
  wait(minutes(1));
  EXPECT_EQ(faulty_.lists.size(), 1U);
  EXPECT_EQ(faulty_.watches, (std::vector<ResourceVersion>(4, listed)));
  EXPECT_EQ(informer_->counters().failures, 3U);
  put("b", 2);
  EXPECT_EQ(take_events(), (Events{"+a=1 initial", "+b=2"}));
}

TEST_F(InformerTest, K59AnExpiredVersionLeadsToANewList) {
  put("a", 1);
  put("b", 1);
  make_and_start();
  (void)take_events();
  wait(seconds(5));
  faulty_.watch_errors = {unavailable};
  memory_.close_watches();
  run_ready(io_);
  put("a", 2);
  remove("b");
  put("c", 1);
  memory_.compact(memory_.version());
  wait(minutes(2));
  EXPECT_EQ(faulty_.lists.size(), 2U);
  EXPECT_EQ(take_events(), (Events{"-b=1", "~a=2", "+c=1"}));
  expect_cache_equals_store();
}

TEST_F(InformerTest, K59AnAskedPauseIsHonoured) {
  faulty_.watch_errors = {{Errc::Throttled, "slow down", minutes(5)}};
  make_and_start();
  wait(minutes(5) - milliseconds(1));
  EXPECT_EQ(faulty_.watches.size(), 1U);
  wait(milliseconds(1));
  EXPECT_EQ(faulty_.watches.size(), 2U);
}

TEST_F(InformerTest, K60TenMinutesOfRefusalsCostFewRequestsAndThenRecover) {
  faulty_.list_errors = std::deque<Error>(1000, unavailable);
  make_and_start();
  wait(minutes(10));
  EXPECT_LE(faulty_.lists.size(), 180U) << "at most 0.3 per second";
  EXPECT_GE(faulty_.lists.size(), 10U);
  faulty_.list_errors.clear();
  put("a", 1);
  wait(minutes(1));
  EXPECT_TRUE(informer_->has_synced());
  EXPECT_EQ(take_events(), (Events{"+a=1 initial"}));
}

TEST_F(InformerTest, K60AVeryShortWatchCountsAsAFailure) {
  make_and_start();
  memory_.close_watches();
  run_ready(io_);
  EXPECT_EQ(informer_->counters().failures, 1U);
  EXPECT_EQ(faulty_.watches.size(), 1U) << "it pauses first";
  wait(seconds(2));
  EXPECT_EQ(faulty_.watches.size(), 2U);
}

TEST_F(InformerTest, K60AShortWatchThatBroughtAChangeIsNoFailure) {
  make_and_start();
  put("a", 1);
  memory_.close_watches();
  run_ready(io_);
  EXPECT_EQ(informer_->counters().failures, 0U);
  EXPECT_EQ(faulty_.watches.size(), 2U);
}

TEST_F(InformerTest, K61AListReplacesTheCacheWithTombstonesForWhatVanished) {
  put("gone", 1);
  put("same", 2);
  put("changed", 3);
  make_and_start();
  (void)take_events();
  deltas_.clear();
  wait(seconds(5));
  faulty_.watch_errors = {expired};
  faulty_.list_errors = {unavailable};
  memory_.close_watches();
  run_ready(io_);
  remove("gone");
  put("changed", 4);
  put("new", 5);
  wait(minutes(2));
  EXPECT_EQ(take_events(), (Events{"-gone=1", "~changed=4", "+new=5"})) << "nothing for what is equal";
  EXPECT_EQ(number_of(*deltas_.at(0).old), 1) << "the tombstone has the last state that was seen";
  EXPECT_EQ(deltas_.at(0).now, nullptr);
  EXPECT_EQ(number_of(*deltas_.at(1).old), 3);
  EXPECT_EQ(deltas_.at(2).origin, DeltaOrigin::Live) << "the first list is over";
}

TEST_F(InformerTest, K61ARecreatedObjectIsAnUpdateWithAnotherUid) {
  put("a", 1);
  make_and_start();
  (void)take_events();
  deltas_.clear();
  wait(seconds(5));
  faulty_.watch_errors = {expired};
  memory_.close_watches();
  run_ready(io_);
  remove("a");
  boost::json::object body = test_body({"erp", "a"}, 2);
  body["metadata"].as_object()["uid"] = "another";
  ASSERT_TRUE(run(io_, clock_, memory_.create(Context(clock_, "test"), rotations, {"erp", "a"}, body)));
  wait(minutes(1));
  ASSERT_EQ(take_events(), (Events{"~a=2"}));
  EXPECT_NE(deltas_[0].old->uid, deltas_[0].now->uid);
}

TEST_F(InformerTest, K61AChangeThatTheCacheKnowsOtherwiseIsReportedByWhatTheCacheKnows) {
  Informer& informer = make_and_start({.ns = "erp"});
  put("a", 1, "crm");
  put("a", 1);
  put("a", 2);
  remove("a");
  EXPECT_EQ(take_events(), (Events{"+a=1", "~a=2", "-a=2"})) << "one namespace only";
  EXPECT_EQ(informer.get({"crm", "a"}), nullptr);
}

TEST_F(InformerTest, K62SyncedOnlyAfterTheHandlersSawTheFirstList) {
  put("a", 1);
  put("b", 2);
  Informer& informer = make();
  std::vector<bool> synced;
  informer.add_handler([&](const Delta&) { synced.push_back(informer.has_synced()); });
  EXPECT_FALSE(informer.has_synced());
  informer.start();
  run_ready(io_);
  EXPECT_TRUE(informer.has_synced());
  EXPECT_EQ(synced, (std::vector<bool>{false, false}));
}

TEST_F(InformerTest, K62WaitingForTheSyncEndsWithIt) {
  faulty_.list_errors = {unavailable, unavailable};
  Informer& informer = make();
  informer.start();
  EXPECT_TRUE(run(io_, clock_, informer.wait_for_sync(minutes(2))));
  EXPECT_TRUE(run(io_, clock_, informer.wait_for_sync(Duration(0)))) << "in sync already";
}

TEST_F(InformerTest, K62WaitingForTheSyncGivesUpInTime) {
  faulty_.list_errors = std::deque<Error>(1000, unavailable);
  Informer& informer = make();
  informer.start();
  const BootInstant begun = clock_.boot_now();
  EXPECT_FALSE(run(io_, clock_, informer.wait_for_sync(minutes(2))));
  EXPECT_EQ(clock_.boot_now() - begun, Duration(minutes(2)));
}

TEST_F(InformerTest, K62WaitingForTheSyncEndsWhenItIsStopped) {
  faulty_.list_errors = std::deque<Error>(1000, unavailable);
  Informer& informer = make();
  informer.start();
  auto waiting = start(io_, informer.wait_for_sync(minutes(2)));
  run_ready(io_);
  EXPECT_EQ(run(io_, clock_, informer.stop(seconds(1))), 0U);
  run_ready(io_);
  ASSERT_TRUE(waiting.done());
  EXPECT_FALSE(waiting.take());
}

TEST_F(InformerTest, K64AResyncRemindsFromTheCacheWithoutARequest) {
  put("a", 1);
  put("b", 2);
  make_and_start({.resync = hours(10)});
  (void)take_events();
  const std::size_t requests = faulty_.lists.size();
  wait(hours(9) - milliseconds(1));
  EXPECT_EQ(take_events(), Events());
  wait(hours(2) + milliseconds(1));
  EXPECT_EQ(take_events(), (Events{"~a=1 resync", "~b=2 resync"}));
  EXPECT_EQ(deltas_.back().old, deltas_.back().now);
  wait(hours(11));
  EXPECT_EQ(take_events(), (Events{"~a=1 resync", "~b=2 resync"})) << "and again";
  EXPECT_EQ(faulty_.lists.size(), requests);
}

TEST_F(InformerTest, K65ATransformIsAppliedBeforeTheCache) {
  put("a", 1);
  const auto drop_spec = [](StoredPtr object) -> StoredPtr {
    boost::json::object body = object->body;
    body["spec"].as_object()["number"] = 0;
    return make_stored(object->resource, object->key, std::move(body), object->version);
  };
  Informer& informer = make_and_start({.transform = drop_spec});
  EXPECT_EQ(take_events(), (Events{"+a=0 initial"}));
  put("a", 7);
  EXPECT_EQ(number_of(*informer.get({"erp", "a"})), 0);
}

TEST_F(InformerTest, K65AnIndexFollowsItsObjects) {
  put("a", 1);
  put("b", 2);
  Informer& informer = make();
  informer.add_index("parity", [](const StoredObject& object) {
    const auto number = number_of(object);
    std::vector<std::string> values{number % 2 == 0 ? "even" : "odd"};
    if (number > 10) values.emplace_back("big");
    return values;
  });
  informer.start();
  run_ready(io_);
  const auto names = [&](const std::string& value) {
    std::vector<std::string> found;
    for (const auto& object : informer.by_index("parity", value)) found.push_back(object->key.name);
    return found;
  };
  EXPECT_EQ(names("odd"), (Events{"a"}));
  EXPECT_EQ(names("even"), (Events{"b"}));
  put("a", 12);
  EXPECT_EQ(names("odd"), Events());
  EXPECT_EQ(names("even"), (Events{"a", "b"}));
  EXPECT_EQ(names("big"), (Events{"a"}));
  remove("a");
  EXPECT_EQ(names("even"), (Events{"b"}));
  EXPECT_EQ(names("big"), Events());
  EXPECT_TRUE(informer.by_index("unknown", "x").empty());
}

TEST_F(InformerTest, ReadsAreByKeyAndByNamespace) {
  put("a", 1, "crm");
  put("a", 2, "erp");
  put("b", 3, "erp");
  Informer& informer = make_and_start();
  EXPECT_EQ(number_of(*informer.get({"erp", "b"})), 3);
  EXPECT_EQ(informer.get({"erp", "c"}), nullptr);
  EXPECT_EQ(informer.list("erp").size(), 2U);
  EXPECT_EQ(informer.list().size(), 3U);
  EXPECT_EQ(informer.list("zzz").size(), 0U);
  EXPECT_EQ(informer.counters().objects, 3U);
}

TEST_F(InformerTest, TheCacheIsAlreadyNewWhenAHandlerIsCalled) {
  Informer& informer = make_and_start();
  std::vector<bool> same;
  informer.add_handler([&](const Delta& delta) { same.push_back(informer.get({"erp", "a"}) == delta.now); });
  put("a", 1);
  put("a", 2);
  remove("a");
  EXPECT_EQ(same, (std::vector<bool>{true, true, true}));
}

TEST_F(InformerTest, AHandlerAddedLaterFirstGetsWhatIsCached) {
  put("a", 1);
  Informer& informer = make_and_start();
  (void)take_events();
  informer.add_handler([this](const Delta& delta) { note(delta); });
  EXPECT_EQ(take_events(), (Events{"+a=1 initial"}));
  put("a", 2);
  EXPECT_EQ(take_events(), (Events{"~a=2", "~a=2"}));
}

TEST_F(InformerTest, AfterAStopNothingIsDelivered) {
  put("a", 1);
  Informer& informer = make_and_start({.resync = hours(1)});
  (void)take_events();
  EXPECT_EQ(run(io_, clock_, informer.stop(seconds(1))), 0U);
  put("a", 2);
  wait(hours(3));
  EXPECT_EQ(take_events(), Events());
}

TEST_F(InformerTest, StoppingInTheMiddleOfAPauseDoesNotWaitForItsEnd) {
  faulty_.list_errors = std::deque<Error>(1000, unavailable);
  make_and_start();
  wait(minutes(3));
  const BootInstant begun = clock_.boot_now();
  EXPECT_EQ(run(io_, clock_, informer_->stop(seconds(30))), 0U);
  EXPECT_EQ(clock_.boot_now(), begun);
}

// Random writes, drops, refusals and compactions. In the end the cache is the store, and what a handler was told of one key is a
// sequence of that key's true states that never goes back.
TEST_F(InformerTest, AfterAnyHistoryOfFaultsTheCacheEqualsTheStore) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    events_.clear();
    deltas_.clear();
    make_and_start({.page_size = 3});
    for (int i = 0; i < 120; ++i) {
      const std::string name = std::to_string(random.below(7));
      const bool exists = run(io_, clock_, memory_.get(Context(clock_, "test"), rotations, {"erp", name})).has_value();
      switch (random.below(8)) {
        case 0:
          memory_.close_watches();
          break;
        case 1:
          faulty_.watch_errors.push_back(random.below(2) == 0 ? unavailable : expired);
          break;
        case 2:
          faulty_.list_errors.push_back(random.below(2) == 0 ? unavailable : expired);
          break;
        case 3:
          memory_.compact(memory_.version() - random.below(3));
          break;
        case 4:
          if (exists) remove(name);
          break;
        default:
          put(name, i);
      }
      wait(Duration(random.below(3000)));
    }
    faulty_.watch_errors.clear();
    faulty_.list_errors.clear();
    wait(minutes(5));
    expect_cache_equals_store();
    std::map<ObjectKey, StoredPtr> replayed;
    for (const Delta& delta : deltas_) {
      const ObjectKey& key = (delta.now ? delta.now : delta.old)->key;
      EXPECT_EQ(replayed[key], delta.old);
      if (delta.old && delta.now) EXPECT_LT(delta.old->version, delta.now->version);
      replayed[key] = delta.now;
    }
    for (const auto& [key, object] : replayed) EXPECT_EQ(informer_->get(key), object);
    EXPECT_EQ(run(io_, clock_, informer_->stop(seconds(1))), 0U);
  }
}

}  // namespace
}  // namespace keyturn
