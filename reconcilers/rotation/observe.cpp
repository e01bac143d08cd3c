#include "reconcilers/rotation/observe.h"

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/credential_format.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn {
namespace {

using api::Phase;

// What a phase has to know.
struct Needs {
  bool vaults = false;
  bool staged = false;
  bool pending = false;   // probe the pending credential
  bool old = false;       // probe the old credential
  bool baseline = false;  // consumers as they are before anything is touched
  bool consumers = false;
  bool sessions = false;  // who is still on the old credential
  bool idle = false;      // who is on the login that is to be set
};

Needs needs_of(Phase phase) {
  switch (phase) {
    case Phase::Admitted:
      return {.vaults = true, .old = true, .baseline = true};
    case Phase::Staging:
      return {.staged = true, .idle = true};
    case Phase::Switching:
      return {.pending = true, .old = true};
    case Phase::Publishing:
      return {.vaults = true, .pending = true};
    case Phase::Rolling:
      return {.vaults = true, .pending = true, .consumers = true};
    case Phase::Verifying:
      return {.vaults = true, .pending = true, .consumers = true, .sessions = true};
    case Phase::Retiring:
      return {.vaults = true, .pending = true, .old = true, .consumers = true};
    case Phase::RollingBack:
      return {.vaults = true, .old = true, .consumers = true};
    case Phase::Withdrawing:
      return {.pending = true};
    case Phase::Pinned:
    case Phase::Succeeded:
    case Phase::RolledBack:
    case Phase::Abandoned:
      break;
  }
  return {};
}

const api::RunTarget* find_target(const api::RotationRun& run, api::TargetKind kind, const std::string& name) {
  const auto& targets = run.status.targets;
  const auto found =
      std::find_if(targets.begin(), targets.end(), [&](const api::RunTarget& one) { return one.kind == kind && one.name == name; });
  return found == targets.end() ? nullptr : &*found;
}

VaultRefusal refusal_of(const Error& error) { return error.code == Errc::Denied ? VaultRefusal::Permission : VaultRefusal::None; }

// Gathers one look; lives as long as the call to observe().
class Gathering {
 public:
  Gathering(Context context, const Targets& targets, const api::RotationRun& run, const Circumstances& known)
      : context_(std::move(context)),
        targets_(targets),
        run_(run),
        spec_(run.spec.frozen),
        known_(known),
        needs_(needs_of(run.status.phase)) {
    Observation& seen = look_.seen;
    seen.authorised = known.authorised;
    seen.approved = known.approved;
    seen.suspended = known.suspended;
    seen.deleted = known.deleted;
    seen.go_back = known.go_back;
    seen.superseded = known.superseded;
    seen.quiet = known.quiet;
    seen.quiet_at = known.quiet_at;
    seen.vaults.resize(targets.vaults.size());
    seen.dependents.resize(targets.dependents.size());
    seen.consumers.resize(targets.consumers.size());
    look_.latest.resize(targets.vaults.size());
  }

  Awaitable<> values() {
    const bool wants_pending = (needs_.pending || needs_.vaults) && !run_.status.staged_version.empty();
    if (wants_pending) {
      auto pending = co_await targets_.staging->read(context_.named("read staged"), targets_.staging_name, run_.status.staged_version);
      if (pending) {
        look_.pending = std::move(*pending);
      } else {
        // A pinned version that is gone is never replaced by another (protocol.md 5).
        look_.seen.value_lost = pending.error().code == Errc::NotFound;
      }
    }
    const bool wants_old = (needs_.old || needs_.vaults) && !run_.status.old_version.empty();
    if (wants_old) {
      auto old = co_await targets_.vaults.front()->read(context_.named("read old"), spec_.secret.name, run_.status.old_version);
      if (old) look_.old = std::move(*old);
    }
  }

  Awaitable<> vaults() {
    if (!needs_.vaults) co_return;
    for (std::size_t i = 0; i < targets_.vaults.size(); ++i) {
      auto latest = co_await targets_.vaults[i]->read_latest(context_.named("read vault"), spec_.secret.name);
      VaultObservation& seen = look_.seen.vaults[i];
      if (!latest) {
        seen.refusal = refusal_of(latest.error());
        seen.latest = seen.refusal == VaultRefusal::None ? Published::Unknown : Published::Refused;
        continue;
      }
      note_vault(i, *latest);
    }
  }

  Awaitable<> staged() {
    if (!needs_.staged) co_return;
    auto versions = co_await targets_.staging->versions(context_.named("list staged"), targets_.staging_name);
    if (!versions) co_return;
    for (const VaultVersion& version : *versions) {
      const bool of_this_run = version.enabled && version.tags.run == run_tag(run_) && version.tags.owner == known_.owner;
      if (!of_this_run) continue;
      look_.seen.staged = true;
      look_.staged_version = version.id;
    }
  }

  Awaitable<> dependents() {
    for (std::size_t i = 0; i < targets_.dependents.size(); ++i) {
      DependentObservation& seen = look_.seen.dependents[i];
      if (needs_.pending) seen.pending = co_await probe(i, look_.pending, run_.spec.pending_principal);
      if (needs_.old) seen.old = co_await probe(i, look_.old, run_.spec.old_principal);
    }
  }

  Awaitable<> sessions() {
    const bool alternating = run_.spec.protocol == api::Protocol::Alternating;
    if (!alternating || !(needs_.sessions || needs_.idle)) co_return;
    const std::string& principal = needs_.idle ? run_.spec.pending_principal : run_.spec.old_principal;
    for (std::size_t i = 0; i < targets_.dependents.size(); ++i) {
      if (!targets_.dependents[i]->capabilities().tells_sessions) continue;
      auto found = co_await targets_.dependents[i]->sessions(context_.named("list sessions"), principal, std::nullopt);
      if (!found) continue;
      if (needs_.idle) look_.seen.idle_in_use |= found->count > 0;
      if (needs_.sessions) look_.seen.dependents[i].sessions_on_old = found->count;
      if (needs_.sessions) look_.sessions.insert(look_.sessions.end(), found->clients.begin(), found->clients.end());
    }
  }

  Awaitable<> consumers() {
    for (std::size_t i = 0; i < targets_.consumers.size(); ++i) {
      if (needs_.baseline) co_await baseline(i);
      if (needs_.consumers) co_await convergence(i);
    }
  }

  Look take() { return std::move(look_); }

 private:
  void note_vault(std::size_t i, SecretVault::Latest& latest) {
    VaultObservation& seen = look_.seen.vaults[i];
    if (!latest.facts.latest) {
      seen.refusal = latest.facts.refusal;
      seen.latest = Published::Refused;
      return;
    }
    const VaultVersion& version = *latest.facts.latest;
    look_.latest[i] = version.id;
    const bool ours = version.tags.owner == known_.owner;
    seen.foreign_owner = version.tags.ours() && !ours;
    seen.newer_generation = ours && version.tags.generation > run_.spec.generation;
    if (!look_.pending.empty() && latest.value.equals(look_.pending)) {
      seen.latest = Published::Pending;
    } else if (version.id == run_.status.old_version || (!look_.old.empty() && latest.value.equals(look_.old))) {
      seen.latest = Published::Old;
    } else {
      // Without the two values in hand nothing can be said against it.
      const bool comparable = !look_.old.empty() && (!look_.pending.empty() || run_.status.staged_version.empty());
      seen.latest = comparable ? Published::Foreign : Published::Unknown;
    }
  }

  Awaitable<ProbeResult> probe(std::size_t i, const Secret& rendered, std::string principal) {
    if (rendered.empty()) co_return ProbeResult::Unknown;
    auto login = extract(spec_.secret.format, rendered, principal);
    if (!login) co_return ProbeResult::Unknown;
    auto result = co_await targets_.dependents[i]->probe(context_.named("probe"), principal, login->password);
    co_return result ? *result : ProbeResult::Unknown;
  }

  Awaitable<> baseline(std::size_t i) {
    auto facts = co_await targets_.consumers[i]->baseline(context_.named("baseline"), targets_.vault_urls.front(), spec_.secret.name);
    ConsumerObservation& seen = look_.seen.consumers[i];
    seen.healthy_baseline = facts && facts->state != ConsumerState::Unhealthy && facts->state != ConsumerState::Unknown;
    if (facts) note_refusal(seen, facts->refusal);
  }

  Awaitable<> convergence(std::size_t i) {
    const Published wanted = going_back(run_.status.phase) ? Published::Old : Published::Pending;
    if (look_.seen.vaults.front().latest != wanted) co_return;
    const VersionId version = look_.latest.front();
    const api::RunTarget* target = find_target(run_, api::TargetKind::Consumer, spec_.consumers[i].name);
    const bool same_target = target && target->version_seen == version;
    ConsumerObservation& seen = look_.seen.consumers[i];
    seen.begun = same_target && !target->mark.empty();
    ConvergeTarget goal{targets_.vault_urls.front(), spec_.secret.name, version, spec_.consumers[i].reload};
    auto facts =
        co_await targets_.consumers[i]->observe(context_.named("observe consumer"), goal, seen.begun ? target->mark : std::string{});
    if (!facts) co_return;
    seen.state = facts->state;
    seen.act_due = facts->state == ConsumerState::Stale;
    if (same_target && target->state == proven_state) seen.proven_since = target->changed_at;
    note_refusal(seen, facts->refusal);
  }

  // The refusal is a word of the closed list: what an adapter says beyond it is not shown.
  static void note_refusal(ConsumerObservation& seen, const std::string& refusal) {
    for (const api::reason::Entry& entry : api::reason::all()) {
      if (entry.reason == refusal) seen.refusal = entry.reason;
    }
  }

  Context context_;
  const Targets& targets_;
  const api::RotationRun& run_;
  const api::SecretRotationSpec& spec_;
  const Circumstances& known_;
  Needs needs_;
  Look look_;
};

}  // namespace

std::string run_tag(const api::RotationRun& run) { return run.meta.name; }

Awaitable<Look> observe(Context context, const Targets& targets, const api::RotationRun& run, Circumstances known) {
  Gathering gathering(std::move(context), targets, run, known);
  co_await gathering.values();
  co_await gathering.vaults();
  co_await gathering.staged();
  co_await gathering.dependents();
  co_await gathering.sessions();
  co_await gathering.consumers();
  co_return gathering.take();
}

}  // namespace keyturn
