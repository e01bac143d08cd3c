#include "base/posix_time_zone.h"

namespace keyturn {

namespace chrono = std::chrono;

// Reads from the front of the text; each part says nothing when it is not there as it must be.
class PosixTimeZoneParser {
 public:
  explicit PosixTimeZoneParser(std::string_view text) : rest_(text) {}

  std::optional<PosixTimeZone> zone() {
    PosixTimeZone made;
    if (!name()) return std::nullopt;
    const auto standard = offset();
    if (!standard) return std::nullopt;
    made.standard_ = *standard;
    if (rest_.empty()) return made;
    made.daylight_ = daylight(made.standard_);
    if (!made.daylight_ || !rest_.empty()) return std::nullopt;
    return made;
  }

 private:
  using Change = PosixTimeZone::Change;

  bool take(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Three characters or more: letters, or in angle brackets also digits and signs. What it says does not matter.
  bool name() {
    const bool quoted = take('<');
    std::size_t length = 0;
    for (; length < rest_.size(); ++length) {
      const char c = rest_[length];
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && !(quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'))) break;
    }
    rest_.remove_prefix(length);
    return length >= 3 && (!quoted || take('>'));
  }

  std::optional<unsigned> number(unsigned least, unsigned most) {
    unsigned value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && digits < 3 && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      value = value * 10 + static_cast<unsigned>(rest_[digits] - '0');
    }
    if (digits == 0 || value < least || value > most) return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }

  // [+-]hh[:mm[:ss]]
  std::optional<chrono::seconds> clock(unsigned hours_max) {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto hours = number(0, hours_max);
    if (!hours) return std::nullopt;
    chrono::seconds value = chrono::hours(*hours);
    for (const chrono::seconds unit : {chrono::seconds(60), chrono::seconds(1)}) {
      if (!take(':')) break;
      const auto count = number(0, 59);
      if (!count) return std::nullopt;
      value += *count * unit;
    }
    return negative ? -value : value;
  }

  // POSIX counts west of Greenwich as positive.
  std::optional<Duration> offset() {
    const auto west = clock(24);
    if (!west) return std::nullopt;
    return -*west;
  }

  std::optional<PosixTimeZone::Daylight> daylight(Duration standard) {
    if (!name()) return std::nullopt;
    const auto own = rest_.starts_with(',') ? standard + chrono::hours(1) : offset();
    if (!own || !take(',')) return std::nullopt;
    const auto start = change();
    if (!start || !take(',')) return std::nullopt;
    const auto end = change();
    if (!end) return std::nullopt;
    return PosixTimeZone::Daylight{*own, *start, *end};
  }

  std::optional<Change> change() {
    std::optional<Change> made = take('M') ? weekday_of_month() : day();
    if (!made || !take('/')) return made;
    // POSIX stops at 24; zone files go to 167 hours either way, "the Thursday after the Sunday" (RFC 8536, section 3.3.1).
    const auto time = clock(167);
    if (!time) return std::nullopt;
    made->time = *time;
    return made;
  }

  std::optional<Change> weekday_of_month() {
    const auto month = number(1, 12);
    if (!month || !take('.')) return std::nullopt;
    const auto week = number(1, 5);
    if (!week || !take('.')) return std::nullopt;
    const auto weekday = number(0, 6);
    if (!weekday) return std::nullopt;
    return Change{.form = Change::Form::WeekdayOfMonth, .month = *month, .week = *week, .weekday = *weekday};
  }

  std::optional<Change> day() {
    const bool julian = take('J');
    const auto day = julian ? number(1, 365) : number(0, 365);
    if (!day) return std::nullopt;
    return Change{.form = julian ? Change::Form::DayWithoutLeapDay : Change::Form::DayOfYear, .day = *day};
  }

  std::string_view rest_;
};

std::optional<PosixTimeZone> PosixTimeZone::parse(std::string_view text) { return PosixTimeZoneParser(text).zone(); }

// `offset` is the one that holds until then.
Instant PosixTimeZone::Change::in(chrono::year year, Duration offset) const {
  chrono::sys_days date = year / chrono::January / 1;
  switch (form) {
    case Form::WeekdayOfMonth: {
      const auto of_month = year / chrono::month(month);
      const chrono::weekday on(weekday);
      date = week == 5 ? chrono::sys_days(of_month / on[chrono::last]) : chrono::sys_days(of_month / on[week]);
      break;
    }
    case Form::DayWithoutLeapDay: {
      constexpr unsigned first_of_march = 60;
      date += chrono::days(day - 1 + (year.is_leap() && day >= first_of_march ? 1 : 0));
      break;
    }
    case Form::DayOfYear:
      date += chrono::days(day);
      break;
  }
  return date + time - offset;
}

Duration PosixTimeZone::offset_at(Instant at) const {
  if (!daylight_) return standard_;
  // The calendar repeats after 400 years, weekdays included: so every moment has a year that the calendar's type can hold.
  constexpr Duration cycle = chrono::days(146'097);
  const Duration since = at.time_since_epoch() % cycle;
  const Instant moment{since < Duration::zero() ? since + cycle : since};
  const chrono::year year = chrono::year_month_day(chrono::floor<chrono::days>(moment)).year();

  // The latest change that is not later than the moment. A change lies up to a week outside of its own year, hence the years around it.
  // The end is looked at before the start: where both fall on one moment, as with daylight saving all year, the start wins.
  Instant latest = Instant::min();
  Duration offset = standard_;
  const auto look_at = [&](Instant from, Duration then) {
    if (from > moment || from < latest) return;
    latest = from;
    offset = then;
  };
  for (chrono::year each = year - chrono::years(2); each <= year + chrono::years(1); ++each) {
    look_at(daylight_->end.in(each, daylight_->offset), standard_);
    look_at(daylight_->start.in(each, standard_), daylight_->offset);
  }
  return offset;
}

}  // namespace keyturn
