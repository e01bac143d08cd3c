#include "reconcilers/rotation/forecast.h"

#include <algorithm>

#include "reconcilers/rotation/admission.h"
#include "reconcilers/rotation/found.h"
#include "reconcilers/rotation/ledger.h"
#include "reconcilers/rotation/look_ahead.h"

namespace keyturn {

Forecast forecast_of(const api::RotationRunSpec& run, const Decision& decision, const EnvironmentView& view, const api::Timing& timing) {
  Forecast forecast{.decision = decision, .credential = run.credential};
  forecast.steps = preview(run, shape_of(run, timing));
  forecast.hazards = hazards(run.frozen, view);
  forecast.hash = plan_hash(run.frozen, forecast.steps, forecast.hazards);
  forecast.unsafe_window = unsafe_window_of(run);
  return forecast;
}

Duration unsafe_window_of(const api::RotationRunSpec& run) {
  const api::SecretRotationSpec& spec = run.frozen;
  const bool shared = spec.secret_class == api::SecretClass::SharedKey;
  const bool unsafe = shared ? spec.strategy.shared_key == api::SharedKeyMode::AcknowledgedWindow : run.protocol == api::Protocol::Single;
  if (!unsafe) return {};
  const bool waits = std::any_of(spec.consumers.begin(), spec.consumers.end(),
                                 [](const api::ConsumerRef& consumer) { return consumer.reload == api::ReloadMode::Poll; });
  return publication_expected + restart_expected + (waits ? platform_reload_expected : Duration{});
}

Task<Forecast> forecast(Context context, Records& records, Catalog& catalog, const TimeZones& zones, ObjectKey key, std::string revision) {
  auto rotation = co_await records.rotation(context, key);
  if (!rotation) co_return rotation.error();
  if (!revision.empty()) rotation->spec.revision = revision;
  auto environment = co_await records.environment(context, rotation->spec.environment);
  if (!environment) co_return Error{Errc::Invalid, "the environment does not exist or cannot be read"};
  auto all = co_await records.runs(context, [&](const api::RotationRun& run) { return matters_to(key, rotation->spec, run); });
  if (!all) co_return all.error();
  auto targets = resolve(catalog, *environment, rotation->spec);
  if (!targets) co_return targets.error();
  const EnvironmentView view = co_await look_ahead(context.named("plan"), *targets, environment->spec, rotation->spec);
  const std::vector<api::RotationRun> runs = runs_of(key, *all);
  Ledger ledger = ledger_of(runs, rotation->spec.revision, rotation->status.issued_not_before, rotation->spec.issued_not_before);
  if (earlier_runs_unknown(runs)) {
    auto versions = co_await targets->vaults.front()->versions(context.named("recall"), rotation->spec.secret.name);
    if (!versions) co_return versions.error();
    recall(ledger, recollect(*versions, records.owner()));
  }
  const Instant now = context.clock().now();
  const Decision decision = decide(rotation->spec, ledger, now, zones);
  const bool begins = decision.verb == Verb::Mint || decision.verb == Verb::Activate;
  if (!begins) {
    Forecast nothing{.decision = decision, .credential = decision.credential};
    nothing.hazards = hazards(rotation->spec, view);
    co_return nothing;
  }
  api::RotationRun run = admit(*rotation, decision, runs, *all, view, {}, now);
  if (!run_in_force(runs)) {
    const Found found = co_await find_published(context, *targets, rotation->spec, *all, records.owner());
    if (found.what == Found::What::Nothing) begin_with_nothing(run.spec);
  }
  co_return forecast_of(run.spec, decision, view, environment->spec.timing);
}

}  // namespace keyturn
