#include <gtest/gtest.h>

#include <map>

#include "tests/unit/controller/sqlite/failing_disk.h"
#include "tests/unit/controller/sqlite/store_file.h"

namespace keyturn {
namespace {

const ObjectKey a{"erp", "a"};
const ObjectKey b{"erp", "b"};

TEST(SqliteStoreSizeLimit, AFullStoreRefusesWritesKeepsWhatItHasAndRecovers) {
  StoreFile file({.history = {.changes_max = 4}, .bytes_max = 400'000});
  ASSERT_TRUE(file.open());
  std::vector<ObjectKey> written;
  Result<StoredPtr> last = Error{};
  for (int i = 0; i < 200; ++i) {
    const ObjectKey key{"erp", std::to_string(i)};
    boost::json::object body = test_body(key, i);
    body["filler"] = std::string(4000, 'x');
    last = file.create(key, body);
    if (!last) break;
    written.push_back(key);
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Errc::Unavailable);
  EXPECT_EQ(last.error().message, "the store is full: disk or size limit");
  EXPECT_TRUE(file.store().healthy()) << "it is full, not broken";
  const ResourceVersion version = file.store().version();
  EXPECT_EQ(version, ObjectTable::version_first + written.size()) << "a refused write takes no version";
  EXPECT_EQ(file.list()->items.size(), written.size());

  ASSERT_TRUE(file.reopen());
  EXPECT_EQ(file.store().version(), version);
  EXPECT_EQ(file.list()->items.size(), written.size());
  file.options().bytes_max = 4'000'000;
  ASSERT_TRUE(file.reopen());
  EXPECT_TRUE(file.put(a, 1)) << "with more room it goes on";
}

class DiskFailureTest : public ::testing::Test {
 protected:
  using State = std::map<std::string, std::int64_t>;
  static State state_of(StoreFile& file) {
    State state;
    const Result<ObjectList> all = file.list();
    for (const auto& object : all->items) state[object->key.name] = number_of(*object);
    return state;
  }
  FailingDisk disk_;
};

TEST_F(DiskFailureTest, AFullDiskIsCertainlyNotWrittenAndHealsByItself) {
  StoreFile file;
  ASSERT_TRUE(file.open());
  ASSERT_TRUE(file.put(a, 1));
  disk_.fail(FailingDisk::Failure::Full, 1, true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(file.put(a, 2).error().code, Errc::Unavailable);
  EXPECT_TRUE(file.store().healthy());
  EXPECT_EQ(number_of(**file.get(a)), 1);
  disk_.heal();
  ASSERT_TRUE(file.put(a, 3));
  const Result<> reopened = file.reopen();
  ASSERT_TRUE(reopened) << reopened.error().message;
  EXPECT_EQ(number_of(**file.get(a)), 3);
}

TEST_F(DiskFailureTest, AFailedSyncIsAnUnknownOutcomeAndStopsTheStore) {
  StoreFile file;
  ASSERT_TRUE(file.open());
  ASSERT_TRUE(file.put(a, 1));
  disk_.fail(FailingDisk::Failure::SyncError, 1, false);
  EXPECT_EQ(file.put(a, 2).error().code, Errc::OutcomeUnknown);
  EXPECT_FALSE(file.store().healthy());
  EXPECT_EQ(file.put(a, 3).error().code, Errc::Unavailable) << "healed or not: this process no longer knows";
  EXPECT_EQ(file.put(b, 3).error().code, Errc::Unavailable);
  EXPECT_EQ(number_of(**file.get(a)), 1) << "reads still work";
  EXPECT_EQ(file.store().counters().failures, 3U);
  ASSERT_TRUE(file.reopen());
  EXPECT_TRUE(file.store().healthy());
  const auto number = number_of(**file.get(a));
  EXPECT_TRUE(number == 1 || number == 2);
  EXPECT_TRUE(file.put(a, 4));
}

// The n-th write or sync of a fixed sequence fails, for every n, for good or once. Whatever was acknowledged must be there after a
// restart; whatever was refused for certain must not; only an unknown outcome may go either way.
TEST_F(DiskFailureTest, EveryAcknowledgedWriteSurvivesAFailureOfAnyWriteOrSync) {
  for (const auto failure : {FailingDisk::Failure::Full, FailingDisk::Failure::WriteError, FailingDisk::Failure::SyncError}) {
    for (const bool stays : {false, true}) {
      bool struck = true;
      for (int nth = 1; struck; ++nth) {
        SCOPED_TRACE("failure " + std::to_string(static_cast<int>(failure)) + ", number " + std::to_string(nth) + (stays ? ", stays" : ""));
        disk_.heal();
        StoreFile file;
        ASSERT_TRUE(file.open());
        disk_.fail(failure, nth, stays);
        State expected;
        std::optional<State> other;
        for (int i = 0; i < 12; ++i) {
          const std::string name = std::to_string(i % 4);
          State after = expected;
          const bool removing = i % 5 == 4 && expected.contains(name);
          removing ? static_cast<void>(after.erase(name)) : static_cast<void>(after[name] = i);
          const Result<StoredPtr> written =
              removing ? file.remove({"erp", name}, (*file.get({"erp", name}))->version) : file.put({"erp", name}, i);
          if (written) {
            expected = after;
          } else if (written.error().code == Errc::OutcomeUnknown) {
            other = after;
          } else {
            EXPECT_EQ(written.error().code, Errc::Unavailable);
          }
          EXPECT_EQ(state_of(file), expected);
        }
        struck = disk_.failed();
        // As after a crash: no orderly close could repair anything on a disk that fails. A copy of the files is what a new process sees.
        disk_.heal();
        ASSERT_TRUE(file.reopen());
        const State found = state_of(file);
        EXPECT_TRUE(found == expected || (other && found == *other));
        ASSERT_TRUE(file.put({"erp", "next"}, 1));
      }
    }
  }
}

TEST_F(DiskFailureTest, AnOpenThatFailsHalfwayCanBeRepeated) {
  for (const auto failure : {FailingDisk::Failure::Full, FailingDisk::Failure::WriteError, FailingDisk::Failure::SyncError}) {
    bool struck = true;
    for (int nth = 1; struck; ++nth) {
      SCOPED_TRACE("failure " + std::to_string(static_cast<int>(failure)) + ", number " + std::to_string(nth));
      StoreFile file;
      disk_.fail(failure, nth, true);
      const Result<> opened = file.open();
      struck = disk_.failed();
      if (struck && !opened) EXPECT_EQ(opened.error().code, Errc::Unavailable);
      disk_.heal();
      ASSERT_TRUE(file.reopen());
      EXPECT_TRUE(file.put(a, 1));
      disk_.heal();
    }
  }
}

}  // namespace
}  // namespace keyturn
