#include "reconcilers/rotation/forecast.h"

#include "reconcilers/rotation/admission.h"
#include "reconcilers/rotation/ledger.h"

namespace keyturn {

Forecast forecast_of(const api::RotationRunSpec& run, const Decision& decision, const EnvironmentView& view, const api::Timing& timing) {
  Forecast forecast{.decision = decision, .credential = run.credential};
  forecast.steps = preview(run, shape_of(run, timing));
  forecast.hazards = hazards(run.frozen, view);
  forecast.hash = plan_hash(run.frozen, forecast.steps, forecast.hazards);
  if (run.protocol == api::Protocol::Single) forecast.unsafe_window = unsafe_window_expected;
  return forecast;
}

Awaitable<std::vector<ConsumerFacts>> baselines(Context context, const Targets& targets, std::string secret) {
  std::vector<ConsumerFacts> facts;
  for (const auto& consumer : targets.consumers) {
    auto found = co_await consumer->baseline(context, targets.vault_urls.front(), secret);
    // Not told is not zero: -1 keeps the replica hazard silent.
    facts.push_back(found ? std::move(*found) : ConsumerFacts{.replicas = -1});
  }
  co_return facts;
}

Task<Forecast> forecast(Context context, Records& records, Catalog& catalog, const TimeZones& zones, ObjectKey key, std::string revision) {
  auto rotation = co_await records.rotation(context, key);
  if (!rotation) co_return rotation.error();
  if (!revision.empty()) rotation->spec.revision = revision;
  auto environment = co_await records.environment(context, rotation->spec.environment);
  if (!environment) co_return Error{Errc::Invalid, "the environment does not exist or cannot be read"};
  auto all = co_await records.runs(context);
  if (!all) co_return all.error();
  auto targets = resolve(catalog, *environment, rotation->spec);
  if (!targets) co_return targets.error();
  const std::vector<ConsumerFacts> facts = co_await baselines(context, *targets, rotation->spec.secret.name);
  const EnvironmentView view = view_of(environment->spec, rotation->spec, *targets, facts);
  const std::vector<api::RotationRun> runs = runs_of(key, *all);
  const Ledger ledger = ledger_of(runs, rotation->spec.revision, rotation->status.issued_not_before, rotation->spec.issued_not_before);
  const Instant now = context.clock().now();
  const Decision decision = decide(rotation->spec, ledger, now, zones);
  const bool begins = decision.verb == Verb::Mint || decision.verb == Verb::Activate;
  if (!begins) {
    Forecast nothing{.decision = decision, .credential = decision.credential};
    nothing.hazards = hazards(rotation->spec, view);
    co_return nothing;
  }
  const api::RotationRun run = admit(*rotation, decision, runs, *all, view, {}, now);
  co_return forecast_of(run.spec, decision, view, environment->spec.timing);
}

}  // namespace keyturn
