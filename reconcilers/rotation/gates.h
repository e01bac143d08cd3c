// What an environment's administrators put in the way of a decision: whether a run may start now, and whether one under way may go on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/rotation_environment.h"
#include "api/rotation_run.h"
#include "base/time_zone.h"
#include "reconcilers/rotation/intent.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn {

// Closed, with the reason (a word of api/reasons.h) and, as far as it can be known, the moment when it opens; or open, with no reason.
struct Gate {
  std::string_view reason;
  std::optional<Instant> until;
  std::string message;  // one sentence, the same as long as nothing changes
  bool open() const noexcept { return reason.empty(); }
};

// Whether the run that `decision` asks for (Mint or Activate) may start now. Pure. Of `elsewhere` those runs count that is_counterpart()
// holds for. In this order:
//  * going back (Activate) passes: neither a freeze nor a missing promotion keeps anybody on a credential that is not wanted;
//  * a confirmed compromise and a raised floor pass: waiting would keep the compromised credential alive;
//  * a freeze holds everything else until it is over and, for a scheduled run, a window is open;
//  * promotion holds a revision that is new here until it has been in use in the other environment for the bake. Scheduled serials of a
//    revision that is in use here already are not promoted: their revision was.
Gate may_start(const api::Protection& protection, const api::SecretRotation& rotation, const Decision& decision,
               const std::vector<api::RotationRun>& elsewhere, Instant now, const TimeZones& zones);

// When the freeze is over that holds at `now`, freezes that touch or overlap taken as one; nothing when none holds.
std::optional<Instant> frozen_until(const api::Protection& protection, Instant now);

// A run in `environment` of the rotation of the same object name, in whatever namespace, and of the same secret name.
bool is_counterpart(const api::RotationRun& run, const api::SecretRotation& rotation, std::string_view environment);

// Since when, without a break, `revision` has been in force in `environment` for a counterpart of the rotation; nothing where it is not in
// force now. Counted from the end of the run that brought it in.
std::optional<Instant> in_force_since(const std::vector<api::RotationRun>& all, const api::SecretRotation& rotation,
                                      std::string_view environment, std::string_view revision);

// ---- the restart budget --------------------------------------------------------------------------------------------------------

inline constexpr Duration restart_budget_period = std::chrono::hours(1);
inline constexpr std::size_t restarts_kept_max = 64;  // per consumer of a run

// True when a consumer of this environment was restarted by the run within the period: the runs that the budget needs.
bool restarted_lately(const api::RotationRun& run, std::string_view environment, Instant now);

// When Keyturn may begin to restart this consumer of this environment again: nothing = now. Every rotation's restarts count, in either
// direction, so that several rotations together cannot restart one application more often than its environment allows.
std::optional<Instant> restart_again_at(const api::Protection& protection, std::string_view environment, std::string_view consumer,
                                        const std::vector<api::RotationRun>& all, Instant now);

// Notes in the run's journal that a restart of this consumer begins, and forgets those that no budget counts any more.
void note_restart(api::RunTarget& consumer, Instant now);

// ---- a run that is parked ------------------------------------------------------------------------------------------------------

// True when the run rests by somebody's wish (suspended, frozen, over the restart budget), and not for lack of progress.
bool is_parked(const Plan& step);

// Since when the phase lasts, for its deadlines: time in which the run was parked does not count.
Instant phase_counts_from(const api::RotationRunStatus& status, Instant now);

// Brings the journal up to date with whether the run is parked. True when something changed that is to be written.
bool note_parked(api::RotationRunStatus& status, const Plan& step, Instant now);

}  // namespace keyturn
