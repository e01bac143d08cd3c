#include "api/schema.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>

#include "api/meta.h"
#include "api/schema_kinds.h"

namespace keyturn::api {

namespace json = boost::json;

const Schema* Schema::find(std::string_view name) const {
  const auto found = std::ranges::find(properties, name, &Property::name);
  return found == properties.end() ? nullptr : &found->schema;
}

std::span<const KindSchema> kinds() {
  static const std::array all{schema::secret_rotation(), schema::rotation_environment(), schema::rotation_run()};
  return all;
}

const KindSchema* find_kind(std::string_view plural) {
  const auto all = kinds();
  const auto found = std::ranges::find(all, plural, &KindSchema::plural);
  return found == all.end() ? nullptr : &*found;
}

namespace {

json::array strings(const std::vector<std::string>& texts) {
  json::array list;
  for (const auto& text : texts) {
    list.emplace_back(text);
  }
  return list;
}

std::string_view type_word(Schema::Type type) {
  switch (type) {
    case Schema::Type::Object:
      return "object";
    case Schema::Type::Array:
      return "array";
    case Schema::Type::String:
      return "string";
    case Schema::Type::Integer:
      return "integer";
    case Schema::Type::Boolean:
      return "boolean";
  }
  return "object";
}

void put(json::object& out, std::string_view name, const std::optional<std::int64_t>& bound) {
  if (bound) {
    out.emplace(name, *bound);
  }
}
void put(json::object& out, std::string_view name, const std::string& text) {
  if (!text.empty()) {
    out.emplace(name, text);
  }
}
void put(json::object& out, std::string_view name, const std::vector<std::string>& texts) {
  if (!texts.empty()) {
    out.emplace(name, strings(texts));
  }
}

// The node of an OpenAPI schema that a rule is carried on: "spec.systems[].postgreSql".
json::object& node_at(json::object& root, std::string_view path) {
  json::object* node = &root;
  while (!path.empty()) {
    const auto dot = path.find('.');
    std::string_view segment = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    const bool of_items = segment.ends_with("[]");
    segment = of_items ? segment.substr(0, segment.size() - 2) : segment;
    node = &node->at("properties").as_object().at(segment).as_object();
    node = of_items ? &node->at("items").as_object() : node;
  }
  return *node;
}

void attach(json::object& root, const Rule& rule) {
  json::object& node = node_at(root, rule.path);
  json::object validation{{"rule", rule.cel}, {"message", rule.message}};
  put(validation, "fieldPath", rule.field);
  auto& validations = node.emplace("x-kubernetes-validations", json::array{}).first->value();
  validations.as_array().push_back(std::move(validation));
}

json::object root_schema(const KindSchema& kind) {
  json::object root{{"description", kind.description}, {"type", "object"}};
  root.emplace("required", json::array{"spec"});
  json::object properties;
  properties.emplace("apiVersion",
                     json::object{{"description", "Group and version of the API: keyturn.dev/v1alpha1."}, {"type", "string"}});
  properties.emplace("kind", json::object{{"description", "The kind: " + kind.kind + "."}, {"type", "string"}});
  properties.emplace("metadata", json::object{{"type", "object"}});
  properties.emplace("spec", open_api(kind.spec));
  properties.emplace("status", open_api(kind.status));
  root.emplace("properties", std::move(properties));
  for (const auto& rule : kind.rules) {
    attach(root, rule);
  }
  return root;
}

json::array columns_of(const KindSchema& kind) {
  json::array columns;
  for (const auto& column : kind.columns) {
    json::object entry{{"name", column.name}, {"type", column.type}, {"description", column.description}, {"jsonPath", column.json_path}};
    if (column.priority != 0) {
      entry.emplace("priority", column.priority);
    }
    columns.push_back(std::move(entry));
  }
  return columns;
}

}  // namespace

json::object open_api(const Schema& schema) {
  json::object out;
  put(out, "description", schema.description);
  out.emplace("type", type_word(schema.type));
  put(out, "format", schema.format);
  put(out, "enum", schema.enumeration);
  put(out, "pattern", schema.pattern);
  put(out, "minimum", schema.minimum);
  put(out, "maximum", schema.maximum);
  put(out, "minLength", schema.min_length);
  put(out, "maxLength", schema.max_length);
  put(out, "minItems", schema.min_items);
  put(out, "maxItems", schema.max_items);
  if (!schema.default_value.is_null()) {
    out.emplace("default", schema.default_value);
  }
  put(out, "x-kubernetes-list-type", schema.list_type);
  put(out, "x-kubernetes-list-map-keys", schema.list_map_keys);
  put(out, "required", schema.required);
  if (!schema.properties.empty()) {
    json::object properties;
    for (const auto& property : schema.properties) {
      properties.emplace(property.name, open_api(property.schema));
    }
    out.emplace("properties", std::move(properties));
  }
  if (schema.additional != nullptr) {
    out.emplace("additionalProperties", open_api(*schema.additional));
  }
  if (schema.items != nullptr) {
    out.emplace("items", open_api(*schema.items));
  }
  return out;
}

json::object custom_resource_definition(const KindSchema& kind) {
  json::object names{{"kind", kind.kind},
                     {"listKind", kind.kind + "List"},
                     {"plural", kind.plural},
                     {"singular", kind.singular},
                     {"shortNames", json::array{kind.short_name}},
                     {"categories", json::array{"rotation"}}};
  json::object served{{"name", version}, {"served", true}, {"storage", true}};
  served.emplace("additionalPrinterColumns", columns_of(kind));
  if (!kind.selectable_fields.empty()) {
    json::array selectable;
    for (const auto& field : kind.selectable_fields) {
      selectable.push_back(json::object{{"jsonPath", "." + field}});
    }
    served.emplace("selectableFields", std::move(selectable));
  }
  served.emplace("subresources", json::object{{"status", json::object{}}});
  served.emplace("schema", json::object{{"openAPIV3Schema", root_schema(kind)}});
  json::object labels{{"app.kubernetes.io/name", "keyturn"}, {"app.kubernetes.io/part-of", "keyturn"}};
  return json::object{{"apiVersion", "apiextensions.k8s.io/v1"},
                      {"kind", "CustomResourceDefinition"},
                      {"metadata", json::object{{"name", kind.plural + "." + std::string(group)}, {"labels", std::move(labels)}}},
                      {"spec", json::object{{"group", group},
                                            {"names", std::move(names)},
                                            {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
                                            {"versions", json::array{std::move(served)}}}}};
}

}  // namespace keyturn::api
