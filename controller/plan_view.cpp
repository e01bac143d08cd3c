#include "controller/plan_view.h"

#include "api/codec.h"

namespace keyturn {

PlanView view_of(const Forecast& forecast) {
  PlanView view{.decision = std::string(name_of(forecast.decision.verb)),
                .reason = std::string(forecast.decision.reason),
                .credential = forecast.credential.empty() ? std::string{} : forecast.credential.to_string(),
                .hash = forecast.hash,
                .unsafe_window = forecast.unsafe_window};
  for (const PlannedStep& step : forecast.steps) {
    view.steps.push_back({std::string(api::name_of(step.phase)), std::string(name_of(step.action)), step.target, step.description});
  }
  for (const Hazard& hazard : forecast.hazards) {
    view.hazards.push_back({std::string(name_of(hazard.severity)), std::string(hazard.reason), hazard.target, hazard.message});
  }
  return view;
}

}  // namespace keyturn
