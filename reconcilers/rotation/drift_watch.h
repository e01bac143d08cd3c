// Looks, while nothing is under way, whether what the last run left behind is still so (L3).
#pragma once

#include <string>

#include "api/rotation_run.h"
#include "reconcilers/rotation/targets.h"

namespace keyturn {

struct DriftLook {
  bool told = false;    // the first vault could be asked; what could not be told changes nothing, the next look tells
  std::string drift;    // one sentence naming what was changed by somebody else; empty = nothing
  VersionId published;  // what the first vault returns; empty when it refuses
  VersionTags tags;     // of that
};

// `owner` is the identity of this installation's store. Vaults first, then dependents (one fresh login with what is published), then
// consumers; the first that differs is named. `targets`, `spec` and `last`, the run in force, must outlive the call.
Awaitable<DriftLook> look_for_drift(Context context, const Targets& targets, const api::SecretRotationSpec& spec,
                                    const api::RotationRun& last, std::string owner);

}  // namespace keyturn
