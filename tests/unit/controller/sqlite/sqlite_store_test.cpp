#include "controller/embedded/sqlite/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/task_group.h"
#include "tests/unit/controller/sqlite/store_file.h"

namespace keyturn {
namespace {

const ObjectKey a{"erp", "a"};
const ObjectKey b{"erp", "b"};

// What every store does is tested by the contract; here what the file adds.
class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(file_.open()); }
  std::vector<std::string> contents() {
    std::vector<std::string> found;
    const Result<ObjectList> all = file_.list();
    for (const auto& object : all->items) {
      found.push_back(object->key.name + "=" + std::to_string(number_of(*object)) + "@" + std::to_string(object->version));
    }
    return found;
  }

  StoreFile file_;
};

TEST_F(SqliteStoreTest, ARestartKeepsObjectsVersionsAndIdentity) {
  ASSERT_TRUE(file_.put(a, 1));
  ASSERT_TRUE(file_.put(b, 2));
  ASSERT_TRUE(file_.put(a, 3));
  const auto before = contents();
  const ResourceVersion version = file_.store().version();
  const Uid identity = file_.store().identity();
  const boost::json::object body = (*file_.get(a))->body;
  ASSERT_TRUE(file_.reopen());
  EXPECT_EQ(contents(), before);
  EXPECT_EQ(file_.store().version(), version);
  EXPECT_EQ(file_.store().identity(), identity);
  EXPECT_EQ((*file_.get(a))->body, body);
  EXPECT_EQ((*file_.get(a))->uid.value, uid_of_test_object(a));
  EXPECT_EQ((*file_.put(b, 4))->version, version + 1);
}

TEST_F(SqliteStoreTest, TwoStoresHaveDifferentIdentities) {
  StoreFile other;
  SeededRandom random(99);
  ASSERT_TRUE(other.open());
  EXPECT_EQ(other.store().identity().value.size(), 36U);
  boost::asio::io_context io;
  BlockingPool pool(1);
  const auto third = SqliteStore::open(io.get_executor(), file_.clock(), random, pool, {.path = other.directory().file("third.db")});
  ASSERT_TRUE(third);
  EXPECT_NE((*third)->identity(), file_.store().identity());
}

TEST_F(SqliteStoreTest, AVersionIsNeverUsedAgainEvenWhenAllIsRemovedAndCompacted) {
  ASSERT_TRUE(file_.put(a, 1));
  ASSERT_TRUE(file_.remove(a, file_.store().version()));
  const ResourceVersion version = file_.store().version();
  ASSERT_TRUE(run(file_.io(), file_.store().compact(version)));
  ASSERT_TRUE(file_.reopen());
  EXPECT_EQ(file_.store().version(), version);
  EXPECT_EQ(file_.store().oldest_watchable(), version);
  EXPECT_EQ((*file_.put(a, 2))->version, version + 1);
}

TEST_F(SqliteStoreTest, AWatchFromBeforeTheRestartLosesNothing) {
  ASSERT_TRUE(file_.put(a, 1));
  const ResourceVersion seen = file_.store().version();
  ASSERT_TRUE(file_.put(a, 2));
  ASSERT_TRUE(file_.put(b, 3));
  ASSERT_TRUE(file_.remove(a, (*file_.get(a))->version));
  ASSERT_TRUE(file_.put(a, 4));
  ASSERT_TRUE(file_.reopen());
  RecordingSink sink;
  const auto watch = run(file_.io(), file_.store().watch(file_.context(), rotations, seen, sink));
  ASSERT_TRUE(watch);
  run_ready(file_.io());
  ASSERT_EQ(sink.changes.size(), 4U);
  EXPECT_EQ(sink.changes[0].type, ChangeType::Modified);
  EXPECT_EQ(number_of(*sink.changes[0].object), 2);
  EXPECT_EQ(number_of(*sink.changes[0].previous), 1);
  EXPECT_EQ(sink.changes[1].type, ChangeType::Added);
  EXPECT_EQ(sink.changes[1].previous, nullptr);
  EXPECT_EQ(sink.changes[2].type, ChangeType::Deleted);
  EXPECT_EQ(number_of(*sink.changes[2].object), 2);
  EXPECT_EQ(sink.changes[2].object->version, seen + 3);
  EXPECT_EQ(version_in_body(*sink.changes[2].object), std::to_string(seen + 3));
  EXPECT_EQ(sink.changes[2].previous, sink.changes[0].object) << "states are shared, not read twice";
  EXPECT_EQ(sink.changes[3].type, ChangeType::Added);
  EXPECT_EQ(sink.changes[3].object, *file_.get(a));
}

