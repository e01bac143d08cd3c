// Sets of fields of an object, as server-side apply keeps them: a tree whose edges are fields, list items by key, or list items by
// value. The algebra follows what the schema says about lists (atomic, set, map); see the "structured merge diff" design of Kubernetes.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <vector>

#include "api/schema.h"

namespace keyturn::embedded {

// Edges are named as FieldsV1 names them: `f:NAME`, `k:{"name":"x"}`, `v:"x"`.
struct FieldSet {
  bool member = false;  // the place itself belongs to the set
  std::map<std::string, FieldSet> children;

  bool empty() const { return !member && children.empty(); }
  bool operator==(const FieldSet&) const = default;
};

FieldSet read_field_set(const boost::json::object& fields_v1);
boost::json::object write_field_set(const FieldSet& set);

FieldSet unite(const FieldSet& left, const FieldSet& right);
FieldSet intersect(const FieldSet& left, const FieldSet& right);
FieldSet subtract(const FieldSet& left, const FieldSet& right);
// Takes out the subtree at the end of the path, given as field names from the root.
void drop_subtree(FieldSet& set, std::initializer_list<std::string_view> path);
// Leaves only the subtree of one field of the root.
void keep_only(FieldSet& set, std::string_view field);

// The paths of all members as messages show them: `.spec.consumers[name="x"].reload`.
std::vector<std::string> paths_of(const FieldSet& set);

// Null `schema` = unknown structure: objects are maps, lists are atomic.
FieldSet fields_of(const boost::json::value& value, const api::Schema* schema);
struct FieldChanges {
  FieldSet added, modified, removed;
};
FieldChanges compare_fields(const boost::json::value& before, const boost::json::value& after, const api::Schema* schema);

// How a value is merged and owned.
enum class Shape { Leaf, Map, ListMap, ListSet };
Shape shape_of(const boost::json::value& value, const api::Schema* schema);
const api::Schema* member_schema(const api::Schema* schema, std::string_view name);
const api::Schema* item_schema(const api::Schema* schema);
// The edge of a list item; empty when an item of a list map has none of the keys.
std::string item_edge(const boost::json::value& item, Shape shape, const api::Schema* schema);

}  // namespace keyturn::embedded
