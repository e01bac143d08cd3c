#include "controller/embedded/object_strategy.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <cmath>
#include <optional>

#include "controller/embedded/definitions.h"
#include "controller/embedded/events_view.h"
#include "controller/embedded/json_path.h"
#include "controller/embedded/object_names.h"
#include "controller/embedded/strict_json.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;
using api::Schema;

// A node without any structure is left alone: managedFields trees and the definitions' manifests.
bool open(const Schema& schema) { return schema.type == Schema::Type::Object && schema.properties.empty() && !schema.additional; }

void prune(const Schema& schema, json::value& value, const std::string& path, std::vector<std::string>& unknown) {
  if (schema.type == Schema::Type::Integer && value.is_double() && value.get_double() == std::floor(value.get_double()) &&
      std::abs(value.get_double()) < 9e15) {
    value = static_cast<std::int64_t>(value.get_double());
  }
  if (open(schema)) return;
  if (json::array* items = value.if_array(); items && schema.items)
    for (std::size_t i = 0; i < items->size(); ++i) prune(*schema.items, (*items)[i], fmt::format("{}[{}]", path, i), unknown);
  json::object* members = value.if_object();
  if (!members || schema.type != Schema::Type::Object) return;
  std::vector<std::string> gone;
  for (auto& [name, member] : *members) {
    const Schema* inner = schema.find(name);
    if (!inner) inner = schema.additional.get();
    if (inner)
      prune(*inner, member, join_path(path, name), unknown);
    else
      gone.emplace_back(name);
  }
  for (const std::string& name : gone) {
    members->erase(name);
    unknown.push_back(join_path(path, name));
  }
}

bool fits(const Schema& schema, const json::value& value) {
  if (value.is_null() || open(schema)) return true;
  switch (schema.type) {
    case Schema::Type::String:
      return value.is_string();
    case Schema::Type::Boolean:
      return value.is_bool();
    case Schema::Type::Integer:
      return value.is_int64() || value.is_uint64();
    case Schema::Type::Array: {
      const json::array* items = value.if_array();
      return items && std::all_of(items->begin(), items->end(), [&](const json::value& item) { return fits(*schema.items, item); });
    }
    case Schema::Type::Object:
      break;
  }
  const json::object* members = value.if_object();
  if (!members) return false;
  return std::all_of(members->begin(), members->end(), [&](const auto& member) {
    const Schema* inner = schema.find(member.key());
    if (!inner) inner = schema.additional.get();
    return !inner || fits(*inner, member.value());
  });
}

json::object& metadata_of(json::object& object) {
  json::value& metadata = object["metadata"];
  return metadata.is_object() ? metadata.get_object() : metadata.emplace_object();
}

void carry(json::object& to, const json::object& from, std::string_view name) {
  to.erase(name);
  if (const json::value* value = from.if_contains(name)) to[name] = *value;
}

bool same_member(const json::object& left, const json::object& right, std::string_view name) {
  const json::value* a = left.if_contains(name);
  const json::value* b = right.if_contains(name);
  return a && b ? *a == *b : a == b;
}

// Whether anything outside metadata and status differs: that is what the generation counts.
bool content_differs(const json::object& left, const json::object& right) {
  for (const json::object* side : {&left, &right})
    for (const auto& [name, value] : *side)
      if (name != "metadata" && name != "status" && name != "apiVersion" && !same_member(left, right, name)) return true;
  return false;
}

bool is_event(const ResourceType& type) { return type.of == TypeOf::CoreEvent || type.of == TypeOf::NewEvent; }

bool counts_generation(const ResourceType& type) { return type.of == TypeOf::Rotation; }

std::int64_t generation_of(const json::object& metadata) {
  const json::value* value = metadata.if_contains("generation");
  return value && value->is_int64() ? value->get_int64() : 0;
}

const json::array* finalizers_of(const json::object& object) {
  const json::value* list = find_path(object, "metadata.finalizers");
  return list ? list->if_array() : nullptr;
}

// While an object goes, its finalizers can only become fewer.
void check_finalizers(const json::object& object, const json::object& live, api::Violations& violations) {
  const json::array* now = finalizers_of(object);
  const json::array* before = finalizers_of(live);
  if (!is_deleting(live) || !now) return;
  std::string added;
  for (const json::value& finalizer : *now) {
    if (before && std::find(before->begin(), before->end(), finalizer) != before->end()) continue;
    added += fmt::format("{}\"{}\"", added.empty() ? "" : ", ", std::string_view(finalizer.as_string()));
  }
  if (added.empty()) return;
  const api::Violation violation{
      "FieldValueForbidden", "metadata.finalizers",
      fmt::format("Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}", added)};
  // Genuine servers report it twice, once for each of two checks.
  violations.push_back(violation);
  violations.push_back(violation);
}

