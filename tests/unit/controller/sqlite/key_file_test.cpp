#include "controller/embedded/sqlite/key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/seeded_random.h"
#include "tests/support/temporary_directory.h"

namespace keyturn {
namespace {

class KeyFileTest : public ::testing::Test {
 protected:
  void write(std::string_view bytes, mode_t mode = 0600) {
    std::ofstream(path_, std::ios::binary) << bytes;
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("key");
  SeededRandom random_{1};
};

TEST_F(KeyFileTest, ANewKeyCanBeReadBack) {
  const Result<Secret> created = create_key_file(path_, random_);
  ASSERT_TRUE(created);
  EXPECT_EQ(created->size(), 32U);
  const Result<Secret> read = read_key_file(path_);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->equals(*created));
}

TEST_F(KeyFileTest, OnlyTheOwnerMayReadIt) {
  ASSERT_TRUE(create_key_file(path_, random_));
  struct stat about{};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600U);
}

TEST_F(KeyFileTest, NothingElseIsLeftBehind) {
  ASSERT_TRUE(create_key_file(path_, random_));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 1U);
}

TEST_F(KeyFileTest, AnExistingKeyIsNeverReplaced) {
  const Result<Secret> first = create_key_file(path_, random_);
  EXPECT_EQ(create_key_file(path_, random_).error().code, Errc::Conflict);
  EXPECT_TRUE(read_key_file(path_)->equals(*first));
}

TEST_F(KeyFileTest, TheRestOfAnInterruptedCreationDoesNotHinder) {
  std::ofstream(path_ + ".new") << "half";
  EXPECT_TRUE(create_key_file(path_, random_));
}

TEST_F(KeyFileTest, AMissingFileIsNotFound) { EXPECT_EQ(read_key_file(path_).error().code, Errc::NotFound); }

TEST_F(KeyFileTest, AFileThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640, 0604, 0644, 0660, 0601}) {
    write(std::string(32, 'k'), mode);
    EXPECT_EQ(read_key_file(path_).error().code, Errc::Denied) << std::oct << mode;
  }
}

TEST_F(KeyFileTest, AKeyOfAnotherLengthIsInvalid) {
  for (const std::size_t size : {0, 31, 33}) {
    write(std::string(size, 'k'));
    EXPECT_EQ(read_key_file(path_).error().code, Errc::Invalid) << size;
  }
}

TEST_F(KeyFileTest, WhatIsNoFileIsRefused) {
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(read_key_file(path_));
  std::filesystem::remove(path_);
  std::filesystem::create_symlink(directory_.file("elsewhere"), path_);
  EXPECT_EQ(read_key_file(path_).error().code, Errc::Unavailable) << "a link is not followed";
}

TEST_F(KeyFileTest, ADirectoryThatDoesNotExistIsUnavailable) {
  EXPECT_EQ(create_key_file(directory_.file("missing/key"), random_).error().code, Errc::Unavailable);
}

}  // namespace
}  // namespace keyturn
