// JSON Merge Patch (RFC 7396), which is what a PATCH of a container app is.
#pragma once

#include <boost/json/value.hpp>

namespace keyturn::sim {

// Objects merge, null removes, everything else replaces: arrays as a whole, too.
void apply_merge_patch(boost::json::value& target, const boost::json::value& patch);

}  // namespace keyturn::sim
