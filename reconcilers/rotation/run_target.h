// The cells of a run's per-target vector: how one is found, and the words for its state.
#pragma once

#include <string_view>

#include "api/rotation_run.h"

namespace keyturn {

// Null when the run has no such target.
const api::RunTarget* find_target(const api::RotationRun& run, api::TargetKind kind, std::string_view name);
api::RunTarget* find_target(api::RotationRun& run, api::TargetKind kind, std::string_view name);

inline constexpr std::string_view pending_state = "Pending";    // it certainly got no effect of the run
inline constexpr std::string_view intended_state = "Intended";  // an effect on it was journalled; what became of it is not known
inline constexpr std::string_view done_state = "Done";          // its last effect was answered with success
// Of a consumer that was seen proven; `changed_at` then says since when, for the bake.
inline constexpr std::string_view proven_state = "Proven";
// Of a dependent that was seen to refuse what was withdrawn.
inline constexpr std::string_view withdrawn_state = "Withdrawn";

}  // namespace keyturn
