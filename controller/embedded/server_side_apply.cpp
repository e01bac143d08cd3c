#include "controller/embedded/server_side_apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <optional>
#include <set>

namespace keyturn::embedded {
namespace {

namespace json = boost::json;
using api::Schema;

// --- structure of what is applied ---

std::string_view go_name(Schema::Type type) {
  switch (type) {
    case Schema::Type::Object:
      return "map";
    case Schema::Type::Array:
      return "list";
    case Schema::Type::String:
      return "string";
    case Schema::Type::Integer:
      return "numeric (int or float)";
    case Schema::Type::Boolean:
      return "boolean";
  }
  return "";
}

bool fits(const json::value& value, Schema::Type type) {
  switch (type) {
    case Schema::Type::Object:
      return value.is_object();
    case Schema::Type::Array:
      return value.is_array();
    case Schema::Type::String:
      return value.is_string();
    case Schema::Type::Integer:
      return value.is_number();
    case Schema::Type::Boolean:
      return value.is_bool();
  }
  return false;
}

bool open(const Schema& schema) { return schema.type == Schema::Type::Object && schema.properties.empty() && !schema.additional; }

std::optional<std::string> problem(const json::value& value, const Schema& schema, const std::string& path);

std::optional<std::string> list_problem(const json::array& items, const Schema& schema, const std::string& path) {
  const Shape shape = schema.list_type == "map" ? Shape::ListMap : schema.list_type == "set" ? Shape::ListSet : Shape::Leaf;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string edge = shape == Shape::Leaf ? std::string{} : item_edge(items[i], shape, &schema);
    if (shape == Shape::ListMap && edge.empty())
      return fmt::format(
          "{}: element {}: associative list with keys has an element that omits all key fields {} (and doesn't have default values for any "
          "key fields)",
          path, i, json::serialize(json::array(schema.list_map_keys.begin(), schema.list_map_keys.end())));
    std::string shown = fmt::format("[{}]", i);
    if (!edge.empty()) shown = paths_of(FieldSet{false, {{edge, FieldSet{true, {}}}}})[0];
    if (!edge.empty() && !seen.insert(edge).second) return fmt::format("{}: duplicate entries for key {}", path, shown);
    if (schema.items) {
      if (std::optional<std::string> found = problem(items[i], *schema.items, path + shown)) return found;
    }
  }
  return std::nullopt;
}

std::optional<std::string> problem(const json::value& value, const Schema& schema, const std::string& path) {
  if (value.is_null() || open(schema)) return std::nullopt;
  if (!fits(value, schema.type)) {
    const std::string shown = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    return fmt::format("{}: expected {}, got &{{{}}}", path, go_name(schema.type), shown);
  }
  if (value.is_array()) return list_problem(value.get_array(), schema, path);
  if (!value.is_object()) return std::nullopt;
  for (const auto& [name, member] : value.get_object()) {
    const Schema* inner = member_schema(&schema, name);
    const std::string at = fmt::format("{}.{}", path, std::string_view(name));
    if (!inner) return at + ": field not declared in schema";
    if (std::optional<std::string> found = problem(member, *inner, at)) return found;
  }
  return std::nullopt;
}

// --- merging ---

json::value without_nulls(const json::value& value) {
  if (const json::object* members = value.if_object()) {
    json::object out;
    for (const auto& [name, member] : *members)
      if (!member.is_null()) out[name] = without_nulls(member);
    return out;
  }
  if (const json::array* items = value.if_array()) {
    json::array out;
    for (const json::value& item : *items) out.push_back(without_nulls(item));
    return out;
  }
  return value;
}

json::value merged(const json::value* live, const json::value& desired, const Schema* schema);

struct Item {
  std::string edge;
  const json::value* value = nullptr;
};

std::vector<Item> items_of(const json::value& list, Shape shape, const Schema* schema) {
  std::vector<Item> items;
  for (const json::value& item : list.get_array()) items.push_back({item_edge(item, shape, schema), &item});
  return items;
}

const json::value* item_with(const std::vector<Item>& items, const std::string& edge) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.edge == edge; });
  return found == items.end() ? nullptr : found->value;
}

