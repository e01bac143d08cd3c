#include "base/posix_time_zone.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

Instant at(std::string_view text) { return parse_rfc3339(text).value(); }

Duration offset(std::string_view rule, std::string_view when) { return PosixTimeZone::parse(rule).value().offset_at(at(when)); }

TEST(PosixTimeZone, ChangesAtTheLastSundaysOfMarchAndOctoberInZurich) {
  constexpr std::string_view zurich = "CET-1CEST,M3.5.0,M10.5.0/3";
  EXPECT_EQ(offset(zurich, "2040-01-15T12:00:00Z"), 1h);
  EXPECT_EQ(offset(zurich, "2040-07-15T12:00:00Z"), 2h);
  EXPECT_EQ(offset(zurich, "2040-03-25T00:59:59Z"), 1h);
  EXPECT_EQ(offset(zurich, "2040-03-25T01:00:00Z"), 2h);
  EXPECT_EQ(offset(zurich, "2040-10-28T00:59:59Z"), 2h);
  EXPECT_EQ(offset(zurich, "2040-10-28T01:00:00Z"), 1h);
  EXPECT_EQ(offset(zurich, "2040-12-31T23:59:59Z"), 1h);
}

TEST(PosixTimeZone, ChangesAtTheSecondSundayOfMarchInNewYork) {
  constexpr std::string_view new_york = "EST5EDT,M3.2.0,M11.1.0";
  EXPECT_EQ(offset(new_york, "2040-03-11T06:59:59Z"), -5h);
  EXPECT_EQ(offset(new_york, "2040-03-11T07:00:00Z"), -4h);
  EXPECT_EQ(offset(new_york, "2040-11-04T05:59:59Z"), -4h);
  EXPECT_EQ(offset(new_york, "2040-11-04T06:00:00Z"), -5h);
}

TEST(PosixTimeZone, KeepsDaylightSavingOverNewYearInTheSouth) {
  constexpr std::string_view santiago = "<-04>4<-03>,M9.1.6/24,M4.1.6/24";
  EXPECT_EQ(offset(santiago, "2040-01-01T00:00:00Z"), -3h);
  EXPECT_EQ(offset(santiago, "2040-06-15T12:00:00Z"), -4h);
  EXPECT_EQ(offset(santiago, "2040-12-31T23:59:59Z"), -3h);
  // At 24:00 on the first Saturday, which is 0:00 on Sunday.
  EXPECT_EQ(offset(santiago, "2040-09-02T03:59:59Z"), -4h);
  EXPECT_EQ(offset(santiago, "2040-09-02T04:00:00Z"), -3h);
  EXPECT_EQ(offset(santiago, "2040-04-08T02:59:59Z"), -3h);
  EXPECT_EQ(offset(santiago, "2040-04-08T03:00:00Z"), -4h);
}

TEST(PosixTimeZone, StaysWhereItIsWithoutDaylightSaving) {
  for (const char* when : {"2040-01-15T12:00:00Z", "2040-07-15T12:00:00Z"}) {
    EXPECT_EQ(offset("JST-9", when), 9h);
    EXPECT_EQ(offset("<+0545>-5:45", when), 5h + 45min);
    EXPECT_EQ(offset("<-00>0", when), 0h);
    EXPECT_EQ(offset("LMT+0:34:08", when), -(34min + 8s));
  }
}

TEST(PosixTimeZone, TakesAWinterTimeThatIsTheExceptionAsIreland) {
  constexpr std::string_view dublin = "IST-1GMT0,M10.5.0,M3.5.0/1";
  EXPECT_EQ(offset(dublin, "2040-07-15T12:00:00Z"), 1h);
  EXPECT_EQ(offset(dublin, "2040-01-15T12:00:00Z"), 0h);
  EXPECT_EQ(offset(dublin, "2040-03-25T01:00:00Z"), 1h);
  EXPECT_EQ(offset(dublin, "2040-10-28T01:00:00Z"), 0h);
}

