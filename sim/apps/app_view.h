// Container apps as ARM shows them (Microsoft.App 2025-01-01). No shape here has a value of a secret.
#pragma once

#include <boost/json/object.hpp>

#include "sim/apps/app.h"

namespace keyturn::sim {

boost::json::object app_resource(const App& app);
boost::json::object revision_resource(const App& app, const Revision& revision);
boost::json::object replica_resource(const App& app, const Revision& revision, const Replica& replica, Instant now);

}  // namespace keyturn::sim
