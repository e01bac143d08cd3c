#include "controller/embedded/resource_types.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <utility>

namespace keyturn::embedded {
namespace {

using api::Schema;

Schema leaf(Schema::Type type, std::string description, std::string format = {}) {
  Schema schema;
  schema.type = type;
  schema.description = std::move(description);
  schema.format = std::move(format);
  return schema;
}
Schema text(std::string description) { return leaf(Schema::Type::String, std::move(description)); }
Schema time(std::string description) { return leaf(Schema::Type::String, std::move(description), "date-time"); }
Schema integer(std::string description) { return leaf(Schema::Type::Integer, std::move(description)); }
Schema boolean(std::string description) { return leaf(Schema::Type::Boolean, std::move(description)); }

Schema object_of(std::string description, std::initializer_list<Schema::Property> properties) {
  Schema schema = leaf(Schema::Type::Object, std::move(description));
  schema.properties = properties;
  return schema;
}

Schema map_of(std::string description, Schema values) {
  Schema schema = leaf(Schema::Type::Object, std::move(description));
  schema.additional = std::make_shared<const Schema>(std::move(values));
  return schema;
}

Schema list_of(std::string description, Schema items, std::string list_type, std::vector<std::string> keys = {}) {
  Schema schema = leaf(Schema::Type::Array, std::move(description));
  schema.items = std::make_shared<const Schema>(std::move(items));
  schema.list_type = std::move(list_type);
  schema.list_map_keys = std::move(keys);
  return schema;
}

Schema owner_reference() {
  Schema schema =
      object_of("An object that this one depends on.", {{"apiVersion", text("API version of the owner.")},
                                                        {"kind", text("Kind of the owner.")},
                                                        {"name", text("Name of the owner.")},
                                                        {"uid", text("UID of the owner.")},
                                                        {"controller", boolean("Whether the owner manages this object.")},
                                                        {"blockOwnerDeletion", boolean("Whether it holds up the owner's deletion.")}});
  schema.required = {"apiVersion", "kind", "name", "uid"};
  return schema;
}

Schema managed_fields_entry() {
  return object_of("Which fields one manager has set.",
                   {{"manager", text("Who set the fields.")},
                    {"operation", text("Apply or Update.")},
                    {"apiVersion", text("Version of the field set.")},
                    {"time", time("When the set changed last.")},
                    {"fieldsType", text("Always FieldsV1.")},
                    {"fieldsV1", map_of("The fields, as a tree.", leaf(Schema::Type::Object, "A node of the tree."))},
                    {"subresource", text("The subresource through which they were set.")}});
}

Schema make_object_meta() {
  return object_of("Standard object's metadata.",
                   {{"annotations", map_of("Unstructured values set by tools.", text("A value."))},
                    {"creationTimestamp", time("When the object was created. Set by the server.")},
                    {"deletionGracePeriodSeconds", integer("Seconds before the object is removed. Set by the server.")},
                    {"deletionTimestamp", time("When the deletion was asked for. Set by the server.")},
                    {"finalizers", list_of("Must be empty before the object is removed.", text("A finalizer."), "set")},
                    {"generateName", text("A prefix for a name that the server makes.")},
                    {"generation", integer("Counts the changes of the desired state. Set by the server.")},
                    {"labels", map_of("Identifying attributes, used by selectors.", text("A value."))},
                    {"managedFields", list_of("Who set which fields. Kept by the server.", managed_fields_entry(), "atomic")},
                    {"name", text("Unique within its namespace. Cannot be changed.")},
                    {"namespace", text("The space within which the name is unique. Cannot be changed.")},
                    {"ownerReferences", list_of("Objects that this one depends on.", owner_reference(), "map", {"uid"})},
                    {"resourceVersion", text("The version of this object, opaque to clients. Set by the server.")},
                    {"selfLink", text("Not used any more.")},
                    {"uid", text("Unique in time and space. Set by the server.")}});
}

std::vector<Schema::Property> envelope() {
  return {{"apiVersion", text("APIVersion defines the versioned schema of this representation of an object.")},
          {"kind", text("Kind is a string value representing the REST resource this object represents.")},
          {"metadata", object_meta_schema()}};
}

ResourceType rotation_type(const api::KindSchema& kind) {
  ResourceType type;
  type.group = "keyturn.dev";
  type.version = "v1alpha1";
  type.kind = kind.kind;
  type.plural = kind.plural;
  type.singular = kind.singular;
  if (!kind.short_name.empty()) type.short_names = {kind.short_name};
  type.categories = {"rotation"};
  type.namespaced = kind.namespaced;
  type.has_status = true;
  type.root = object_of(kind.description, {});
  type.root.properties = envelope();
  type.root.properties.push_back({"spec", kind.spec});
  type.root.properties.push_back({"status", kind.status});
  type.root.required = {"spec"};
  type.schema = &kind;
  type.columns = kind.columns;
  type.selectable_fields = kind.selectable_fields;
  return type;
}

ResourceType namespace_type() {
  ResourceType type;
  type.of = TypeOf::Namespace;
  type.version = "v1";
  type.kind = "Namespace";
  type.plural = "namespaces";
  type.singular = "namespace";
  type.short_names = {"ns"};
  type.namespaced = false;
  type.has_status = false;
  type.root = object_of("A scope for names.", {});
  type.root.properties = envelope();
  type.root.properties.push_back(
      {"spec",
       object_of("How the namespace behaves.", {{"finalizers", list_of("Held while content is left.", text("A finalizer."), "atomic")}})});
  type.root.properties.push_back({"status", object_of("State of the namespace.", {{"phase", text("Active or Terminating.")}})});
  type.columns = {{"Status", "string", "The status of the namespace", ".status.phase", 0},
                  {"Age", "date", "When the namespace was created", ".metadata.creationTimestamp", 0}};
  type.selectable_fields = {"status.phase"};
  return type;
}

Schema object_reference(std::string description) {
  return object_of(std::move(description), {{"apiVersion", text("API version of the object.")},
                                            {"fieldPath", text("A part of the object.")},
                                            {"kind", text("Kind of the object.")},
                                            {"name", text("Name of the object.")},
                                            {"namespace", text("Namespace of the object.")},
                                            {"resourceVersion", text("The version that is meant.")},
                                            {"uid", text("UID of the object.")}});
}

ResourceType core_event_type() {
  ResourceType type;
  type.of = TypeOf::CoreEvent;
  type.version = "v1";
  type.kind = "Event";
  type.plural = "events";
  type.singular = "event";
  type.short_names = {"ev"};
  type.root = object_of("A report of something that happened.", {});
  type.root.properties = envelope();
  const std::initializer_list<Schema::Property> own = {
      {"action", text("What was done.")},
      {"count", integer("How often it happened.")},
      {"eventTime", time("When it was first observed.")},
      {"firstTimestamp", time("When it was first recorded.")},
      {"involvedObject", object_reference("The object this is about.")},
      {"lastTimestamp", time("When it was last recorded.")},
      {"message", text("For people.")},
      {"reason", text("A short word for machines.")},
      {"related", object_reference("A second object.")},
      {"reportingComponent", text("The controller that reported it.")},
      {"reportingInstance", text("The instance of that controller.")},
      {"series",
       object_of("When it happens again and again.", {{"count", integer("How often.")}, {"lastObservedTime", time("When last.")}})},
      {"source", object_of("The component that reported it.", {{"component", text("Its name.")}, {"host", text("Its host.")}})},
      {"type", text("Normal or Warning.")}};
  type.root.properties.insert(type.root.properties.end(), own.begin(), own.end());
  type.selectable_fields = {"involvedObject.kind",
                            "involvedObject.namespace",
                            "involvedObject.name",
                            "involvedObject.uid",
                            "involvedObject.apiVersion",
                            "involvedObject.resourceVersion",
                            "involvedObject.fieldPath",
                            "reason",
                            "type",
                            "reportingComponent",
                            "source"};
  return type;
}

ResourceType new_event_type() {
  ResourceType type = core_event_type();
  type.of = TypeOf::NewEvent;
  type.group = "events.k8s.io";
  const std::vector<std::pair<std::string, std::string>> renamed = {{"involvedObject", "regarding"},
                                                                    {"message", "note"},
                                                                    {"reportingComponent", "reportingController"},
                                                                    {"source", "deprecatedSource"},
                                                                    {"count", "deprecatedCount"},
                                                                    {"firstTimestamp", "deprecatedFirstTimestamp"},
                                                                    {"lastTimestamp", "deprecatedLastTimestamp"}};
  for (Schema::Property& property : type.root.properties)
    for (const auto& [from, to] : renamed)
      if (property.name == from) property.name = to;
  type.selectable_fields = {"regarding.kind",
                            "regarding.namespace",
                            "regarding.name",
                            "regarding.uid",
                            "regarding.apiVersion",
                            "regarding.resourceVersion",
                            "regarding.fieldPath",
                            "reason",
                            "type",
                            "reportingController"};
  return type;
}

ResourceType definition_type() {
  ResourceType type;
  type.of = TypeOf::Definition;
  type.group = "apiextensions.k8s.io";
  type.version = "v1";
  type.kind = "CustomResourceDefinition";
  type.plural = "customresourcedefinitions";
  type.singular = "customresourcedefinition";
  type.short_names = {"crd", "crds"};
  type.categories = {"api-extensions"};
  type.namespaced = false;
  type.root = object_of("The definition of a kind. Here the definitions are fixed.", {});
  type.root.properties = envelope();
  // Manifests are compared with the built-in ones, not interpreted, so that an open structure is enough to describe them.
  type.root.properties.push_back({"spec", leaf(Schema::Type::Object, "How the kind is served.")});
  type.root.properties.push_back({"status", leaf(Schema::Type::Object, "State of the definition.")});
  type.columns = {{"Created At", "date", "When the definition was created", ".metadata.creationTimestamp", 0}};
  return type;
}

std::vector<ResourceType> build() {
  std::vector<ResourceType> types{namespace_type(), core_event_type()};
  for (const api::KindSchema& kind : api::kinds()) types.push_back(rotation_type(kind));
  types.push_back(new_event_type());
  types.push_back(definition_type());
  return types;
}

const std::vector<ResourceType>& all() {
  static const std::vector<ResourceType> types = build();
  return types;
}

}  // namespace

std::vector<std::string> ResourceType::verbs() const {
  if (of == TypeOf::Namespace) return {"create", "delete", "get", "list", "patch", "update", "watch"};
  if (of == TypeOf::Definition) return {"create", "get", "list", "patch", "watch"};
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

std::span<const ResourceType> resource_types() { return all(); }

const ResourceType* find_type(std::string_view group, std::string_view version, std::string_view plural) {
  for (const ResourceType& type : all())
    if (type.group == group && type.version == version && type.plural == plural) return &type;
  return nullptr;
}

bool serves(std::string_view group, std::string_view version) {
  return std::any_of(all().begin(), all().end(), [&](const ResourceType& type) { return type.group == group && type.version == version; });
}

std::vector<GroupVersion> group_versions() {
  std::vector<GroupVersion> found;
  const auto add = [&found](GroupVersion gv) {
    if (std::find(found.begin(), found.end(), gv) == found.end()) found.push_back(std::move(gv));
  };
  for (const ResourceType& type : all()) add({type.group, type.version});
  add({"authentication.k8s.io", "v1"});
  add({"authorization.k8s.io", "v1"});
  return found;
}

const api::Schema& object_meta_schema() {
  static const api::Schema schema = make_object_meta();
  return schema;
}

}  // namespace keyturn::embedded
