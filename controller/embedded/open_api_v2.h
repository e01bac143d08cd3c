// The OpenAPI v2 document of everything served, in JSON and in the protobuf form that old versions of kubectl insist on.
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace keyturn::embedded {

// Built once.
const boost::json::object& open_api_v2();
// The message openapi.v2.Document of the gnostic project (openapiv2/OpenAPIv2.proto).
const std::string& open_api_v2_protobuf();

}  // namespace keyturn::embedded
