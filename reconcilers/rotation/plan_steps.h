// The building blocks of plan(): what makes one fact true at every target, and the way back. Pure; for plan.cpp and its like alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "reconcilers/rotation/plan.h"

namespace keyturn::steps {

inline Plan advance(api::Phase phase, std::string_view why = {}) { return {.action = Action::Advance, .phase = phase, .reason = why}; }
inline Plan effect(Action action, std::size_t target, Credential credential = Credential::Pending) {
  return {.action = action, .credential = credential, .target = static_cast<std::uint16_t>(target)};
}
inline Plan wait(std::string_view why, std::optional<Instant> until = {}) {
  return {.action = Action::Wait, .reason = why, .look_at = until};
}
inline Plan block(std::string_view why) { return {.action = Action::Block, .reason = why}; }

inline bool mints(const RunSpec& run) { return keyturn::mints(run.protocol, run.direction); }
inline bool is_minted(const RunSpec& run) { return run.protocol == api::Protocol::Slots || run.protocol == api::Protocol::Shift; }
inline bool is_shared(const RunSpec& run) { return run.protocol == api::Protocol::SharedKey; }
inline bool two_live(const RunSpec& run) { return run.protocol != api::Protocol::Single; }

// Whether the old credential may come back at all: not a compromised one (I13), and not one that a provider only lets fade out.
bool may_return(const RunSpec& run);
// Turns back, from a phase before the point of no return.
Plan turn_back(const RunSpec& run, api::Phase phase, std::string_view why);
// The way back, where there is one; otherwise a human must act.
Plan fail(const RunSpec& run, api::Phase phase, std::string_view why);
// What becomes of `step` where its phase has taken too long. Where there is no way back it is still taken as soon as it can be, and a human
// is told as long as it cannot.
Plan too_late(const RunSpec& run, api::Phase phase, std::string_view why, const Plan& step);

inline bool past(Instant since, Duration allowed, Instant now) { return now - since > allowed; }
// The same for a phase of `run`. A first credential has no deadline: nobody waits on an old one, and there is no way back to take.
inline bool late(const RunSpec& run, Instant since, Duration allowed, Instant now) { return !run.bootstrap && past(since, allowed, now); }

enum class Verdict : std::uint8_t { All, Some, Unknown };
// `first` is the first dependent for which it does not hold, or that could not tell.
struct Acceptance {
  Verdict verdict = Verdict::All;
  std::size_t first = 0;
};
Acceptance accepted_by_all(const Observation& seen, Credential credential);
Acceptance refused_by_all(const Observation& seen, Credential credential);

// Each of these gives the next step towards its fact; nothing = it is true everywhere.
// The dependents accept `credential`.
std::optional<Plan> install_everywhere(const RunSpec& run, const Observation& seen, Credential credential);
// Every vault returns `credential`. Vaults are independent: one that cannot be told does not starve the others, but holds the gate.
std::optional<Plan> publish_everywhere(const RunSpec& run, const Observation& seen, Credential credential);
// Every consumer is proven on what is published. Stops at the first that is unhealthy.
std::optional<Plan> converge_everywhere(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now);

}  // namespace keyturn::steps