TEST(PosixTimeZone, TakesTimesOutsideOfTheDay) {
  // Two hours before midnight of the last Sunday, local time at -2.
  constexpr std::string_view nuuk = "<-02>2<-01>,M3.5.0/-1,M10.5.0/0";
  EXPECT_EQ(offset(nuuk, "2040-03-25T00:59:59Z"), -2h);
  EXPECT_EQ(offset(nuuk, "2040-03-25T01:00:00Z"), -1h);
  // Fifty hours after the fourth Thursday began is Saturday at two.
  constexpr std::string_view gaza = "EET-2EEST,M3.4.4/50,M10.4.4/50";
  EXPECT_EQ(offset(gaza, "2040-03-23T23:59:59Z"), 2h);
  EXPECT_EQ(offset(gaza, "2040-03-24T00:00:00Z"), 3h);
}

TEST(PosixTimeZone, CountsDaysWithAndWithoutTheLeapDay) {
  // J60 is the first of March in every year, 59 counts from zero and is the leap day where there is one.
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300", "2040-02-29T23:59:59Z"), 0h);
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300", "2040-03-01T00:00:00Z"), 1h);
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300", "2041-02-28T23:59:59Z"), 0h);
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300", "2041-03-01T00:00:00Z"), 1h);
  EXPECT_EQ(offset("AAA0BBB,J59/0,J300", "2040-02-28T00:00:00Z"), 1h);
  EXPECT_EQ(offset("AAA0BBB,59/0,300", "2040-02-28T23:59:59Z"), 0h);
  EXPECT_EQ(offset("AAA0BBB,59/0,300", "2040-02-29T00:00:00Z"), 1h);
  EXPECT_EQ(offset("AAA0BBB,59/0,300", "2041-03-01T00:00:00Z"), 1h);
}

TEST(PosixTimeZone, MayHaveDaylightSavingAllYear) {
  for (const char* when : {"2040-01-01T00:00:00Z", "2040-01-01T04:59:59Z", "2040-01-01T05:00:00Z", "2040-07-01T00:00:00Z"}) {
    EXPECT_EQ(offset("EST5EDT,0/0,J365/25", when), -4h) << when;
  }
}

TEST(PosixTimeZone, AnswersForTheEndsOfTime) {
  const PosixTimeZone zurich = PosixTimeZone::parse("CET-1CEST,M3.5.0,M10.5.0/3").value();
  for (const Duration::rep end : {std::numeric_limits<Duration::rep>::min(), std::numeric_limits<Duration::rep>::max()}) {
    const Duration found = zurich.offset_at(Instant{Duration{end}});
    EXPECT_TRUE(found == 1h || found == 2h);
  }
  EXPECT_EQ(zurich.offset_at(at("2040-07-15T12:00:00Z") + std::chrono::days(146'097) * 1'000), 2h);
  EXPECT_EQ(zurich.offset_at(at("2040-07-15T12:00:00Z") - std::chrono::days(146'097)), 2h);
}

TEST(PosixTimeZone, RefusesWhatIsNoRule) {
  for (const char* text : {"",
                           "CET",
                           "CE-1",
                           "-1",
                           "<+03-3",
                           "<+3>-3",
                           "C3T-1",
                           "CET-25",
                           "CET-1:60",
                           "CET-1:",
                           "CET-1 ",
                           "CET-1CEST",
                           "CET-1CEST,",
                           "CET-1CEST,M3.5.0",
                           "CET-1CEST,M3.5.0,",
                           "CET-1CEST,M3.5.0,M10.5.0/3x",
                           "CET-1CEST,M3.5.0,M10.5.0,",
                           "CET-1CEST,M0.5.0,M10.5.0",
                           "CET-1CEST,M13.5.0,M10.5.0",
                           "CET-1CEST,M3.0.0,M10.5.0",
                           "CET-1CEST,M3.6.0,M10.5.0",
                           "CET-1CEST,M3.5.7,M10.5.0",
                           "CET-1CEST,M3.5,M10.5.0",
                           "CET-1CEST,M3.5.0/168,M10.5.0",
                           "CET-1CEST,M3.5.0/,M10.5.0",
                           "CET-1CEST,J0,J300",
                           "CET-1CEST,J366,J300",
                           "CET-1CEST,366,300",
                           "CET-1CEST,3000,300",
                           "CET-1C,M3.5.0,M10.5.0"}) {
    EXPECT_FALSE(PosixTimeZone::parse(text)) << text;
  }
}

}  // namespace
}  // namespace keyturn
