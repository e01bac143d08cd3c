// What a run leaves behind as proof of its steps. Pure.
#pragma once

#include <cstddef>

#include "api/rotation_run.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn {

// The schema admits 512 entries. Acts stop short of it, so that there is always room for the turns of the phase: those are what proves
// a run, and there are fewer of them than this leaves.
inline constexpr std::size_t evidence_max = 512;
inline constexpr std::size_t evidence_acts_max = evidence_max - 32;

// Adds what `step` did or saw, to be journalled with the same write that says that it is done. A turn of the phase is always added: it
// rests on an observation of the whole world. An act is added once, however often it is repeated, and not beyond evidence_acts_max;
// where acts are left out, one entry says so.
void add_evidence(api::RotationRun& run, const Plan& step, Instant now);

}  // namespace keyturn
