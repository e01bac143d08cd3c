// The whole simulation as JSON for tests and people: ids, flags and times, never a value.
#pragma once

#include <boost/json/object.hpp>

#include "sim/cloud.h"

namespace keyturn::sim {

boost::json::object state_of(Cloud& cloud, Instant now);

}  // namespace keyturn::sim
