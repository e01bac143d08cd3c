#include "base/secret_memory.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/support/memory_scan.h"

namespace keyturn {
namespace {

std::string text_of(const Secret& secret) {
  return secret.expose([](std::string_view bytes) { return std::string(bytes); });
}

TEST(SecretJson, FindsStringsByPointer) {
  const auto document = SecretJson::parse(Secret::copy_of(R"({"value":"s3cret","attributes":{"enabled":true},"list":["a","b"]})"));
  ASSERT_TRUE(document);
  const auto value = document->secret_at("/value");
  ASSERT_TRUE(value);
  EXPECT_EQ(text_of(*value), "s3cret");
  EXPECT_EQ(text_of(*document->secret_at("/list/1")), "b");
  EXPECT_TRUE(document->root().at_pointer("/attributes/enabled").as_bool());
}

TEST(SecretJson, SaysWhenAMemberIsMissingOrNoString) {
  const auto document = SecretJson::parse(Secret::copy_of(R"({"number":1,"list":[]})"));
  ASSERT_TRUE(document);
  for (const char* pointer : {"/value", "/number", "/list/0", "no pointer", "/number/x", ""}) {
    const auto found = document->secret_at(pointer);
    ASSERT_FALSE(found) << pointer;
    EXPECT_EQ(found.error().code, Errc::NotFound);
  }
}

TEST(SecretJson, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "{} {}", "nul", "{\"a\":\"\x01\"}", "[1,]"}) {
    const auto document = SecretJson::parse(Secret::copy_of(text));
    ASSERT_FALSE(document) << text;
    EXPECT_EQ(document.error().code, Errc::Invalid);
  }
}

TEST(SecretJson, RefusesWhatIsTooDeep) {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  EXPECT_FALSE(SecretJson::parse(Secret::copy_of(deep)));
}

TEST(SecretJson, GivesItsMemoryBack) {
  const std::size_t before = SecretArena::bytes_in_use();
  {
    const auto document = SecretJson::parse(Secret::copy_of(R"({"a":["b","c",{"d":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"}]})"));
    ASSERT_TRUE(document);
    EXPECT_GT(SecretArena::bytes_in_use(), before);
    const SecretJson copy = *document;
    EXPECT_EQ(text_of(*copy.secret_at("/a/0")), "b");
  }
  EXPECT_EQ(SecretArena::bytes_in_use(), before);
}

Secret json_with(const Canary& canary, std::string_view before, std::string_view after) {
  SecretBuffer text;
  text.append(before).append(canary.reveal()).append(after);
  return std::move(text).finish();
}

TEST(SecretJson, LeavesNothingInMemory) {
  SystemRandom random;
  // A plain string, one with an escape before it (which takes another path through the parser), a key, and the root itself.
  const std::pair<const char*, const char*> frames[] = {
      {R"({"data":{"value":")", R"("}})"}, {R"({"value":"\n)", R"(\t"})"}, {R"({")", R"(":1})"}, {R"(")", R"(")"}};
  for (const auto& [before, after] : frames) {
    const Canary canary(random);
    {
      const auto document = SecretJson::parse(json_with(canary, before, after));
      ASSERT_TRUE(document);
      EXPECT_EQ(canary.copies(), 1U) << before;
    }
    EXPECT_EQ(canary.copies(), 0U) << before;
  }
}

TEST(SecretJson, LeavesNothingOfADocumentThatIsBroken) {
  SystemRandom random;
  const Canary canary(random);
  EXPECT_FALSE(SecretJson::parse(json_with(canary, R"({"value":"\n)", R"(",)")));
  EXPECT_EQ(canary.copies(), 0U);
}

TEST(AppendJsonString, EscapesWhatJsonForbids) {
  SecretBuffer out;
  append_json_string(out, "a\"b\\c\n\x01\x7F/\xC3\xA9");
  EXPECT_EQ(text_of(std::move(out).finish()), "\"a\\\"b\\\\c\\u000a\\u0001\\u007f/\xC3\xA9\"");
}

TEST(AppendJsonString, IsReadBackByAParser) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  SecretBuffer out;
  append_json_string(out, all);
  const std::string written = text_of(std::move(out).finish());
  EXPECT_EQ(boost::json::parse(written).as_string(), all);
}

}  // namespace
}  // namespace keyturn
