// Instants and durations as the program speaks of them, and their text forms in the API.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

using Duration = std::chrono::milliseconds;
using Instant = std::chrono::sys_time<Duration>;  // wall clock, UTC: may jump

// Time since boot, running through suspend (CLOCK_BOOTTIME). Never jumps; means nothing to another process or host.
struct BootClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
using BootInstant = BootClock::time_point;

// RFC 3339 in UTC. `format_seconds` is what metav1.Time uses, `format_micros` what metav1.MicroTime uses (six digits, always).
std::string format_seconds(Instant at);
std::string format_micros(Instant at);
std::optional<Instant> parse_rfc3339(std::string_view text);

// Go's duration syntax: "2160h", "1h30m", "250ms". Formatting is Go's own: "2160h0m0s" is written "2160h0m0s".
std::string format_duration(Duration value);
std::optional<Duration> parse_duration(std::string_view text);

// Ages as kubectl prints them: "6s", "5m13s", "51d".
std::string format_age(Duration age);

}  // namespace keyturn
