#include "reconcilers/rotation/reconciler.h"

#include <algorithm>

#include "api/reasons.h"
#include "api/record_chain.h"
#include "api/validate.h"
#include "base/log.h"
#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/pass.h"

namespace keyturn {
namespace {

namespace reason = api::reason;

constexpr int patience_of_refusal = 15;  // polls between two looks at what a human must mend

// What this build cannot do; empty = nothing.
std::string_view unsupported(const api::SecretRotationSpec& spec) {
  if (spec.secret_class == api::SecretClass::Reminder) return "this build keeps no reminders; write class Credential or SharedKey";
  const bool minted = spec.generator.type == api::GeneratorType::ProviderMinted;
  if (minted && spec.dependents.size() != 1) return "a value that a provider makes is that of one system; name one dependent";
  return {};
}

// An unfinished run whose object was removed by force is still brought to its end.
api::SecretRotation ghost_of(const api::RotationRun& run) {
  api::SecretRotation ghost;
  ghost.meta.name = run.spec.rotation.name;
  ghost.meta.ns = run.spec.rotation.ns;
  ghost.meta.uid = run.spec.rotation_uid;
  ghost.meta.deleted = run.status.started_at;
  ghost.spec = run.spec.frozen;
  return ghost;
}

std::string joined(const api::Violations& violations) {
  std::string text;
  for (const api::Violation& violation : violations) text += (text.empty() ? "" : "; ") + violation.field + ": " + violation.message;
  return text;
}

}  // namespace

RotationReconciler::RotationReconciler(RotationPorts ports, Clock& clock, EpochId epoch)
    : ports_(ports), epoch_(std::move(epoch)), quarantine_(clock.boot_now()) {}

Task<Outcome> RotationReconciler::reconcile(Context context, ObjectKey key) {
  Pass pass;
  pass.now = context.clock().now();
  auto own = co_await ports_.records.runs(context, [&](const api::RotationRun& run) { return run.spec.rotation == key; });
  if (!own) co_return own.error();
  pass.runs = runs_of(key, *own);
  note_foreign_end(pass.runs, context.clock().boot_now());
  if (const api::RotationRun* run = unfinished(pass.runs)) pass.run = *run;

  auto rotation = co_await ports_.records.rotation(context, key);
  if (!rotation && rotation.error().code != Errc::NotFound) co_return rotation.error();
  pass.ghost = !rotation;
  if (pass.ghost && !pass.run) {
    watched_.erase(key);
    claims_.forget(key);
    co_return Outcome::done();
  }
  pass.rotation = rotation ? std::move(*rotation) : ghost_of(*pass.run);
  pass.decide_again(ports_.zones);

  const api::SecretRotationSpec& spec = pass.run ? pass.run->spec.frozen : pass.rotation.spec;
  auto environment = co_await ports_.records.environment(context, spec.environment);
  if (!environment) {
    co_return co_await refused(context, pass, reason::invalid_reference,
                               "environmentRef.name: no such RotationEnvironment that can be read; create it or name another");
  }
  pass.environment = std::move(*environment);
  const api::Violations violations = api::validate_against(pass.environment.spec, key.ns, spec);
  pass.authorised = violations.empty();
  if (!pass.authorised && !pass.run) co_return co_await refused(context, pass, reason::not_bound, joined(violations));
  if (const std::string_view lacking = unsupported(spec); !lacking.empty()) {
    co_return co_await refused(context, pass, reason::unsupported, std::string(lacking));
  }
  auto targets = resolve(ports_.catalog, pass.environment, spec);
  if (!targets) {
    const bool no_adapter = targets.error().code == Errc::NotFound;
    co_return co_await refused(context, pass, no_adapter ? reason::unsupported : reason::invalid_reference, targets.error().message);
  }
  pass.targets = std::move(*targets);
  auto recalled = co_await recall_lost(context, pass);
  if (!recalled && !pass.run) {
    co_return co_await refused(context, pass, reason::store_unreachable, "the vault cannot be read: " + recalled.error().message);
  }
  // Without the names that only the vault knows nothing can be said about what is wanted: the run goes on as it is.
  if (!recalled) pass.decision = {.verb = Verb::Hold, .reason = reason::store_unreachable};
  if (pass.run) co_return co_await drive(context, pass);
  co_return co_await idle(context, pass);
}

Task<> RotationReconciler::recall_lost(Context context, Pass& pass) {
  if (!earlier_runs_unknown(pass.runs)) co_return ok();
  Watched& watched = watched_[pass.rotation.meta.key()];
  if (!watched.recalled) {
    const api::SecretRotationSpec& spec = pass.run ? pass.run->spec.frozen : pass.rotation.spec;
    auto versions = co_await pass.targets.vaults.front()->versions(context.named("recall"), spec.secret.name);
    if (!versions) co_return versions.error();
    watched.recalled = recollect(*versions, ports_.records.owner());
  }
  pass.recalled = watched.recalled;
  pass.decide_again(ports_.zones);
  co_return ok();
}

Task<Outcome> RotationReconciler::refused(Context context, Pass& pass, std::string_view why, std::string message) {
  pass.refusal = why;
  pass.refusal_message = std::move(message);
  auto written = co_await publish_status(context, pass);
  if (!written) co_return written.error();
  co_return Outcome::again(pass.timing().poll * patience_of_refusal);
}

// Without a run under way nobody needs a staged value (L4): neither the one that was used nor those that lost a race. What is of a later
// generation than the journal read here knows is of a run that another controller has begun since.
Task<> RotationReconciler::clean_up(Context context, Pass& pass) {
  auto versions = co_await pass.targets.staging->versions(context, pass.targets.staging_name);
  if (!versions) co_return versions.error();
  const std::int64_t next = next_generation(pass.run ? pass.run->spec.frozen : pass.rotation.spec, pass.runs);
  for (const VaultVersion& version : *versions) {
    const bool over = version.tags.owner == ports_.records.owner() && version.tags.generation < next;
    if (!version.enabled || !over) continue;
    auto disabled = co_await pass.targets.staging->set_enabled(context, pass.targets.staging_name, version.id, false);
    if (!disabled) co_return disabled.error();
  }
  co_return ok();
}

// A system that does not accept what is published may have been given a staged value, by a run that a restored journal does not know: that
// may be the only copy of it (I1).
Awaitable<> RotationReconciler::tidy(Context context, Pass& pass, bool sound) {
  if (!sound) co_return;
  auto cleaned = co_await clean_up(context, pass);
  if (!cleaned) log::warn("a staged value is still enabled", {{"rotation", pass.rotation.meta.key()}, {"error", cleaned.error()}});
}

// What another epoch has sent for a run that it ended may still land: the quarantine counts from when that is first seen here.
void RotationReconciler::note_foreign_end(const std::vector<api::RotationRun>& runs, BootInstant now) {
  for (const api::RotationRun& run : runs) {
    if (!api::is_terminal(run.status.phase) || run.status.owner_epoch == epoch_ || !enforced(Guard::TakeoverIsNoted)) continue;
    std::int64_t& known = ended_elsewhere_[run.spec.identity];
    if (run.spec.generation <= known) continue;
    known = run.spec.generation;
    quarantine_.taken_over(run.spec.identity, now);
  }
}

Task<> RotationReconciler::publish_status(Context context, Pass& pass) {
  if (pass.ghost) co_return ok();
  const std::vector<api::RotationRun>& runs = pass.runs;
  const api::RotationRun* run = pass.run ? &*pass.run : runs.empty() ? nullptr : &runs.back();
  Knowledge known{.object = &pass.rotation, .ledger = &pass.ledger, .decision = &pass.decision, .run = run};
  if (pass.looked) {
    known.next = &pass.step;
    known.seen = &pass.look.seen;
  }
  known.refusal = pass.refusal;
  known.refusal_message = pass.refusal_message;
  known.held = pass.gate;
  known.drift = pass.drift;
  known.plan = pass.plan;
  known.record = api::head_after(pass.rotation.status.record, pass.runs);
  auto written = co_await ports_.records.write_status(context, pass.rotation, project(known, pass.now));
  // The object may have gone meanwhile: no failure of this pass.
  if (!written && (written.error().code == Errc::NotFound || written.error().code == Errc::Conflict)) co_return ok();
  co_return written;
}

}  // namespace keyturn
