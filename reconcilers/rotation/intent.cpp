#include "reconcilers/rotation/intent.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/reasons.h"

namespace keyturn {
namespace {

namespace reason = api::reason;
using api::CredentialState;

struct Lane {
  const LedgerEntry* newest = nullptr;         // highest serial of the revision
  const LedgerEntry* newest_usable = nullptr;  // that could be (or is) current
  int serial_max = 0;
};

std::optional<Instant> floor_of(const api::SecretRotationSpec& spec, const Ledger& ledger) {
  if (!spec.issued_not_before) return ledger.floor;
  if (!ledger.floor) return spec.issued_not_before;
  return std::max(*spec.issued_not_before, *ledger.floor);
}

bool usable(const LedgerEntry& entry, std::optional<Instant> floor) {
  const bool spoilt = entry.state == CredentialState::Rejected || entry.state == CredentialState::Revoked;
  return !spoilt && entry.retained && !(floor && entry.issued_at < *floor);
}

Lane lane_of(const api::SecretRotationSpec& spec, const Ledger& ledger, std::optional<Instant> floor) {
  Lane lane;
  for (const LedgerEntry& entry : ledger.entries) {
    if (entry.name.revision != spec.revision) continue;
    lane.serial_max = std::max(lane.serial_max, entry.name.serial);
    if (!lane.newest || entry.name.serial > lane.newest->name.serial) lane.newest = &entry;
    const bool newer = !lane.newest_usable || entry.name.serial > lane.newest_usable->name.serial;
    if (newer && usable(entry, floor)) lane.newest_usable = &entry;
  }
  return lane;
}

Duration backoff_after(int attempts) { return attempt_backoff_min * (1 << std::clamp(attempts - 1, 0, 10)); }

// Clocks of controllers differ by seconds. What is dated further ahead was dated by a clock that was wrong, and nobody waits for that.
constexpr Duration clocks_differ_max = std::chrono::hours(1);
bool credible(Instant dated, Instant now) { return dated <= now + clocks_differ_max; }

// Going back is never refused for its failures, and the first time never delayed; only the next try waits.
Decision keep_or_activate(const LedgerEntry& entry, Instant now) {
  const bool is_current = entry.state == CredentialState::Current;
  if (!is_current && entry.last_failed_return && credible(*entry.last_failed_return, now)) {
    const Instant again = *entry.last_failed_return + std::min(backoff_after(entry.failed_returns), return_backoff_max);
    if (now < again) return {.verb = Verb::Hold, .reason = reason::rolled_back, .due = again};
  }
  return {.verb = is_current ? Verb::Keep : Verb::Activate, .credential = entry.name, .reason = reason::revision_changed};
}

Decision mint(const api::SecretRotationSpec& spec, int serial, std::string_view why) {
  return {.verb = Verb::Mint, .credential = {spec.revision, serial}, .reason = why};
}
Decision refuse(std::string_view why) { return {.verb = Verb::Refuse, .reason = why}; }

Decision decide_pinned(const api::SecretRotationSpec& spec, const Ledger& ledger, std::optional<Instant> floor, Instant now) {
  const LedgerEntry* entry = ledger.find({spec.revision, *spec.pin_serial});
  if (!entry || !entry->retained) return refuse(reason::pinned_serial_not_found);
  // A pin may bring back what a run rejected: the human knows better. What is compromised stays away.
  const bool revoked = entry->state == CredentialState::Revoked || (floor && entry->issued_at < *floor);
  if (revoked) return refuse(reason::pinned_serial_revoked);
  Decision decision = keep_or_activate(*entry, now);
  if (decision.verb != Verb::Hold) decision.reason = reason::pin_changed;
  return decision;
}

// The circuit breaker: failed runs of the wanted revision hold up the next new serial for a while, and in the end refuse it; nothing = it
// may be tried. It stands before what mints only: it never keeps anybody from going back, nor a compromised credential in use.
std::optional<Decision> breaker(const api::SecretRotationSpec& spec, const Ledger& ledger, Instant now) {
  if (spec.reason == api::Reason::ConfirmedCompromise) return {};
  if (ledger.attempts >= attempts_max) return refuse(reason::attempts_exhausted);
  if (!ledger.last_failure || !credible(*ledger.last_failure, now)) return {};
  const Instant again = *ledger.last_failure + backoff_after(ledger.attempts);
  if (now >= again) return {};
  return Decision{.verb = Verb::Hold, .reason = reason::rolled_back, .due = again};
}

// No credential of the revision can be used: a new serial where that is what the user asked for, never silently for an old name.
Decision decide_unusable(const api::SecretRotationSpec& spec, const Ledger& ledger, const Lane& lane, Instant now) {
  const LedgerEntry* current = ledger.current();
  if (current && current->name.revision == spec.revision) {
    Decision decision = mint(spec, lane.serial_max + 1, reason::floor_raised);
    decision.urgent = true;
    return decision;
  }
  if (lane.newest->state == CredentialState::Rejected) {
    if (auto held = breaker(spec, ledger, now)) return *held;
    return mint(spec, lane.serial_max + 1, reason::revision_changed);
  }
  return refuse(lane.newest->retained ? reason::revision_revoked : reason::revision_not_retained);
}

std::optional<Instant> due_of(const api::SecretRotationSpec& spec, const LedgerEntry& entry, Instant now, const TimeZones& zones) {
  if (!spec.schedule || spec.schedule->every <= Duration{0}) return {};
  // Of unknown age is as good as old.
  const Instant since = std::max(entry.issued_at, entry.proven_at);
  Instant due = credible(since, now) ? since + spec.schedule->every : now;
  const bool held = entry.reactivated_at && credible(*entry.reactivated_at, now);
  if (held) due = std::max(due, *entry.reactivated_at + spec.strategy.rollback_hold);
  return next_opening(spec.schedule->windows, due, zones);
}

}  // namespace

const LedgerEntry* Ledger::current() const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [](const LedgerEntry& entry) { return entry.state == CredentialState::Current; });
  return found == entries.end() ? nullptr : &*found;
}

