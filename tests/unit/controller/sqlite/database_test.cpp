#include "controller/embedded/sqlite/database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "tests/support/temporary_directory.h"

namespace keyturn {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string path_ = directory_.file("test.db");
  Database database_ = Database::open(path_).value();
};

TEST_F(DatabaseTest, BindsAndReadsEveryType) {
  ASSERT_TRUE(database_.run("CREATE TABLE t(a, b, c, d)"));
  Result<Statement> insert = database_.prepare("INSERT INTO t VALUES(?1, ?2, ?3, ?4)");
  ASSERT_TRUE(insert);
  const std::string blob("\0x\0", 3);
  EXPECT_TRUE(insert->bind(1, std::int64_t{1} << 40).bind(2, std::string_view("text")).bind_blob(3, blob).run());
  Result<Statement> select = database_.prepare("SELECT a, b, c, d FROM t");
  const Result<bool> row = select->step();
  ASSERT_TRUE(row && *row);
  EXPECT_EQ(select->integer(0), std::int64_t{1} << 40);
  EXPECT_EQ(select->text(1), "text");
  EXPECT_FALSE(select->is_blob(1));
  EXPECT_EQ(select->bytes(2), blob);
  EXPECT_TRUE(select->is_blob(2));
  EXPECT_TRUE(select->is_null(3));
  EXPECT_FALSE(*select->step());
}

TEST_F(DatabaseTest, AnEmptyTextIsNotNull) {
  ASSERT_TRUE(database_.run("CREATE TABLE t(a NOT NULL, b NOT NULL)"));
  Result<Statement> insert = database_.prepare("INSERT INTO t VALUES(?1, ?2)");
  EXPECT_TRUE(insert->bind(1, std::string_view()).bind_blob(2, std::string_view()).run());
}

TEST_F(DatabaseTest, AStatementCanRunAgainWithNewParameters) {
  ASSERT_TRUE(database_.run("CREATE TABLE t(a)"));
  Result<Statement> insert = database_.prepare("INSERT INTO t VALUES(?1)");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(insert->bind(1, std::int64_t{i}).run());
  EXPECT_EQ(database_.value("SELECT count(*) || '/' || sum(a) FROM t").value(), "3/3");
}

TEST_F(DatabaseTest, AValueThatIsNotThereIsNotFound) {
  ASSERT_TRUE(database_.run("CREATE TABLE t(a)"));
  EXPECT_EQ(database_.value("SELECT a FROM t").error().code, Errc::NotFound);
}

TEST_F(DatabaseTest, AWrongStatementIsOurOwnBug) {
  EXPECT_EQ(database_.run("SELEKT 1").error().code, Errc::Internal);
  EXPECT_EQ(database_.value("SELEKT 1").error().code, Errc::Internal);
}

TEST_F(DatabaseTest, AFailedConstraintLeavesTheStatementUsable) {
  ASSERT_TRUE(database_.run("CREATE TABLE t(a PRIMARY KEY)"));
  Result<Statement> insert = database_.prepare("INSERT INTO t VALUES(?1)");
  EXPECT_TRUE(insert->bind(1, std::int64_t{1}).run());
  EXPECT_FALSE(insert->bind(1, std::int64_t{1}).run());
  EXPECT_FALSE(insert->was_full());
  EXPECT_TRUE(insert->bind(1, std::int64_t{2}).run());
}

TEST_F(DatabaseTest, ANewFileIsReadableByItsOwnerOnly) {
  struct stat about{};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600U);
}

TEST_F(DatabaseTest, APathThatCannotBeCreatedIsUnavailable) {
  EXPECT_EQ(Database::open(directory_.file("missing/test.db")).error().code, Errc::Unavailable);
}

TEST(ErrorFromSqlite, IsATable) {
  const std::pair<int, Errc> table[] = {
      {SQLITE_FULL, Errc::Unavailable},
      {SQLITE_BUSY, Errc::Unavailable},
      {SQLITE_BUSY_RECOVERY, Errc::Unavailable},
      {SQLITE_LOCKED, Errc::Unavailable},
      {SQLITE_READONLY, Errc::Unavailable},
      {SQLITE_CANTOPEN, Errc::Unavailable},
      {SQLITE_PERM, Errc::Unavailable},
      {SQLITE_IOERR, Errc::Unavailable},
      {SQLITE_IOERR_FSYNC, Errc::Unavailable},
      {SQLITE_CORRUPT, Errc::Invalid},
      {SQLITE_NOTADB, Errc::Invalid},
      {SQLITE_CORRUPT_INDEX, Errc::Invalid},
      {SQLITE_CONSTRAINT_UNIQUE, Errc::Internal},
      {SQLITE_MISUSE, Errc::Internal},
      {SQLITE_ERROR, Errc::Internal},
  };
  for (const auto& [code, expected] : table) EXPECT_EQ(error_from_sqlite(code).code, expected) << code;
}

}  // namespace
}  // namespace keyturn
