#include "controller/embedded/field_set.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <set>

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

void attach(FieldSet& parent, const std::string& edge, FieldSet child) {
  if (!child.empty()) parent.children[edge] = std::move(child);
}

std::string field_edge(std::string_view name) { return "f:" + std::string(name); }

// `[name="x"]` from `k:{"name":"x"}`, `[="x"]` from `v:"x"`, `.name` from `f:name`.
std::string shown(const std::string& edge) {
  const std::string rest = edge.substr(2);
  if (edge.starts_with("f:")) return "." + rest;
  if (edge.starts_with("v:")) return "[=" + rest + "]";
  boost::system::error_code ec;
  const json::value keys = json::parse(rest, ec);
  if (ec || !keys.is_object()) return "[" + rest + "]";
  std::string text;
  for (const auto& [name, value] : keys.get_object()) {
    if (!text.empty()) text += ",";
    text += std::string(name) + "=" + json::serialize(value);
  }
  return "[" + text + "]";
}

void collect(const FieldSet& set, const std::string& path, std::vector<std::string>& paths) {
  if (set.member) paths.push_back(path);
  for (const auto& [edge, child] : set.children) collect(child, path + shown(edge), paths);
}

// The items of a list by their edges. Items without a key are left out: validation refuses them.
std::map<std::string, const json::value*> indexed(const json::value* list, Shape shape, const api::Schema* schema) {
  std::map<std::string, const json::value*> items;
  if (!list || !list->is_array()) return items;
  for (const json::value& item : list->get_array()) {
    const std::string edge = item_edge(item, shape, schema);
    if (!edge.empty()) items.emplace(edge, &item);
  }
  return items;
}

struct Part {
  const json::value* before = nullptr;
  const json::value* after = nullptr;
  const api::Schema* schema = nullptr;
};

std::map<std::string, Part> parts_of(const json::value* before, const json::value* after, Shape shape, const api::Schema* schema) {
  std::map<std::string, Part> parts;
  if (shape != Shape::Map) {
    for (const auto& [edge, item] : indexed(before, shape, schema)) parts[edge] = {item, nullptr, item_schema(schema)};
    for (const auto& [edge, item] : indexed(after, shape, schema)) parts[edge].after = item, parts[edge].schema = item_schema(schema);
    return parts;
  }
  for (const bool old : {true, false}) {
    const json::value* side = old ? before : after;
    if (!side || !side->is_object()) continue;
    for (const auto& [name, value] : side->get_object()) {
      Part& part = parts[field_edge(name)];
      (old ? part.before : part.after) = &value;
      part.schema = member_schema(schema, name);
    }
  }
  return parts;
}

void compare(const json::value* before, const json::value* after, const api::Schema* schema, FieldChanges& changes) {
  // A write changes little of an object: what is the same is not taken apart.
  if (before && after && *before == *after) return;
  const Shape shape = shape_of(after ? *after : *before, schema);
  const bool same_shape = !before || !after || shape_of(*before, schema) == shape;
  if (shape == Shape::Leaf || !same_shape) {
    if (!before)
      changes.added.member = true;
    else if (!after)
      changes.removed.member = true;
    else
      changes.modified.member = true;
    return;
  }
  for (const auto& [edge, part] : parts_of(before, after, shape, schema)) {
    FieldChanges inner;
    compare(part.before, part.after, part.schema, inner);
    attach(changes.added, edge, std::move(inner.added));
    attach(changes.modified, edge, std::move(inner.modified));
    attach(changes.removed, edge, std::move(inner.removed));
  }
  if (!before) changes.added.member = true;
  if (!after) changes.removed.member = true;
}

}  // namespace

FieldSet read_field_set(const json::object& fields_v1) {
  FieldSet set;
  // A node without children is a leaf of the set; one with children belongs to it only when it says so with ".".
  if (fields_v1.empty()) set.member = true;
  for (const auto& [edge, child] : fields_v1) {
    if (edge == ".")
      set.member = true;
    else if (child.is_object())
      set.children[std::string(edge)] = read_field_set(child.get_object());
  }
  return set;
}

