// The rule that says what a zone's local time is for ever: the last line of a zone file (RFC 8536, section 3.3), in the form that POSIX
// gives the variable TZ ("CET-1CEST,M3.5.0,M10.5.0/3").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace keyturn {

class PosixTimeZone {
 public:
  // Nothing for a text that is no such rule. Daylight saving must name both of its dates: POSIX leaves open what holds without them.
  static std::optional<PosixTimeZone> parse(std::string_view text);

  // Local time minus UTC at that moment, any moment.
  Duration offset_at(Instant at) const;

 private:
  friend class PosixTimeZoneParser;
  // The day of a change, and the moment of that day on the clock that the change ends; it may lie up to a week away from the day.
  struct Change {
    enum class Form : std::uint8_t {
      WeekdayOfMonth,     // Mm.w.d
      DayWithoutLeapDay,  // Jn: the 29th of February is never counted
      DayOfYear,          // n: from zero, with the 29th of February
    };
    Form form = Form::WeekdayOfMonth;
    unsigned month = 1, week = 1, weekday = 0;  // week 5 = the last one; weekday 0 = Sunday
    unsigned day = 0;
    std::chrono::seconds time = std::chrono::hours(2);

    Instant in(std::chrono::year year, Duration offset) const;
  };
  struct Daylight {
    Duration offset{};
    Change start, end;
  };

  Duration standard_{};
  std::optional<Daylight> daylight_;
};

}  // namespace keyturn
