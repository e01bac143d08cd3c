// What the controller would do for a rotation now, without doing it: the content of `keyturn plan`, and what admission checks.
#pragma once

#include <string>
#include <vector>

#include "base/time_zone.h"
#include "reconcilers/rotation/preview.h"
#include "reconcilers/rotation/intent.h"
#include "reconcilers/rotation/records.h"
#include "reconcilers/rotation/targets.h"

namespace keyturn {

struct Forecast {
  Decision decision;
  CredentialName credential;       // what would be current afterwards
  std::vector<PlannedStep> steps;  // empty when no run would begin
  Hazards hazards;
  std::string hash;          // binds an approval
  Duration unsafe_window{};  // expected; 0 where two credentials can live
};

// With one live credential: from the change at the system to the publication, and until consumers restarted (protocol.md 11).
inline constexpr Duration unsafe_window_expected = std::chrono::seconds(45);

// Reads the objects and asks consumers for their baseline; touches nothing. `revision` asks what would happen if the spec named it; empty =
// as the spec is. Errors: NotFound, Invalid (with what to mend).
Task<Forecast> forecast(Context context, Records& records, Catalog& catalog, const TimeZones& zones, ObjectKey key,
                        std::string revision = {});

// The forecast of a run that is about to be created from `run`.
Forecast forecast_of(const api::RotationRunSpec& run, const Decision& decision, const EnvironmentView& view, const api::Timing& timing);

// Asks each consumer how it is. What cannot be told is left out.
Awaitable<std::vector<ConsumerFacts>> baselines(Context context, const Targets& targets, std::string secret);

}  // namespace keyturn
