// The CustomResourceDefinitions of our kinds as objects, so that `kubectl apply -f manifests/crd` and `kubectl wait crd/...` work here as
// on a cluster. What they define is fixed: a manifest must say the same as the built-in definition.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "api/validate.h"
#include "base/time.h"

namespace keyturn::embedded {

// As they stand in the store at first: established, and carrying the annotation that a first `kubectl apply` of the same manifest would
// write, so that even the first one finds nothing to change.
std::vector<boost::json::object> built_in_definitions(Instant now);

// A violation unless the object's spec is that of the built-in definition of its name.
void check_definition(const boost::json::object& object, api::Violations& violations);

}  // namespace keyturn::embedded
