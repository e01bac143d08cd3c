// The domain's forecast as the controller API shows it.
#pragma once

#include "controller/server/rotation_queries.h"
#include "reconcilers/rotation/forecast.h"

namespace keyturn {

PlanView view_of(const Forecast& forecast);

}  // namespace keyturn