void check_annotations(const json::object& object, api::Violations& violations) {
  const json::value* annotations = find_path(object, "metadata.annotations");
  if (!annotations || !annotations->is_object()) return;
  std::size_t bytes = 0;
  for (const auto& [name, value] : annotations->get_object()) {
    bytes += name.size() + (value.is_string() ? value.get_string().size() : 0);
    for (const std::string& message : qualified_name_errors(name))
      violations.push_back(
          {"FieldValueInvalid", "metadata.annotations", fmt::format("Invalid value: \"{}\": {}", std::string_view(name), message)});
  }
  if (bytes > annotation_bytes_max)
    violations.push_back(
        {"FieldValueTooLong", "metadata.annotations", fmt::format("Too long: may not be more than {} bytes", annotation_bytes_max)});
}

void check_labels(const json::object& object, api::Violations& violations) {
  const json::value* labels = find_path(object, "metadata.labels");
  if (!labels || !labels->is_object()) return;
  for (const auto& [name, value] : labels->get_object()) {
    for (const std::string& message : qualified_name_errors(name))
      violations.push_back(
          {"FieldValueInvalid", "metadata.labels", fmt::format("Invalid value: \"{}\": {}", std::string_view(name), message)});
    const std::string_view text = value.is_string() ? std::string_view(value.get_string()) : std::string_view{};
    for (const std::string& message : label_value_errors(text))
      violations.push_back({"FieldValueInvalid", "metadata.labels", fmt::format("Invalid value: \"{}\": {}", text, message)});
  }
}

void check_name(const ResourceType& type, const json::object& object, api::Violations& violations) {
  const std::string_view name = metadata_text(object, "name");
  if (name.empty()) {
    violations.push_back({"FieldValueRequired", "metadata.name", "Required value: name or generateName is required"});
    return;
  }
  const std::vector<std::string> errors = type.of == TypeOf::Namespace ? dns_label_errors(name) : dns_subdomain_errors(name);
  for (const std::string& message : errors)
    violations.push_back({"FieldValueInvalid", "metadata.name", fmt::format("Invalid value: \"{}\": {}", name, message)});
}

void check_immutable(const json::object& object, const json::object& live, api::Violations& violations) {
  const std::string_view uid = metadata_text(object, "uid");
  if (uid == metadata_text(live, "uid")) return;
  const api::Violation violation{"FieldValueInvalid", "metadata.uid", fmt::format("Invalid value: \"{}\": field is immutable", uid)};
  violations.push_back(violation);
  violations.push_back(violation);
}

// A violation is old when the live object has the very same one and the value that it is about did not change.
bool is_old(const api::Violation& violation, const api::Violations& before, const json::object& object, const json::object& live) {
  if (std::find(before.begin(), before.end(), violation) == before.end()) return false;
  const json::value* now = find_path(object, violation.field);
  const json::value* then = find_path(live, violation.field);
  return now && then ? *now == *then : now == then;
}

}  // namespace

std::vector<std::string> prune_unknown(const ResourceType& type, json::object& object) {
  std::vector<std::string> unknown;
  if (type.of == TypeOf::Definition) return unknown;
  json::value whole = std::move(object);
  prune(type.root, whole, "", unknown);
  object = std::move(whole.get_object());
  std::sort(unknown.begin(), unknown.end());
  return unknown;
}

Answer<> check_envelope(const ResourceType& type, json::object& object, std::string_view ns, std::string_view name) {
  const auto text = [&object](std::string_view member) {
    const json::value* value = object.if_contains(member);
    return value && value->is_string() ? std::string(value->get_string()) : std::string{};
  };
  if (const std::string version = text("apiVersion"); !version.empty() && version != type.group_version())
    return bad_request(
        fmt::format("the API version in the data ({}) does not match the expected API version ({})", version, type.group_version()));
  if (const json::value* metadata = object.if_contains("metadata"); metadata && !fits(object_meta_schema(), *metadata))
    return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}: metadata cannot be read as ObjectMeta", type.kind,
                                   type.version, type.kind));
  if (const std::string kind = text("kind"); !kind.empty() && kind != type.kind) {
    ResourceType other;
    other.group = type.group;
    other.kind = kind;
    return invalid(other, metadata_text(object, "name"),
                   {{"FieldValueInvalid", "kind", fmt::format("Invalid value: \"{}\": must be {}", kind, type.kind)}});
  }
  if (const std::string field = is_event(type) ? malformed_time(object) : std::string{}; !field.empty())
    return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}: {} must be a time with six fraction digits", type.kind,
                                   type.version, type.kind, field));
  object["apiVersion"] = type.group_version();
  object["kind"] = type.kind;
  json::object& metadata = metadata_of(object);
  const std::string given_ns(metadata_text(object, "namespace"));
  if (type.namespaced && !given_ns.empty() && given_ns != ns)
    return bad_request("the namespace of the provided object does not match the namespace sent on the request");
  metadata.erase("namespace");
  if (type.namespaced) metadata["namespace"] = ns;
  const std::string given(metadata_text(object, "name"));
  if (!name.empty() && !given.empty() && given != name)
    return bad_request(fmt::format("the name of the object ({}) does not match the name on the URL ({})", given, name));
  if (!name.empty()) metadata["name"] = name;
  return done();
}

