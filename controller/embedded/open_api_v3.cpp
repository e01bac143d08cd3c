#include "controller/embedded/open_api_v3.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <map>

#include "base/hash.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

json::object group_version_kind(const ResourceType& type, std::string_view suffix = {}) {
  return {{"group", type.group}, {"kind", type.kind + std::string(suffix)}, {"version", type.version}};
}

json::object schema_of(const ResourceType& type, std::string_view prefix) {
  json::object properties;
  for (const api::Schema::Property& property : type.root.properties) {
    if (property.name == "metadata") {
      properties["metadata"] =
          json::object{{"description", "Standard object's metadata."},
                       {"allOf", json::array{json::object{{"$ref", std::string(prefix) + std::string(object_meta_name)}}}}};
    } else {
      properties[property.name] = api::open_api(property.schema);
    }
  }
  json::object schema{{"description", type.root.description}, {"type", "object"}, {"properties", std::move(properties)}};
  if (!type.root.required.empty()) schema["required"] = json::array(type.root.required.begin(), type.root.required.end());
  schema["x-kubernetes-group-version-kind"] = json::array{group_version_kind(type)};
  return schema;
}

json::object list_schema_of(const ResourceType& type, std::string_view prefix) {
  const auto text = [](std::string_view description) { return json::object{{"description", description}, {"type", "string"}}; };
  return {{"description", fmt::format("{}List is a list of {}", type.kind, type.kind)},
          {"type", "object"},
          {"required", json::array{"items"}},
          {"properties", json::object{{"apiVersion", text("Version of this representation of an object.")},
                                      {"kind", text("The REST resource that this object represents.")},
                                      {"metadata", json::object{{"description", "Standard list metadata."}, {"type", "object"}}},
                                      {"items", json::object{{"description", fmt::format("List of {}.", type.plural)},
                                                             {"type", "array"},
                                                             {"items", json::object{{"$ref", std::string(prefix) + schema_name(type)}}}}}}},
          {"x-kubernetes-group-version-kind", json::array{group_version_kind(type, "List")}}};
}

json::object parameter(std::string_view name, std::string_view in, std::string_view type, std::string_view description, bool v2) {
  json::object out{{"name", name}, {"in", in}, {"description", description}};
  if (in == "path") out["required"] = true;
  if (v2)
    out["type"] = type;
  else
    out["schema"] = json::object{{"type", type}, {"uniqueItems", true}};
  return out;
}

// What a client may put behind the question mark of a request. kubectl looks for dryRun and fieldValidation before it sends them.
json::array parameters_of(std::string_view action, bool v2) {
  json::array out;
  const auto add = [&](std::string_view name, std::string_view type, std::string_view description) {
    out.push_back(parameter(name, "query", type, description, v2));
  };
  if (action == "list") {
    add("continue", "string", "Where the next page starts.");
    add("fieldSelector", "string", "Restricts the list by fields.");
    add("labelSelector", "string", "Restricts the list by labels.");
    add("limit", "integer", "The most objects in one reply.");
    add("resourceVersion", "string", "The version to read at or after.");
    add("watch", "boolean", "Follow the changes.");
  }
  if (action == "get" || action == "list") return out;
  add("dryRun", "string", "All: everything but the write itself.");
  if (action == "delete") return out;
  add("fieldManager", "string", "Who makes this change.");
  add("fieldValidation", "string", "Ignore, Warn or Strict: what unknown and duplicate fields lead to.");
  if (action == "patch") add("force", "boolean", "Take fields away from other managers; only for apply.");
  return out;
}

json::object operation(const ResourceType& type, std::string_view method, std::string_view action, bool v2) {
  json::object out{{"operationId", fmt::format("{}{}{}{}", action, type.group.empty() ? "core" : type.group, type.version, type.kind)},
                   {"description", fmt::format("{} a {}", action, type.kind)},
                   {"parameters", parameters_of(action, v2)},
                   {"responses", json::object{{"200", json::object{{"description", "OK"}}}}},
                   {"x-kubernetes-action", action},
                   {"x-kubernetes-group-version-kind", group_version_kind(type)}};
  if (method == "patch")
    out["consumes"] = json::array{"application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"};
  if (!v2) out.erase("consumes");
  return out;
}

