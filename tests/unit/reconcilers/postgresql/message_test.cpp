#include "reconcilers/postgresql/message.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/seeded_random.h"

namespace keyturn::postgresql {
namespace {

using namespace std::string_literals;

TEST(PostgresMessage, WritesRequestsAsDocumented) {
  EXPECT_EQ(ssl_request(), "\0\0\0\x08\x04\xD2\x16\x2F"s);
  EXPECT_EQ(startup_message("app", "erp"), "\0\0\0\x38\0\x03\0\0user\0app\0database\0erp\0application_name\0keyturn\0\0"s);
  EXPECT_EQ(sasl_initial_response("SCRAM-SHA-256", "n,,n=,r=x"), "p\0\0\0\x1FSCRAM-SHA-256\0\0\0\0\x09n,,n=,r=x"s);
  EXPECT_EQ(sasl_response("abc"),
            "p\0\0\0\x07"
            "abc"s);
  EXPECT_EQ(terminate(), "X\0\0\0\x04"s);
}

TEST(PostgresMessage, CannotSmuggleParametersIntoTheStartup) {
  EXPECT_EQ(startup_message("app\0database\0postgres"s, "erp"), startup_message("app", "erp"));
}

TEST(PostgresMessage, IsReadOnlyWhenComplete) {
  const std::string text = "R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"s;
  std::size_t taken = 0;
  for (std::size_t size = 0; size < 9; ++size) {
    const auto message = parse_message(std::string_view(text).substr(0, size), taken);
    ASSERT_TRUE(message);
    EXPECT_FALSE(*message);
    EXPECT_EQ(taken, 0u);
  }
  const auto message = parse_message(text, taken);
  ASSERT_TRUE(message && *message);
  EXPECT_EQ(taken, 9u);
  const auto asked = parse_authentication(**message);
  ASSERT_TRUE(asked);
  EXPECT_TRUE(asked->is(AuthenticationKind::Ok));
}

TEST(PostgresMessage, RefusesLengthsThatCannotBe) {
  std::size_t taken = 0;
  for (const std::string& text : {"R\0\0\0\x03"s, "R\xFF\xFF\xFF\xFF"s, "R\x7F\xFF\xFF\xFF"s, "H\x54\x54\x50\x2F"s})
    EXPECT_FALSE(parse_message(text, taken)) << text;
}

TEST(PostgresMessage, FindsMechanismsAndCodes) {
  EXPECT_TRUE(offers_mechanism("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"s, "SCRAM-SHA-256"));
  EXPECT_FALSE(offers_mechanism("SCRAM-SHA-256-PLUS\0\0"s, "SCRAM-SHA-256"));
  EXPECT_FALSE(offers_mechanism("", "SCRAM-SHA-256"));
  EXPECT_EQ(sqlstate_of({'E', "SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0"s}), "28P01");
  EXPECT_EQ(sqlstate_of({'E', "SFATAL\0Mno code\0\0"s}), "");
  EXPECT_EQ(sqlstate_of({'E', "C28\0\0"s}), "");
  EXPECT_EQ(sqlstate_of({'E', "C28P0!\0\0"s}), "");
  EXPECT_EQ(sqlstate_of({'E', "Cunterminated"s}), "");
  EXPECT_EQ(sqlstate_of({'N', "C28P01\0\0"s}), "");
  EXPECT_FALSE(parse_authentication({'R', "abc"}));
}

TEST(PostgresMessage, SurvivesNoise) {
  SeededRandom random(11);
  for (int round = 0; round < 50'000; ++round) {
    std::string text(random.below(40), '\0');
    for (char& c : text) c = static_cast<char>(random.below(256));
    if (text.size() > 4) text[1] = text[2] = text[3] = 0;
    std::size_t taken = 0;
    const auto message = parse_message(text, taken);
    EXPECT_LE(taken, text.size());
    if (!message || !*message) continue;
    sqlstate_of({'E', (*message)->body});
    offers_mechanism((*message)->body, "SCRAM-SHA-256");
  }
}

}  // namespace
}  // namespace keyturn::postgresql
