#include "base/time.h"

#include <gtest/gtest.h>

#include <limits>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr Instant noon = sys_days(std::chrono::year(2026) / 11 / 22) + 12h + 34min + 56s + 789ms;

TEST(Time, WritesRfc3339) {
  EXPECT_EQ(format_seconds(noon), "2026-11-22T12:34:56Z");
  EXPECT_EQ(format_micros(noon), "2026-11-22T12:34:56.789000Z");
  EXPECT_EQ(format_micros(Instant(5ms)), "1970-01-01T00:00:00.005000Z");
  EXPECT_EQ(format_seconds(Instant(-1ms)), "1969-12-31T23:59:59Z");
  EXPECT_EQ(format_seconds(sys_days(std::chrono::year(2028) / 2 / 29)), "2028-02-29T00:00:00Z");
}

TEST(Time, ReadsRfc3339) {
  EXPECT_EQ(parse_rfc3339("2026-11-22T12:34:56.789Z"), noon);
  EXPECT_EQ(parse_rfc3339("2026-11-22T12:34:56.789999999Z"), noon);
  EXPECT_EQ(parse_rfc3339("2026-11-22T12:34:56.7Z"), noon - 89ms);
  EXPECT_EQ(parse_rfc3339("2026-11-22T14:34:56.789+02:00"), noon);
  EXPECT_EQ(parse_rfc3339("2026-11-22T07:04:56.789-05:30"), noon);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), Instant(sys_days(std::chrono::year(2024) / 2 / 29)));
}

TEST(Time, ReadsBackWhatItWrites) {
  for (const Instant at : {Instant(0ms), noon, Instant(-86'400'001ms), Instant(4'102'444'800'123ms)}) {
    EXPECT_EQ(parse_rfc3339(format_micros(at)), at);
  }
}

TEST(Time, RefusesWhatIsNotRfc3339) {
  for (const char* text : {"", "2026-11-22", "2026-11-22T12:34:56", "2026-11-22 12:34:56Z", "2026-11-22t12:34:56z", "2026-13-01T00:00:00Z",
                           "2026-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T12:60:00Z", "2026-11-22T12:34:60Z",
                           "2026-11-22T12:34:56.Z", "2026-11-22T12:34:56Zx", "2026-11-22T12:34:56+24:00", "2026-11-22T12:34:56+0200",
                           "26-11-22T12:34:56Z", "+2026-11-22T12:34:56Z", "2026-1-22T12:34:56Z", "2026-11-22T12:34:56+02:60"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Time, WritesDurationsAsGoDoes) {
  EXPECT_EQ(format_duration(0ms), "0s");
  EXPECT_EQ(format_duration(1ms), "1ms");
  EXPECT_EQ(format_duration(999ms), "999ms");
  EXPECT_EQ(format_duration(1s), "1s");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(1010ms), "1.01s");
  EXPECT_EQ(format_duration(60s), "1m0s");
  EXPECT_EQ(format_duration(90min), "1h30m0s");
  EXPECT_EQ(format_duration(1h), "1h0m0s");
  EXPECT_EQ(format_duration(2160h), "2160h0m0s");
  EXPECT_EQ(format_duration(3661s + 1ms), "1h1m1.001s");
  EXPECT_EQ(format_duration(-90s), "-1m30s");
  EXPECT_EQ(format_duration(-5ms), "-5ms");
  EXPECT_EQ(format_duration(Duration::min()), "-2562047788015h12m55.808s");
}

TEST(Time, ReadsDurationsAsGoDoes) {
  EXPECT_EQ(parse_duration("2160h"), 2160h);
  EXPECT_EQ(parse_duration("2160h0m0s"), 2160h);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1.5h"), 90min);
  EXPECT_EQ(parse_duration(".5s"), 500ms);
  EXPECT_EQ(parse_duration("5.s"), 5s);
  EXPECT_EQ(parse_duration("0.1s"), 100ms);
  EXPECT_EQ(parse_duration("0.001s"), 1ms);
  EXPECT_EQ(parse_duration("4.35s"), 4350ms);
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("-0"), 0ms);
  EXPECT_EQ(parse_duration("+5s"), 5s);
  EXPECT_EQ(parse_duration("-1m30s"), -90s);
  EXPECT_EQ(parse_duration("1500us"), 1ms);
  EXPECT_EQ(parse_duration("1500\xC2\xB5s"), 1ms);
  EXPECT_EQ(parse_duration("1500\xCE\xBCs"), 1ms);
  EXPECT_EQ(parse_duration("999999ns"), 0ms);
  EXPECT_EQ(parse_duration("1s1s"), 2s);
}

TEST(Time, RefusesWhatGoRefuses) {
  for (const char* text : {"", "-", "+", "5", "00", "h", ".s", "1d", "1h 30m", " 1h", "1h ", "1hh", "--1s", "1.2.3s", "1S", "2562048h",
                           "99999999999999999999h", "1e3s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Time, ReadsBackEveryDurationItWrites) {
  for (std::int64_t ms = 1; ms < 20'000'000'000; ms = ms * 3 + 7) {
    EXPECT_EQ(parse_duration(format_duration(Duration(ms))), Duration(ms));
    EXPECT_EQ(parse_duration(format_duration(Duration(-ms))), Duration(-ms));
  }
}

// The cases of TestHumanDuration in k8s.io/apimachinery, and both sides of every limit.
TEST(Time, WritesAgesAsKubectlDoes) {
  const std::pair<Duration, const char*> cases[] = {{1s, "1s"},
                                                    {6s, "6s"},
                                                    {70s, "70s"},
                                                    {119s, "119s"},
                                                    {120s, "2m"},
                                                    {190s, "3m10s"},
                                                    {5min + 13s, "5m13s"},
                                                    {9min + 59s, "9m59s"},
                                                    {10min, "10m"},
                                                    {70min, "70m"},
                                                    {179min + 59s, "179m"},
                                                    {180min, "3h"},
                                                    {3h + 10min, "3h10m"},
                                                    {7h + 59min, "7h59m"},
                                                    {8h, "8h"},
                                                    {47h + 59min, "47h"},
                                                    {48h, "2d"},
                                                    {49h, "2d1h"},
                                                    {7 * 24h + 23h, "7d23h"},
                                                    {8 * 24h, "8d"},
                                                    {51 * 24h, "51d"},
                                                    {2 * 365 * 24h - 1s, "729d"},
                                                    {2 * 365 * 24h, "2y"},
                                                    {(2 * 365 + 1) * 24h, "2y1d"},
                                                    {(7 * 365 + 364) * 24h, "7y364d"},
                                                    {8 * 365 * 24h, "8y"},
                                                    {(8 * 365 + 300) * 24h, "8y"},
                                                    {0s, "0s"},
                                                    {-999ms, "0s"},
                                                    {-1s, "0s"},
                                                    {-2s, "<invalid>"}};
  for (const auto& [age, text] : cases) EXPECT_EQ(format_age(age), text);
}

}  // namespace
}  // namespace keyturn
