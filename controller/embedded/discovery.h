// What is served, as clients ask for it: aggregated discovery, and the older lists.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

namespace keyturn::embedded {

// GET /api (core) and GET /apis, aggregated.
boost::json::object aggregated_discovery(bool core);
// GET /api, older form. `server` = host and port as the client reached us.
boost::json::object api_versions(std::string_view server);
// GET /apis, GET /apis/GROUP.
boost::json::object api_group_list();
std::optional<boost::json::object> api_group(std::string_view group);
// GET /api/v1, GET /apis/GROUP/VERSION.
std::optional<boost::json::object> api_resource_list(std::string_view group, std::string_view version);

}  // namespace keyturn::embedded
