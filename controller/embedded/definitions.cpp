#include "controller/embedded/definitions.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include "api/schema.h"
#include "controller/embedded/json_path.h"
#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

json::value sorted(const json::value& value) {
  if (const json::array* items = value.if_array()) {
    json::array out;
    for (const json::value& item : *items) out.push_back(sorted(item));
    return out;
  }
  const json::object* members = value.if_object();
  if (!members) return value;
  std::vector<std::string> names;
  for (const auto& [name, member] : *members) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  json::object out;
  for (const std::string& name : names) out[name] = sorted(members->at(name));
  return out;
}

json::array established(Instant now) {
  const std::string at = format_seconds(now);
  return {json::object{{"type", "NamesAccepted"},
                       {"status", "True"},
                       {"lastTransitionTime", at},
                       {"reason", "NoConflicts"},
                       {"message", "no conflicts found"}},
          json::object{{"type", "Established"},
                       {"status", "True"},
                       {"lastTransitionTime", at},
                       {"reason", "InitialNamesAccepted"},
                       {"message", "the initial names have been accepted"}}};
}

json::object stored_definition(const api::KindSchema& kind, Instant now) {
  json::object object = api::custom_resource_definition(kind);
  json::object& metadata = object["metadata"].get_object();
  json::object applied = object;
  json::value& annotations = applied["metadata"].get_object()["annotations"];
  if (!annotations.is_object()) annotations.emplace_object();
  json::value& live_annotations = metadata["annotations"];
  if (!live_annotations.is_object()) live_annotations.emplace_object();
  live_annotations.get_object()["kubectl.kubernetes.io/last-applied-configuration"] = encode_json(sorted(applied));
  metadata["generation"] = 1;
  metadata["creationTimestamp"] = format_seconds(now);
  json::object names = object["spec"].get_object()["names"].get_object();
  object["status"] = json::object{{"conditions", established(now)}, {"acceptedNames", names}, {"storedVersions", json::array{"v1alpha1"}}};
  return object;
}

}  // namespace

std::vector<json::object> built_in_definitions(Instant now) {
  std::vector<json::object> all;
  for (const api::KindSchema& kind : api::kinds()) all.push_back(stored_definition(kind, now));
  return all;
}

void check_definition(const json::object& object, api::Violations& violations) {
  const std::string_view name = metadata_text(object, "name");
  const json::value* spec = object.if_contains("spec");
  for (const api::KindSchema& kind : api::kinds()) {
    const json::object definition = api::custom_resource_definition(kind);
    if (metadata_text(definition, "name") == name && spec && *spec == definition.at("spec")) return;
  }
  violations.push_back(
      {"FieldValueForbidden", "spec", "Forbidden: this server serves its built-in definitions only, and this one differs from them"});
}

}  // namespace keyturn::embedded
