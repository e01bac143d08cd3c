// The kinds that the server serves: ours, from their schema, and the few built-in ones that kubectl needs.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema.h"
#include "controller/runtime/store.h"

namespace keyturn::embedded {

enum class TypeOf : std::uint8_t {
  Rotation,    // one of the kinds of api/schema.h
  Namespace,   // core/v1
  CoreEvent,   // core/v1, the stored form of events
  NewEvent,    // events.k8s.io/v1: another view of the same store
  Definition,  // apiextensions.k8s.io/v1: read-only, from api/schema.h
};

struct ResourceType {
  TypeOf of = TypeOf::Rotation;
  std::string group, version, kind, plural, singular;
  std::vector<std::string> short_names, categories;
  bool namespaced = true;
  bool has_status = false;
  bool writable = true;
  api::Schema root;                         // the whole object, apiVersion, kind and metadata included
  const api::KindSchema* schema = nullptr;  // of our own kinds
  std::vector<api::PrinterColumn> columns;  // after the name
  std::vector<std::string> selectable_fields;

  std::string group_version() const { return group.empty() ? version : group + "/" + version; }
  std::string qualified() const { return group.empty() ? plural : plural + "." + group; }   // as storage errors name it
  std::string qualified_kind() const { return group.empty() ? kind : kind + "." + group; }  // as validation errors name it
  std::vector<std::string> verbs() const;
  // Where its objects are stored: both views of events share one place.
  Resource stored_as() const { return of == TypeOf::NewEvent ? Resource{"", "events"} : Resource{group, plural}; }
};

// All of them, built once. The order is that of discovery.
std::span<const ResourceType> resource_types();
const ResourceType* find_type(std::string_view group, std::string_view version, std::string_view plural);
// Whether anything is served under the group-version.
bool serves(std::string_view group, std::string_view version);
// Group-versions in the order of discovery, each once: {"", "v1"}, {"keyturn.dev", "v1alpha1"}, ...
struct GroupVersion {
  std::string group, version;
  auto operator<=>(const GroupVersion&) const = default;
  std::string path() const { return group.empty() ? "api/" + version : "apis/" + group + "/" + version; }
};
std::vector<GroupVersion> group_versions();

// metav1.ObjectMeta, as far as it is served.
const api::Schema& object_meta_schema();

}  // namespace keyturn::embedded