const LedgerEntry* Ledger::find(const CredentialName& name) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const LedgerEntry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

Decision decide(const api::SecretRotationSpec& spec, const Ledger& ledger, Instant now, const TimeZones& zones) {
  if (spec.suspend) return {.verb = Verb::Hold, .reason = reason::suspended};
  const std::optional<Instant> floor = floor_of(spec, ledger);
  if (spec.pin_serial) return decide_pinned(spec, ledger, floor, now);
  const Lane lane = lane_of(spec, ledger, floor);
  if (!lane.newest) return mint(spec, 1, reason::revision_changed);
  if (!lane.newest_usable) return decide_unusable(spec, ledger, lane, now);

  Decision decision = keep_or_activate(*lane.newest_usable, now);
  if (decision.verb == Verb::Hold) return decision;
  decision.due = due_of(spec, *lane.newest_usable, now, zones);
  if (decision.verb != Verb::Keep || !decision.due || now < *decision.due) return decision;
  if (auto held = breaker(spec, ledger, now)) {
    if (held->verb == Verb::Refuse) return *held;
    // What is in use is what is wanted: only its successor waits.
    decision.due = next_opening(spec.schedule->windows, *held->due, zones);
    decision.reason = held->reason;
    return decision;
  }
  // A window that was missed (the controller was down, the run failed) is not made up for outside of it.
  const std::optional<Instant> open = next_opening(spec.schedule->windows, now, zones);
  if (!open || *open > now) {
    decision.due = open;
    decision.reason = reason::outside_window;
    return decision;
  }
  return mint(spec, lane.serial_max + 1, reason::scheduled);
}

namespace {

using Days = std::chrono::sys_days;
constexpr int days_ahead_max = 8;  // a window of one weekday is at most a week away

bool includes(const api::ScheduleWindow& window, Days day) {
  if (window.days.empty()) return true;
  const unsigned iso = std::chrono::weekday(day).iso_encoding();  // Monday = 1
  const auto weekday = static_cast<api::Weekday>(iso - 1);
  return std::find(window.days.begin(), window.days.end(), weekday) != window.days.end();
}

std::optional<Duration> time_of_day(std::string_view text) {  // "02:00"
  int hours = 0;
  int minutes = 0;
  if (text.size() != 5 || text[2] != ':') return {};
  const auto first = std::from_chars(text.data(), text.data() + 2, hours);
  const auto second = std::from_chars(text.data() + 3, text.data() + 5, minutes);
  const bool digits = first.ptr == text.data() + 2 && second.ptr == text.data() + 5;
  if (!digits || first.ec != std::errc{} || second.ec != std::errc{} || hours > 23 || minutes > 59) return {};
  return std::chrono::hours(hours) + std::chrono::minutes(minutes);
}

// A local time as UTC. In the hour that a change to summer time skips, the later reading holds.
std::optional<Instant> to_utc(Instant local, std::string_view zone, const TimeZones& zones) {
  const auto first = zones.offset_at(zone, local);
  if (!first) return {};
  const Duration second = zones.offset_at(zone, local - *first).value_or(*first);
  const Instant found = local - second;
  const bool exists = zones.offset_at(zone, found) == second;
  return exists ? found : std::max(found, local - *first);
}

std::optional<Instant> next_opening_of(const api::ScheduleWindow& window, Instant from, const TimeZones& zones) {
  const auto start = time_of_day(window.start);
  const auto offset = zones.offset_at(window.time_zone, from);
  if (!start || !offset || window.duration <= Duration{0}) return {};
  const Days today = std::chrono::floor<std::chrono::days>(from + *offset);
  for (int ahead = -1; ahead <= days_ahead_max; ++ahead) {
    const Days day = today + std::chrono::days(ahead);
    if (!includes(window, day)) continue;
    const auto opens = to_utc(Instant{day} + *start, window.time_zone, zones);
    if (opens && from < *opens + window.duration) return std::max(from, *opens);
  }
  return {};
}

}  // namespace

std::optional<Instant> next_opening(const std::vector<api::ScheduleWindow>& windows, Instant from, const TimeZones& zones) {
  if (windows.empty()) return from;
  std::optional<Instant> earliest;
  for (const api::ScheduleWindow& window : windows) {
    const auto opening = next_opening_of(window, from, zones);
    if (opening && (!earliest || *opening < *earliest)) earliest = opening;
  }
  return earliest;
}

std::string_view name_of(Verb verb) noexcept {
  switch (verb) {
    case Verb::Keep:
      return "Keep";
    case Verb::Activate:
      return "Activate";
    case Verb::Mint:
      return "Mint";
    case Verb::Hold:
      return "Hold";
    case Verb::Repair:
      return "Repair";
    case Verb::Refuse:
      return "Refuse";
  }
  return "Hold";
}

}  // namespace keyturn
