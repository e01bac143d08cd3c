#include "reconcilers/rotation/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <regex>
#include <set>
#include <string>

#include "base/random.h"
#include "reconcilers/rotation/credential_format.h"
#include "tests/support/seeded_random.h"

namespace keyturn {
namespace {

using api::GeneratorType;

std::string made(GeneratorType type, int length, Random& random) {
  const auto value = generate({type, length}, {}, random);
  return value ? value->expose([](std::string_view bytes) { return std::string(bytes); }) : "refused: " + value.error().message;
}

bool is_mark(char c) { return std::string_view("-_.~").find(c) != std::string_view::npos; }

TEST(Generator, MakesPasswordsWithEveryClassAndNothingElse) {
  SeededRandom random(1);
  for (int length : {16, 17, 32, 128}) {
    for (int i = 0; i < 500; ++i) {
      const std::string value = made(GeneratorType::Password, length, random);
      ASSERT_EQ(value.size(), static_cast<std::size_t>(length));
      const auto has = [&](auto is) { return std::any_of(value.begin(), value.end(), is); };
      EXPECT_TRUE(has([](char c) { return c >= 'A' && c <= 'Z'; })) << value;
      EXPECT_TRUE(has([](char c) { return c >= 'a' && c <= 'z'; })) << value;
      EXPECT_TRUE(has([](char c) { return c >= '0' && c <= '9'; })) << value;
      EXPECT_TRUE(has(is_mark)) << value;
      EXPECT_TRUE(
          std::all_of(value.begin(), value.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || is_mark(c); }));
      EXPECT_FALSE(is_mark(value.front())) << value;
      EXPECT_FALSE(is_mark(value.back())) << value;
    }
  }
}

TEST(Generator, MakesHexBase64AndUuid) {
  SeededRandom random(2);
  EXPECT_TRUE(std::regex_match(made(GeneratorType::Hex, 32, random), std::regex("[0-9a-f]{64}")));
  EXPECT_TRUE(std::regex_match(made(GeneratorType::Base64, 16, random), std::regex("[A-Za-z0-9_-]{22}")));
  EXPECT_TRUE(std::regex_match(made(GeneratorType::Base64, 17, random), std::regex("[A-Za-z0-9_-]{23}")));
  EXPECT_TRUE(std::regex_match(made(GeneratorType::Base64, 18, random), std::regex("[A-Za-z0-9_-]{24}")));
  EXPECT_TRUE(std::regex_match(made(GeneratorType::Uuid, 0, random),
                               std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
}

// A source of known bytes, so that the encoding can be compared with one from elsewhere.
class CountingRandom final : public Random {
 public:
  void fill(std::span<unsigned char> out) override {
    for (unsigned char& byte : out) byte = next_++;
  }

 private:
  unsigned char next_ = 0;
};

TEST(Generator, EncodesTheRandomBytesAsTheyAre) {
  CountingRandom hex;
  EXPECT_EQ(made(GeneratorType::Hex, 16, hex), "000102030405060708090a0b0c0d0e0f");
  CountingRandom base64;
  EXPECT_EQ(made(GeneratorType::Base64, 16, base64), "AAECAwQFBgcICQoLDA0ODw");
  CountingRandom uuid;
  EXPECT_EQ(made(GeneratorType::Uuid, 0, uuid), "00010203-0405-4607-8809-0a0b0c0d0e0f");
}

TEST(Generator, RefusesLengthsThatAreTooShortOrTooLong) {
  SeededRandom random(3);
  for (int length : {-1, 0, 15, 129})
    EXPECT_EQ(made(GeneratorType::Password, length, random), "refused: the generator's length is out of range");
  for (int length : {0, 15, 513}) {
    EXPECT_EQ(made(GeneratorType::Hex, length, random), "refused: the generator's length is out of range");
    EXPECT_EQ(made(GeneratorType::Base64, length, random), "refused: the generator's length is out of range");
  }
  EXPECT_EQ(made(GeneratorType::ProviderMinted, 32, random), "refused: this generator's values are made by the provider");
}

TEST(Generator, NeverRepeatsAndSpreadsEvenly) {
  SystemRandom random;
  std::set<std::string> seen;
  std::array<int, 128> counts{};
  constexpr int rounds = 5'000;
  for (int i = 0; i < rounds; ++i) {
    const std::string value = made(GeneratorType::Password, 32, random);
    EXPECT_TRUE(seen.insert(value).second);
    for (const char c : value) ++counts[static_cast<unsigned char>(c)];
  }
  // Within a class every character is as likely as any other: chi-square with 25 degrees of freedom stays below 70 but for one run in
  // a million.
  double expected = 0;
  for (char c = 'a'; c <= 'z'; ++c) expected += counts[static_cast<unsigned char>(c)] / 26.0;
  double chi_square = 0;
  for (char c = 'a'; c <= 'z'; ++c) {
    const double off = counts[static_cast<unsigned char>(c)] - expected;
    chi_square += off * off / expected;
  }
  EXPECT_LT(chi_square, 70);
}

TEST(Generator, FitsEveryFormatUnescaped) {
  SeededRandom random(4);
  const api::SecretFormat url{api::FormatType::Url, "", ""};
  const api::SecretFormat ado{api::FormatType::AdoNetConnectionString, "Password", ""};
  const api::SecretFormat json{api::FormatType::Json, "/p", ""};
  for (const auto type : {GeneratorType::Password, GeneratorType::Hex, GeneratorType::Uuid, GeneratorType::Base64}) {
    const std::string value = made(type, 32, random);
    const auto text = [&](const api::SecretFormat& format, std::string_view current) {
      const auto out = render(format, Secret::copy_of(current), "u", Secret::copy_of(value));
      return out ? out->expose([](std::string_view bytes) { return std::string(bytes); }) : out.error().message;
    };
    EXPECT_EQ(text(url, "x://u:old@h"), "x://u:" + value + "@h");
    EXPECT_EQ(text(ado, "Password=old"), "Password=" + value);
    EXPECT_EQ(text(json, R"({"p":"old"})"), "{\"p\":\"" + value + "\"}");
  }
}

}  // namespace
}  // namespace keyturn
