#include "base/time.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace keyturn {
namespace {

using namespace std::chrono;

struct CivilTime {
  year_month_day date;
  hh_mm_ss<Duration> time;
};

CivilTime civil(Instant at) {
  const auto day = floor<days>(at);
  return {year_month_day(day), hh_mm_ss<Duration>(at - day)};
}

std::string format_civil(const CivilTime& t) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(t.date.year()),
                static_cast<unsigned>(t.date.month()), static_cast<unsigned>(t.date.day()), static_cast<int>(t.time.hours().count()),
                static_cast<int>(t.time.minutes().count()), static_cast<int>(t.time.seconds().count()));
  return text.data();
}

// Walks over a text; every take_ function fails without moving on.
class Cursor {
 public:
  explicit Cursor(std::string_view rest) : rest_(rest) {}
  bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::optional<int> take_digit() {
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return std::nullopt;
    const int digit = rest_.front() - '0';
    rest_.remove_prefix(1);
    return digit;
  }
  std::optional<int> take_digits(int count) {
    int value = 0;
    Cursor ahead = *this;
    for (int i = 0; i < count; ++i) {
      const auto digit = ahead.take_digit();
      if (!digit) return std::nullopt;
      value = value * 10 + *digit;
    }
    *this = ahead;
    return value;
  }

 private:
  std::string_view rest_;
};

