#include "reconcilers/rotation/plan.h"

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/plan_steps.h"
#include "reconcilers/rotation/refusal_reason.h"

namespace keyturn {
namespace {

using namespace steps;
using api::Phase;
namespace reason = api::reason;

// Forward only: what was true must still be true, else the run steps back to the phase that makes it so.
std::optional<Plan> still_published_and_accepted(const RunSpec& run, const Journal& journal, const Observation& seen) {
  if (auto step = publish_everywhere(run, seen, wanted_in(run.protocol, journal.phase))) {
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
  // What is to be repaired is no sound baseline.
  if (run.direction == api::Direction::Repair) return advance(Phase::Staging);
  if (!enforced(Guard::BaselineFirst)) return advance(Phase::Staging);
  for (const VaultObservation& vault : seen.vaults) {
    if (vault.latest == Published::Refused) return block(reason_of(vault.refusal));
    if (vault.latest == Published::Unknown) return wait(waits::observation);
    // Found out now, before anything is switched that could then not be published.
    if (vault.latest == Published::Foreign && !run.enforce_drift) return block(reason::foreign_publish);
  }
  for (const DependentObservation& dependent : seen.dependents) {
    if (run.bootstrap) break;
    if (dependent.old == ProbeResult::Unknown) return wait(waits::observation);
    if (dependent.old != ProbeResult::Accepted) return block(reason::baseline);
  }
  for (const ConsumerObservation& consumer : seen.consumers) {
    if (!consumer.refusal.empty()) return block(consumer.refusal);
    // A rollback is often wanted because the consumers are ill: their health gates only the way forward. And what was never published,
    // nobody can be well with.
    const bool gates = run.direction == api::Direction::Forward && !run.bootstrap;
    if (gates && !consumer.healthy_baseline) return block(reason::baseline);
  }
  return advance(Phase::Staging);
}

Plan recorded(Plan step) {
  step.pins = enforced(Guard::PinTheChoice);
  return step;
}

// What the provider drops for a new value must be in nobody's hands: everybody is on the published one, and that one is kept.
std::optional<Plan> free_what_is_dropped(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (!seen.mint.known) return wait(waits::observation);
  if (seen.mint.idle < 0) return block(reason::drift);
  if (!enforced(Guard::EvictedUnused)) return {};
  const auto step = converge_everywhere(run, journal, seen, now);
  // Nothing is under way yet that could be taken back.
  return step && step->action == Action::Advance ? block(step->reason) : step;
}

Plan plan_staging(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (mints(run)) {
    if (auto step = free_what_is_dropped(run, journal, seen, now)) return *step;
  }
  // A value that nobody has made yet cannot be staged. Of a slot, what it holds now is: the change is told by it.
  const bool staged = seen.staged || (mints(run) && run.protocol == api::Protocol::Shift);
  if (!staged) return effect(Action::Stage, 0);
  if (seen.idle_in_use && enforced(Guard::IdleLoginUnused)) return wait(waits::idle_login);
  if (!seen.quiet && enforced(Guard::QuietBeforePin)) return wait(waits::quiet, seen.quiet_at);
  return recorded(advance(mints(run) ? Phase::Minting : Phase::Pinned));
}

// A provider that makes no value in time. Even from one that only lets values fade out there is a way back while nothing was made.
Plan fail_unmade(const RunSpec& run, Phase phase, const Observation& seen) {
  const bool fades = run.protocol == api::Protocol::Shift && !run.compromised;
  if (fades && seen.quiet && run.back_on_failure) return turn_back(run, phase, reason::progress_deadline_exceeded);
  return too_late(run, phase, reason::progress_deadline_exceeded, effect(Action::Mint, 0));
}

// The provider makes the value: asked until what it holds is another one, then that one is staged and chosen.
Plan plan_minting(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (!seen.mint.known) return wait(waits::observation);
  if (seen.mint.unchanged) {
    // Where a second request would drop the value in use, at most one may ever be under way.
    const bool only_one = run.protocol == api::Protocol::Shift && enforced(Guard::OneMintInTheAir);
    if (only_one && !seen.quiet) return wait(waits::quiet, seen.quiet_at);
    const bool unwanted = seen.deleted || seen.go_back || seen.superseded;
    // Nothing was made, and nothing that was asked for can still be made.
    if (unwanted && seen.quiet) return advance(Phase::Abandoned);
    if (past(journal.phase_since, run.progress_deadline, now)) return fail_unmade(run, journal.phase, seen);
    return effect(Action::Mint, 0);
  }
  if (!seen.quiet && enforced(Guard::QuietAfterMint)) return wait(waits::quiet, seen.quiet_at);
  if (!seen.staged) return effect(Action::Stage, 0);
  return recorded(advance(Phase::Pinned));
}

// A retained value of a provider is tried before anything is begun: where it was dropped meanwhile, nobody can put it back.
Plan plan_pinned(const RunSpec& run, const Observation& seen) {
  if (is_minted(run) && !mints(run)) {
    if (auto step = install_everywhere(run, seen, Credential::Pending)) return *step;
  }
  return advance(Phase::Switching);
}

// A document of a shared key, in every vault and then in every service: the next one may only follow when every service has it.
std::optional<Plan> spread(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (auto step = publish_everywhere(run, seen, wanted_in(run.protocol, journal.phase))) return step;
  if (!enforced(Guard::EveryServiceAccepts)) return {};
  return converge_everywhere(run, journal, seen, now);
}

// Everybody accepts both keys and still sends the old one.
Plan plan_accepting(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  const auto step = spread(run, journal, seen, now);
  if (!step) return advance(Phase::Publishing);
  const bool is_late = past(journal.phase_since, run.progress_deadline + (run.canaries > 0 ? run.bake : Duration{0}), now);
  if (!is_late || step->action == Action::Advance) return *step;
  return too_late(run, journal.phase, reason::progress_deadline_exceeded, *step);
}

Plan plan_switching(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (is_shared(run)) return plan_accepting(run, journal, seen, now);
  if (auto step = install_everywhere(run, seen, Credential::Pending); step && enforced(Guard::VerifyBeforePublish)) {
    const bool is_late = late(run, journal.phase_since, run.progress_deadline, now);
    return is_late ? too_late(run, journal.phase, reason::progress_deadline_exceeded, *step) : *step;
  }
  // With two live credentials the old one must have survived the addition. One that only fades out may be gone early, and then forward is
  // the only way that helps.
  const bool survives = two_live(run) && run.protocol != api::Protocol::Shift;
  if (survives && !run.enforce_drift && enforced(Guard::OldSurvivesTheAddition)) {
    const Acceptance old = accepted_by_all(seen, Credential::Old);
    if (old.verdict == Verdict::Unknown) return wait(waits::observation);
    if (old.verdict == Verdict::Some) return block(reason::drift);
  }
  return advance(Phase::Publishing);
}

// What is published was seen to log in just before.
Plan publish_verified(const RunSpec& run, const Observation& seen, const Plan& step) {
  if (step.action == Action::Publish && enforced(Guard::VerifyBeforePublish)) {
    const Acceptance pending = accepted_by_all(seen, Credential::Pending);
    if (pending.verdict == Verdict::Unknown) return wait(waits::observation);
    if (pending.verdict == Verdict::Some) return advance(mints(run) ? Phase::Minting : Phase::Switching);
  }
  // A vault that is read-only for a moment (region failover) is waited for until the deadline.
  if (step.action == Action::Block && step.reason == reason::vault_read_only) return wait(waits::observation);
  return step;
}

Plan plan_publishing(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  const auto lacking = publish_everywhere(run, seen, wanted_in(run.protocol, journal.phase));
  if (!lacking) return advance(Phase::Rolling);
  const Plan step = publish_verified(run, seen, *lacking);
  const bool is_late = late(run, journal.phase_since, run.publish_deadline, now);
  return is_late ? too_late(run, journal.phase, reason::publish_deadline_exceeded, step) : step;
}

Plan plan_rolling(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (enforced(Guard::AcceptedBeforeRestart)) {
    if (auto step = still_published_and_accepted(run, journal, seen)) return *step;
  }
  const auto step = converge_everywhere(run, journal, seen, now);
  if (!step || !enforced(Guard::ConsumersBeforeRetiring)) return advance(Phase::Verifying);
  // The canaries' bake is wanted, and no lack of progress.
  const Duration allowed = run.progress_deadline + (run.canaries > 0 ? run.bake : Duration{0});
  const bool is_late = late(run, journal.phase_since, allowed, now);
  return is_late ? too_late(run, journal.phase, reason::progress_deadline_exceeded, *step) : *step;
}

// How long the old credential stays: for people (overlap) and for those not yet seen to have left (soak).
Duration stay(const RunSpec& run, const Observation& seen) {
  if (run.compromised) return Duration{0};
  return seen.superseded ? run.soak : std::max(run.soak, run.overlap);
}

// A provider keeps the old value valid until it makes the next one, unless that is not good enough.
bool retires(const RunSpec& run) {
  if (is_minted(run)) return mints(run) && (run.compromised || run.revoke_old);
  return two_live(run) && run.direction != api::Direction::Repair;
}

// Nobody may be logged in with what is about to go, as far as systems tell.
std::optional<Plan> wait_for_sessions(const Observation& seen, int DependentObservation::* count, std::string_view why) {
  if (!enforced(Guard::SessionsBeforeRetiring)) return {};
  for (const DependentObservation& dependent : seen.dependents) {
    if (dependent.*count == cannot_tell) return wait(waits::observation);
    if (dependent.*count > 0) return wait(why);
  }
  return {};
}

Plan retire(const Observation& seen);

Plan plan_verifying(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (enforced(Guard::AllTrueBeforeSuccess) || retires(run)) {
    if (auto step = still_published_and_accepted(run, journal, seen)) return *step;
  }
  if (auto step = converge_everywhere(run, journal, seen, now); step && enforced(Guard::ConsumersBeforeRetiring)) {
    return step->action == Action::Converge ? advance(Phase::Rolling) : *step;
  }
  if (!retires(run)) return advance(Phase::Succeeded);
  const Instant stays_until = journal.phase_since + stay(run, seen);
  if (now < stays_until) return wait(waits::soak, stays_until);
  if (auto step = wait_for_sessions(seen, &DependentObservation::sessions_on_old, waits::sessions); step && !run.compromised) return *step;
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
  if (step.action != Action::Advance && enforced(Guard::OldRefusedBeforeSuccess)) return step;
  if (!is_shared(run) && !enforced(Guard::AllTrueBeforeSuccess)) return advance(Phase::Succeeded);
  if (auto repair = install_everywhere(run, seen, Credential::Pending)) return *repair;
  if (auto repair = publish_everywhere(run, seen, wanted_in(run.protocol, journal.phase))) return *repair;
  if (auto repair = converge_everywhere(run, journal, seen, now)) {
    return repair->action == Action::Advance ? block(repair->reason) : *repair;
  }
  return advance(Phase::Succeeded);
}

Plan plan_rolling_back(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  // One live credential: the same place is written in both directions, so the forward requests must have landed first.
  if (!two_live(run) && !seen.quiet && enforced(Guard::QuietBeforeReversing)) return wait(waits::quiet, seen.quiet_at);
  if (auto step = install_everywhere(run, seen, Credential::Old)) return *step;
  if (auto step = publish_everywhere(run, seen, wanted_in(run.protocol, journal.phase))) return *step;
  if (auto step = converge_everywhere(run, journal, seen, now)) return *step;
  if (!two_live(run)) return advance(Phase::RolledBack);
  if (auto step = wait_for_sessions(seen, &DependentObservation::sessions_on_pending, waits::pending_sessions)) return *step;
  if (!seen.quiet && enforced(Guard::QuietBeforeWithdrawing)) return wait(waits::quiet, seen.quiet_at);
  // A provider's slot keeps what it made: nobody uses it, and the next run makes another one there.
  return advance(is_minted(run) ? Phase::RolledBack : Phase::Withdrawing);
}

Plan plan_withdrawing(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (is_shared(run)) {
    if (!seen.quiet && enforced(Guard::QuietBeforeWithdrawing)) return wait(waits::quiet, seen.quiet_at);
    if (auto step = spread(run, journal, seen, now)) return *step;
    return advance(Phase::RolledBack);
  }
  const Acceptance pending = refused_by_all(seen, Credential::Pending);
  if (pending.verdict == Verdict::Unknown) return wait(waits::observation);
  if (pending.verdict == Verdict::Some) return effect(Action::Withdraw, pending.first, Credential::Pending);
  return advance(Phase::RolledBack);
}

// Nothing outside has been touched yet (staging leaves only a sibling nobody reads).
bool untouched(Phase phase) { return phase == Phase::Admitted || phase == Phase::Staging || phase == Phase::Pinned; }

// A run that is not wanted any more ends at once while nothing was made or changed. A credential that is the first one and is nowhere
// accepted was not changed either: it can be let go where it could not be installed.
bool may_stop_at_once(const RunSpec& run, Phase phase, const Observation& seen) {
  const bool made = mints(run) && phase == Phase::Pinned;
  if (untouched(phase)) return !made;
  const bool nowhere = !seen.dependents.empty() && refused_by_all(seen, Credential::Pending).verdict == Verdict::All;
  return run.bootstrap && phase == Phase::Switching && nowhere && seen.quiet;
}

// Where a suspended run may rest: with one live credential only before the switch; with two anywhere before retirement.
bool safe_to_park(const RunSpec& run, Phase phase) {
  if (untouched(phase) || !enforced(Guard::ParkOnlySafely)) return true;
  return two_live(run) && before_point_of_no_return(phase);
}

// A run cannot do without its two values. The staged one is Keyturn's own to make readable again, as after a backup of the journal was
// restored from before the end of the run; the other one belongs to people.
std::optional<Plan> unreadable(const Observation& seen) {
  if (seen.pending_refusal == VaultRefusal::Disabled) return effect(Action::Stage, 0);
  if (seen.pending_refusal != VaultRefusal::None) return block(reason_of(seen.pending_refusal));
  if (seen.old_refusal != VaultRefusal::None) return block(reason_of(seen.old_refusal));
  return {};
}

// What overrides the phase's own step.
std::optional<Plan> override_of(const RunSpec& run, const Journal& journal, const Observation& seen) {
  for (const VaultObservation& vault : seen.vaults) {
    if (vault.foreign_owner && enforced(Guard::ForeignOwnerBlocks)) return block(reason::foreign_owner);
    if (vault.ahead_of_journal && enforced(Guard::NewerGenerationBlocks)) return block(reason::journal_behind);
  }
  if (!seen.authorised && enforced(Guard::Authority)) return block(reason::not_bound);
  const bool unwanted = seen.deleted || seen.go_back || seen.superseded;
  if (unwanted && may_stop_at_once(run, journal.phase, seen)) return advance(Phase::Abandoned);
  if (seen.value_lost && enforced(Guard::LostValueBlocks)) return block(reason::value_lost);
  if (auto step = unreadable(seen)) return step;
  if (seen.deleted && !enforced(Guard::FinishWhenDeleted)) return advance(Phase::Abandoned);
  if (seen.suspended && safe_to_park(run, journal.phase)) return wait(waits::suspended);
  if (seen.go_back && before_point_of_no_return(journal.phase) && may_return(run)) {
    return turn_back(run, journal.phase, reason::revision_changed);
  }
  return {};
}

// A freeze holds up what is new: never the way back or a repair, and never the replacement of a compromised credential.
bool held_by_freeze(const RunSpec& run, const Journal& journal, const Observation& seen, const Plan& step) {
  if (!seen.frozen_until || run.compromised || run.direction != api::Direction::Forward) return false;
  const bool rests = step.action == Action::Wait || step.action == Action::Block;
  const bool turns_back = step.action == Action::Advance && going_back(step.phase);
  return !rests && !turns_back && safe_to_park(run, journal.phase);
}

Plan plan_of_phase(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  switch (journal.phase) {
    case Phase::Admitted:
      return plan_admitted(run, seen);
    case Phase::Staging:
      return plan_staging(run, journal, seen, now);
    case Phase::Minting:
      return plan_minting(run, journal, seen, now);
    case Phase::Pinned:
      return plan_pinned(run, seen);
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
      return plan_withdrawing(run, journal, seen, now);
    case Phase::Succeeded:
    case Phase::RolledBack:
    case Phase::Abandoned:
      break;
  }
  return {.action = Action::Finished};
}

}  // namespace

Plan plan(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now) {
  if (api::is_terminal(journal.phase)) return {.action = Action::Finished};
  if (auto step = override_of(run, journal, seen)) return *step;
  const Plan step = plan_of_phase(run, journal, seen, now);
  return held_by_freeze(run, journal, seen, step) ? wait(waits::frozen, seen.frozen_until) : step;
}

Credential wanted_in(api::Protocol protocol, Phase phase) noexcept {
  const bool shared = protocol == api::Protocol::SharedKey;
  switch (phase) {
    case Phase::Admitted:
    case Phase::Staging:
    case Phase::Minting:
    case Phase::Pinned:
    case Phase::Withdrawing:
    case Phase::RolledBack:
    case Phase::Abandoned:
      return Credential::Old;
    case Phase::RollingBack:
      return shared ? Credential::OldOfBoth : Credential::Old;
    case Phase::Switching:
      return shared ? Credential::OldOfBoth : Credential::Pending;
    case Phase::Publishing:
    case Phase::Rolling:
    case Phase::Verifying:
      return shared ? Credential::PendingOfBoth : Credential::Pending;
    case Phase::Retiring:
    case Phase::Succeeded:
      break;
  }
  return Credential::Pending;
}

Published published_as(Credential credential) noexcept {
  switch (credential) {
    case Credential::Pending:
      return Published::Pending;
    case Credential::Old:
      return Published::Old;
    case Credential::OldOfBoth:
      return Published::OldOfBoth;
    case Credential::PendingOfBoth:
      return Published::PendingOfBoth;
  }
  return Published::Pending;
}

std::string_view name_of(Action action) noexcept {
  switch (action) {
    case Action::Advance:
      return "Advance";
    case Action::Stage:
      return "Stage";
    case Action::Mint:
      return "Mint";
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