// Interleaves two orders: the applied items stand in the applied order, items that only the live list has keep their place relative to
// their live neighbours. The walk goes along both lists and waits at items that both have.
class ListMerge {
 public:
  ListMerge(const json::value& live, const json::value& desired, Shape shape, const Schema* schema)
      : schema_(schema), live_(items_of(live, shape, schema)), desired_(items_of(desired, shape, schema)) {
    for (const Item& item : desired_)
      if (item_with(live_, item.edge)) shared_.push_back(item.edge);
  }

  json::array run() {
    while (l_ < live_.size() || d_ < desired_.size()) {
      if (l_ < live_.size() && take_live()) continue;
      if (d_ < desired_.size()) take_desired();
    }
    return std::move(out_);
  }

 private:
  bool is_next_shared(const std::string& edge) const { return next_shared_ < shared_.size() && shared_[next_shared_] == edge; }

  // True when the live side moved; false when it is the applied side's turn.
  bool take_live() {
    const Item& item = live_[l_];
    const bool also_desired = item_with(desired_, item.edge) != nullptr;
    if (d_ < desired_.size() && item.edge == desired_[d_].edge) {
      ++l_;
      take_desired();
      return true;
    }
    if (!also_desired) {
      out_.push_back(*item.value);
      ++l_;
      return true;
    }
    // Of both lists, but not the one that the applied order wants next: it is merged when its turn comes.
    if (d_ < desired_.size() && next_shared_ < shared_.size() && !is_next_shared(item.edge)) {
      ++l_;
      return true;
    }
    if (done_.contains(item.edge)) ++l_;
    return false;
  }

  void take_desired() {
    const Item& item = desired_[d_++];
    done_.insert(item.edge);
    out_.push_back(merged(item_with(live_, item.edge), *item.value, item_schema(schema_)));
    if (is_next_shared(item.edge)) ++next_shared_;
  }

  const Schema* schema_;
  std::vector<Item> live_, desired_;
  std::vector<std::string> shared_;  // edges of both lists, in the applied order
  std::size_t next_shared_ = 0, l_ = 0, d_ = 0;
  std::set<std::string> done_;
  json::array out_;
};

json::value merged(const json::value* live, const json::value& desired, const Schema* schema) {
  const Shape shape = shape_of(desired, schema);
  if (!live || shape == Shape::Leaf || shape_of(*live, schema) != shape) return desired;
  if (shape != Shape::Map) return ListMerge(*live, desired, shape, schema).run();
  json::object out = live->get_object();
  for (const auto& [name, member] : desired.get_object()) {
    const json::value* old = live->get_object().if_contains(name);
    out[name] = merged(old, member, member_schema(schema, name));
  }
  return out;
}

// --- releasing ---

// Removes from `value` what `released` names and nobody in `kept` owns. Returns true when the value itself is to go.
bool release(json::value& value, const FieldSet& released, const FieldSet* kept, const Schema* schema) {
  const Shape shape = shape_of(value, schema);
  const bool owned = kept && !kept->empty();
  if (released.member && !owned) return true;
  const auto inner_kept = [kept](const std::string& edge) -> const FieldSet* {
    if (!kept) return nullptr;
    const auto found = kept->children.find(edge);
    return found == kept->children.end() ? nullptr : &found->second;
  };
  if (shape == Shape::Map) {
    json::object& members = value.get_object();
    for (const auto& [edge, child] : released.children) {
      const std::string name = edge.substr(2);
      json::value* member = members.if_contains(name);
      if (member && release(*member, child, inner_kept(edge), member_schema(schema, name))) members.erase(name);
    }
    // A map that held only what was released goes with it, as it would not have been made without it.
    return members.empty() && !released.children.empty() && !owned;
  }
  if (shape == Shape::Leaf) return false;
  json::array left;
  for (json::value& item : value.get_array()) {
    const std::string edge = item_edge(item, shape, schema);
    const auto child = released.children.find(edge);
    const bool gone = child != released.children.end() && release(item, child->second, inner_kept(edge), item_schema(schema));
    if (!gone) left.push_back(std::move(item));
  }
  value = std::move(left);
  return value.get_array().empty() && !released.children.empty() && !owned;
}