TEST_F(SqliteStoreTest, PagesOfAVersionFromBeforeTheRestartGoOn) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(file_.put({"erp", std::to_string(i)}, i));
  const Result<ObjectList> first = file_.list({.limit = 2});
  ASSERT_TRUE(file_.put({"erp", "3"}, 99));
  ASSERT_TRUE(file_.reopen());
  const Result<ObjectList> second = file_.list({.limit = 2, .after = first->next, .at = first->version});
  ASSERT_TRUE(second);
  EXPECT_EQ(number_of(*second->items.at(1)), 3);
}

TEST_F(SqliteStoreTest, AnUpdateThatChangesNothingWritesNothing) {
  ASSERT_TRUE(file_.put(a, 1));
  const auto writes = file_.store().counters().writes;
  ASSERT_TRUE(file_.put(a, 1));
  EXPECT_EQ(file_.store().counters().writes, writes);
  file_.close();
  EXPECT_EQ(file_.value("SELECT count(*) FROM log"), "1");
}

TEST_F(SqliteStoreTest, TheHistoryInTheFileIsCutLikeTheOneInMemory) {
  StoreFile small({.history = {.changes_max = 100}});
  ASSERT_TRUE(small.open());
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(small.put(a, i));
  const ResourceVersion version = small.store().version();
  EXPECT_EQ(small.store().oldest_watchable(), version - 100);
  small.close();
  const int left = std::stoi(small.value("SELECT count(*) FROM log"));
  EXPECT_GE(left, 100);
  EXPECT_LE(left, 100 + 256 + 1);
  ASSERT_TRUE(small.open());
  EXPECT_EQ(small.store().version(), version);
  ASSERT_TRUE(small.put(a, 5000));
  EXPECT_EQ(small.store().oldest_watchable(), version + 1 - 100) << "and again to its limit by the next write";
}

TEST_F(SqliteStoreTest, TextOfEverySortComesBackUnchanged) {
  using namespace std::string_literals;  // the zero byte in the middle belongs to it
  const std::string odd = "quote ' \" backslash \\ nul \0 tab \t euro \xe2\x82\xac clef \xf0\x9d\x84\x9e end"s;
  const ObjectKey key{"erp", "o'hara\"; DROP TABLE obj; --"};
  boost::json::object body = test_body(key, 1);
  body["odd"] = odd;
  body["big"] = 18'446'744'073'709'551'615U;
  body["small"] = std::numeric_limits<std::int64_t>::min();
  body["real"] = 0.1;
  body["nested"] = {{"", {nullptr, true, {{"deep", boost::json::array()}}}}};
  ASSERT_TRUE(file_.create(key, body));
  ASSERT_TRUE(file_.reopen());
  body["metadata"] = (*file_.get(key))->body.at("metadata");
  EXPECT_EQ((*file_.get(key))->body, body);
}

