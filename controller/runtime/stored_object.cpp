#include "controller/runtime/stored_object.h"

#include <boost/json/value.hpp>
#include <utility>

#include "controller/runtime/wiping_memory.h"

namespace keyturn {

namespace json = boost::json;

bool holds_secrets(const Resource& resource) { return resource.group.empty() && resource.plural == "secrets"; }

namespace {

json::object& metadata_in(json::object& body) {
  json::value& metadata = body["metadata"];
  if (!metadata.is_object()) metadata.emplace_object();
  return metadata.get_object();
}

Uid uid_of(const json::object& body) {
  const json::value* uid = metadata_of(body, "uid");
  if (!uid || !uid->is_string()) return {};
  return Uid{std::string(uid->get_string())};
}

constexpr std::string_view version_member = "resourceVersion";

// Compares all members of two `metadata` but the version.
bool same_metadata(const json::object& left, const json::object& right) {
  std::size_t compared = 0;
  for (const auto& member : left) {
    if (member.key() == version_member) continue;
    ++compared;
    const json::value* other = right.if_contains(member.key());
    if (!other || *other != member.value()) return false;
  }
  return compared == right.size() - (right.contains(version_member) ? 1 : 0);
}

}  // namespace

StoredPtr make_stored(Resource resource, ObjectKey key, json::object body, ResourceVersion version) {
  auto object = std::make_shared<StoredObject>();
  metadata_in(body)[version_member] = std::to_string(version);
  object->uid = uid_of(body);
  if (holds_secrets(resource)) {
    // An object keeps the storage it was made with, so it is made anew rather than assigned.
    std::destroy_at(&object->body);
    std::construct_at(&object->body, std::move(body), wiping_storage());
  } else {
    object->body = std::move(body);
  }
  object->resource = std::move(resource);
  object->key = std::move(key);
  object->version = version;
  return object;
}

const json::value* metadata_of(const json::object& body, std::string_view name) {
  const json::value* metadata = body.if_contains("metadata");
  if (!metadata || !metadata->is_object()) return nullptr;
  return metadata->get_object().if_contains(name);
}

bool same_but_for_version(const json::object& left, const json::object& right) {
  if (left.size() != right.size()) return false;
  for (const auto& member : left) {
    const json::value* other = right.if_contains(member.key());
    if (!other) return false;
    const bool metadata = member.key() == "metadata" && member.value().is_object() && other->is_object();
    const bool same = metadata ? same_metadata(member.value().get_object(), other->get_object()) : member.value() == *other;
    if (!same) return false;
  }
  return true;
}

std::size_t approximate_bytes(const json::value& value) {
  constexpr std::size_t slot = sizeof(json::value);
  if (const auto* text = value.if_string()) return slot + text->capacity();
  std::size_t bytes = slot;
  if (const auto* array = value.if_array()) {
    for (const auto& item : *array) bytes += approximate_bytes(item);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) bytes += slot + member.key().size() + approximate_bytes(member.value());
  }
  return bytes;
}

std::size_t approximate_bytes(const StoredObject& object) {
  std::size_t bytes = sizeof(StoredObject);
  for (const auto& member : object.body) bytes += member.key().size() + approximate_bytes(member.value());
  return bytes;
}

std::string page_key(const ObjectKey& key) { return key.ns + "/" + key.name; }

ObjectKey parse_page_key(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

}  // namespace keyturn
