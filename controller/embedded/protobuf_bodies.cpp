#include "controller/embedded/protobuf_bodies.h"

#include <array>
#include <boost/json/array.hpp>
#include <span>
#include <string>

#include "controller/embedded/protobuf.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;
using namespace std::string_view_literals;

// "k8s" and a zero byte stand before every body.
constexpr std::string_view magic{"k8s\0", 4};

struct TextField {
  std::uint32_t number;
  std::string_view name;
};

std::optional<json::object> read_texts(std::string_view message, std::span<const TextField> fields) {
  json::object out;
  ProtoReader reader(message);
  while (reader.next())
    for (const TextField& field : fields)
      if (field.number == reader.field() && !reader.bytes().empty()) out[field.name] = reader.bytes();
  if (!reader.ok()) return std::nullopt;
  return out;
}

void read_map_entry(std::string_view entry, json::value& map) {
  ProtoReader reader(entry);
  std::string_view key, value;
  while (reader.next()) {
    if (reader.field() == 1) key = reader.bytes();
    if (reader.field() == 2) value = reader.bytes();
  }
  if (!map.is_object()) map.emplace_object();
  map.get_object()[key] = value;
}

std::optional<json::object> read_metadata(std::string_view message) {
  json::object metadata;
  ProtoReader reader(message);
  while (reader.next()) {
    const std::string_view bytes = reader.bytes();
    if (reader.field() == 1 && !bytes.empty()) metadata["name"] = bytes;
    if (reader.field() == 2 && !bytes.empty()) metadata["generateName"] = bytes;
    if (reader.field() == 3 && !bytes.empty()) metadata["namespace"] = bytes;
    if (reader.field() == 11) read_map_entry(bytes, metadata["labels"]);
    if (reader.field() == 12) read_map_entry(bytes, metadata["annotations"]);
    if (reader.field() == 14) {
      if (!metadata["finalizers"].is_array()) metadata["finalizers"].emplace_array();
      metadata["finalizers"].get_array().push_back(json::value(bytes));
    }
  }
  if (!reader.ok()) return std::nullopt;
  return metadata;
}

constexpr std::array<TextField, 7> resource_attributes{
    {{1, "namespace"}, {2, "verb"}, {3, "group"}, {4, "version"}, {5, "resource"}, {6, "subresource"}, {7, "name"}}};
constexpr std::array<TextField, 2> path_attributes{{{1, "path"}, {2, "verb"}}};
constexpr std::array<TextField, 1> rules_spec{{{1, "namespace"}}};

std::optional<json::object> read_access_spec(std::string_view message) {
  json::object spec;
  ProtoReader reader(message);
  while (reader.next()) {
    if (reader.field() != 1 && reader.field() != 2) continue;
    const bool resource = reader.field() == 1;
    const std::optional<json::object> attributes = read_texts(
        reader.bytes(), resource ? std::span<const TextField>(resource_attributes) : std::span<const TextField>(path_attributes));
    if (!attributes) return std::nullopt;
    spec[resource ? "resourceAttributes" : "nonResourceAttributes"] = *attributes;
  }
  if (!reader.ok()) return std::nullopt;
  return spec;
}

// The spec is field 2 of every message here; the metadata field 1, except in SelfSubjectReview, whose fields say nothing.
std::optional<json::object> read_message(std::string_view kind, std::string_view message) {
  json::object body;
  ProtoReader reader(message);
  while (reader.next()) {
    std::optional<json::object> part = json::object{};
    if (reader.field() == 1) {
      part = read_metadata(reader.bytes());
      if (part) body["metadata"] = *part;
    } else if (reader.field() == 2 && kind == "SelfSubjectAccessReview") {
      part = read_access_spec(reader.bytes());
      if (part) body["spec"] = *part;
    } else if (reader.field() == 2 && kind == "SelfSubjectRulesReview") {
      part = read_texts(reader.bytes(), rules_spec);
      if (part) body["spec"] = *part;
    }
    if (!part) return std::nullopt;
  }
  if (!reader.ok()) return std::nullopt;
  return body;
}

}  // namespace

std::optional<json::object> read_protobuf_body(std::string_view body) {
  if (!body.starts_with(magic)) return std::nullopt;
  std::string_view type_meta, raw;
  ProtoReader envelope(body.substr(magic.size()));
  while (envelope.next()) {
    if (envelope.field() == 1) type_meta = envelope.bytes();
    if (envelope.field() == 2) raw = envelope.bytes();
  }
  if (!envelope.ok()) return std::nullopt;
  std::string_view version, kind;
  ProtoReader types(type_meta);
  while (types.next()) (types.field() == 1 ? version : kind) = types.bytes();
  const bool served =
      kind == "SelfSubjectAccessReview"sv || kind == "SelfSubjectRulesReview"sv || kind == "SelfSubjectReview"sv || kind == "Namespace"sv;
  if (!types.ok() || !served) return std::nullopt;
  std::optional<json::object> object = read_message(kind, raw);
  if (!object) return std::nullopt;
  (*object)["apiVersion"] = version;
  (*object)["kind"] = kind;
  return object;
}

}  // namespace keyturn::embedded