TEST_F(SqliteStoreTest, TheFilesAreReadableByTheirOwnerOnly) {
  ASSERT_TRUE(file_.put(a, 1));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(file_.directory().path())) {
    struct stat about{};
    ASSERT_EQ(::stat(entry.path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, 0600U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3U) << "database, log and key";
}

TEST_F(SqliteStoreTest, ASecondStoreOnTheSameFileIsRefused) {
  ASSERT_TRUE(file_.put(a, 1));
  boost::asio::io_context io;
  SeededRandom random(1);
  BlockingPool pool(1);
  const auto second =
      SqliteStore::open(io.get_executor(), file_.clock(), random, pool, {.path = file_.path(), .busy_timeout = Duration(0)});
  EXPECT_EQ(second.error().code, Errc::Unavailable);
  EXPECT_EQ(second.error().message, "the store is in use by another process");
  EXPECT_TRUE(file_.put(a, 2)) << "the first is not disturbed";
}

TEST_F(SqliteStoreTest, ADirectoryThatDoesNotExistIsUnavailable) {
  StoreFile lost;
  lost.options().path = lost.directory().file("missing/store.db");
  EXPECT_EQ(lost.open().error().code, Errc::Unavailable);
}

TEST_F(SqliteStoreTest, AWriteWhoseTimeIsOverIsNotBegun) {
  const Context late = file_.context().with_timeout(Duration(0));
  const auto written = run(file_.io(), file_.store().create(late, rotations, a, test_body(a)));
  EXPECT_EQ(written.error().code, Errc::Unavailable);
  EXPECT_EQ(file_.get(a).error().code, Errc::NotFound);
}

TEST_F(SqliteStoreTest, TheQueueOfWritersIsBounded) {
  StoreFile small({.writes_waiting_max = 2});
  ASSERT_TRUE(small.open());
  std::vector<Started<Result<StoredPtr>>> writes;
  for (int i = 0; i < 5; ++i) {
    const ObjectKey key{"erp", std::to_string(i)};
    writes.push_back(start(small.io(), small.store().create(small.context(), rotations, key, test_body(key, i))));
  }
  run_until(small.io(), [&] { return std::all_of(writes.begin(), writes.end(), [](const auto& write) { return write.done(); }); });
  int written = 0;
  for (auto& write : writes) {
    const Result<StoredPtr> result = write.take();
    if (result) {
      ++written;
    } else {
      EXPECT_EQ(result.error().code, Errc::Unavailable);
    }
  }
  EXPECT_EQ(written, 3) << "one at work, two waiting";
  EXPECT_TRUE(small.put(a, 1));
}

TEST_F(SqliteStoreTest, ACancelledWriterLeavesTheStoreUsableAndConsistent) {
  const auto write_many = [](SqliteStore& store, Context context) -> Awaitable<> {
    for (int i = 0;; ++i) {
      const ObjectKey key{"erp", std::to_string(i)};
      const Result<StoredPtr> written = co_await store.create(context, rotations, key, test_body(key, i));
      if (!written) co_return;
    }
  };
  for (int round = 0; round < 20; ++round) {
    StoreFile file;
    ASSERT_TRUE(file.open());
    TaskGroup tasks(file.io().get_executor());
    for (int i = 0; i < 3; ++i) tasks.spawn("writer", [&] { return write_many(file.store(), file.context()); });
    run_until(file.io(), [&] { return file.store().version() > ObjectTable::version_first + static_cast<ResourceVersion>(round % 5); });
    auto stopping = start(file.io(), tasks.stop(file.clock(), std::chrono::hours(1)));
    run_until(file.io(), [&] { return stopping.done(); });
    EXPECT_EQ(stopping.take(), 0U);
    ASSERT_TRUE(file.put(a, 1)) << "the turn was given back";
    const auto known = file.list()->items.size();
    const ResourceVersion version = file.store().version();
    ASSERT_TRUE(file.reopen());
    EXPECT_EQ(file.list()->items.size(), known) << "memory and file agree";
    EXPECT_EQ(file.store().version(), version);
  }
}

// Files that are not, or no longer, what they should be. In each case the open fails with a reason and the file stays as it is.
class DamagedStoreTest : public SqliteStoreTest {
 protected:
  void fill() {
    for (int i = 0; i < 40; ++i) {
      boost::json::object body = test_body({"erp", std::to_string(i)}, i);
      body["filler"] = std::string(2000, 'x');
      ASSERT_TRUE(file_.create({"erp", std::to_string(i)}, body));
    }
    file_.close();
  }
  void expect_refused(Errc code, std::string_view message) {
    const std::string before = StoreFile::bytes_of(file_.path());
    const Result<> opened = file_.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code);
    EXPECT_EQ(opened.error().message, message);
    EXPECT_TRUE(StoreFile::bytes_of(file_.path()) == before) << "nothing is repaired or deleted";
  }
  void overwrite(std::size_t offset, std::string_view bytes) {
    std::fstream file(file_.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
  }
  static constexpr std::string_view damaged = "the store's file is damaged or not a database: restore it from a backup";
  static constexpr std::string_view contradicts = "the store contradicts itself: restore it from a backup";
};

TEST_F(DamagedStoreTest, AnOverwrittenHeaderIsRefused) {
  fill();
  overwrite(0, std::string(100, 'z'));
  expect_refused(Errc::Invalid, damaged);
}

TEST_F(DamagedStoreTest, OverwrittenPagesAreRefused) {
  fill();
  for (std::size_t page = 2; page < 6; ++page) overwrite(page * 4096, std::string(4096, '\x5a'));
  expect_refused(Errc::Invalid, damaged);
}

TEST_F(DamagedStoreTest, ATruncatedFileIsRefused) {
  fill();
  std::filesystem::resize_file(file_.path(), std::filesystem::file_size(file_.path()) / 2 / 4096 * 4096);
  expect_refused(Errc::Invalid, damaged);
}

TEST_F(DamagedStoreTest, AFileThatIsNoDatabaseIsRefused) {
  file_.close();
  std::ofstream(file_.path(), std::ios::trunc) << std::string(5000, 'n');
  expect_refused(Errc::Invalid, damaged);
}

TEST_F(DamagedStoreTest, AnotherProgramsDatabaseIsRefused) {
  StoreFile other;
  ASSERT_TRUE(other.edit("CREATE TABLE theirs(a)"));
  const Result<> opened = other.open();
  EXPECT_EQ(opened.error().code, Errc::Invalid);
  EXPECT_EQ(opened.error().message, "the store's file is another program's database");
  EXPECT_EQ(other.value("SELECT count(*) FROM sqlite_schema"), "1");
}

TEST_F(DamagedStoreTest, ANewerSchemaIsRefused) {
  fill();
  ASSERT_TRUE(file_.edit("PRAGMA user_version=2"));
  const Result<> opened = file_.open();
  EXPECT_EQ(opened.error().code, Errc::Invalid);
  EXPECT_EQ(opened.error().message, "the store was written by a newer version of this program");
}

TEST_F(DamagedStoreTest, AStateThatIsNotItsNewestChangeIsRefused) {
  fill();
  ASSERT_TRUE(file_.edit("UPDATE obj SET rv = rv - 1 WHERE name = '7'"));
  EXPECT_EQ(file_.open().error().message, contradicts);
}

TEST_F(DamagedStoreTest, AnObjectThatIsGoneWithoutAChangeIsRefused) {
  fill();
  ASSERT_TRUE(file_.edit("DELETE FROM obj WHERE name = '7'"));
  EXPECT_EQ(file_.open().error().message, contradicts);
}

TEST_F(DamagedStoreTest, AnObjectThatIsThereThoughItsRemovalIsTheNewestChangeIsRefused) {
  ASSERT_TRUE(file_.put(a, 1));
  file_.close();
  ASSERT_TRUE(file_.edit("CREATE TABLE kept AS SELECT * FROM obj"));
  ASSERT_TRUE(file_.open());
  ASSERT_TRUE(file_.remove(a, (*file_.get(a))->version));
  file_.close();
  ASSERT_TRUE(file_.edit("INSERT INTO obj SELECT * FROM kept"));
  EXPECT_EQ(file_.open().error().message, contradicts);
}

TEST_F(DamagedStoreTest, AHistoryWithAGapIsRefused) {
  fill();
  ASSERT_TRUE(file_.edit("DELETE FROM log WHERE rv = 7"));
  EXPECT_EQ(file_.open().error().message, contradicts);
}

TEST_F(DamagedStoreTest, AVersionBeyondTheCounterIsRefused) {
  fill();
  ASSERT_TRUE(file_.edit("UPDATE sqlite_sequence SET seq = 20 WHERE name = 'log'"));
  EXPECT_EQ(file_.open().error().message, contradicts);
}

TEST_F(DamagedStoreTest, ABodyThatIsNoJsonObjectIsRefused) {
  for (const char* body : {"'{\"a\":'", "'[1]'", "''", "x'7b7d'"}) {
    StoreFile file;
    ASSERT_TRUE(file.open());
    ASSERT_TRUE(file.put(a, 1));
    file.close();
    ASSERT_TRUE(file.edit("UPDATE obj SET body = " + std::string(body)));
    const Result<> opened = file.open();
    EXPECT_EQ(opened.error().code, Errc::Invalid) << body;
    EXPECT_EQ(opened.error().message, "an object of the store cannot be read: restore it from a backup");
  }
}

TEST_F(DamagedStoreTest, AMalformedFactIsRefused) {
  fill();
  ASSERT_TRUE(file_.edit("UPDATE meta SET value = '12x' WHERE name = 'compacted'"));
  EXPECT_EQ(file_.open().error().code, Errc::Invalid);
}

}  // namespace
}  // namespace keyturn