json::object path_item(const ResourceType& type, std::initializer_list<std::pair<std::string_view, std::string_view>> operations,
                       std::initializer_list<std::string_view> variables, bool v2) {
  json::object item;
  for (const auto& [method, action] : operations) item[method] = operation(type, method, action, v2);
  json::array parameters;
  for (const std::string_view variable : variables) parameters.push_back(parameter(variable, "path", "string", variable, v2));
  if (!parameters.empty()) item["parameters"] = std::move(parameters);
  return item;
}

void add_paths(const ResourceType& type, bool v2, json::object& paths) {
  const std::string base = "/" + GroupVersion{type.group, type.version}.path();
  const std::string all = fmt::format("{}/{}", base, type.plural);
  const std::string collection = type.namespaced ? fmt::format("{}/namespaces/{{namespace}}/{}", base, type.plural) : all;
  const std::string one = collection + "/{name}";
  if (type.namespaced) {
    paths[all] = path_item(type, {{"get", "list"}}, {}, v2);
    paths[collection] = path_item(type, {{"get", "list"}, {"post", "post"}, {"delete", "deletecollection"}}, {"namespace"}, v2);
    paths[one] = path_item(type, {{"get", "get"}, {"put", "put"}, {"patch", "patch"}, {"delete", "delete"}}, {"name", "namespace"}, v2);
    if (type.has_status)
      paths[one + "/status"] = path_item(type, {{"get", "get"}, {"put", "put"}, {"patch", "patch"}}, {"name", "namespace"}, v2);
    return;
  }
  paths[collection] = path_item(type, {{"get", "list"}, {"post", "post"}, {"delete", "deletecollection"}}, {}, v2);
  paths[one] = path_item(type, {{"get", "get"}, {"put", "put"}, {"patch", "patch"}, {"delete", "delete"}}, {"name"}, v2);
  if (type.has_status) paths[one + "/status"] = path_item(type, {{"get", "get"}, {"put", "put"}, {"patch", "patch"}}, {"name"}, v2);
}

OpenApiDocument build(const GroupVersion& gv) {
  const json::object document{{"openapi", "3.0.0"},
                              {"info", json::object{{"title", "Keyturn"}, {"version", KEYTURN_VERSION}}},
                              {"paths", paths_of_group(gv, false)},
                              {"components", json::object{{"schemas", schemas_of(gv, "#/components/schemas/")}}}};
  OpenApiDocument out{.text = json::serialize(document)};
  out.hash = to_hex(sha256(out.text));
  std::transform(out.hash.begin(), out.hash.end(), out.hash.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

const std::map<std::string, OpenApiDocument, std::less<>>& documents() {
  static const auto all = [] {
    std::map<std::string, OpenApiDocument, std::less<>> made;
    for (const GroupVersion& gv : group_versions()) made.emplace(gv.path(), build(gv));
    return made;
  }();
  return all;
}

}  // namespace

std::string schema_name(const ResourceType& type) {
  if (type.of == TypeOf::Rotation) return "dev.keyturn.v1alpha1." + type.kind;
  if (type.of == TypeOf::NewEvent) return "io.k8s.api.events.v1." + type.kind;
  if (type.of == TypeOf::Definition) return "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1." + type.kind;
  return "io.k8s.api.core.v1." + type.kind;
}

json::object schemas_of(const GroupVersion& gv, std::string_view prefix) {
  json::object schemas;
  for (const ResourceType& type : resource_types()) {
    if (type.group != gv.group || type.version != gv.version) continue;
    schemas[schema_name(type)] = schema_of(type, prefix);
    schemas[schema_name(type) + "List"] = list_schema_of(type, prefix);
  }
  schemas[object_meta_name] = api::open_api(object_meta_schema());
  return schemas;
}

json::object paths_of_group(const GroupVersion& gv, bool v2) {
  json::object paths;
  for (const ResourceType& type : resource_types())
    if (type.group == gv.group && type.version == gv.version) add_paths(type, v2, paths);
  return paths;
}

const OpenApiDocument* open_api_v3(std::string_view path) {
  const auto found = documents().find(path);
  return found == documents().end() ? nullptr : &found->second;
}

json::object open_api_v3_index() {
  json::object paths;
  for (const auto& [path, document] : documents())
    paths[path] = json::object{{"serverRelativeURL", fmt::format("/openapi/v3/{}?hash={}", path, document.hash)}};
  return {{"paths", std::move(paths)}};
}

}  // namespace keyturn::embedded
