#include "controller/embedded/sqlite/object_cipher.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/seeded_random.h"

namespace keyturn {
namespace {

ObjectCipher cipher_with(char fill) { return ObjectCipher::with_key(Secret::copy_of(std::string(ObjectCipher::key_bytes, fill))).value(); }

class ObjectCipherTest : public ::testing::Test {
 protected:
  std::string seal(std::string_view clear, std::string_view place = "here") { return cipher_.seal(clear, place, random_).value(); }

  SeededRandom random_{1};
  ObjectCipher cipher_ = cipher_with('k');
};

TEST_F(ObjectCipherTest, WhatWasSealedOpensAtItsPlace) {
  for (const std::string& clear : {std::string(), std::string("x"), std::string("{\"a\":1}"), std::string(1'000'000, 'y')}) {
    const std::string sealed = seal(clear);
    const Result<WipedBytes> opened = cipher_.open(sealed, "here");
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->view(), clear);
  }
}

TEST_F(ObjectCipherTest, TheClearTextDoesNotShow) { EXPECT_EQ(seal("canary-value").find("canary"), std::string::npos); }

TEST_F(ObjectCipherTest, EveryFlippedBitIsNoticed) {
  const std::string sealed = seal("canary-value");
  for (std::size_t i = 0; i < 8 * sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
    EXPECT_EQ(cipher_.open(changed, "here").error().code, Errc::Invalid) << "bit " << i;
  }
}

TEST_F(ObjectCipherTest, EveryTruncationIsNoticed) {
  const std::string sealed = seal("canary-value");
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(cipher_.open(std::string_view(sealed).substr(0, size), "here").error().code, Errc::Invalid) << "size " << size;
  }
}

TEST_F(ObjectCipherTest, AtAnotherPlaceItDoesNotOpen) {
  const std::string sealed = seal("canary-value", "here");
  EXPECT_EQ(cipher_.open(sealed, "there").error().code, Errc::Invalid);
  EXPECT_EQ(cipher_.open(sealed, "").error().code, Errc::Invalid);
}

TEST_F(ObjectCipherTest, WithAnotherKeyItDoesNotOpen) {
  EXPECT_EQ(cipher_with('x').open(seal("canary-value"), "here").error().code, Errc::Invalid);
}

TEST_F(ObjectCipherTest, TheSameTextIsNeverSealedTheSameWay) {
  std::set<std::string> sealed;
  for (int i = 0; i < 100; ++i) sealed.insert(seal("canary-value"));
  EXPECT_EQ(sealed.size(), 100U);
}

TEST_F(ObjectCipherTest, AKeyOfAnotherLengthIsRefused) {
  for (const std::size_t size : {0, 1, 16, 31, 33}) {
    EXPECT_EQ(ObjectCipher::with_key(Secret::copy_of(std::string(size, 'k'))).error().code, Errc::Invalid);
  }
}

TEST_F(ObjectCipherTest, TheFingerprintTellsKeysApartAndIsStable) {
  EXPECT_EQ(cipher_.fingerprint(), cipher_with('k').fingerprint());
  EXPECT_NE(cipher_.fingerprint(), cipher_with('x').fingerprint());
  EXPECT_EQ(cipher_.fingerprint().size(), 16U);
}

TEST(WipedBytes, GrowsByAppending) {
  WipedBytes bytes;
  EXPECT_TRUE(bytes.view().empty());
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    bytes.append("0123456789");
    expected += "0123456789";
  }
  EXPECT_EQ(bytes.view(), expected);
  const WipedBytes moved = std::move(bytes);
  EXPECT_EQ(moved.view(), expected);
}

}  // namespace
}  // namespace keyturn
