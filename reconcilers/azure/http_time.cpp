#include "reconcilers/azure/http_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace keyturn {
namespace {

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

std::optional<Duration> number_of(const net::HttpReply& reply, std::string_view header, Duration unit) {
  const auto text = reply.headers.find(header);
  if (!text) return std::nullopt;
  const auto value = number(*text);
  if (!value) return std::nullopt;
  return std::min(*value, retry_after_max.count()) * unit;
}

}  // namespace

std::optional<Instant> parse_http_date(std::string_view text) {
  constexpr std::string_view shape = "Www, DD Mmm YYYY HH:MM:SS GMT";
  if (text.size() != shape.size() || text.substr(25) != " GMT" || text.substr(3, 2) != ", ") return std::nullopt;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  const auto day = number(text.substr(5, 2));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{static_cast<int>(*year)},
                            std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
                            std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return Instant{sys_days{date}} + hours{*hour} + minutes{*minute} + seconds{*second};
}

std::string format_http_date(Instant at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(at - day)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

std::optional<Instant> reply_date(const net::HttpReply& reply) {
  const auto text = reply.headers.find("Date");
  if (!text) return std::nullopt;
  return parse_http_date(*text);
}

std::optional<Duration> retry_after(const net::HttpReply& reply) {
  for (const std::string_view header : {"retry-after-ms", "x-ms-retry-after-ms"})
    if (const auto wait = number_of(reply, header, Duration{1})) return std::min(*wait, retry_after_max);
  if (const auto wait = number_of(reply, "Retry-After", Duration{1'000})) return std::min(*wait, retry_after_max);
  const auto text = reply.headers.find("Retry-After");
  const auto at = text ? parse_http_date(*text) : std::nullopt;
  const auto now = reply_date(reply);
  if (!at || !now) return std::nullopt;
  return std::clamp(*at - *now, Duration{0}, retry_after_max);
}

}  // namespace keyturn