std::string owner_text(const ManagedEntry& entry) {
  const std::string name = fmt::format("\"{}\"", entry.manager);
  const std::string with_part = entry.subresource.empty() ? name : fmt::format("{} with subresource \"{}\"", name, entry.subresource);
  return entry.operation == "Apply" ? with_part : fmt::format("{} using {}", with_part, entry.api_version);
}

// Who else owns a field whose value this apply changes. With `force` they lose it.
Answer<> settle_conflicts(ManagedFields& fields, const FieldWriter& writer, const FieldChanges& changes, bool force) {
  const FieldSet touched = unite(changes.added, changes.modified);
  std::vector<std::pair<std::string, std::string>> conflicts;
  for (ManagedEntry& entry : fields) {
    if (entry.is(writer.manager, "Apply", writer.subresource)) continue;
    const FieldSet contested = intersect(entry.fields, touched);
    if (!force)
      for (const std::string& path : paths_of(contested)) conflicts.emplace_back(owner_text(entry), path);
    entry.fields = subtract(subtract(entry.fields, contested), changes.removed);
  }
  if (!conflicts.empty()) return apply_conflict(conflicts);
  return done();
}

}  // namespace

Answer<> check_applied(const json::object& desired, const ResourceType& type, std::string_view ns, std::string_view name) {
  const std::optional<std::string> found = problem(json::value(desired), type.root, "");
  if (!found) return done();
  const std::string where = ns.empty() ? fmt::format("/{}", name) : fmt::format("{}/{}", ns, name);
  Failure failure;
  failure.code = 422;
  failure.reason = "Invalid";
  failure.message =
      fmt::format("failed to create typed patch object ({}; {}, Kind={}): {}", where, type.group_version(), type.kind, *found);
  return failure;
}

Answer<json::object> apply_object(const json::object* live, const json::object& desired, const ResourceType& type,
                                  const FieldWriter& writer, bool force) {
  json::value wanted = without_nulls(json::value(desired));
  // Each endpoint writes its own half; the other half of a statement is dropped, not refused.
  if (writer.subresource == "status")
    wanted.get_object().erase("spec");
  else
    wanted.get_object().erase("status");
  FieldSet stated = fields_of(wanted, &type.root);
  strip_unowned(stated, writer);

  ManagedFields fields = live ? read_managed_fields(*live) : ManagedFields{};
  const json::value before = live ? comparable(*live) : json::value(json::object{});
  json::value result = live ? merged(&before, wanted, &type.root) : wanted;

  auto own = std::find_if(fields.begin(), fields.end(),
                          [&](const ManagedEntry& entry) { return entry.is(writer.manager, "Apply", writer.subresource); });
  if (own == fields.end())
    own = fields.insert(fields.end(), {writer.manager, "Apply", type.group_version(), writer.time, writer.subresource, {}});
  const FieldSet released = subtract(own->fields, stated);
  if (own->fields != stated) own->time = writer.time;
  own->fields = stated;
  own->api_version = type.group_version();

  FieldSet kept;
  for (const ManagedEntry& entry : fields) kept = unite(kept, entry.fields);
  if (!released.empty()) release(result, released, &kept, &type.root);

  const FieldChanges changes = live ? compare_fields(before, result, &type.root) : FieldChanges{};
  if (const Answer<> settled = settle_conflicts(fields, writer, changes, force); !settled) return settled.error();
  json::object out = std::move(result.get_object());
  write_managed_fields(out, std::move(fields));
  return out;
}

}  // namespace keyturn::embedded
