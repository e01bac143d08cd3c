#include "reconcilers/rotation/gates.h"

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/ledger.h"

namespace keyturn {
namespace {

namespace reason = api::reason;
using api::Phase;

bool holds(const api::Freeze& freeze, Instant at) { return freeze.from <= at && at < freeze.to; }

const api::Freeze* freeze_at(const api::Protection& protection, Instant at) {
  const auto found =
      std::find_if(protection.freezes.begin(), protection.freezes.end(), [&](const api::Freeze& freeze) { return holds(freeze, at); });
  return found == protection.freezes.end() ? nullptr : &*found;
}

// A rotation that the calendar asks for may be left with an old reason in its spec: only a new revision or a raised floor tell that
// something is compromised now.
bool is_compromise(const api::SecretRotationSpec& spec, const Decision& decision) {
  return decision.urgent || (spec.reason == api::Reason::ConfirmedCompromise && decision.reason != reason::scheduled);
}

// The first moment outside of every freeze and, for a scheduled run, inside a window.
std::optional<Instant> first_start(const api::Protection& protection, const api::SecretRotationSpec& spec, const Decision& decision,
                                   Instant now, const TimeZones& zones) {
  Instant at = now;
  for (std::size_t round = 0; round <= protection.freezes.size(); ++round) {
    at = frozen_until(protection, at).value_or(at);
    if (decision.reason != reason::scheduled || !spec.schedule) return at;
    const std::optional<Instant> opens = next_opening(spec.schedule->windows, at, zones);
    if (!opens || !frozen_until(protection, *opens)) return opens;
    at = *opens;
  }
  return {};
}

Gate frozen(const api::Freeze& freeze, Instant over, std::optional<Instant> start) {
  std::string message = "the environment is frozen until " + format_seconds(over);
  if (!freeze.reason.empty()) message += ": " + freeze.reason;
  return {reason::frozen, start, std::move(message)};
}

Gate not_promoted(const api::PromoteAfter& promotion, const std::string& revision, std::optional<Instant> since) {
  const std::string rule = revision + " starts here after " + format_duration(promotion.bake) + " in use in " + promotion.environment;
  if (!since) return {reason::not_promoted, {}, rule + ", where it is not in use yet"};
  return {reason::not_promoted, *since + promotion.bake, rule + ", where it is in use since " + format_seconds(*since)};
}

// Of one rotation's runs, oldest first.
std::optional<Instant> in_force_since(const std::vector<api::RotationRun>& runs, std::string_view revision) {
  std::optional<Instant> since;
  for (const api::RotationRun& run : runs) {
    // A run that went back restored what was in force before it.
    if (run.status.phase != Phase::Succeeded) continue;
    if (run.spec.credential.revision != revision) {
      since.reset();
    } else if (!since) {
      since = run.status.finished_at;
    }
  }
  return since;
}

// A time far ahead was written by a clock that was wrong: it would hold everybody up until then.
bool within_period(Instant restart, Instant now) { return std::chrono::abs(now - restart) < restart_budget_period; }

}  // namespace

std::optional<Instant> frozen_until(const api::Protection& protection, Instant now) {
  Instant over = now;
  // Each round leaves at least one freeze behind.
  for (std::size_t round = 0; round < protection.freezes.size(); ++round) {
    const api::Freeze* freeze = freeze_at(protection, over);
    if (!freeze) break;
    over = freeze->to;
  }
  return over == now ? std::nullopt : std::optional(over);
}

bool is_counterpart(const api::RotationRun& run, const api::SecretRotation& rotation, std::string_view environment) {
  const api::SecretRotationSpec& frozen = run.spec.frozen;
  return run.spec.rotation.name == rotation.meta.name && frozen.environment == environment &&
         frozen.secret.name == rotation.spec.secret.name;
}

std::optional<Instant> in_force_since(const std::vector<api::RotationRun>& all, const api::SecretRotation& rotation,
                                      std::string_view environment, std::string_view revision) {
  std::vector<api::RotationRun> counted;
  std::copy_if(all.begin(), all.end(), std::back_inserter(counted),
               [&](const api::RotationRun& run) { return is_counterpart(run, rotation, environment); });
  std::optional<Instant> earliest;
  for (const api::RotationRun& run : counted) {
    const std::optional<Instant> since = in_force_since(runs_of(run.spec.rotation, counted), revision);
    if (since && (!earliest || *since < *earliest)) earliest = since;
  }
  return earliest;
}

Gate may_start(const api::Protection& protection, const api::SecretRotation& rotation, const Decision& decision,
               const std::vector<api::RotationRun>& elsewhere, Instant now, const TimeZones& zones) {
  if (decision.verb != Verb::Mint || is_compromise(rotation.spec, decision)) return {};
  if (const api::Freeze* freeze = freeze_at(protection, now)) {
    return frozen(*freeze, *frozen_until(protection, now), first_start(protection, rotation.spec, decision, now, zones));
  }
  const api::PromoteAfter& promotion = protection.promote_after;
  if (promotion.environment.empty() || decision.reason == reason::scheduled) return {};
  const std::string& revision = decision.credential.revision;
  const std::optional<Instant> since = in_force_since(elsewhere, rotation, promotion.environment, revision);
  if (since && *since + promotion.bake <= now) return {};
  return not_promoted(promotion, revision, since);
}

bool restarted_lately(const api::RotationRun& run, std::string_view environment, Instant now) {
  if (run.spec.frozen.environment != environment) return false;
  const std::vector<api::RunTarget>& targets = run.status.targets;
  return std::any_of(targets.begin(), targets.end(), [&](const api::RunTarget& target) {
    return std::any_of(target.restarts.begin(), target.restarts.end(), [&](Instant at) { return within_period(at, now); });
  });
}

std::optional<Instant> restart_again_at(const api::Protection& protection, std::string_view environment, std::string_view consumer,
                                        const std::vector<api::RotationRun>& all, Instant now) {
  std::vector<Instant> counted;
  for (const api::RotationRun& run : all) {
    if (run.spec.frozen.environment != environment) continue;
    for (const api::RunTarget& target : run.status.targets) {
      if (target.kind != api::TargetKind::Consumer || target.name != consumer) continue;
      std::copy_if(target.restarts.begin(), target.restarts.end(), std::back_inserter(counted),
                   [&](Instant at) { return within_period(at, now); });
    }
  }
  const auto allowed = static_cast<std::size_t>(std::max(protection.restarts_per_hour, 1));
  if (counted.size() < allowed) return {};
  std::sort(counted.begin(), counted.end());
  return counted[counted.size() - allowed] + restart_budget_period;
}

void note_restart(api::RunTarget& consumer, Instant now) {
  std::erase_if(consumer.restarts, [&](Instant at) { return !within_period(at, now); });
  if (consumer.restarts.size() >= restarts_kept_max) consumer.restarts.erase(consumer.restarts.begin());
  consumer.restarts.push_back(now);
}

bool is_parked(const Plan& step) {
  const bool by_wish = step.reason == waits::suspended || step.reason == waits::frozen || step.reason == waits::restart_budget;
  return step.action == Action::Wait && by_wish;
}

Instant phase_counts_from(const api::RotationRunStatus& status, Instant now) {
  const Instant since = status.phase_since.value_or(now);
  return status.parked_since ? since + (now - *status.parked_since) : since;
}

bool note_parked(api::RotationRunStatus& status, const Plan& step, Instant now) {
  const bool parked = is_parked(step);
  if (parked == status.parked_since.has_value()) return false;
  status.phase_since = phase_counts_from(status, now);
  status.parked_since = parked ? std::optional(now) : std::nullopt;
  return true;
}

}  // namespace keyturn
