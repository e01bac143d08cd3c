// Steps in words, the same in the plan, events, logs and evidence.
#pragma once

#include <string>

#include "api/rotation_run.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn {

// "Install 2026-q4.1 for app_b at erp-postgres".
std::string describe(const Plan& step, const api::RotationRunSpec& run);

// The name of what a step acts on: a system, a vault, a consumer; empty for a step of the journal alone.
std::string target_of(const Plan& step, const api::RotationRunSpec& run);

}  // namespace keyturn
