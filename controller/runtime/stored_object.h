// Building and comparing stored objects: the few fields of a body that the store itself reads and writes.
#pragma once

#include <string>
#include <string_view>

#include "controller/runtime/store.h"

namespace keyturn {

// True for the core group's Secrets: their bodies are wiped when dropped, and encrypted wherever they are written.
bool holds_secrets(const Resource& resource);

// The object with metadata.resourceVersion set to `version` and its uid taken from metadata.uid. A body without metadata gets one.
StoredPtr make_stored(Resource resource, ObjectKey key, boost::json::object body, ResourceVersion version);

// Whether the two say the same but for metadata.resourceVersion. The order of members does not matter.
bool same_but_for_version(const boost::json::object& left, const boost::json::object& right);

// The member of `metadata` with this name, or null when there is none.
const boost::json::value* metadata_of(const boost::json::object& body, std::string_view name);

// About how many bytes of memory the value takes, children included. For limits, not for accounting.
std::size_t approximate_bytes(const boost::json::value& value);
std::size_t approximate_bytes(const StoredObject& object);

// "namespace/name", for ListOptions::after; unlike ObjectKey::to_string always with the slash, so that it can be read back.
std::string page_key(const ObjectKey& key);
ObjectKey parse_page_key(std::string_view text);

}  // namespace keyturn
