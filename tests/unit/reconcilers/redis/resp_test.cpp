#include "reconcilers/redis/resp.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/seeded_random.h"

namespace keyturn::redis {
namespace {

std::string encoded(Command command) {
  return std::move(command).encode().expose([](std::string_view bytes) { return std::string(bytes); });
}

TEST(RespCommand, PrefixesEveryWordWithItsLength) {
  EXPECT_EQ(encoded(Command{"PING"}), "*1\r\n$4\r\nPING\r\n");
  Command auth{"AUTH", "app"};
  auth.add(Secret::copy_of("p w"));
  EXPECT_EQ(encoded(std::move(auth)), "*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$3\r\np w\r\n");
}

TEST(RespCommand, CannotBeBrokenOutOf) {
  EXPECT_EQ(encoded(Command{"AUTH", "x\r\nFLUSHALL\r\n", ""}), "*3\r\n$4\r\nAUTH\r\n$13\r\nx\r\nFLUSHALL\r\n\r\n$0\r\n\r\n");
  EXPECT_EQ(encoded(Command{std::string_view("\0\r\n", 3)}), std::string("*1\r\n$3\r\n\0\r\n\r\n", 13));
}

Reply whole(std::string_view text) {
  const auto parsed = parse_reply(text, {});
  EXPECT_TRUE(parsed && parsed->reply) << text;
  if (!parsed || !parsed->reply) return {};
  EXPECT_EQ(parsed->bytes, text.size());
  return *parsed->reply;
}

TEST(RespReply, HasFiveKinds) {
  EXPECT_TRUE(whole("+OK\r\n").is_ok());
  EXPECT_TRUE(whole("-WRONGPASS invalid\r\n").is_error("WRONGPASS"));
  EXPECT_FALSE(whole("-WRONGPASSED invalid\r\n").is_error("WRONGPASS"));
  EXPECT_EQ(whole(":-42\r\n").integer, -42);
  EXPECT_EQ(whole("$5\r\na\r\nbc\r\n").text, "a\r\nbc");
  EXPECT_EQ(whole("$-1\r\n").type, Reply::Type::Null);
  EXPECT_EQ(whole("*-1\r\n").type, Reply::Type::Null);
  const Reply array = whole("*3\r\n:1\r\n*1\r\n$1\r\nx\r\n$0\r\n\r\n");
  ASSERT_EQ(array.items.size(), 3u);
  EXPECT_EQ(array.items[1].items[0].text, "x");
  EXPECT_EQ(array.items[2].type, Reply::Type::Bulk);
}

TEST(RespReply, AsksForTheBytesThatAreMissing) {
  const std::string text = "*2\r\n$5\r\nhello\r\n:7\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto parsed = parse_reply(std::string_view(text).substr(0, size), {});
    ASSERT_TRUE(parsed) << size;
    EXPECT_FALSE(parsed->reply) << size;
    EXPECT_GT(parsed->bytes, size);
    EXPECT_LE(parsed->bytes, text.size());
  }
}

TEST(RespReply, LeavesWhatFollows) {
  const auto parsed = parse_reply("+OK\r\n+MORE\r\n", {});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->bytes, 5u);
}

TEST(RespReply, RefusesWhatIsMalformed) {
  for (const std::string_view text : {"\r\n", "HTTP/1.1 400\r\n", "$-2\r\n", "$x\r\n", "$\r\n", "*-5\r\n", "*1x\r\n", ":1.5\r\n",
                                      "$1\r\nabc\r\n", ":99999999999999999999\r\n"})
    EXPECT_FALSE(parse_reply(text, {})) << text;
}

TEST(RespReply, RefusesTooMuchBeforeItIsThere) {
  const ReplyLimits limits{.bytes_max = 100, .items_max = 10, .depth_max = 3};
  EXPECT_FALSE(parse_reply("$101\r\n", limits));
  EXPECT_FALSE(parse_reply("$95\r\n", limits));
  EXPECT_FALSE(parse_reply("$9223372036854775807\r\n", limits));
  EXPECT_FALSE(parse_reply("*11\r\n", limits));
  EXPECT_FALSE(parse_reply("*5\r\n*6\r\n", limits));
  EXPECT_FALSE(parse_reply("*1\r\n*1\r\n*1\r\n*1\r\n", limits));
  EXPECT_FALSE(parse_reply("+" + std::string(200, 'a'), limits));
  EXPECT_FALSE(parse_reply("+" + std::string(70'000, 'a'), {}));
  EXPECT_FALSE(parse_reply("*9223372036854775807\r\n", {}));
}

// Random bytes, and random changes of a good reply: the parser ends, and never reads more than it was given (under the sanitizers).
TEST(RespReply, SurvivesNoise) {
  SeededRandom random(7);
  const std::string good = "*4\r\n$5\r\nflags\r\n*2\r\n$2\r\non\r\n$7\r\nallkeys\r\n:12\r\n-ERR x\r\n";
  const std::string alphabet = "*$+-:\r\n0123456789ab";
  for (int round = 0; round < 50'000; ++round) {
    std::string text = good;
    for (std::uint32_t changes = 1 + random.below(4); changes > 0; --changes)
      text[random.below(static_cast<std::uint32_t>(text.size()))] = alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))];
    const auto parsed = parse_reply(text, {});
    if (parsed && parsed->reply) EXPECT_LE(parsed->bytes, text.size());
    if (parsed && !parsed->reply) EXPECT_GT(parsed->bytes, text.size());
  }
}

}  // namespace
}  // namespace keyturn::redis
