#include <gtest/gtest.h>
#include <sys/stat.h>

#include "controller/runtime/wiping_memory.h"
#include "tests/unit/controller/sqlite/store_file.h"

namespace keyturn {
namespace {

const ObjectKey key{"erp", "db"};
constexpr std::string_view canary = "canary-7e1d0c5a-value";

boost::json::object secret_body(std::string_view value, const ObjectKey& about = key) {
  boost::json::object body = test_body(about);
  body["kind"] = "Secret";
  body["data"] = {{"password", value}};
  return body;
}

class SqliteSecretsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(file_.open()); }
  bool found_in_files(std::string_view text) { return file_.bytes_of_all_files().find(text) != std::string::npos; }
  std::string password(const StoredObject& object) { return std::string(object.body.at("data").at("password").as_string()); }

  StoreFile file_;
};

TEST_F(SqliteSecretsTest, AKubernetesSecretIsNeverWrittenClear) {
  const std::string first = std::string(canary) + "-1";
  const std::string second = std::string(canary) + "-2";
  const Result<StoredPtr> created = file_.create(key, secret_body(first), core_secrets);
  ASSERT_TRUE(created);
  const Result<StoredPtr> updated =
      run(file_.io(), file_.store().update(file_.context(), core_secrets, key, secret_body(second), (*created)->version));
  ASSERT_TRUE(updated);
  EXPECT_FALSE(found_in_files(canary)) << "not in the write-ahead log";
  ASSERT_TRUE(file_.remove(key, (*updated)->version, core_secrets));
  file_.close();
  EXPECT_FALSE(found_in_files(canary)) << "not in the database, nor in its history";
}

TEST_F(SqliteSecretsTest, TheScanFindsWhatIsNotASecret) {
  ASSERT_TRUE(file_.create(key, secret_body(canary), {"", "configmaps"}));
  EXPECT_TRUE(found_in_files(canary)) << "else the test above would prove nothing";
}

TEST_F(SqliteSecretsTest, ASecretAndItsHistorySurviveARestart) {
  const ResourceVersion since = file_.store().version();
  const Result<StoredPtr> created = file_.create(key, secret_body("one"), core_secrets);
  const Result<StoredPtr> updated =
      run(file_.io(), file_.store().update(file_.context(), core_secrets, key, secret_body("two"), (*created)->version));
  ASSERT_TRUE(file_.remove(key, (*updated)->version, core_secrets));
  ASSERT_TRUE(file_.create(key, secret_body("three"), core_secrets));
  ASSERT_TRUE(file_.reopen());
  EXPECT_EQ(password(**file_.get(key, core_secrets)), "three");
  EXPECT_EQ(*(*file_.get(key, core_secrets))->body.storage(), *wiping_storage());
  RecordingSink sink;
  const auto watch = run(file_.io(), file_.store().watch(file_.context(), core_secrets, since, sink));
  run_ready(file_.io());
  ASSERT_EQ(sink.changes.size(), 4U);
  EXPECT_EQ(password(*sink.changes[1].previous), "one");
  EXPECT_EQ(password(*sink.changes[2].object), "two");
}

TEST_F(SqliteSecretsTest, ARowMovedToAnotherObjectIsRefused) {
  ASSERT_TRUE(file_.create(key, secret_body("one"), core_secrets));
  ASSERT_TRUE(file_.create({"erp", "other"}, secret_body("two", {"erp", "other"}), core_secrets));
  file_.close();
  ASSERT_TRUE(file_.edit("UPDATE obj SET body = (SELECT body FROM obj WHERE name = 'other') WHERE name = 'db'"));
  EXPECT_EQ(file_.open().error().code, Errc::Invalid);
}

TEST_F(SqliteSecretsTest, AnOlderValueUnderTheNewVersionIsRefused) {
  const Result<StoredPtr> created = file_.create(key, secret_body("one"), core_secrets);
  ASSERT_TRUE(run(file_.io(), file_.store().update(file_.context(), core_secrets, key, secret_body("two"), (*created)->version)));
  file_.close();
  ASSERT_TRUE(file_.edit("UPDATE obj SET body = (SELECT prev FROM log WHERE prev IS NOT NULL)"));
  EXPECT_EQ(file_.open().error().code, Errc::Invalid);
}

TEST_F(SqliteSecretsTest, ASecretInClearTextIsRefused) {
  ASSERT_TRUE(file_.create(key, secret_body("one"), core_secrets));
  file_.close();
  ASSERT_TRUE(file_.edit("UPDATE obj SET body = '{}'"));
  EXPECT_EQ(file_.open().error().code, Errc::Invalid);
}

TEST_F(SqliteSecretsTest, WithoutItsKeyTheStoreDoesNotOpenAndNoNewKeyIsMade) {
  file_.close();
  std::filesystem::remove(file_.key_path());
  const Result<> opened = file_.open();
  EXPECT_EQ(opened.error().code, Errc::NotFound);
  EXPECT_FALSE(std::filesystem::exists(file_.key_path()));
}

TEST_F(SqliteSecretsTest, WithAnotherKeyTheStoreDoesNotOpen) {
  file_.close();
  std::ofstream(file_.key_path(), std::ios::binary | std::ios::trunc) << std::string(32, 'x');
  const Result<> opened = file_.open();
  EXPECT_EQ(opened.error().code, Errc::Invalid);
  EXPECT_EQ(opened.error().message, "the key file does not belong to this store");
}

TEST_F(SqliteSecretsTest, AKeyThatOthersMayReadIsRefused) {
  file_.close();
  ASSERT_EQ(::chmod(file_.key_path().c_str(), 0644), 0);
  EXPECT_EQ(file_.open().error().code, Errc::Denied);
}

TEST_F(SqliteSecretsTest, AKeyWithoutItsDatabaseIsUsedForTheNewOne) {
  const std::string before = StoreFile::bytes_of(file_.key_path());
  file_.close();
  std::filesystem::remove(file_.path());
  ASSERT_TRUE(file_.open());
  EXPECT_EQ(StoreFile::bytes_of(file_.key_path()), before);
}

TEST_F(SqliteSecretsTest, TheKeyMayLieElsewhere) {
  StoreFile file;
  file.options().key_path = file.directory().file("elsewhere.key");
  ASSERT_TRUE(file.open());
  EXPECT_TRUE(std::filesystem::exists(file.directory().file("elsewhere.key")));
  EXPECT_FALSE(std::filesystem::exists(file.key_path()));
}

}  // namespace
}  // namespace keyturn
