// The steps of an undisturbed run, as `keyturn plan` shows them, and the hash that binds an approval to them.
#pragma once

#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "api/rotation_run.h"
#include "api/secret_rotation.h"
#include "reconcilers/rotation/hazards.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn {

// How the dependents will hold credentials, the safest that they can do (strategy Auto), and which principal comes next.
api::Protocol protocol_of(const api::SecretRotationSpec& spec, const EnvironmentView& view);

struct PlannedStep {
  api::Phase phase = api::Phase::Admitted;
  Action action = Action::Advance;
  std::string target;
  std::string description;  // "Install 2026-q4.1 for app_b at erp-postgres"
  bool operator==(const PlannedStep&) const = default;
};

// The steps that plan() takes in a world where nothing goes wrong: plan() itself is run against an ideal world, so that what is
// shown and what is done cannot drift apart. Empty for a decision that starts no run.
std::vector<PlannedStep> preview(const api::RotationRunSpec& run, const RunSpec& shape);

// "sha256:..." over steps, hazards and the spec's hash.
std::string plan_hash(const api::SecretRotationSpec& spec, const std::vector<PlannedStep>& steps, const Hazards& hazards);

// What the planner needs of a frozen run and of the environment's timing.
RunSpec shape_of(const api::RotationRunSpec& run, const api::Timing& timing);

}  // namespace keyturn
