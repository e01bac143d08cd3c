// Objects as kubectl shows them: columns and cells made by the server, so that clients need to know no kind.
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string_view>

#include "base/time.h"
#include "controller/embedded/resource_types.h"

namespace keyturn::embedded {

enum class IncludeObject : std::uint8_t { None, Metadata, Object };

boost::json::array table_columns(const ResourceType& type);
// One row. Ages are computed for `now`; a time in the future shows as "<invalid>".
boost::json::object table_row(const ResourceType& type, const boost::json::object& object, IncludeObject include, Instant now);
// A Table of finished rows. `columns` null = definitions left out, as in all but the first frame of a watch.
boost::json::object table_of(boost::json::value columns, boost::json::array rows, boost::json::object metadata);

// Only apiVersion, kind and metadata.
boost::json::object partial_metadata(const boost::json::object& object);

}  // namespace keyturn::embedded
