// The reconciler while a run is under way: look, plan, record, act.
#include <algorithm>

#include "api/codec.h"
#include "api/reasons.h"
#include "api/record_chain.h"
#include "base/log.h"
#include "reconcilers/rotation/describe.h"
#include "reconcilers/rotation/evidence.h"
#include "reconcilers/rotation/execute.h"
#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/pass.h"
#include "reconcilers/rotation/run_target.h"

namespace keyturn {
namespace {

namespace reason = api::reason;
using api::Phase;

constexpr int backoff_doublings_max = 5;

api::TargetKind kind_of(Action action) {
  switch (action) {
    case Action::Mint:
    case Action::Install:
    case Action::Withdraw:
      return api::TargetKind::Dependent;
    case Action::Converge:
      return api::TargetKind::Consumer;
    default:
      return api::TargetKind::Vault;
  }
}

// The system answered, or certainly never heard of it.
bool is_definite(Errc code) {
  switch (code) {
    case Errc::NotFound:
    case Errc::Conflict:
    case Errc::Throttled:
    case Errc::Unavailable:
    case Errc::Denied:
    case Errc::Invalid:
      return true;
    case Errc::Expired:
    case Errc::OutcomeUnknown:
    case Errc::Cancelled:
    case Errc::Internal:
      break;
  }
  return false;
}

}  // namespace

Task<Outcome> RotationReconciler::drive(Context context, Pass& pass) {
  if (pass.run->spec.protocol_version > api::protocol_version) {
    co_return co_await refused(context, pass, reason::version_too_new, "the run was begun by a newer controller; upgrade this one");
  }
  if (pass.run->status.owner_epoch != epoch_) co_return co_await claim(context, pass);

  const CredentialName& wanted = pass.decision.credential;
  const bool decided = pass.decision.verb == Verb::Keep || pass.decision.verb == Verb::Activate || pass.decision.verb == Verb::Mint;
  const BootInstant quiet_from = quarantine_.quiet_from(pass.identity(), pass.timing().quarantine());
  const BootInstant boot_now = context.clock().boot_now();
  Circumstances known{
      .owner = ports_.records.owner(),
      .authorised = pass.authorised,
      .approved = !pass.environment.spec.protection.approval_required || pass.rotation.spec.approved_plan == pass.run->spec.plan_hash,
      .suspended = pass.rotation.spec.suspend,
      .frozen_until = frozen_until(pass.environment.spec.protection, pass.now),
      .deleted = pass.rotation.meta.deleted.has_value(),
      .quiet = boot_now >= quiet_from};
  known.go_back = !known.deleted && decided && wanted == pass.run->spec.old_credential;
  known.superseded = !known.deleted && decided && !known.go_back && wanted != pass.run->spec.credential;
  if (!known.quiet) known.quiet_at = pass.now + std::chrono::duration_cast<Duration>(quiet_from - boot_now);
  pass.look = co_await observe(context, pass.targets, *pass.run, known);
  pass.looked = true;
  note_proven(pass);
  note_withdrawn(pass);
  auto counted = co_await note_budget(context, pass);
  if (!counted) co_return counted.error();

  // A clock that was ahead and was set right again must not make a phase begin in months.
  std::optional<Instant>& since = pass.run->status.phase_since;
  if (since && *since > pass.now) {
    since = pass.now;
    pass.newly_proven = true;
  }
  const Journal journal{.phase = pass.run->status.phase, .phase_since = phase_counts_from(pass.run->status, pass.now)};
  pass.step = plan(shape_of(pass.run->spec, pass.timing()), journal, pass.look.seen, pass.now);
  pass.newly_parked = note_parked(pass.run->status, pass.step, pass.now);
  switch (pass.step.action) {
    case Action::Advance:
      co_return co_await advance(context, pass);
    case Action::Wait:
    case Action::Block:
    case Action::Finished:
      co_return co_await rest(context, pass);
    default:
      co_return co_await act(context, pass);
  }
}

Task<Outcome> RotationReconciler::claim(Context context, Pass& pass) {
  const ObjectKey key = pass.rotation.meta.key();
  const BootInstant boot_now = context.clock().boot_now();
  const Duration silence = 2 * pass.timing().quarantine();  // so that whoever waits for it to end is not disturbed before
  if (!claims_.may_take(key, pass.run->meta.name, pass.run->meta.resource_version, boot_now, silence)) {
    co_return Outcome::again(pass.timing().poll);
  }
  if (enforced(Guard::TakeoverIsNoted)) quarantine_.taken_over(pass.identity(), boot_now);
  pass.run->status.owner_epoch = epoch_;
  pass.run->status.quiet_not_before = pass.now + pass.timing().quarantine();
  auto claimed = co_await ports_.records.update_run(context, *pass.run);
  if (!claimed && claimed.error().code != Errc::Conflict) co_return claimed.error();
  if (claimed) {
    claims_.took(key, pass.run->meta.name);
    log::info("took over a run", {{"rotation", key}, {"run", pass.run->meta.name}});
  }
  co_return Outcome::again(Duration{0});
}

Task<Outcome> RotationReconciler::advance(Context context, Pass& pass) {
  api::RotationRunStatus& status = pass.run->status;
  const Plan& step = pass.step;
  const bool turns = going_back(step.phase) && !going_back(status.phase);
  status.phase = step.phase;
  status.phase_since = pass.now;
  status.blocked.clear();
  status.blocked_message.clear();
  if (step.pins && step.phase == Phase::Minting && pass.run->spec.protocol == api::Protocol::Slots) {
    status.slot = pass.look.seen.mint.idle;
    status.slot_before = pass.look.staged_version;
  } else if (step.pins && step.phase == Phase::Pinned) {
    status.staged_version = pass.look.staged_version;
  }
  if (turns) status.failure = std::string(step.reason);
  // A shared key is published several times: what the run leaves behind is the last of them.
  const bool published = step.phase == Phase::Rolling || (step.phase == Phase::Succeeded && !pass.look.latest.front().empty());
  if (published) status.published_version = pass.look.latest.front();
  if (step.phase == Phase::Verifying) status.soak_since = pass.now;
  for (std::size_t i = 0; i < pass.look.latest.size() && i < status.targets.size(); ++i) {
    if (!pass.look.latest[i].empty()) status.targets[i].version_seen = pass.look.latest[i];  // vaults come first
  }
  if (api::is_terminal(step.phase)) status.finished_at = pass.now;
  add_evidence(*pass.run, step, pass.now);
  // In the write that ends the run, so that there is no finished run without its seal.
  if (api::is_terminal(step.phase)) api::seal(*pass.run, api::last_sealed(pass.runs));
  auto recorded = co_await ports_.records.update_run(context, *pass.run);
  if (!recorded) {
    if (recorded.error().code == Errc::Conflict) co_return Outcome::again(Duration{0});
    co_return recorded.error();
  }
  pass.run = std::move(*recorded);
  const bool warn = turns || step.phase == Phase::RolledBack;
  std::string told = describe(step, pass.run->spec);
  if (api::is_terminal(step.phase)) told += sealed_note(*pass.run);
  ports_.recorder.event(api::SecretRotation::kind, pass.rotation.meta.key(), warn ? EventType::Warning : EventType::Normal,
                        turns ? step.reason : api::name_of(step.phase), "Advance", std::move(told));
  log::info("run advanced",
            {{"rotation", pass.rotation.meta.key()}, {"run", pass.run->meta.name}, {"phase", std::string(api::name_of(step.phase))}});
  if (api::is_terminal(step.phase)) {
    log::info("record sealed",
              {{"rotation", pass.rotation.meta.key()}, {"run", pass.run->meta.name}, {"record", pass.run->status.record_hash}});
    watched_.erase(pass.rotation.meta.key());
    claims_.forget(pass.rotation.meta.key());
    // What was staged for a run that was let go is left to whoever looks whether a system accepts it after all. Of a first credential that
    // was seen already.
    co_await tidy(context, pass, step.phase != Phase::Abandoned || pass.run->spec.bootstrap);
  }
  for (api::RotationRun& run : pass.runs) {
    if (run.meta.name == pass.run->meta.name) run = *pass.run;
  }
  pass.decide_again(ports_.zones);
  auto written = co_await publish_status(context, pass);
  if (!written) co_return written.error();
  co_return Outcome::again(Duration{0});
}

// Since when a consumer is proven, for the bake of the canaries; journalled with the next write of the run.
void RotationReconciler::note_proven(Pass& pass) {
  const std::vector<api::ConsumerRef>& consumers = pass.run->spec.frozen.consumers;
  for (std::size_t i = 0; i < consumers.size(); ++i) {
    if (pass.look.seen.consumers[i].state != ConsumerState::Proven) continue;
    api::RunTarget* target = find_target(*pass.run, api::TargetKind::Consumer, consumers[i].name);
    const VersionId& version = pass.look.latest[vault_of(pass.run->spec.frozen, i)];
    const bool noted = target && target->state == proven_state && target->version_seen == version;
    const bool ahead = noted && target->changed_at > pass.now;  // by a clock that was wrong
    if (!target || (noted && !ahead)) continue;
    if (target->version_seen != version) target->mark.clear();
    target->version_seen = version;
    target->state = std::string(proven_state);
    target->changed_at = pass.now;
    pass.newly_proven = true;
  }
}

// That a system refuses what was withdrawn needs to be seen once.
void RotationReconciler::note_withdrawn(Pass& pass) {
  const Phase phase = pass.run->status.phase;
  if (phase != Phase::Retiring && phase != Phase::Withdrawing) return;
  const std::vector<api::DependentRef>& dependents = pass.run->spec.frozen.dependents;
  for (std::size_t i = 0; i < dependents.size(); ++i) {
    const DependentObservation& seen = pass.look.seen.dependents[i];
    const bool refused = (phase == Phase::Retiring ? seen.old : seen.pending) == ProbeResult::Rejected;
    api::RunTarget* target = find_target(*pass.run, api::TargetKind::Dependent, dependents[i].system);
    if (!refused || !target || target->state == withdrawn_state) continue;
    target->state = std::string(withdrawn_state);
    target->changed_at = pass.now;
    pass.newly_proven = true;
  }
}

Task<> RotationReconciler::note_budget(Context context, Pass& pass) {
  const api::SecretRotationSpec& spec = pass.run->spec.frozen;
  const auto begins = [&](std::size_t i) {
    const ConsumerObservation& seen = pass.look.seen.consumers[i];
    return seen.act_due && !seen.begun && spec.consumers[i].reload == api::ReloadMode::Restart;
  };
  bool any = false;
  for (std::size_t i = 0; i < spec.consumers.size(); ++i) any |= begins(i);
  if (!any) co_return ok();
  const auto counts = [&](const api::RotationRun& run) { return restarted_lately(run, spec.environment, pass.now); };
  auto recent = co_await ports_.records.runs(context, counts);
  if (!recent) co_return recent.error();
  for (std::size_t i = 0; i < spec.consumers.size(); ++i) {
    if (!begins(i)) continue;
    pass.look.seen.consumers[i].restart_again_at =
        restart_again_at(pass.environment.spec.protection, spec.environment, spec.consumers[i].name, *recent, pass.now);
  }
  co_return ok();
}

Task<Outcome> RotationReconciler::act(Context context, Pass& pass) {
  const Plan step = pass.step;
  const std::string name = step.action == Action::Stage ? pass.run->spec.frozen.secret.vaults.front() : target_of(step, pass.run->spec);
  api::RunTarget* target = find_target(*pass.run, kind_of(step.action), name);
  if (!target) co_return Error{Errc::Internal, "the run has no such target"};
  const std::string before = target->state;
  // What is staged is not published: that the state of a vault tells.
  if (step.action != Action::Stage) target->state = std::string(intended_state);
  target->intent_epoch = epoch_;
  ++target->attempts;
  target->changed_at = pass.now;
  bool begins_restart = false;
  if (step.action == Action::Converge) {
    const VersionId& version = pass.look.latest[vault_of(pass.run->spec.frozen, step.target)];
    if (target->version_seen != version) target->mark.clear();
    target->version_seen = version;
    begins_restart = target->mark.empty() && pass.run->spec.frozen.consumers[step.target].reload == api::ReloadMode::Restart;
    if (begins_restart) note_restart(*target, pass.now);
  }
  pass.run->status.blocked.clear();
  auto intended = co_await ports_.records.update_run(context, *pass.run);
  if (!intended && enforced(Guard::IntentBeforeEffect)) {
    if (intended.error().code == Errc::Conflict) co_return Outcome::again(Duration{0});
    co_return intended.error();
  }
  if (intended) pass.run = std::move(*intended);

  // A staged value that arrives late is harmless, so staging may take its time to read what it is made from.
  Context bounded = context.named(name_of(step.action)).with_timeout(pass.timing().request);
  if (step.action != Action::Stage && enforced(Guard::SendDeadline)) bounded = bounded.sending_within(pass.timing().issue);
  Quarantine::Request request(quarantine_, pass.identity(), context.clock());
  auto executed = co_await execute(bounded, pass.targets, *pass.run, pass.look, step, ports_.random, ports_.records.owner());
  if (executed || is_definite(executed.error().code)) request.answered();
  target = find_target(*pass.run, kind_of(step.action), name);
  if (!executed) {
    const Error error = executed.error();
    log::warn("a step failed", {{"rotation", pass.rotation.meta.key()}, {"step", describe(step, pass.run->spec)}, {"error", error}});
    const int doublings = std::clamp(target->attempts - 1, 0, backoff_doublings_max);
    target->last_error = std::string(name_of(error.code));
    if (target->kind == api::TargetKind::Dependent && is_definite(error.code)) target->state = before;
    if (begins_restart && is_definite(error.code)) target->restarts.pop_back();  // it did not begin
    auto noted = co_await ports_.records.update_run(context, *pass.run);
    if (!noted && noted.error().code != Errc::Conflict) co_return noted.error();
    co_return Outcome::again(error.retry_after.value_or(pass.timing().poll * (1 << doublings)));
  }
  log::info("step done", {{"rotation", pass.rotation.meta.key()}, {"step", describe(step, pass.run->spec)}});
  if (step.action != Action::Stage) target->state = std::string(done_state);
  target->last_error.clear();
  target->attempts = 0;
  if (step.action == Action::Converge) target->mark = executed->mark;
  add_evidence(*pass.run, step, context.clock().now());
  auto noted = co_await ports_.records.update_run(context, *pass.run);
  if (!noted && noted.error().code != Errc::Conflict) co_return noted.error();
  auto written = co_await publish_status(context, pass);
  if (!written) co_return written.error();
  co_return Outcome::again(Duration{0});
}

// Waiting or blocked: say so once, and look again.
Task<Outcome> RotationReconciler::rest(Context context, Pass& pass) {
  const std::string blocked = pass.step.action == Action::Block ? std::string(pass.step.reason) : std::string{};
  const bool newly_blocked = pass.run->status.blocked != blocked;
  if (newly_blocked || pass.newly_proven || pass.newly_parked) {
    pass.run->status.blocked = blocked;
    auto noted = co_await ports_.records.update_run(context, *pass.run);
    if (!noted && noted.error().code != Errc::Conflict) co_return noted.error();
    if (newly_blocked && !blocked.empty()) {
      ports_.recorder.event(api::SecretRotation::kind, pass.rotation.meta.key(), EventType::Warning, blocked, "Block",
                            describe(pass.step, pass.run->spec));
    }
  }
  auto written = co_await publish_status(context, pass);
  if (!written) co_return written.error();
  // Where the moment is known (a soak, a bake, the quarantine) only drift is worth a look before it.
  Duration next = pass.timing().poll;
  if (pass.step.look_at && *pass.step.look_at > pass.now) next = std::min(pass.timing().drift_interval, *pass.step.look_at - pass.now);
  co_return Outcome::again(std::max(next, Duration{1}));
}

}  // namespace keyturn