namespace {

void start_namespace(json::object& object) {
  object["spec"] = json::object{{"finalizers", json::array{"kubernetes"}}};
  object["status"] = json::object{{"phase", "Active"}};
  const std::string name(metadata_text(object, "name"));
  json::value& labels = metadata_of(object)["labels"];
  if (!labels.is_object()) labels.emplace_object();
  labels.get_object()["kubernetes.io/metadata.name"] = name;
}

}  // namespace

void prepare_create(const ResourceType& type, json::object& object, std::string_view ns, std::string_view uid, Instant now) {
  json::object& metadata = metadata_of(object);
  for (const std::string_view name : {"selfLink", "resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"})
    metadata.erase(name);
  if (type.namespaced) metadata["namespace"] = ns;
  metadata["uid"] = uid;
  metadata["creationTimestamp"] = format_seconds(now);
  if (counts_generation(type)) metadata["generation"] = 1;
  // From here on `metadata` may move, because members are added beside it.
  if (type.has_status) object.erase("status");
  if (type.schema) api::apply_defaults(*type.schema, object);
  if (type.of == TypeOf::Namespace) start_namespace(object);
}

void prepare_update(const ResourceType& type, json::object& object, const json::object& live, Part part) {
  if (part == Part::Status) {
    json::object next = live;
    carry(next, object, "status");
    if (const json::value* managed = find_path(object, "metadata.managedFields")) metadata_of(next)["managedFields"] = *managed;
    object = std::move(next);
    return;
  }
  if (type.has_status || type.of == TypeOf::Namespace) carry(object, live, "status");
  if (type.of == TypeOf::Namespace) carry(object, live, "spec");
  if (type.schema) api::apply_defaults(*type.schema, object);
  const json::object& old = live.at("metadata").get_object();
  json::object& metadata = metadata_of(object);
  if (metadata_text(object, "uid").empty()) carry(metadata, old, "uid");
  for (const std::string_view name :
       {"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "namespace", "name", "resourceVersion"})
    carry(metadata, old, name);
  metadata.erase("selfLink");
  if (counts_generation(type) && content_differs(object, live)) metadata["generation"] = generation_of(old) + 1;
}

void prepare_delete(json::object& object, Instant now) {
  json::object& metadata = metadata_of(object);
  if (metadata.contains("deletionTimestamp")) return;
  metadata["deletionTimestamp"] = format_seconds(now);
  metadata["deletionGracePeriodSeconds"] = 0;
  if (metadata.contains("generation")) metadata["generation"] = generation_of(metadata) + 1;
}

bool is_deleting(const json::object& object) { return !metadata_text(object, "deletionTimestamp").empty(); }

bool has_finalizers(const json::object& object) {
  const json::array* list = finalizers_of(object);
  return list && !list->empty();
}

bool spec_differs(const json::object& left, const json::object& right) { return !same_member(left, right, "spec"); }

api::Violations check_object(const ResourceType& type, const json::object& object, const json::object* live) {
  api::Violations violations;
  if (!live) check_name(type, object, violations);
  check_labels(object, violations);
  check_annotations(object, violations);
  if (live) check_finalizers(object, *live, violations);
  if (live) check_immutable(object, *live, violations);
  if (is_event(type)) check_event(type, object, violations);
  if (type.of == TypeOf::Definition) check_definition(object, violations);
  if (!type.schema) return violations;
  api::Violations found = api::validate(*type.schema, object);
  if (live && !found.empty()) {
    const api::Violations before = api::validate(*type.schema, *live);
    std::erase_if(found, [&](const api::Violation& violation) { return is_old(violation, before, object, *live); });
  }
  violations.insert(violations.end(), found.begin(), found.end());
  return violations;
}

}  // namespace keyturn::embedded
