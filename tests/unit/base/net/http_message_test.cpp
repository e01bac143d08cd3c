#include "base/net/http_message.h"

#include <gtest/gtest.h>

namespace keyturn::net {
namespace {

TEST(Headers, AreFoundWithoutRegardToCase) {
  const Headers headers{{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
  EXPECT_EQ(headers.find("content-TYPE"), "text/plain");
  EXPECT_EQ(headers.find("X-A"), "1");
  EXPECT_EQ(headers.find("X-B"), std::nullopt);
}

TEST(Headers, KeepOrderAndDuplicatesUntilSet) {
  Headers headers;
  headers.add("A", "1");
  headers.add("B", "2");
  headers.add("a", "3");
  ASSERT_EQ(headers.fields().size(), 3U);
  headers.set("A", "4");
  ASSERT_EQ(headers.fields().size(), 2U);
  EXPECT_EQ(headers.fields()[0].first, "B");
  EXPECT_EQ(headers.find("a"), "4");
}

TEST(Headers, AreMalformedWhenTheyCouldBecomeOthers) {
  EXPECT_TRUE((Headers{{"X-Ok", "value with spaces\tand \xC3\xA9"}, {"X-Empty", ""}}.well_formed()));
  for (const char* name : {"", "a b", "a:", "a\r\nb", "\xC3\xA9"}) EXPECT_FALSE((Headers{{name, "v"}}.well_formed())) << name;
  for (const char* value : {"a\r\nb: c", "a\n", "a\rb", "\x01", "\x7f"}) EXPECT_FALSE((Headers{{"n", value}}.well_formed())) << value;
  EXPECT_FALSE((Headers{{"n", std::string("a\0b", 3)}}.well_formed()));
}

TEST(HttpRequest, IsMalformedWhenItsLineCouldBecomeTwo) {
  HttpRequest request;
  EXPECT_TRUE(is_well_formed(request));
  for (const char* target : {"", "x", "/a b", "/a\r\nX: y", "/\xC3\xA9", "http://example.com/"}) {
    request.target = target;
    EXPECT_FALSE(is_well_formed(request)) << target;
  }
  request.target = "*";
  EXPECT_TRUE(is_well_formed(request));
  request.method = "GET /x";
  EXPECT_FALSE(is_well_formed(request));
}

}  // namespace
}  // namespace keyturn::net
