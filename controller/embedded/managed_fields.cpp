#include "controller/embedded/managed_fields.h"

#include <algorithm>
#include <boost/json/string.hpp>
#include <tuple>

#include "controller/embedded/json_path.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& entry, std::string_view name) {
  const json::value* value = entry.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string{};
}

// The oldest Update entries beyond the limit become one, so that the list cannot grow without bound.
void fold_ancient(ManagedFields& fields) {
  std::vector<std::size_t> updates;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].operation == "Update" && fields[i].manager != "ancient-changes") updates.push_back(i);
  if (updates.size() <= update_entries_max) return;
  std::sort(updates.begin(), updates.end(), [&](std::size_t a, std::size_t b) { return fields[a].time < fields[b].time; });
  updates.resize(updates.size() - update_entries_max);

  ManagedEntry ancient{.manager = "ancient-changes", .operation = "Update", .api_version = fields[updates[0]].api_version};
  ManagedFields kept;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const bool old = std::find(updates.begin(), updates.end(), i) != updates.end() || fields[i].manager == "ancient-changes";
    if (!old) {
      kept.push_back(std::move(fields[i]));
      continue;
    }
    ancient.fields = unite(ancient.fields, fields[i].fields);
    ancient.time = std::max(ancient.time, fields[i].time);
  }
  kept.push_back(std::move(ancient));
  fields = std::move(kept);
}

}  // namespace

ManagedFields read_managed_fields(const json::object& object) {
  ManagedFields fields;
  const json::value* list = find_path(object, "metadata.managedFields");
  if (!list || !list->is_array()) return fields;
  for (const json::value& item : list->get_array()) {
    const json::object* entry = item.if_object();
    const json::value* tree = entry ? entry->if_contains("fieldsV1") : nullptr;
    if (!tree || !tree->is_object()) continue;
    ManagedEntry read{.manager = text_of(*entry, "manager"),
                      .operation = text_of(*entry, "operation"),
                      .api_version = text_of(*entry, "apiVersion"),
                      .time = text_of(*entry, "time"),
                      .subresource = text_of(*entry, "subresource"),
                      .fields = read_field_set(tree->get_object())};
    // The root of an empty set reads as a leaf; nobody owns a whole object.
    read.fields.member = false;
    fields.push_back(std::move(read));
  }
  return fields;
}

bool asks_for_reset(const json::object& object) {
  const json::value* list = find_path(object, "metadata.managedFields");
  return list && list->is_array() && list->get_array().size() == 1 && list->get_array()[0].is_object() &&
         list->get_array()[0].get_object().empty();
}

void write_managed_fields(json::object& object, ManagedFields fields) {
  fold_ancient(fields);
  std::sort(fields.begin(), fields.end(), [](const ManagedEntry& a, const ManagedEntry& b) {
    return std::tie(a.operation, a.time, a.manager, a.api_version, a.subresource) <
           std::tie(b.operation, b.time, b.manager, b.api_version, b.subresource);
  });
  json::array list;
  for (const ManagedEntry& entry : fields) {
    if (entry.fields.empty()) continue;
    json::object out{{"manager", entry.manager}, {"operation", entry.operation}, {"apiVersion", entry.api_version},
                     {"time", entry.time},       {"fieldsType", "FieldsV1"},     {"fieldsV1", write_field_set(entry.fields)}};
    if (!entry.subresource.empty()) out["subresource"] = entry.subresource;
    list.push_back(std::move(out));
  }
  json::object& metadata = object["metadata"].is_object() ? object["metadata"].get_object() : object["metadata"].emplace_object();
  metadata.erase("managedFields");
  if (!list.empty()) metadata["managedFields"] = std::move(list);
}

void strip_unowned(FieldSet& set, const FieldWriter& writer) {
  set.member = false;
  drop_subtree(set, {"apiVersion"});
  drop_subtree(set, {"kind"});
  for (const std::string_view name : {"name", "namespace", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
                                      "selfLink", "uid", "generation", "generateName", "managedFields", "resourceVersion"})
    drop_subtree(set, {"metadata", name});
  const auto metadata = set.children.find("f:metadata");
  if (metadata != set.children.end()) {
    metadata->second.member = false;
    if (metadata->second.empty()) set.children.erase(metadata);
  }
  if (writer.subresource == "status")
    keep_only(set, "status");
  else
    drop_subtree(set, {"status"});
}

json::value comparable(const json::object& object) {
  json::object copy = object;
  if (json::value* metadata = copy.if_contains("metadata"); metadata && metadata->is_object())
    metadata->get_object().erase("managedFields");
  return copy;
}

void record_update(ManagedFields& fields, const json::object& before, const json::object& after, const ResourceType& type,
                   const FieldWriter& writer) {
  FieldChanges changes = compare_fields(comparable(before), comparable(after), &type.root);
  FieldSet taken = unite(changes.added, changes.modified);
  strip_unowned(taken, writer);

  for (ManagedEntry& entry : fields) {
    const bool own = entry.is(writer.manager, "Update", writer.subresource);
    FieldSet next = subtract(entry.fields, changes.removed);
    next = own ? unite(next, taken) : subtract(next, taken);
    if (own && next != entry.fields) entry.time = writer.time;
    entry.fields = std::move(next);
  }
  const bool known = std::any_of(fields.begin(), fields.end(),
                                 [&](const ManagedEntry& entry) { return entry.is(writer.manager, "Update", writer.subresource); });
  if (!known && !taken.empty())
    fields.push_back({writer.manager, "Update", type.group_version(), writer.time, writer.subresource, std::move(taken)});
  std::erase_if(fields, [](const ManagedEntry& entry) { return entry.fields.empty(); });
}

}  // namespace keyturn::embedded
