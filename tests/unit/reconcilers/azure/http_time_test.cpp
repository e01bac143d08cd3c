#include "reconcilers/azure/http_time.h"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

net::HttpReply with(std::initializer_list<std::pair<std::string, std::string>> headers) {
  net::HttpReply reply;
  reply.headers = headers;
  return reply;
}

TEST(HttpTime, ReadsWhatItWrites) {
  const auto at = parse_rfc3339("2026-11-06T08:49:37Z");
  ASSERT_TRUE(at);
  EXPECT_EQ(format_http_date(*at), "Fri, 06 Nov 2026 08:49:37 GMT");
  EXPECT_EQ(parse_http_date(format_http_date(*at)), at);
}

TEST(HttpTime, RefusesOtherFormsOfDates) {
  for (const char* text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT", "2026-11-06T08:49:37Z", "Sun, 06 Xyz 1994 08:49:37 GMT"})
    EXPECT_FALSE(parse_http_date(text)) << text;
}

TEST(HttpTime, HonoursEveryWayToAskForAWait) {
  EXPECT_EQ(retry_after(with({{"Retry-After", "7"}})), Duration{7'000});
  EXPECT_EQ(retry_after(with({{"retry-after-ms", "250"}})), Duration{250});
  EXPECT_EQ(retry_after(with({{"x-ms-retry-after-ms", "300"}, {"Retry-After", "9"}})), Duration{300});
  EXPECT_EQ(retry_after(with({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Retry-After", "Sun, 06 Nov 1994 08:50:00 GMT"}})),
            Duration{23'000});
}

TEST(HttpTime, BoundsTheWaitThatAServerAsksFor) {
  EXPECT_EQ(retry_after(with({{"Retry-After", "99999999999"}})), retry_after_max);
  EXPECT_EQ(retry_after(with({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT"}})), Duration{0});
  EXPECT_FALSE(retry_after(with({{"Retry-After", "soon"}})));
  EXPECT_FALSE(retry_after(with({{"Retry-After", "-5"}})));
  EXPECT_FALSE(retry_after(with({})));
}

}  // namespace
}  // namespace keyturn
