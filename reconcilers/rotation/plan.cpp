#include "reconcilers/rotation/plan.h"

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/refusal_reason.h"

namespace keyturn {
namespace {

using api::Phase;
namespace reason = api::reason;

Plan advance(Phase phase, std::string_view why = {}) { return {.action = Action::Advance, .phase = phase, .reason = why}; }
Plan effect(Action action, std::size_t target, Credential credential = Credential::Pending) {
  return {.action = action, .credential = credential, .target = static_cast<std::uint16_t>(target)};
}
Plan wait(std::string_view why, std::optional<Instant> until = {}) { return {.action = Action::Wait, .reason = why, .look_at = until}; }
Plan block(std::string_view why) { return {.action = Action::Block, .reason = why}; }

bool two_live(const RunSpec& run) { return run.protocol != api::Protocol::Single; }

// A compromised credential is never brought back (I13).
bool may_return(const RunSpec& run) { return !(run.compromised && enforced(Guard::NoReturnWhenCompromised)); }

// The way back, where there is one; otherwise a human must act.
Plan fail(const RunSpec& run, std::string_view why) {
  return run.back_on_failure && may_return(run) ? advance(Phase::RollingBack, why) : block(why);
}

bool past(Instant since, Duration allowed, Instant now) { return now - since > allowed; }

// ---- facts over all targets --------------------------------------------------------------------------------------------------

enum class Verdict : std::uint8_t { All, Some, Unknown };

// Does every dependent accept the credential? `first` is the first that does not, or that could not tell.
struct Acceptance {
  Verdict verdict = Verdict::All;
  std::size_t first = 0;
};
ProbeResult probe_of(const DependentObservation& seen, Credential credential) {
  return credential == Credential::Pending ? seen.pending : seen.old;
}
Acceptance accepted_by_all(const Observation& seen, Credential credential) {
  for (std::size_t i = 0; i < seen.dependents.size(); ++i) {
    const ProbeResult probe = probe_of(seen.dependents[i], credential);
    if (probe == ProbeResult::Unknown) return {Verdict::Unknown, i};
    if (probe != ProbeResult::Accepted) return {Verdict::Some, i};
  }
  return {};
}
Acceptance refused_by_all(const Observation& seen, Credential credential) {
  for (std::size_t i = 0; i < seen.dependents.size(); ++i) {
    const ProbeResult probe = probe_of(seen.dependents[i], credential);
    if (probe == ProbeResult::Unknown) return {Verdict::Unknown, i};
    if (probe == ProbeResult::Accepted) return {Verdict::Some, i};
  }
  return {};
}

// A dependent that accepts neither credential was changed by somebody else.
bool accepts_neither(const DependentObservation& seen) {
  const auto refused = [](ProbeResult probe) { return probe == ProbeResult::Rejected || probe == ProbeResult::Locked; };
  return refused(seen.pending) && refused(seen.old);
}

// ---- the steps ---------------------------------------------------------------------------------------------------------------

// Makes `credential` accepted everywhere; nothing = it is.
std::optional<Plan> install_everywhere(const RunSpec& run, const Observation& seen, Credential credential) {
  const Acceptance acceptance = accepted_by_all(seen, credential);
  if (acceptance.verdict == Verdict::All) return {};
  if (acceptance.verdict == Verdict::Unknown) return wait(waits::observation);
  const DependentObservation& dependent = seen.dependents[acceptance.first];
  if (accepts_neither(dependent) && !run.enforce_drift) return block(reason::drift);
  return effect(Action::Install, acceptance.first, credential);
}

Published wanted(Credential credential) { return credential == Credential::Pending ? Published::Pending : Published::Old; }

// Makes `credential` what every vault returns; nothing = it is. Vaults are independent: one that cannot be told does not starve the
// others, but holds the gate.
std::optional<Plan> publish_everywhere(const RunSpec& run, const Observation& seen, Credential credential) {
  bool unknown = false;
  for (std::size_t i = 0; i < seen.vaults.size(); ++i) {
    const VaultObservation& vault = seen.vaults[i];
    if (vault.latest == wanted(credential)) continue;
    if (vault.latest == Published::Unknown) {
      unknown = true;
      continue;
    }
    if (vault.latest == Published::Refused) return block(reason_of(vault.refusal));
    const bool report = !run.enforce_drift && enforced(Guard::ForeignPublishBlocks);
    if (vault.latest == Published::Foreign && report) return block(reason::foreign_publish);
    return effect(Action::Publish, i, credential);
  }
  if (unknown) return wait(waits::observation);
  return {};
}

bool baked(const RunSpec& run, const Observation& seen, std::size_t canaries, Instant now, std::optional<Instant>& until) {
  for (std::size_t i = 0; i < canaries; ++i) {
    const ConsumerObservation& canary = seen.consumers[i];
    if (canary.state != ConsumerState::Proven) return false;
    const Instant ready = canary.proven_since.value_or(now) + run.bake;
    if (now < ready) {
      until = std::max(until.value_or(ready), ready);
      return false;
    }
  }
  return true;
}

// How many consumers may be under way at once. A single live credential: all, they are already broken and waiting makes it worse.
std::size_t budget(const RunSpec& run, const Observation& seen, Phase phase) {
  if (!two_live(run) || going_back(phase)) return seen.consumers.size();
  return static_cast<std::size_t>(std::max(run.max_unavailable, 1));
}

// Brings every consumer to what is published; nothing = all are proven. Stops at the first that is unhealthy.
std::optional<Plan> converge_everywhere(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  const bool back = going_back(journal.phase);
  const std::size_t all = seen.consumers.size();
  const std::size_t canaries = two_live(run) && !back ? std::min<std::size_t>(static_cast<std::size_t>(run.canaries), all) : 0;
  std::optional<Instant> until;
  const std::size_t reach = baked(run, seen, canaries, now, until) ? all : canaries;
  std::size_t under_way = 0;
  bool all_proven = true;
  for (const ConsumerObservation& consumer : seen.consumers) {
    if (!consumer.refusal.empty()) return block(consumer.refusal);
    if (consumer.state == ConsumerState::Unhealthy && !back) return fail(run, reason::consumer_unhealthy);
    under_way += consumer.begun && consumer.state != ConsumerState::Proven;
    all_proven &= consumer.state == ConsumerState::Proven;
  }
  if (all_proven) return {};
  for (std::size_t i = 0; i < all; ++i) {
    const ConsumerObservation& consumer = seen.consumers[i];
    if (!consumer.act_due) continue;
    const bool may_begin = i < reach && under_way < budget(run, seen, journal.phase);
    if (consumer.begun || may_begin) return effect(Action::Converge, i);
  }
  return until ? wait(waits::bake, until) : wait(waits::consumers);
}

// Forward only: what was true must still be true, else the run steps back to the phase that makes it so.
std::optional<Plan> still_published_and_accepted(const RunSpec& run, const Observation& seen) {
  if (auto step = publish_everywhere(run, seen, Credential::Pending)) {
    return step->action == Action::Publish ? advance(Phase::Publishing) : *step;
  }
  if (auto step = install_everywhere(run, seen, Credential::Pending)) {
    return step->action == Action::Install ? advance(Phase::Switching) : *step;
  }
  return {};
}

// ---- the phases --------------------------------------------------------------------------------------------------------------

Plan plan_admitted(const RunSpec& run, const Observation& seen) {
  if (!seen.approved) return block(reason::approval_required);
  for (const VaultObservation& vault : seen.vaults) {
    if (vault.latest == Published::Refused) return block(reason_of(vault.refusal));
    if (vault.latest == Published::Unknown) return wait(waits::observation);
  }
  for (const DependentObservation& dependent : seen.dependents) {
    if (dependent.old == ProbeResult::Unknown) return wait(waits::observation);
    if (dependent.old != ProbeResult::Accepted) return block(reason::baseline);
  }
  for (const ConsumerObservation& consumer : seen.consumers) {
    if (!consumer.refusal.empty()) return block(consumer.refusal);
    // A rollback is often wanted because the consumers are ill: their health gates only the way forward.
    if (run.direction == api::Direction::Forward && !consumer.healthy_baseline) return block(reason::baseline);
  }
  return advance(Phase::Staging);
}

Plan plan_staging(const Observation& seen) {
  if (!seen.staged) return effect(Action::Stage, 0);
  if (seen.idle_in_use && enforced(Guard::IdleLoginUnused)) return wait(waits::idle_login);
  if (!seen.quiet && enforced(Guard::QuietBeforePin)) return wait(waits::quiet, seen.quiet_at);
  Plan pin = advance(Phase::Pinned);
  pin.pins = enforced(Guard::PinTheChoice);
  return pin;
}

Plan plan_switching(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (auto step = install_everywhere(run, seen, Credential::Pending); step && enforced(Guard::VerifyBeforePublish)) {
    const bool late = past(journal.phase_since, run.progress_deadline, now);
    return late ? fail(run, reason::progress_deadline_exceeded) : *step;
  }
  // With two live credentials the old one must have survived the addition.
  if (two_live(run) && !run.enforce_drift) {
    const Acceptance old = accepted_by_all(seen, Credential::Old);
    if (old.verdict == Verdict::Unknown) return wait(waits::observation);
    if (old.verdict == Verdict::Some) return block(reason::drift);
  }
  return advance(Phase::Publishing);
}

Plan plan_publishing(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  const auto step = publish_everywhere(run, seen, Credential::Pending);
  if (!step) return advance(Phase::Rolling);
  if (past(journal.phase_since, run.publish_deadline, now)) return fail(run, reason::publish_deadline_exceeded);
  if (step->action == Action::Publish && enforced(Guard::VerifyBeforePublish)) {
    const Acceptance pending = accepted_by_all(seen, Credential::Pending);
    if (pending.verdict == Verdict::Unknown) return wait(waits::observation);
    if (pending.verdict == Verdict::Some) return advance(Phase::Switching);
  }
  // A vault that is read-only for a moment (region failover) is waited for until the deadline.
  if (step->action == Action::Block && step->reason == reason::vault_read_only) return wait(waits::observation);
  return *step;
}

Plan plan_rolling(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (enforced(Guard::AcceptedBeforeRestart)) {
    if (auto step = still_published_and_accepted(run, seen)) return *step;
  }
  const auto step = converge_everywhere(run, journal, seen, now);
  if (!step || !enforced(Guard::ConsumersBeforeRetiring)) return advance(Phase::Verifying);
  // The canaries' bake is wanted, and no lack of progress.
  const Duration allowed = run.progress_deadline + (run.canaries > 0 ? run.bake : Duration{0});
  if (past(journal.phase_since, allowed, now)) return fail(run, reason::progress_deadline_exceeded);
  return *step;
}

// How long the old credential stays: for people (overlap) and for those not yet seen to have left (soak).
Duration stay(const RunSpec& run, const Observation& seen) {
  if (run.compromised) return Duration{0};
  return seen.superseded ? run.soak : std::max(run.soak, run.overlap);
}

Plan retire(const Observation& seen);

Plan plan_verifying(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (auto step = still_published_and_accepted(run, seen)) return *step;
  if (auto step = converge_everywhere(run, journal, seen, now); step && enforced(Guard::ConsumersBeforeRetiring)) {
    return step->action == Action::Converge ? advance(Phase::Rolling) : *step;
  }
  if (!two_live(run)) return advance(Phase::Succeeded);
  const Instant stays_until = journal.phase_since + stay(run, seen);
  if (now < stays_until) return wait(waits::soak, stays_until);
  for (const DependentObservation& dependent : seen.dependents) {
    if (dependent.sessions_on_old > 0 && !run.compromised) return wait(waits::sessions);
  }
  if (!seen.quiet && enforced(Guard::QuietBeforeRetiring)) return wait(waits::quiet, seen.quiet_at);
  return enforced(Guard::RetiringIsJournalled) ? advance(Phase::Retiring) : retire(seen);
}

Plan retire(const Observation& seen) {
  const Acceptance old = refused_by_all(seen, Credential::Old);
  if (old.verdict == Verdict::Unknown) return wait(waits::observation);
  if (old.verdict == Verdict::Some) return effect(Action::Withdraw, old.first, Credential::Old);
  return advance(Phase::Succeeded);
}

// Past the point of no return there is only forward: what somebody else undid is done again before success is written (I14).
Plan plan_retiring(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  const Plan step = retire(seen);
  if (step.action != Action::Advance) return step;
  if (auto repair = install_everywhere(run, seen, Credential::Pending)) return *repair;
  if (auto repair = publish_everywhere(run, seen, Credential::Pending)) return *repair;
  if (auto repair = converge_everywhere(run, journal, seen, now)) {
    return repair->action == Action::Advance ? block(repair->reason) : *repair;
  }
  return step;
}

Plan plan_rolling_back(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  // One live credential: the same place is written in both directions, so the forward requests must have landed first.
  if (!two_live(run) && !seen.quiet && enforced(Guard::QuietBeforeReversing)) return wait(waits::quiet, seen.quiet_at);
  if (auto step = install_everywhere(run, seen, Credential::Old)) return *step;
  if (auto step = publish_everywhere(run, seen, Credential::Old)) return *step;
  if (auto step = converge_everywhere(run, journal, seen, now)) return *step;
  if (!two_live(run)) return advance(Phase::RolledBack);
  if (!seen.quiet && enforced(Guard::QuietBeforeWithdrawing)) return wait(waits::quiet, seen.quiet_at);
  return advance(Phase::Withdrawing);
}

Plan plan_withdrawing(const Observation& seen) {
  const Acceptance pending = refused_by_all(seen, Credential::Pending);
  if (pending.verdict == Verdict::Unknown) return wait(waits::observation);
  if (pending.verdict == Verdict::Some) return effect(Action::Withdraw, pending.first, Credential::Pending);
  return advance(Phase::RolledBack);
}

// Nothing outside has been touched yet (staging leaves only a sibling nobody reads).
bool untouched(Phase phase) { return phase == Phase::Admitted || phase == Phase::Staging || phase == Phase::Pinned; }

// Where a suspended run may rest: with one live credential only before the switch; with two anywhere before retirement.
bool safe_to_park(const RunSpec& run, Phase phase) {
  if (untouched(phase)) return true;
  return two_live(run) && before_point_of_no_return(phase);
}

// What overrides the phase's own step.
std::optional<Plan> override_of(const RunSpec& run, const Journal& journal, const Observation& seen) {
  for (const VaultObservation& vault : seen.vaults) {
    if (vault.foreign_owner) return block(reason::foreign_owner);
    if (vault.newer_generation && enforced(Guard::NewerGenerationBlocks)) return block(reason::journal_behind);
  }
  if (!seen.authorised && enforced(Guard::Authority)) return block(reason::not_bound);
  if (seen.value_lost) return block(reason::value_lost);
  const bool stop_at_once = untouched(journal.phase) && (seen.deleted || seen.go_back || seen.superseded);
  if (stop_at_once) return advance(Phase::Abandoned);
  if (seen.deleted && !enforced(Guard::FinishWhenDeleted)) return advance(Phase::Abandoned);
  if (seen.suspended && safe_to_park(run, journal.phase)) return wait(waits::suspended);
  if (seen.go_back && before_point_of_no_return(journal.phase) && may_return(run)) {
    return advance(Phase::RollingBack, reason::revision_changed);
  }
  return {};
}

}  // namespace

Plan plan(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (api::is_terminal(journal.phase)) return {.action = Action::Finished};
  if (auto step = override_of(run, journal, seen)) return *step;
  switch (journal.phase) {
    case Phase::Admitted:
      return plan_admitted(run, seen);
    case Phase::Staging:
      return plan_staging(seen);
    case Phase::Pinned:
      return advance(Phase::Switching);
    case Phase::Switching:
      return plan_switching(run, journal, seen, now);
    case Phase::Publishing:
      return plan_publishing(run, journal, seen, now);
    case Phase::Rolling:
      return plan_rolling(run, journal, seen, now);
    case Phase::Verifying:
      return plan_verifying(run, journal, seen, now);
    case Phase::Retiring:
      return plan_retiring(run, journal, seen, now);
    case Phase::RollingBack:
      return plan_rolling_back(run, journal, seen, now);
    case Phase::Withdrawing:
      return plan_withdrawing(seen);
    case Phase::Succeeded:
    case Phase::RolledBack:
    case Phase::Abandoned:
      break;
  }
  return {.action = Action::Finished};
}

std::string_view name_of(Action action) noexcept {
  switch (action) {
    case Action::Advance:
      return "Advance";
    case Action::Stage:
      return "Stage";
    case Action::Install:
      return "Install";
    case Action::Publish:
      return "Publish";
    case Action::Converge:
      return "Converge";
    case Action::Withdraw:
      return "Withdraw";
    case Action::Wait:
      return "Wait";
    case Action::Block:
      return "Block";
    case Action::Finished:
      return "Finished";
  }
  return "Wait";
}

}  // namespace keyturn
