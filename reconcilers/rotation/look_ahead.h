// What a plan depends on, read before anything is touched: vaults, systems, consumers, and who else refers to the secret.
#pragma once

#include <vector>

#include "reconcilers/rotation/hazards.h"
#include "reconcilers/rotation/targets.h"

namespace keyturn {

// Reads only. What may not or cannot be read is a finding, never an error: the plan then says so. One look per consumer, one list of
// versions per vault, and one list of applications per place where consumers live. The view points to `environment`.
Awaitable<EnvironmentView> look_ahead(Context context, const Targets& targets, const api::RotationEnvironmentSpec& environment,
                                      const api::SecretRotationSpec& spec);

}  // namespace keyturn
