#include "controller/runtime/object_table.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "controller/runtime/stored_object.h"
#include "tests/support/run_loop.h"
#include "tests/support/test_objects.h"

namespace keyturn {
namespace {

// What both stores share is tested by their contract; here only what a limit or an order of destruction decides.
class ObjectTableTest : public ::testing::Test {
 protected:
  static void put(ObjectTable& table, const ObjectKey& key, boost::json::object body, Instant at = {}) {
    const Result<StoredPtr> current = table.get(rotations, key);
    if (!current) {
      table.commit(*table.creation(rotations, key, std::move(body)), at);
    } else {
      table.commit(**table.modification(rotations, key, std::move(body), (*current)->version), at);
    }
  }

  boost::asio::io_context io_;
  const ObjectKey key_{"erp", "db"};
};

TEST_F(ObjectTableTest, TheHistoryIsBoundedByCount) {
  ObjectTable table(io_.get_executor(), {.changes_max = 10});
  for (int i = 0; i < 100; ++i) put(table, key_, test_body(key_, i));
  EXPECT_EQ(table.history_size(), 10U);
  EXPECT_EQ(table.oldest_watchable(), table.version() - 10);
}

TEST_F(ObjectTableTest, TheHistoryIsBoundedByBytes) {
  ObjectTable table(io_.get_executor(), {.bytes_max = 100'000});
  for (int i = 0; i < 50; ++i) {
    boost::json::object body = test_body(key_, i);
    body["filler"] = std::string(10'000, 'x');
    put(table, key_, std::move(body));
  }
  EXPECT_LT(table.history_size(), 11U);
  EXPECT_GT(table.history_size(), 5U);
}

TEST_F(ObjectTableTest, OneObjectLargerThanTheWholeLimitIsStillWatched) {
  ObjectTable table(io_.get_executor(), {.bytes_max = 1});
  RecordingSink sink;
  put(table, key_, test_body(key_, 1));
  const auto watch = table.watch(rotations, table.version(), sink);
  ASSERT_TRUE(watch);
  run_ready(io_);
  put(table, key_, test_body(key_, 2));
  run_ready(io_);
  EXPECT_EQ(sink.changes.size(), 1U);
  EXPECT_EQ(sink.closed, 0);
}

TEST_F(ObjectTableTest, TheHistoryIsBoundedByAge) {
  ObjectTable table(io_.get_executor(), {.age_max = std::chrono::minutes(10)});
  const Instant start{};
  put(table, key_, test_body(key_, 1), start);
  put(table, key_, test_body(key_, 2), start + std::chrono::minutes(5));
  put(table, key_, test_body(key_, 3), start + std::chrono::minutes(10));
  EXPECT_EQ(table.history_size(), 3U);
  put(table, key_, test_body(key_, 4), start + std::chrono::minutes(11));
  EXPECT_EQ(table.history_size(), 3U);
  EXPECT_EQ(table.oldest_watchable(), ObjectTable::version_first + 1);
}

TEST_F(ObjectTableTest, OneWatcherDoesNotHoldUpTheOthers) {
  ObjectTable table(io_.get_executor(), {.watch_batch_max = 3});
  for (int i = 0; i < 10; ++i) put(table, key_, test_body(key_, i));
  RecordingSink first;
  RecordingSink second;
  std::size_t first_had = 0;
  second.and_then = [&](const Change&) {
    if (second.changes.size() == 1) first_had = first.changes.size();
  };
  const auto a = table.watch(rotations, ObjectTable::version_first, first);
  const auto b = table.watch(rotations, ObjectTable::version_first, second);
  run_ready(io_);
  EXPECT_EQ(first_had, 3U);
  EXPECT_EQ(first.changes.size(), 10U);
  EXPECT_EQ(second.changes.size(), 10U);
}

TEST_F(ObjectTableTest, AWatcherThatFallsBehindTheLimitIsClosed) {
  ObjectTable table(io_.get_executor(), {.changes_max = 5});
  RecordingSink sink;
  const auto watch = table.watch(rotations, table.version(), sink);
  for (int i = 0; i < 6; ++i) put(table, key_, test_body(key_, i));
  run_ready(io_);
  EXPECT_EQ(sink.closed, 1);
  EXPECT_TRUE(sink.changes.empty()) << "a gap is never papered over";
}

TEST_F(ObjectTableTest, ASinkMayWriteAndCompactWhileItIsCalled) {
  ObjectTable table(io_.get_executor(), {});
  RecordingSink sink;
  const auto watch = table.watch(rotations, table.version(), sink);
  sink.and_then = [&](const Change& change) {
    if (number_of(*change.object) < 20) put(table, key_, test_body(key_, static_cast<int>(number_of(*change.object)) + 1));
    table.compact(change.object->version);
  };
  put(table, key_, test_body(key_, 0));
  run_ready(io_);
  EXPECT_EQ(sink.changes.size(), 21U);
  EXPECT_EQ(sink.closed, 0);
}

TEST_F(ObjectTableTest, TheTableMayGoBeforeItsWatches) {
  RecordingSink sink;
  Result<std::unique_ptr<Watch>> watch = Error{};
  {
    ObjectTable table(io_.get_executor(), {});
    watch = table.watch(rotations, table.version(), sink);
    put(table, key_, test_body(key_, 0));
  }
  run_ready(io_);
  EXPECT_TRUE(sink.changes.empty());
  EXPECT_EQ(sink.closed, 1);
}

TEST_F(ObjectTableTest, TheTableMayGoWhileASinkIsCalled) {
  auto table = std::make_unique<ObjectTable>(io_.get_executor(), HistoryLimits{});
  RecordingSink sink;
  const auto watch = table->watch(rotations, table->version(), sink);
  put(*table, key_, test_body(key_, 0));
  put(*table, key_, test_body(key_, 1));
  sink.and_then = [&](const Change&) { table.reset(); };
  run_ready(io_);
  EXPECT_EQ(sink.changes.size(), 1U);
  EXPECT_EQ(sink.closed, 1);
}

TEST_F(ObjectTableTest, TheSinkAndItsWatchMayGoWithADeliveryUnderWay) {
  ObjectTable table(io_.get_executor(), {});
  {
    RecordingSink sink;
    const auto watch = table.watch(rotations, table.version(), sink);
    put(table, key_, test_body(key_, 0));
  }
  run_ready(io_);
  EXPECT_EQ(table.history_size(), 1U);
}

TEST_F(ObjectTableTest, RestoredChangesCanBeWatchedAndListed) {
  ObjectTable table(io_.get_executor(), {}, 7, 5);
  const StoredPtr before = make_stored(rotations, key_, test_body(key_, 1), 4);
  const StoredPtr after = make_stored(rotations, key_, test_body(key_, 2), 6);
  table.restore(after);
  table.restore({ChangeType::Modified, after, before}, {});
  table.restore({ChangeType::Added, make_stored(runs, key_, test_body(key_, 3), 7), nullptr}, {});
  EXPECT_EQ(table.version(), 7U);
  EXPECT_EQ(number_of(*table.list(rotations, {.at = 5})->items.at(0)), 1);
  EXPECT_EQ(number_of(*table.list(rotations, {.at = 6})->items.at(0)), 2);
  RecordingSink sink;
  const auto watch = table.watch(rotations, 5, sink);
  run_ready(io_);
  EXPECT_EQ(sink.changes.size(), 1U);
}

}  // namespace
}  // namespace keyturn
