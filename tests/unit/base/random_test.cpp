#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <stdexcept>

#include "tests/support/seeded_random.h"

namespace keyturn {
namespace {

// Gives out a script of 32-bit numbers, so that the choice of `below` can be followed.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::vector<std::uint32_t> numbers) : numbers_(std::move(numbers)) {}
  void fill(std::span<unsigned char> out) override {
    const std::uint32_t number = numbers_.at(used_++);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<unsigned char>(number >> (24 - 8 * i));
  }
  std::size_t used() const { return used_; }

 private:
  std::vector<std::uint32_t> numbers_;
  std::size_t used_ = 0;
};

TEST(Random, StaysBelowTheBound) {
  SystemRandom random;
  for (const std::uint32_t bound : {1U, 2U, 3U, 62U, 1000U, 0x80000001U}) {
    for (int i = 0; i < 200; ++i) EXPECT_LT(random.below(bound), bound);
  }
}

TEST(Random, DrawsAgainWhatWouldBiasTheResult) {
  // 2^32 mod 10 = 6: the numbers 0 to 5 are left over, and drawn again.
  ScriptedRandom random({0, 5, 6});
  EXPECT_EQ(random.below(10), 6U);
  EXPECT_EQ(random.used(), 3U);
}

TEST(Random, RefusesABoundOfZero) {
  SystemRandom random;
  EXPECT_THROW(random.below(0), std::invalid_argument);
}

TEST(Random, IsUniform) {
  SeededRandom random(1);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);
}

TEST(Random, MakesVersionFourUuids) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = random.uuid();
    ASSERT_EQ(uuid.size(), 36U);
    EXPECT_EQ(uuid[14], '4');
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
    for (const std::size_t dash : {8, 13, 18, 23}) EXPECT_EQ(uuid[dash], '-');
    EXPECT_EQ(uuid.find_first_not_of("0123456789abcdef-"), std::string::npos);
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Random, MakesHexOfTheLengthAskedFor) {
  SystemRandom random;
  EXPECT_EQ(random.hex(16).size(), 32U);
  EXPECT_EQ(random.hex(0), "");
  EXPECT_NE(random.hex(16), random.hex(16));
}

TEST(SeededRandom, RepeatsBySeed) {
  SeededRandom one(42);
  SeededRandom same(42);
  SeededRandom other(43);
  const std::string first = one.hex(37);
  EXPECT_EQ(same.hex(37), first);
  EXPECT_NE(other.hex(37), first);
  EXPECT_NE(one.hex(37), first);
}

}  // namespace
}  // namespace keyturn
