#include "reconcilers/rotation/reconciler.h"

#include <algorithm>

#include "api/codec.h"
#include "api/reasons.h"
#include "api/record_chain.h"
#include "api/validate.h"
#include "base/log.h"
#include "reconcilers/rotation/admission.h"
#include "reconcilers/rotation/credential_format.h"
#include "reconcilers/rotation/describe.h"
#include "reconcilers/rotation/drift_watch.h"
#include "reconcilers/rotation/evidence.h"
#include "reconcilers/rotation/execute.h"
#include "reconcilers/rotation/found.h"
#include "reconcilers/rotation/gates.h"
#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/ledger.h"
#include "reconcilers/rotation/look_ahead.h"
#include "reconcilers/rotation/observe.h"
#include "reconcilers/rotation/refusal_reason.h"

namespace keyturn {
namespace {

namespace reason = api::reason;
using api::Phase;

constexpr int backoff_doublings_max = 5;
constexpr int patience_of_refusal = 15;  // polls between two looks at what a human must mend

api::RunTarget* find_target(api::RotationRun& run, api::TargetKind kind, const std::string& name) {
  auto& targets = run.status.targets;
  const auto found =
      std::find_if(targets.begin(), targets.end(), [&](const api::RunTarget& one) { return one.kind == kind && one.name == name; });
  return found == targets.end() ? nullptr : &*found;
}

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

// What a provider made is gone for good when somebody had it make another value: that is for a new revision, not for a repair.
bool may_repair(const api::SecretRotationSpec& spec, const api::RotationRun& last) {
  const bool minted = spec.generator.type == api::GeneratorType::ProviderMinted;
  return spec.strategy.drift_policy == api::DriftPolicy::Enforce && !spec.suspend && !minted && !last.status.published_version.empty();
}

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

// The end of the chain of records, told where it outlives the journal: whoever kept it can give it to `keyturn verify --anchor`.
std::string sealed_note(const api::RotationRun& run) { return "; record " + run.status.record_hash; }

std::string joined(const api::Violations& violations) {
  std::string text;
  for (const api::Violation& violation : violations) text += (text.empty() ? "" : "; ") + violation.field + ": " + violation.message;
  return text;
}

}  // namespace

struct RotationReconciler::Pass {
  api::SecretRotation rotation;
  bool ghost = false;  // the object is gone: there is no status to write
  api::RotationEnvironment environment;
  std::vector<api::RotationRun> all;    // that matter for beginning one
  std::vector<api::RotationRun> runs;   // the rotation's own, oldest first
  std::optional<api::RotationRun> run;  // unfinished
  Targets targets;
  bool authorised = true;
  Ledger ledger;
  std::optional<Recollection> recalled;
  Decision decision;
  Gate gate;  // closed: the decision's run may not start yet
  Look look;
  bool looked = false;
  bool newly_proven = false;  // something in this look that the journal is to keep
  bool newly_parked = false;  // or no longer
  Plan step;
  std::string_view refusal;
  std::string refusal_message;
  std::optional<std::string> drift;
  std::optional<api::PlanStatus> plan;
  Instant now{};