json::object write_field_set(const FieldSet& set) {
  json::object out;
  if (set.member && !set.children.empty()) out["."] = json::object{};
  for (const auto& [edge, child] : set.children) out[edge] = write_field_set(child);
  return out;
}

FieldSet unite(const FieldSet& left, const FieldSet& right) {
  FieldSet set = left;
  set.member = left.member || right.member;
  for (const auto& [edge, child] : right.children) set.children[edge] = unite(set.children[edge], child);
  return set;
}

FieldSet intersect(const FieldSet& left, const FieldSet& right) {
  FieldSet set;
  set.member = left.member && right.member;
  for (const auto& [edge, child] : left.children) {
    const auto other = right.children.find(edge);
    if (other != right.children.end()) attach(set, edge, intersect(child, other->second));
  }
  return set;
}

FieldSet subtract(const FieldSet& left, const FieldSet& right) {
  FieldSet set;
  set.member = left.member && !right.member;
  for (const auto& [edge, child] : left.children) {
    const auto other = right.children.find(edge);
    attach(set, edge, other == right.children.end() ? child : subtract(child, other->second));
  }
  return set;
}

void drop_subtree(FieldSet& set, std::initializer_list<std::string_view> path) {
  std::vector<FieldSet*> trail{&set};
  for (auto name = path.begin(); name + 1 != path.end(); ++name) {
    const auto found = trail.back()->children.find(field_edge(*name));
    if (found == trail.back()->children.end()) return;
    trail.push_back(&found->second);
  }
  trail.back()->children.erase(field_edge(*(path.end() - 1)));
  // What became empty on the way up is no longer part of the set.
  for (std::size_t i = trail.size() - 1; i > 0; --i)
    if (trail[i]->empty()) std::erase_if(trail[i - 1]->children, [](const auto& child) { return child.second.empty(); });
}

void keep_only(FieldSet& set, std::string_view field) {
  const std::string edge = field_edge(field);
  set.member = false;
  std::erase_if(set.children, [&edge](const auto& child) { return child.first != edge; });
}

std::vector<std::string> paths_of(const FieldSet& set) {
  std::vector<std::string> paths;
  collect(set, "", paths);
  return paths;
}

Shape shape_of(const json::value& value, const api::Schema* schema) {
  if (value.is_object()) return Shape::Map;
  if (!value.is_array() || schema == nullptr || schema->type != api::Schema::Type::Array) return Shape::Leaf;
  return schema->list_type == "map" ? Shape::ListMap : schema->list_type == "set" ? Shape::ListSet : Shape::Leaf;
}

const api::Schema* member_schema(const api::Schema* schema, std::string_view name) {
  if (schema == nullptr) return nullptr;
  const api::Schema* declared = schema->find(name);
  return declared ? declared : schema->additional.get();
}

const api::Schema* item_schema(const api::Schema* schema) { return schema ? schema->items.get() : nullptr; }

std::string item_edge(const json::value& item, Shape shape, const api::Schema* schema) {
  if (shape == Shape::ListSet) return "v:" + json::serialize(item);
  const json::object* members = item.if_object();
  if (!members || !schema) return {};
  const std::set<std::string> names(schema->list_map_keys.begin(), schema->list_map_keys.end());
  json::object keys;
  for (const std::string& name : names)
    if (const json::value* value = members->if_contains(name)) keys[name] = *value;
  return keys.empty() ? std::string{} : "k:" + json::serialize(keys);
}

FieldSet fields_of(const json::value& value, const api::Schema* schema) {
  FieldSet set;
  const Shape shape = shape_of(value, schema);
  if (shape == Shape::Leaf) {
    set.member = true;
    return set;
  }
  for (const auto& [edge, part] : parts_of(nullptr, &value, shape, schema)) {
    FieldSet child = fields_of(*part.after, part.schema);
    if (shape != Shape::Map) child.member = true;  // making the item is owned besides what is in it
    attach(set, edge, std::move(child));
  }
  if (set.children.empty()) set.member = true;
  return set;
}

FieldChanges compare_fields(const json::value& before, const json::value& after, const api::Schema* schema) {
  FieldChanges changes;
  compare(&before, &after, schema, changes);
  return changes;
}

}  // namespace keyturn::embedded
