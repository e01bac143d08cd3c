#include "reconcilers/rotation/observe.h"

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/admission.h"
#include "reconcilers/rotation/credential_format.h"
#include "reconcilers/rotation/key_set.h"
#include "reconcilers/rotation/needs.h"
#include "reconcilers/rotation/plan.h"
#include "reconcilers/rotation/run_target.h"

namespace keyturn {
namespace {

using api::Phase;

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
        needs_(needs_of(run.spec.protocol, run.spec.direction, run.status.phase)) {
    Observation& seen = look_.seen;
    seen.authorised = known.authorised;
    seen.approved = known.approved;
    seen.suspended = known.suspended;
    seen.frozen_until = known.frozen_until;
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
        look_.seen.value_lost |= pending.error().code == Errc::NotFound;
        look_.seen.pending_refusal =
            co_await why_refused(pending.error(), *targets_.staging, targets_.staging_name, run_.status.staged_version);
      }
    }
    const bool wants_old = (needs_.old || needs_.vaults) && !run_.status.old_version.empty();
    if (wants_old) {
      SecretVault& vault = *targets_.vaults.front();
      auto old = co_await vault.read(context_.named("read old"), spec_.secret.name, run_.status.old_version);
      if (old) {
        look_.old = std::move(*old);
      } else if (needs_.old && run_.spec.direction != api::Direction::Repair) {
        look_.seen.old_refusal = co_await why_refused(old.error(), vault, spec_.secret.name, run_.status.old_version);
      }
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
      if (needs_.held) {
        const Secret password = co_await staged_password(version.id);
        if (look_.made.empty() || !password.equals(look_.made)) continue;
      }
      look_.seen.staged = true;
      look_.staged_version = version.id;
    }
  }

  // What the provider holds now, against what is published and what it held before.
  Awaitable<> held() {
    if (!needs_.held) co_return;
    auto values = co_await targets_.dependents.front()->held(context_.named("read back"), run_.spec.pending_principal);
    if (!values || values->empty()) co_return;
    // Which of them is published cannot be told without what is.
    if (run_.status.phase == Phase::Staging && published_.empty()) co_return;
    MintObservation& seen = look_.seen.mint;
    seen.idle = idle_among(*values);
    const bool slots = run_.spec.protocol == api::Protocol::Slots;
    const std::size_t at = static_cast<std::size_t>(slots ? run_.status.slot.value_or(std::max(seen.idle, 0)) : 0);
    if (at >= values->size()) co_return;
    look_.made = std::move((*values)[at]);
    seen.known = true;
    if (run_.status.phase != Phase::Minting) co_return;
    const Secret before = slots ? co_await held_before() : password_in(look_.old);
    // Without knowing what was there, nothing can be said to have changed.
    seen.known = !before.empty();
    seen.unchanged = look_.made.equals(before);
  }

  Awaitable<> dependents() {
    for (std::size_t i = 0; i < targets_.dependents.size(); ++i) {
      DependentObservation& seen = look_.seen.dependents[i];
      const Expected known = expected(i);
      if (needs_.pending) {
        seen.pending = known.pending ? *known.pending : co_await probe(i, look_.pending, run_.spec.pending_principal);
      }
      if (needs_.old) seen.old = known.old ? *known.old : co_await probe(i, look_.old, run_.spec.old_principal);
    }
  }

  Awaitable<> sessions() {
    const bool alternating = run_.spec.protocol == api::Protocol::Alternating;
    if (!alternating || !(needs_.sessions || needs_.idle)) co_return;
    const bool back = going_back(run_.status.phase);
    const std::string& principal = needs_.idle || back ? run_.spec.pending_principal : run_.spec.old_principal;
    for (std::size_t i = 0; i < targets_.dependents.size(); ++i) {
      if (!targets_.dependents[i]->capabilities().tells_sessions) continue;
      auto found = co_await targets_.dependents[i]->sessions(context_.named("list sessions"), principal, std::nullopt);
      // Who cannot be listed may be there: what takes a login out of somebody's hands waits for an answer.
      const int count = found ? found->count : cannot_tell;
      if (needs_.idle) look_.seen.idle_in_use |= count != 0;
      DependentObservation& seen = look_.seen.dependents[i];
      if (needs_.sessions) (back ? seen.sessions_on_pending : seen.sessions_on_old) = count;
      if (!found) continue;
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
  // A version that may not be read was disabled, or the identity has lost its permission: what helps differs.
  Awaitable<VaultRefusal> why_refused(const Error& error, SecretVault& vault, std::string secret, VersionId version) {
    if (error.code != Errc::Denied) co_return VaultRefusal::None;
    auto versions = co_await vault.versions(context_.named("list"), std::move(secret));
    if (!versions) co_return VaultRefusal::Permission;
    const auto listed = std::find_if(versions->begin(), versions->end(), [&](const VaultVersion& one) { return one.id == version; });
    co_return listed != versions->end() && !listed->enabled ? VaultRefusal::Disabled : VaultRefusal::Permission;
  }

  Secret password_in(const Secret& rendered) const {
    if (rendered.empty()) return {};
    auto login = extract(spec_.secret.format, rendered, run_.spec.pending_principal);
    return login ? std::move(login->password) : Secret{};
  }

  // What the slot held when that was noted. Gone or disabled by hand, it is no reason to wait in silence.
  Awaitable<Secret> held_before() {
    const VersionId& noted = run_.status.slot_before;
    if (noted.empty()) co_return Secret{};
    auto staged = co_await targets_.staging->read(context_.named("read staged"), targets_.staging_name, noted);
    if (staged) co_return password_in(*staged);
    look_.seen.value_lost |= staged.error().code == Errc::NotFound;
    look_.seen.old_refusal = co_await why_refused(staged.error(), *targets_.staging, targets_.staging_name, noted);
    co_return Secret{};
  }

  Awaitable<Secret> staged_password(VersionId version) {
    if (version.empty()) co_return Secret{};
    auto staged = co_await targets_.staging->read(context_.named("read staged"), targets_.staging_name, version);
    co_return staged ? password_in(*staged) : Secret{};
  }

  // What the journal tells of a dependent, so that no login is tried that will be refused: those count towards a system's lock-out
  // (protocol.md 8). What nobody ever began to set is not accepted; where it may have been set, it is tried, because the old credential
  // may be gone by now. What was refused once after it was withdrawn is not tried again.
  struct Expected {
    std::optional<ProbeResult> pending;
    std::optional<ProbeResult> old;
  };
  Expected expected(std::size_t i) const {
    const api::RunTarget* target = find_target(run_, api::TargetKind::Dependent, spec_.dependents[i].system);
    if (!target) return {};
    const api::Protocol protocol = run_.spec.protocol;
    const bool value_addressed = protocol != api::Protocol::Slots && protocol != api::Protocol::Shift;
    // A first credential may be let go while it is accepted nowhere: that is looked at, and not assumed.
    const bool fresh = run_.spec.direction == api::Direction::Forward && !run_.spec.bootstrap && run_.status.phase == Phase::Switching;
    if (fresh && value_addressed && target->state == pending_state) return {.pending = ProbeResult::Rejected, .old = {}};
    if (target->state != withdrawn_state) return {};
    if (run_.status.phase == Phase::Retiring) return {.pending = {}, .old = ProbeResult::Rejected};
    if (run_.status.phase == Phase::Withdrawing) return {.pending = ProbeResult::Rejected, .old = {}};
    return {};
  }

  // See MintObservation::idle.
  int idle_among(const std::vector<Secret>& values) const {
    const auto is_published = [&](std::size_t i) { return !published_.empty() && values[i].equals(published_); };
    if (run_.spec.protocol == api::Protocol::Shift) return is_published(0) ? 0 : -1;
    if (values.size() != 2 || is_published(0) == is_published(1)) return -1;
    return is_published(0) ? 1 : 0;
  }

  void note_vault(std::size_t i, SecretVault::Latest& latest) {
    VaultObservation& seen = look_.seen.vaults[i];
    if (!latest.facts.latest) {
      seen.refusal = latest.facts.refusal;
      // Before the first credential there is nothing, and that is what is there.
      if (run_.spec.bootstrap && seen.refusal == VaultRefusal::Missing) {
        seen.latest = Published::Old;
        return;
      }
      seen.latest = Published::Refused;
      return;
    }
    const VaultVersion& version = *latest.facts.latest;
    look_.latest[i] = version.id;
    if (i == 0 && needs_.held) published_ = password_in(latest.value);
    seen.latest = content_of(i, latest);
    const bool ours = version.tags.owner == known_.owner;
    const bool of_this_run = ours && version.tags.run == run_tag(run_);
    seen.foreign_owner = version.tags.ours() && !ours;
    // The journal was restored from before this run published anything, or from before it went back: going forward it publishes no old
    // value.
    const bool unknown = of_this_run && !may_have_published(run_);
    const bool went_back = of_this_run && seen.latest == Published::Old && !going_back(run_.status.phase);
    // Or from before it finished: as long as services that share a key are to accept both, nobody publishes one that accepts only the new.
    const bool shared = run_.spec.protocol == api::Protocol::SharedKey;
    const bool went_on = of_this_run && shared && seen.latest == Published::Pending && run_.status.phase == Phase::Switching;
    seen.ahead_of_journal = unknown || went_back || went_on || (ours && version.tags.generation > run_.spec.generation);
  }

  // What a vault returns, relative to the two values in hand.
  Published content_of(std::size_t i, const SecretVault::Latest& latest) const {
    if (run_.spec.protocol == api::Protocol::SharedKey && !look_.old.empty() && !look_.pending.empty()) {
      return recognise(latest.value, look_.old, look_.pending);
    }
    if (!look_.pending.empty() && latest.value.equals(look_.pending)) return Published::Pending;
    const VaultVersion& version = *latest.facts.latest;
    const bool of_this_run = version.tags.owner == known_.owner && version.tags.run == run_tag(run_);
    const bool chosen_before = of_this_run && version.tags.credential == run_.spec.credential;
    if (chosen_before && mints(run_.spec.protocol, run_.spec.direction)) return Published::Earlier;
    const bool old = !look_.old.empty() && latest.value.equals(look_.old);
    if (old || (i == 0 && version.id == run_.status.old_version)) return Published::Old;
    // Without the two values in hand nothing can be said against it.
    const bool old_known = !look_.old.empty() || run_.spec.bootstrap;
    const bool comparable = old_known && (!look_.pending.empty() || run_.status.staged_version.empty());
    return comparable ? Published::Foreign : Published::Unknown;
  }

  Awaitable<ProbeResult> probe(std::size_t i, const Secret& rendered, std::string principal) {
    if (rendered.empty()) co_return ProbeResult::Unknown;
    auto login = extract(spec_.secret.format, rendered, principal);
    if (!login) co_return ProbeResult::Unknown;
    auto result = co_await targets_.dependents[i]->probe(context_.named("probe"), principal, login->password);
    co_return result ? *result : ProbeResult::Unknown;
  }

  Awaitable<> baseline(std::size_t i) {
    const std::string& vault_url = targets_.vault_urls[vault_of(spec_, i)];
    auto facts = co_await targets_.consumers[i]->baseline(context_.named("baseline"), vault_url, spec_.secret.name);
    ConsumerObservation& seen = look_.seen.consumers[i];
    seen.healthy_baseline = facts && facts->state != ConsumerState::Unhealthy && facts->state != ConsumerState::Unknown;
    if (facts) note_refusal(seen, facts->refusal);
  }

  Awaitable<> convergence(std::size_t i) {
    const std::size_t vault = vault_of(spec_, i);
    if (look_.seen.vaults[vault].latest != published_as(wanted_in(run_.spec.protocol, run_.status.phase))) co_return;
    const VersionId version = look_.latest[vault];
    const api::RunTarget* target = find_target(run_, api::TargetKind::Consumer, spec_.consumers[i].name);
    const bool same_target = target && target->version_seen == version;
    ConsumerObservation& seen = look_.seen.consumers[i];
    seen.begun = same_target && !target->mark.empty();
    ConvergeTarget goal{targets_.vault_urls[vault], spec_.secret.name, version, spec_.consumers[i].reload};
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
  Secret published_;  // the password that the first vault returns; only where a provider makes the values
};

}  // namespace

std::string run_tag(const api::RotationRun& run) { return run.meta.name; }

Awaitable<Look> observe(Context context, const Targets& targets, const api::RotationRun& run, Circumstances known) {
  Gathering gathering(std::move(context), targets, run, known);
  co_await gathering.values();
  co_await gathering.vaults();
  co_await gathering.held();
  co_await gathering.staged();
  co_await gathering.dependents();
  co_await gathering.sessions();
  co_await gathering.consumers();
  co_return gathering.take();
}

}  // namespace keyturn
