#include "reconcilers/rotation/plan_steps.h"

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/refusal_reason.h"

namespace keyturn::steps {
namespace {

using api::Phase;
using api::Protocol;
namespace reason = api::reason;

ProbeResult probe_of(const DependentObservation& seen, Credential credential) {
  return credential == Credential::Pending ? seen.pending : seen.old;
}

// A dependent that accepts neither credential was changed by somebody else.
bool accepts_neither(const DependentObservation& seen) {
  const auto refused = [](ProbeResult probe) { return probe == ProbeResult::Rejected || probe == ProbeResult::Locked; };
  return refused(seen.pending) && refused(seen.old);
}

// A provider that does not accept what was chosen has made another value since: that one is chosen anew. What it dropped is gone.
Plan choose_again(Credential credential) {
  return credential == Credential::Pending ? advance(Phase::Minting, reason::drift) : block(reason::drift);
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

// A newest version that was disabled by hand is healed by a newer one.
bool heals(const RunSpec& run, const VaultObservation& vault) {
  return run.direction == api::Direction::Repair && vault.refusal == VaultRefusal::Disabled;
}

// How many consumers may be under way at once. A single live credential: all, they are already broken and waiting makes it worse.
std::size_t budget(const RunSpec& run, const Observation& seen, Phase phase) {
  if (!two_live(run) || going_back(phase)) return seen.consumers.size();
  return static_cast<std::size_t>(std::max(run.max_unavailable, 1));
}

// When this consumer may begin to move, where its environment's restart budget is spent. Nobody waits for it who goes back, who replaces
// a compromised credential, or where the old one is no longer accepted: there every consumer is broken until it has moved.
std::optional<Instant> over_budget(const RunSpec& run, Phase phase, const ConsumerObservation& consumer) {
  const bool old_lives = two_live(run) && before_point_of_no_return(phase);
  const bool holds = old_lives && !run.compromised && run.direction == api::Direction::Forward;
  return holds ? consumer.restart_again_at : std::nullopt;
}

}  // namespace

bool may_return(const RunSpec& run) {
  if (run.protocol == Protocol::Shift || run.bootstrap || run.direction == api::Direction::Repair) return false;
  return !(run.compromised && enforced(Guard::NoReturnWhenCompromised));
}

Plan turn_back(const RunSpec& run, Phase phase, std::string_view why) {
  // As long as no service sends the new key, the old document may follow at once.
  const bool only_accepted = is_shared(run) && phase == Phase::Switching;
  return advance(only_accepted ? Phase::Withdrawing : Phase::RollingBack, why);
}

Plan fail(const RunSpec& run, Phase phase, std::string_view why) {
  return run.back_on_failure && may_return(run) ? turn_back(run, phase, why) : block(why);
}

Plan too_late(const RunSpec& run, Phase phase, std::string_view why, const Plan& step) {
  if (may_return(run)) return fail(run, phase, why);
  return step.action == Action::Wait ? block(why) : step;
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
    if (probe == ProbeResult::Unknown && enforced(Guard::UnknownIsNoAnswer)) return {Verdict::Unknown, i};
    if (probe == ProbeResult::Accepted) return {Verdict::Some, i};
  }
  return {};
}

std::optional<Plan> install_everywhere(const RunSpec& run, const Observation& seen, Credential credential) {
  const Acceptance acceptance = accepted_by_all(seen, credential);
  if (acceptance.verdict == Verdict::All) return {};
  if (acceptance.verdict == Verdict::Unknown) return wait(waits::observation);
  if (mints(run)) return choose_again(credential);
  // A retained value of a provider's slot that is no longer there cannot be put back by anybody.
  if (is_minted(run)) return block(credential == Credential::Pending ? reason::revision_not_retained : reason::drift);
  const DependentObservation& dependent = seen.dependents[acceptance.first];
  if (accepts_neither(dependent) && !run.enforce_drift) return block(reason::drift);
  return effect(Action::Install, acceptance.first, credential);
}

std::optional<Plan> publish_everywhere(const RunSpec& run, const Observation& seen, Credential credential) {
  bool unknown = false;
  for (std::size_t i = 0; i < seen.vaults.size(); ++i) {
    const VaultObservation& vault = seen.vaults[i];
    if (vault.latest == published_as(credential)) continue;
    if (vault.latest == Published::Unknown) {
      unknown = true;
      continue;
    }
    if (vault.latest == Published::Refused && !heals(run, vault)) return block(reason_of(vault.refusal));
    const bool report = !run.enforce_drift && enforced(Guard::ForeignPublishBlocks);
    if (vault.latest == Published::Foreign && report) return block(reason::foreign_publish);
    return effect(Action::Publish, i, credential);
  }
  if (unknown && enforced(Guard::EveryVaultPublished)) return wait(waits::observation);
  return {};
}

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
    if (consumer.state == ConsumerState::Unhealthy && !back) return fail(run, journal.phase, reason::consumer_unhealthy);
    under_way += consumer.begun && consumer.state != ConsumerState::Proven;
    all_proven &= consumer.state == ConsumerState::Proven;
  }
  if (all_proven) return {};
  std::optional<Instant> restarts_again;
  for (std::size_t i = 0; i < all; ++i) {
    const ConsumerObservation& consumer = seen.consumers[i];
    if (!consumer.act_due) continue;
    const bool may_begin = i < reach && under_way < budget(run, seen, journal.phase);
    if (!consumer.begun && !may_begin) continue;
    const std::optional<Instant> again = consumer.begun ? std::nullopt : over_budget(run, journal.phase, consumer);
    if (!again) return effect(Action::Converge, i, wanted_in(run.protocol, journal.phase));
    restarts_again = std::min(restarts_again.value_or(*again), *again);
  }
  // While somebody is on the way the deadline counts for them; else nothing lacks but the budget.
  if (restarts_again && under_way == 0) return wait(waits::restart_budget, restarts_again);
  return until ? wait(waits::bake, until) : wait(waits::consumers);
}

}  // namespace keyturn::steps
