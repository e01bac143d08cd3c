// Carries out one step of a run. Decides nothing: what to do is in the Plan, what with is in the Look.
#pragma once

#include <string>

#include "base/random.h"
#include "reconcilers/rotation/observe.h"
#include "reconcilers/rotation/plan.h"
#include "reconcilers/rotation/targets.h"

namespace keyturn {

// What a step left to be journalled.
struct Executed {
  std::string mark;  // Converge: the consumer's new mark
};

// The context carries the send deadline: an effect that cannot leave in time does not leave. Errors are those of the ports;
// OutcomeUnknown means that the effect may still land. `targets`, `run`, `look` and `random` must outlive the call.
Task<Executed> execute(Context context, const Targets& targets, const api::RotationRun& run, const Look& look, Plan step, Random& random,
                       std::string owner);

}  // namespace keyturn
