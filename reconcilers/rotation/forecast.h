// What the controller would do for a rotation now, without doing it: the content of `keyturn plan`, and what admission checks.
#pragma once

#include <string>
#include <vector>

#include "base/time_zone.h"
#include "reconcilers/rotation/intent.h"
#include "reconcilers/rotation/preview.h"
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

// With one live credential, new logins fail from the change at the system until the new value is published, and then until the consumers,
// all at once, have loaded it (protocol.md 11: 20 to 45 s with starts of 18 to 26 s). One that is only waited for follows its platform.
inline constexpr Duration publication_expected = std::chrono::seconds(5);
inline constexpr Duration restart_expected = std::chrono::seconds(40);
inline constexpr Duration platform_reload_expected = std::chrono::minutes(30);
Duration unsafe_window_of(const api::RotationRunSpec& run);

// Reads the objects and looks ahead; touches nothing. `revision` asks what would happen if the spec named it; empty =
// as the spec is. Errors: NotFound, Invalid (with what to mend).
Task<Forecast> forecast(Context context, Records& records, Catalog& catalog, const TimeZones& zones, ObjectKey key,
                        std::string revision = {});

// The forecast of a run that is about to be created from `run`.
Forecast forecast_of(const api::RotationRunSpec& run, const Decision& decision, const EnvironmentView& view, const api::Timing& timing);

}  // namespace keyturn
