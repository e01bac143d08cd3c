// The one source of the kinds' structure: CRD manifests, OpenAPI documents, `kubectl explain`, structural validation, defaults, pruning
// and printer columns all come from it.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn::api {

// A structural schema node (OpenAPI v3 as Kubernetes restricts it). Built once, never changed.
struct Schema {
  enum class Type { Object, Array, String, Integer, Boolean };
  struct Property;
  Type type = Type::Object;
  std::string description;
  std::vector<Property> properties;          // Object: declared members, in order of declaration
  std::vector<std::string> required;         // names among them
  std::shared_ptr<const Schema> additional;  // Object: a map with values of this schema; null = none but `properties`
  std::shared_ptr<const Schema> items;       // Array
  std::string list_type;                     // Array: "atomic", "set" or "map"
  std::vector<std::string> list_map_keys;
  std::vector<std::string> enumeration;
  std::string pattern;
  std::string format;  // "date-time"; "int32" or "int64" for integers
  std::optional<std::int64_t> minimum, maximum;
  std::optional<std::int64_t> min_length, max_length, min_items, max_items;
  boost::json::value default_value;  // null = none

  const Schema* find(std::string_view name) const;
};
struct Schema::Property {
  std::string name;
  Schema schema;
};

// A rule over an object that a structure cannot say. `cel` is what the CRD carries; `holds` is the same rule here: one table, and one
// test holds both to the same cases.
struct Rule {
  std::string path;   // "spec", "spec.strategy", "spec.systems[]": the object that the CRD carries it on; "[]" means every item of a list
  std::string field;  // of the violation, below that object: ".class"; empty = the object itself
  std::string cel;
  std::string message;  // says what to write instead
  bool (*holds)(const boost::json::object& at);
};

struct PrinterColumn {
  std::string name;
  std::string type;  // "string" or "date"
  std::string description;
  std::string json_path;  // ".status.current.name", or with a filter: .status.conditions[?(@.type=="Ready")].status
  int priority = 0;
};

struct KindSchema {
  std::string kind, plural, singular, short_name;
  bool namespaced = true;
  std::string description;
  Schema spec;
  Schema status;
  std::vector<Rule> rules;
  std::vector<PrinterColumn> columns;
  std::vector<std::string> selectable_fields;  // "spec.revision"
};

// SecretRotation, RotationEnvironment, RotationRun.
std::span<const KindSchema> kinds();
const KindSchema* find_kind(std::string_view plural);

// The CustomResourceDefinition manifest of a kind, as JSON; manifests/crd holds the same as YAML, compared by a test.
boost::json::object custom_resource_definition(const KindSchema& kind);
// A schema node as OpenAPI v3 (the CRD's and /openapi/v3's form).
boost::json::object open_api(const Schema& schema);

}  // namespace keyturn::api
