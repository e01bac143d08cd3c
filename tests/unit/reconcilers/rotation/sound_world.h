// A world in which nothing is wrong, as one look sees it: tests change what they are about.
#pragma once

#include <ostream>
#include <string>

#include "reconcilers/rotation/plan.h"

namespace keyturn {

inline std::string words_of(const Plan& step) {
  return std::string(name_of(step.action)) + " phase " + std::to_string(static_cast<int>(step.phase)) + " target " +
         std::to_string(step.target) + " credential " + std::to_string(static_cast<int>(step.credential)) + " reason '" +
         std::string(step.reason) + "'" + (step.look_at ? " until " + format_seconds(*step.look_at) : "");
}
inline void PrintTo(const Plan& step, std::ostream* out) { *out << words_of(step); }  // found by GoogleTest, by this name

inline constexpr Instant test_now{std::chrono::days(20'000)};

inline RunSpec run_of(api::Protocol protocol) {
  using std::chrono::hours;
  using std::chrono::minutes;
  return {.protocol = protocol,
          .publish_deadline = minutes(1),
          .progress_deadline = hours(1),
          .soak = minutes(31),
          .overlap = hours(24),
          .poll = std::chrono::seconds(2)};
}

inline Journal in_phase(api::Phase phase, Duration for_so_long = Duration{0}) {
  return {.phase = phase, .phase_since = test_now - for_so_long};
}

// Before anything was touched: two vaults return the old value, two dependents accept it, two consumers use it.
inline Observation untouched_world() {
  Observation seen;
  seen.quiet = true;
  seen.vaults.assign(2, {.latest = Published::Old});
  seen.dependents.assign(2, {.pending = ProbeResult::Rejected, .old = ProbeResult::Accepted});
  seen.consumers.assign(2, {.state = ConsumerState::Stale, .act_due = true});
  return seen;
}

// Both are accepted, as where two credentials live after the first half.
inline Observation switched_world() {
  Observation seen = untouched_world();
  seen.staged = true;
  for (DependentObservation& dependent : seen.dependents) dependent.pending = ProbeResult::Accepted;
  return seen;
}

inline Observation published_world() {
  Observation seen = switched_world();
  for (VaultObservation& vault : seen.vaults) vault.latest = Published::Pending;
  return seen;
}

// Every consumer is proven on the pending value.
inline Observation rolled_world() {
  Observation seen = published_world();
  seen.consumers.assign(2, {.state = ConsumerState::Proven, .begun = true, .proven_since = test_now});
  return seen;
}

// Everything is as it was before, seen from a run that goes back; the pending value is still accepted.
inline Observation returned_world() {
  Observation seen = rolled_world();
  for (VaultObservation& vault : seen.vaults) vault.latest = Published::Old;
  return seen;
}

}  // namespace keyturn
