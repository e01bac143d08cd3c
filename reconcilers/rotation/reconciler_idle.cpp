// The reconciler while nothing is under way: adoption, the beginning of a run, and the watch over what the last one left.
#include <algorithm>

#include "api/reasons.h"
#include "api/record_chain.h"
#include "base/log.h"
#include "reconcilers/rotation/credential_format.h"
#include "reconcilers/rotation/drift_watch.h"
#include "reconcilers/rotation/found.h"
#include "reconcilers/rotation/guard.h"
#include "reconcilers/rotation/look_ahead.h"
#include "reconcilers/rotation/pass.h"
#include "reconcilers/rotation/refusal_reason.h"

namespace keyturn {
namespace {

namespace reason = api::reason;

// What a provider made is gone for good when somebody had it make another value: that is for a new revision, not for a repair.
bool may_repair(const api::SecretRotationSpec& spec, const api::RotationRun& last) {
  const bool minted = spec.generator.type == api::GeneratorType::ProviderMinted;
  return spec.strategy.drift_policy == api::DriftPolicy::Enforce && !spec.suspend && !minted && !last.status.published_version.empty();
}

}  // namespace

Task<Outcome> RotationReconciler::idle(Context context, Pass& pass) {
  if (pass.rotation.meta.deleted) {
    watched_.erase(pass.rotation.meta.key());
    if (const api::RotationRun* last = run_in_force(pass.runs)) {
      const DriftLook look =
          co_await look_for_drift(context.named("clean up"), pass.targets, pass.rotation.spec, *last, ports_.records.owner());
      co_await tidy(context.named("clean up"), pass, look.told && look.drift.empty());
    }
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
  if (auto loaded = co_await load_all(context, pass); !loaded) {
    if (loaded.error().code == Errc::Conflict) co_return Outcome::again(Duration{0});
    co_return loaded.error();
  }
  co_return adopts ? co_await adopt_published(context, pass) : co_await begin_run(context, pass);
}

Task<> RotationReconciler::load_all(Context context, Pass& pass) {
  const ObjectKey key = pass.rotation.meta.key();
  const api::SecretRotationSpec& spec = pass.rotation.spec;
  auto all = co_await ports_.records.runs(context, [&](const api::RotationRun& run) { return matters_to(key, spec, run); });
  if (!all) co_return all.error();
  pass.all = std::move(*all);
  note_foreign_end(pass.all, context.clock().boot_now());
  // Another controller may have begun or ended a run of this very rotation since the pass looked: what was decided is void then.
  const std::vector<api::RotationRun> own = runs_of(key, pass.all);
  if (own.size() != pass.runs.size() || unfinished(own)) co_return Error{Errc::Conflict, "the journal has moved"};
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
  auto keeper = co_await other_keeper(context, pass);
  if (!keeper) co_return keeper.error();
  if (*keeper) co_return co_await refused_as_kept(context, pass, **keeper);
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
  const std::int64_t generation = std::max(next_generation(spec, pass.all), tagged ? found.tags.generation : 0);
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
  if (is_behind(pass, version.tags, pass.all)) co_return co_await refused_as_behind(context, pass);
  co_return co_await begin(context, pass, old_version_of(pass, version));
}

VersionId RotationReconciler::old_version_of(const Pass& pass, const VaultVersion& latest) const {
  const api::RotationRun& last = *run_in_force(pass.runs);
  const bool ours = latest.tags.owner == ports_.records.owner() && latest.tags.credential == credential_in_force(last);
  const bool shared = pass.rotation.spec.secret_class == api::SecretClass::SharedKey;
  return shared && !ours && !last.status.published_version.empty() ? last.status.published_version : latest.id;
}

// Admits the run that the decision asks for. `published` is what the first vault returns; empty = there was never anything.
Task<Outcome> RotationReconciler::begin(Context context, Pass& pass, VersionId published) {
  const api::SecretRotationSpec& spec = pass.rotation.spec;
  const ObjectKey key = pass.rotation.meta.key();
  auto keeper = co_await other_keeper(context, pass);
  if (!keeper) co_return keeper.error();
  if (*keeper) co_return co_await refused_as_kept(context, pass, **keeper);
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
  // The floor that is known now goes with the run, also where the spec no longer names it: its credential is issued after that.
  run.spec.frozen.issued_not_before = pass.ledger.floor;
  run.status.owner_epoch = epoch_;
  // The finalizer stands before anything outside is touched, so that a deletion cannot leave a run half done.
  auto finalizer = co_await ports_.records.set_finalizer(context, key, true);
  if (!finalizer) co_return finalizer.error();
  auto created = co_await ports_.records.create_run(context, std::move(run));
  if (!created && created.error().code != Errc::Conflict) co_return created.error();
  if (created) {
    claims_.took(key, created->meta.name);
    ports_.recorder.event(api::SecretRotation::kind, key, EventType::Normal, pass.decision.reason, "Begin",
                          "began to bring in " + pass.decision.credential.to_string());
  }
  co_return Outcome::again(Duration{0});
}

Task<std::optional<ObjectKey>> RotationReconciler::other_keeper(Context context, const Pass& pass) {
  const ObjectKey key = pass.rotation.meta.key();
  const api::SecretRotationSpec& spec = pass.rotation.spec;
  if (!enforced(Guard::OneRunPerIdentity)) co_return std::optional<ObjectKey>{};
  if (const api::RotationRun* run = in_use_by(spec, key, pass.all)) co_return std::optional(run->spec.rotation);
  const api::RotationRun* last = brought_in_by_another(spec, key, pass.all);
  if (!last) co_return std::optional<ObjectKey>{};
  auto other = co_await ports_.records.rotation(context, last->spec.rotation);
  if (!other && other.error().code != Errc::NotFound) co_return other.error();
  // It may be gone, or may keep something else by now.
  const bool keeps = other && !other->meta.deleted && overlap(spec, other->spec);
  co_return keeps ? std::optional(last->spec.rotation) : std::nullopt;
}

Task<Outcome> RotationReconciler::refused_as_kept(Context context, Pass& pass, ObjectKey by) {
  return refused(std::move(context), pass, reason::identity_in_use,
                 by.ns + "/" + by.name + " manages the same login or the same secret; leave it to one of the two");
}

bool RotationReconciler::is_behind(const Pass& pass, const VersionTags& tags, const std::vector<api::RotationRun>& runs) const {
  return enforced(Guard::JournalBehindBlocks) && ahead_of_journal(tags, ports_.records.owner(), pass.rotation.spec, runs);
}

Task<Outcome> RotationReconciler::refused_as_behind(Context context, Pass& pass) {
  return refused(std::move(context), pass, reason::journal_behind, "the vault carries what a run published that the journal does not know");
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
    const DriftLook look = co_await look_for_drift(context.named("watch"), pass.targets, spec, last, ports_.records.owner());
    if (look.told) {
      if (is_behind(pass, look.tags, pass.runs)) co_return co_await refused_as_behind(context, pass);
      if (look.drift != watched.drift && !look.drift.empty()) {
        ports_.recorder.event(api::SecretRotation::kind, key, EventType::Warning, reason::drift, "Watch", look.drift);
      }
      watched.at = boot_now;
      watched.drift = look.drift;
      if (!look.drift.empty() && may_repair(spec, last)) co_return co_await repair(context, pass, look.published);
    }
    // What a crash right after the end of a run left behind, or a run that was let go.
    co_await tidy(context.named("clean up"), pass, look.told && look.drift.empty());
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
  if (auto loaded = co_await load_all(context, pass); !loaded) {
    if (loaded.error().code == Errc::Conflict) co_return Outcome::again(Duration{0});
    co_return loaded.error();
  }
  // A vault that refuses, as it does for a newest version that was disabled by hand, is told by what was published last.
  co_return co_await begin(context, pass, published.empty() ? last.status.published_version : published);
}

}  // namespace keyturn