  const api::Timing& timing() const { return environment.spec.timing; }
  std::string identity() const { return run ? run->spec.identity : identity_of(rotation.spec); }
  void decide_again(const TimeZones& zones) {
    ledger = ledger_of(runs, rotation.spec.revision, rotation.status.issued_not_before, rotation.spec.issued_not_before);
    if (recalled) recall(ledger, *recalled);
    decision = decide(rotation.spec, ledger, now, zones);
  }
};

RotationReconciler::RotationReconciler(RotationPorts ports, Clock& clock, EpochId epoch)
    : ports_(ports), epoch_(std::move(epoch)), quarantine_(clock.boot_now()) {}

Task<Outcome> RotationReconciler::reconcile(Context context, ObjectKey key) {
  Pass pass;
  pass.now = context.clock().now();
  auto own = co_await ports_.records.runs(context, [&](const api::RotationRun& run) { return run.spec.rotation == key; });
  if (!own) co_return own.error();
  pass.runs = runs_of(key, *own);
  if (const api::RotationRun* run = unfinished(pass.runs)) pass.run = *run;

  auto rotation = co_await ports_.records.rotation(context, key);
  if (!rotation && rotation.error().code != Errc::NotFound) co_return rotation.error();
  pass.ghost = !rotation;
  if (pass.ghost && !pass.run) {
    watched_.erase(key);
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

// ---- nothing is under way ----------------------------------------------------------------------------------------------------

Task<Outcome> RotationReconciler::idle(Context context, Pass& pass) {
  if (pass.rotation.meta.deleted) {
    watched_.erase(pass.rotation.meta.key());
    auto cleared = co_await ports_.records.set_finalizer(context, pass.rotation.meta.key(), false);
    if (!cleared && cleared.error().code != Errc::NotFound) co_return cleared.error();
    co_return Outcome::done();
  }
  const bool adopts = !run_in_force(pass.runs);
  const bool begins = pass.decision.verb == Verb::Mint || pass.decision.verb == Verb::Activate;
  if (!adopts && begins) {
    auto gate = co_await gate_of(context, pass);
    if (!gate) co_return gate.error();
    pass.gate = std::move(*gate);
    if (!pass.gate.open()) pass.decision.due = pass.gate.until;
  }
  if (!adopts && (!begins || !pass.gate.open())) co_return co_await keep_watch(context, pass);
  if (auto loaded = co_await load_all(context, pass); !loaded) co_return loaded.error();
  co_return adopts ? co_await adopt_published(context, pass) : co_await begin_run(context, pass);
}

Task<> RotationReconciler::load_all(Context context, Pass& pass) {
  const ObjectKey key = pass.rotation.meta.key();
  const std::string identity = identity_of(pass.rotation.spec);
  auto all = co_await ports_.records.runs(context, [&](const api::RotationRun& run) { return matters_to(key, identity, run); });
  if (!all) co_return all.error();
  pass.all = std::move(*all);
  co_return ok();
}

Task<Gate> RotationReconciler::gate_of(Context context, Pass& pass) {
  const api::Protection& protection = pass.environment.spec.protection;
  const std::string& elsewhere = protection.promote_after.environment;
  std::vector<api::RotationRun> promoted;
  if (!elsewhere.empty()) {
    const auto counts = [&](const api::RotationRun& run) { return is_counterpart(run, pass.rotation, elsewhere); };
    auto found = co_await ports_.records.runs(context, counts);
    if (!found) co_return found.error();
    promoted = std::move(*found);
  }
  co_return may_start(protection, pass.rotation, pass.decision, promoted, pass.now, ports_.zones);
}

// What is published before Keyturn comes is taken over as it is, once it is seen to log in (vision.md, promise 5).
Task<Outcome> RotationReconciler::adopt_published(Context context, Pass& pass) {
  const api::SecretRotationSpec& spec = pass.rotation.spec;
  const Found found = co_await find_published(context, pass.targets, spec, pass.all, ports_.records.owner());
  if (found.what == Found::What::Nothing) co_return co_await bootstrap(context, pass);
  if (found.what == Found::What::Refused) co_return co_await refused(context, pass, found.reason, found.message);
  std::string principal =
      spec.dependents.empty() || spec.dependents.front().principals.empty() ? std::string{} : spec.dependents.front().principals.front();
  auto login = extract(spec.secret.format, found.value, principal);
  if (!login) co_return co_await refused(context, pass, reason::format_not_reversible, login.error().message);
  principal = login->principal;
  for (const auto& dependent : pass.targets.dependents) {
    auto probe = co_await dependent->probe(context.named("adopt"), principal, login->password);
    const bool accepted = probe && *probe == ProbeResult::Accepted;
    if (!accepted) {
      co_return co_await refused(context, pass, reason::baseline, "the published credential does not log in; nothing was changed");
    }
  }
  const bool tagged = found.tags.ours();
  const bool named = tagged && !found.tags.credential.empty();
  const CredentialName name = named ? found.tags.credential : CredentialName{spec.revision, spec.pin_serial.value_or(1)};
  const std::int64_t generation = std::max(next_generation(identity_of(spec), pass.all), tagged ? found.tags.generation : 0);
  const EnvironmentView view = view_of(pass.environment.spec, spec, pass.targets, {});
  api::RotationRun record = adopt(pass.rotation, name, principal, found.versions, generation, view, pass.now);
  record.status.owner_epoch = epoch_;
  api::seal(record, api::last_sealed(pass.runs));
  const std::string sealed = sealed_note(record);
  auto created = co_await ports_.records.create_run(context, std::move(record));
  if (!created && created.error().code != Errc::Conflict) co_return created.error();
  ports_.recorder.event(api::SecretRotation::kind, pass.rotation.meta.key(), EventType::Normal, reason::adopted, "Adopt",
                        name.to_string() + " was found published and logs in; nothing was changed" + sealed);
  co_return Outcome::again(Duration{0});
}

// There was never anything: the first credential is made, once it is wanted.
Task<Outcome> RotationReconciler::bootstrap(Context context, Pass& pass) {
  if (pass.decision.verb != Verb::Mint) {
    const std::string_view why = pass.decision.verb == Verb::Refuse ? pass.decision.reason : reason::baseline;
    co_return co_await refused(context, pass, why, "the secret does not exist, and nothing asks for a first value now");
  }
  auto gate = co_await gate_of(context, pass);
  if (!gate) co_return gate.error();
  if (!gate->open()) co_return co_await refused(context, pass, gate->reason, gate->message);
  co_return co_await begin(context, pass, {});
}

Task<Outcome> RotationReconciler::begin_run(Context context, Pass& pass) {
  const api::SecretRotationSpec& spec = pass.rotation.spec;
  auto latest = co_await pass.targets.vaults.front()->read_latest(context.named("begin"), spec.secret.name);
  if (!latest) co_return co_await refused(context, pass, reason::store_unreachable, "the vault cannot be read: " + latest.error().message);
  if (!latest->facts.latest) {
    co_return co_await refused(context, pass, reason_of(latest->facts.refusal), "the secret cannot be read in its vault");
  }
  const VaultVersion version = *latest->facts.latest;
  const bool behind =
      version.tags.owner == ports_.records.owner() && version.tags.generation >= next_generation(identity_of(spec), pass.all);
  if (behind && enforced(Guard::JournalBehindBlocks)) {
    co_return co_await refused(context, pass, reason::journal_behind, "the vault carries a newer generation than the journal knows");
  }
  co_return co_await begin(context, pass, version.id);
}

// Admits the run that the decision asks for. `published` is what the first vault returns; empty = there was never anything.
Task<Outcome> RotationReconciler::begin(Context context, Pass& pass, VersionId published) {
  const api::SecretRotationSpec& spec = pass.rotation.spec;
  const ObjectKey key = pass.rotation.meta.key();
  if (in_use_by(spec, key, pass.all) && enforced(Guard::OneRunPerIdentity)) {
    co_return co_await refused(context, pass, reason::identity_in_use, "another rotation's run is changing the same credential or secret");
  }
  const EnvironmentView view = co_await look_ahead(context.named("plan"), pass.targets, pass.environment.spec, spec);
  const bool fading = protocol_of(spec, view) == api::Protocol::Shift && pass.decision.verb == Verb::Activate;
  if (fading) {
    co_return co_await refused(context, pass, reason::revision_not_retained,
                               "the provider makes the values and keeps none for good; name a new revision");
  }
  api::RotationRun run = admit(pass.rotation, pass.decision, pass.runs, pass.all, view, published, pass.now);
  if (published.empty()) begin_with_nothing(run.spec);
  const LedgerEntry* wanted = pass.ledger.find(run.spec.credential);
  const bool known_by_tags_only = run.spec.direction == api::Direction::Back && run.spec.reuse_version.empty();
  if (known_by_tags_only && wanted) run.spec.reuse_version = wanted->version;
  const Forecast ahead = forecast_of(run.spec, pass.decision, view, pass.timing());
  pass.plan = api::PlanStatus{.hash = ahead.hash,
                              .next_step = ahead.steps.empty() ? std::string{} : ahead.steps.front().description,
                              .hazards = static_cast<int>(ahead.hazards.size())};
  const auto blocking =
      std::find_if(ahead.hazards.begin(), ahead.hazards.end(), [](const Hazard& hazard) { return hazard.severity == Severity::Blocking; });
  if (blocking != ahead.hazards.end()) co_return co_await refused(context, pass, blocking->reason, blocking->message);
  if (pass.environment.spec.protection.approval_required && spec.approved_plan != ahead.hash) {
    co_return co_await refused(context, pass, reason::approval_required, "set spec.approvedPlan to " + ahead.hash);
  }
  run.spec.plan_hash = ahead.hash;
  run.status.owner_epoch = epoch_;
  // The finalizer stands before anything outside is touched, so that a deletion cannot leave a run half done.
  auto finalizer = co_await ports_.records.set_finalizer(context, key, true);
  if (!finalizer) co_return finalizer.error();
  auto created = co_await ports_.records.create_run(context, std::move(run));
  if (!created && created.error().code != Errc::Conflict) co_return created.error();
  if (created) {
    ports_.recorder.event(api::SecretRotation::kind, key, EventType::Normal, pass.decision.reason, "Begin",
                          "began to bring in " + pass.decision.credential.to_string());
  }
  co_return Outcome::again(Duration{0});
}

// Steady state: is the current credential still published and accepted?
Task<Outcome> RotationReconciler::keep_watch(Context context, Pass& pass) {
  const ObjectKey key = pass.rotation.meta.key();
  Watched& watched = watched_[key];
  const BootInstant boot_now = context.clock().boot_now();
  const Duration interval = pass.timing().drift_interval;
  const api::SecretRotationSpec& spec = pass.rotation.spec;
  const api::RotationRun& last = *run_in_force(pass.runs);
  if (watched.at == BootInstant{} || boot_now - watched.at >= interval) {
    const DriftLook look = co_await look_for_drift(context.named("watch"), pass.targets, spec, last);
    if (look.told) {
      if (look.drift != watched.drift && !look.drift.empty()) {
        ports_.recorder.event(api::SecretRotation::kind, key, EventType::Warning, reason::drift, "Watch", look.drift);
      }
      watched.at = boot_now;
      watched.drift = look.drift;
      if (!look.drift.empty() && may_repair(spec, last)) co_return co_await repair(context, pass, look.published);
    }
    // What a crash right after the end of a run left behind.
    auto cleaned = co_await clean_up(context.named("clean up"), pass);
    if (!cleaned) log::warn("a staged value is still enabled", {{"rotation", key}, {"error", cleaned.error()}});
  }
  pass.drift = watched.drift;
  auto written = co_await publish_status(context, pass);
  if (!written) co_return written.error();
  Duration next = interval;
  if (pass.decision.due && *pass.decision.due > pass.now) next = std::min(next, *pass.decision.due - pass.now);
  co_return Outcome::again(std::max(next, pass.timing().poll));
}

// Puts the credential in force back where somebody changed it, by a run of its own: staged, pinned and journalled like any other.
Task<Outcome> RotationReconciler::repair(Context context, Pass& pass, VersionId published) {
  const api::RotationRun& last = *run_in_force(pass.runs);
  pass.decision = {.verb = Verb::Repair, .credential = credential_in_force(last), .reason = reason::drift};
  if (auto loaded = co_await load_all(context, pass); !loaded) co_return loaded.error();
  // A vault that refuses, as it does for a newest version that was disabled by hand, is told by what was published last.
  co_return co_await begin(context, pass, published.empty() ? last.status.published_version : published);
}

Task<Outcome> RotationReconciler::refused(Context context, Pass& pass, std::string_view why, std::string message) {
  pass.refusal = why;
  pass.refusal_message = std::move(message);
  auto written = co_await publish_status(context, pass);
  if (!written) co_return written.error();
  co_return Outcome::again(pass.timing().poll * patience_of_refusal);
}

// ---- a run is under way ------------------------------------------------------------------------------------------------------

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
  if (enforced(Guard::TakeoverIsNoted)) quarantine_.taken_over(pass.identity(), context.clock().boot_now());
  pass.run->status.owner_epoch = epoch_;
  pass.run->status.quiet_not_before = pass.now + pass.timing().quarantine();
  auto claimed = co_await ports_.records.update_run(context, *pass.run);
  if (!claimed && claimed.error().code != Errc::Conflict) co_return claimed.error();
  log::info("took over a run", {{"rotation", pass.rotation.meta.key()}, {"run", pass.run->meta.name}});
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
    auto cleaned = co_await clean_up(context, pass);
    if (!cleaned) log::warn("a staged value is still enabled", {{"rotation", pass.rotation.meta.key()}, {"error", cleaned.error()}});
  }
  for (api::RotationRun& run : pass.runs) {
    if (run.meta.name == pass.run->meta.name) run = *pass.run;
  }
  pass.decide_again(ports_.zones);
  auto written = co_await publish_status(context, pass);
  if (!written) co_return written.error();
  co_return Outcome::again(Duration{0});
}

// Without a run under way nobody needs a staged value (L4): neither the one that was used nor those that lost a race.
Task<> RotationReconciler::clean_up(Context context, Pass& pass) {
  auto versions = co_await pass.targets.staging->versions(context, pass.targets.staging_name);
  if (!versions) co_return versions.error();
  for (const VaultVersion& version : *versions) {
    if (!version.enabled || version.tags.owner != ports_.records.owner()) continue;
    auto disabled = co_await pass.targets.staging->set_enabled(context, pass.targets.staging_name, version.id, false);
    if (!disabled) co_return disabled.error();
  }
  co_return ok();
}

// Since when a consumer is proven, for the bake of the canaries; journalled with the next write of the run.
void RotationReconciler::note_proven(Pass& pass) {
  const std::vector<api::ConsumerRef>& consumers = pass.run->spec.frozen.consumers;
  for (std::size_t i = 0; i < consumers.size(); ++i) {
    if (pass.look.seen.consumers[i].state != ConsumerState::Proven) continue;
    api::RunTarget* target = find_target(*pass.run, api::TargetKind::Consumer, consumers[i].name);
    const VersionId& version = pass.look.latest[vault_of(pass.run->spec.frozen, i)];
    if (!target || (target->state == proven_state && target->version_seen == version)) continue;
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
  target->state = "Intended";
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
  target->state = std::string(done_state);
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
