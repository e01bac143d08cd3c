// Status is a projection: lose it and the next pass rebuilds it.
#pragma once

#include <optional>

#include "api/rotation_run.h"
#include "api/secret_rotation.h"
#include "reconcilers/rotation/gates.h"
#include "reconcilers/rotation/intent.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn {

// What one pass knows, for the projection.
struct Knowledge {
  const api::SecretRotation* object = nullptr;  // spec, generation, and the status as it is stored now
  const Ledger* ledger = nullptr;
  const Decision* decision = nullptr;
  const api::RotationRun* run = nullptr;  // unfinished, or the last one; null = none yet
  const Plan* next = nullptr;             // of the unfinished run
  const Observation* seen = nullptr;      // null = this pass did not look
  std::string_view refusal;               // why no run can begin: a reason (InvalidReference, NotBound, ...)
  std::string refusal_message;
  Gate held;                         // closed: the decision's run may not start yet
  std::optional<std::string> drift;  // what no longer holds of the current credential; empty text = all holds
  std::optional<api::PlanStatus> plan;
  std::optional<api::RecordHead> record;  // the end of the chain of records, as head_after() has it; none = nothing was sealed yet
};

// Pure. Conditions carry over lastTransitionTime unless their status moved; order of everything is fixed, so that an unchanged world
// gives an equal status.
api::SecretRotationStatus project(const Knowledge& known, Instant now);

}  // namespace keyturn