// ".123456789": digits beyond the millisecond are dropped.
std::optional<Duration> take_fraction(Cursor& cursor) {
  if (!cursor.take('.')) return Duration(0);
  int millis = 0;
  int digits = 0;
  while (const auto digit = cursor.take_digit()) {
    if (digits < 3) millis = millis * 10 + *digit;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  for (int i = digits; i < 3; ++i) millis *= 10;
  return Duration(millis);
}

// "Z" or "+hh:mm": how far local time is ahead of UTC.
std::optional<minutes> take_zone(Cursor& cursor) {
  if (cursor.take('Z')) return minutes(0);
  const bool east = cursor.take('+');
  if (!east && !cursor.take('-')) return std::nullopt;
  const auto hour = cursor.take_digits(2);
  const bool colon = cursor.take(':');
  const auto minute = cursor.take_digits(2);
  if (!hour || !colon || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  const minutes offset = hours(*hour) + minutes(*minute);
  return east ? offset : -offset;
}

std::optional<sys_days> take_date(Cursor& cursor) {
  const auto y = cursor.take_digits(4);
  if (!y || !cursor.take('-')) return std::nullopt;
  const auto m = cursor.take_digits(2);
  if (!m || !cursor.take('-')) return std::nullopt;
  const auto d = cursor.take_digits(2);
  if (!d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

std::optional<seconds> take_time_of_day(Cursor& cursor) {
  const auto h = cursor.take_digits(2);
  if (!h || !cursor.take(':')) return std::nullopt;
  const auto m = cursor.take_digits(2);
  if (!m || !cursor.take(':')) return std::nullopt;
  const auto s = cursor.take_digits(2);
  if (!s || *h > 23 || *m > 59 || *s > 59) return std::nullopt;
  return hours(*h) + minutes(*m) + seconds(*s);
}

// A unit's length in nanoseconds; the longer spelling is tried first.
std::optional<double> take_unit(Cursor& cursor) {
  struct Unit {
    std::string_view name;
    double nanos;
  };
  static constexpr std::array<Unit, 8> units{{{"ns", 1},
                                              {"us", 1e3},
                                              {"\xC2\xB5s", 1e3},  // micro sign
                                              {"\xCE\xBCs", 1e3},  // Greek mu
                                              {"ms", 1e6},
                                              {"s", 1e9},
                                              {"m", 60e9},
                                              {"h", 3600e9}}};
  for (const auto& unit : units) {
    if (cursor.take(unit.name)) return unit.nanos;
  }
  return std::nullopt;
}

constexpr double nanos_max = static_cast<double>(std::numeric_limits<std::int64_t>::max());

// One "12.5h" of a duration, in nanoseconds. Whole and fractional digits may be missing, but not both.
std::optional<long double> take_quantity(Cursor& cursor) {
  long double value = 0;
  long double scale = 1;
  bool any = false;
  while (const auto digit = cursor.take_digit()) {
    value = value * 10 + *digit;
    any = true;
  }
  if (cursor.take('.')) {
    while (const auto digit = cursor.take_digit()) {
      scale /= 10;
      value += scale * *digit;
      any = true;
    }
  }
  if (!any) return std::nullopt;
  const auto unit = take_unit(cursor);
  if (!unit) return std::nullopt;
  return value * *unit;
}

std::string number_and(std::int64_t number, std::string_view unit) { return std::to_string(number).append(unit); }

// "5m13s": the smaller part is left out when it is zero, as kubectl does.
std::string two_parts(std::int64_t large, std::string_view large_unit, std::int64_t small, std::string_view small_unit) {
  std::string text = number_and(large, large_unit);
  if (small != 0) text += number_and(small, small_unit);
  return text;
}

}  // namespace

std::string format_seconds(Instant at) { return format_civil(civil(at)) + "Z"; }

std::string format_micros(Instant at) {
  const CivilTime t = civil(at);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03d000Z", static_cast<int>(t.time.subseconds().count()));
  return format_civil(t) + fraction.data();
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  Cursor cursor(text);
  const auto date = take_date(cursor);
  if (!date || !cursor.take('T')) return std::nullopt;
  const auto time_of_day = take_time_of_day(cursor);
  if (!time_of_day) return std::nullopt;
  const auto fraction = take_fraction(cursor);
  if (!fraction) return std::nullopt;
  const auto zone = take_zone(cursor);
  if (!zone || !cursor.at_end()) return std::nullopt;
  return Instant(*date) + *time_of_day + *fraction - *zone;
}

std::string format_duration(Duration value) {
  if (value.count() == 0) return "0s";
  const bool negative = value.count() < 0;
  // The magnitude of the smallest value does not fit the signed type.
  auto rest = static_cast<std::uint64_t>(value.count());
  if (negative) rest = 0 - rest;
  std::string text = negative ? "-" : "";
  if (rest < 1000) return text + std::to_string(rest) + "ms";
  const std::uint64_t millis = rest % 1000;
  const std::uint64_t all_seconds = rest / 1000;
  if (all_seconds >= 3600) text += std::to_string(all_seconds / 3600) + "h";
  if (all_seconds >= 60) text += std::to_string(all_seconds / 60 % 60) + "m";
  text += std::to_string(all_seconds % 60);
  if (millis != 0) {
    std::string digits = std::to_string(1000 + millis).substr(1);
    while (digits.back() == '0') digits.pop_back();
    text += "." + digits;
  }
  return text + "s";
}

std::optional<Duration> parse_duration(std::string_view text) {
  Cursor cursor(text);
  const bool negative = cursor.take('-');
  if (!negative) cursor.take('+');
  if (cursor.at_end()) return std::nullopt;
  Cursor zero = cursor;  // Go accepts "0" without a unit, and nothing else without one
  if (zero.take('0') && zero.at_end()) return Duration(0);
  long double nanos = 0;
  while (!cursor.at_end()) {
    const auto quantity = take_quantity(cursor);
    if (!quantity) return std::nullopt;
    nanos += *quantity;
    if (nanos >= nanos_max) return std::nullopt;
  }
  // Fractions such as 0.1 have no exact binary form; a millionth of a nanosecond decides nothing but mends them.
  const auto millis = static_cast<std::int64_t>((nanos + 1e-6L) / 1e6L);
  return Duration(negative ? -millis : millis);
}

std::string format_age(Duration age) {
  // The steps and limits are those of HumanDuration in k8s.io/apimachinery/pkg/util/duration.
  const std::int64_t s = age.count() / 1000;
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < 120) return number_and(s, "s");
  const std::int64_t m = s / 60;
  if (m < 10) return two_parts(m, "m", s % 60, "s");
  if (m < 180) return number_and(m, "m");
  const std::int64_t h = m / 60;
  if (h < 8) return two_parts(h, "h", m % 60, "m");
  if (h < 48) return number_and(h, "h");
  if (h < 24 * 8) return two_parts(h / 24, "d", h % 24, "h");
  if (h < 24 * 365 * 2) return number_and(h / 24, "d");
  if (h < 24 * 365 * 8) return two_parts(h / 24 / 365, "y", h / 24 % 365, "d");
  return number_and(h / 24 / 365, "y");
}

}  // namespace keyturn
