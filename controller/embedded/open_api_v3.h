// The OpenAPI v3 documents, one for each group-version. kubectl refuses to apply or create without them.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "controller/embedded/resource_types.h"

namespace keyturn::embedded {

struct OpenApiDocument {
  std::string text;
  std::string hash;  // changes whenever the text does; part of the URL under which the document may be cached for ever
};

// `path` is "apis/GROUP/VERSION" or "api/v1". Null when nothing is served there. Built once.
const OpenApiDocument* open_api_v3(std::string_view path);
// {"paths":{"apis/G/V":{"serverRelativeURL":"/openapi/v3/apis/G/V?hash=..."}}}
boost::json::object open_api_v3_index();

// The name of a kind's schema, as in "dev.keyturn.v1alpha1.SecretRotation", and of metadata's.
std::string schema_name(const ResourceType& type);
inline constexpr std::string_view object_meta_name = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
// The schemas of one group-version by name; `prefix` stands before a name in references ("#/components/schemas/").
boost::json::object schemas_of(const GroupVersion& gv, std::string_view prefix);
// The paths of one group-version. `v2` = parameters in the form of OpenAPI v2.
boost::json::object paths_of_group(const GroupVersion& gv, bool v2);

}  // namespace keyturn::embedded
