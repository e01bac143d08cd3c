#include "reconcilers/rotation/evidence.h"

#include <algorithm>

#include "api/codec.h"
#include "reconcilers/rotation/describe.h"

namespace keyturn {

void add_evidence(api::RotationRun& run, const Plan& step, Instant now) {
  std::vector<api::Evidence>& evidence = run.status.evidence;
  const auto known = [&evidence](const std::string& what) {
    return std::any_of(evidence.begin(), evidence.end(), [&](const api::Evidence& one) { return one.what == what; });
  };
  const std::string phase(api::name_of(run.status.phase));
  const std::string what = describe(step, run.spec);
  if (step.action == Action::Advance) {
    if (evidence.size() < evidence_max) evidence.push_back({now, phase, target_of(step, run.spec), what});
    return;
  }
  if (known(what)) return;
  if (evidence.size() < evidence_acts_max) {
    evidence.push_back({now, phase, target_of(step, run.spec), what});
    return;
  }
  const std::string left_out = "Further acts are left out here; the log has them";
  if (!known(left_out)) evidence.push_back({now, phase, {}, left_out});
}

}  // namespace keyturn
