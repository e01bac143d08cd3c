#include "reconcilers/rotation/run_target.h"

#include <algorithm>
#include <utility>

namespace keyturn {

const api::RunTarget* find_target(const api::RotationRun& run, api::TargetKind kind, std::string_view name) {
  const auto& targets = run.status.targets;
  const auto found =
      std::find_if(targets.begin(), targets.end(), [&](const api::RunTarget& one) { return one.kind == kind && one.name == name; });
  return found == targets.end() ? nullptr : &*found;
}

api::RunTarget* find_target(api::RotationRun& run, api::TargetKind kind, std::string_view name) {
  return const_cast<api::RunTarget*>(find_target(std::as_const(run), kind, name));
}

}  // namespace keyturn
