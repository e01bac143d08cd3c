#include "controller/embedded/git/manifests.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <utility>

#include "controller/embedded/strict_json.h"
#include "controller/embedded/yaml_json.h"

namespace keyturn::git {
namespace {

namespace json = boost::json;

// "---" alone on a line, or with a comment: the way kubectl cuts a file, before it looks at the YAML.
bool is_separator(std::string_view line) {
  if (!line.starts_with("---")) return false;
  line.remove_prefix(3);
  const std::size_t rest = line.find_first_not_of(" \t\r");
  return rest == std::string_view::npos || (rest > 0 && line[rest] == '#');
}

std::vector<std::string_view> split_documents(std::string_view text) {
  std::vector<std::string_view> documents;
  std::size_t begin = 0;
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    const std::size_t next = std::min(end + 1, text.size());
    if (is_separator(text.substr(line, end - line))) {
      documents.push_back(text.substr(begin, line - begin));
      begin = next;
    }
    line = next;
  }
  documents.push_back(text.substr(begin));
  return documents;
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

// Takes one value that a document holds, or items of a List within it.
void take(const std::string& path, const std::string& place, json::value value, Manifests& out) {
  json::object* object = value.if_object();
  if (object == nullptr) {
    out.problems.push_back(place + ": is not an object");
    return;
  }
  json::value* items = text_of(*object, "kind") == "List" ? object->if_contains("items") : nullptr;
  if (items != nullptr && items->is_array()) {
    for (json::value& item : items->get_array()) {
      // A List in a List is not something that kubectl writes.
      const bool nested = item.is_object() && text_of(item.get_object(), "kind") == "List";
      if (nested) {
        out.problems.push_back(place + ": a List holds a List");
      } else {
        take(path, place, std::move(item), out);
      }
    }
    return;
  }
  const ObjectIdentity identity = identity_of(*object);
  if (identity.kind == "Kustomization" || identity.api_version.starts_with("kustomize.")) return;
  if (identity.api_version.empty() || identity.kind.empty() || identity.key.name.empty()) {
    out.problems.push_back(place + ": apiVersion, kind and metadata.name are needed");
    return;
  }
  out.objects.push_back({path, std::move(*object)});
}

void read_json_file(const std::string& path, std::string_view text, Manifests& out) {
  embedded::StrictJson document = embedded::read_strict_json(text);
  if (!document.error.empty()) {
    out.problems.push_back(path + ": is not valid JSON: " + document.error);
  } else if (!document.duplicates.empty()) {
    out.problems.push_back(path + ": a field stands twice: " + document.duplicates.front());
  } else {
    take(path, path, std::move(document.value), out);
  }
}

void read_yaml_file(const std::string& path, std::string_view text, Manifests& out) {
  const std::vector<std::string_view> documents = split_documents(text);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::string place = documents.size() == 1 ? path : path + ", document " + std::to_string(i + 1);
    auto value = embedded::read_yaml(documents[i]);
    if (!value) {
      out.problems.push_back(place + ": " + value.error().message);
    } else if (!value->is_null()) {  // a document of comments only
      take(path, place, *std::move(value), out);
    }
  }
}

}  // namespace

bool is_manifest_name(std::string_view file_name) {
  return file_name.ends_with(".yaml") || file_name.ends_with(".yml") || file_name.ends_with(".json");
}

ObjectIdentity identity_of(const json::object& body) {
  ObjectIdentity identity{text_of(body, "apiVersion"), text_of(body, "kind"), {}};
  const json::value* meta = body.if_contains("metadata");
  if (meta == nullptr || !meta->is_object()) return identity;
  identity.key.ns = text_of(meta->get_object(), "namespace");
  identity.key.name = text_of(meta->get_object(), "name");
  return identity;
}

std::string title_of(const json::object& body) {
  const ObjectIdentity identity = identity_of(body);
  return identity.kind + " " + identity.key.to_string();
}

void read_manifests(const std::string& path, std::string_view text, Manifests& out) {
  if (path.ends_with(".json")) {
    read_json_file(path, text, out);
  } else {
    read_yaml_file(path, text, out);
  }
}

void drop_duplicates(Manifests& manifests) {
  std::set<ObjectIdentity> seen;
  std::vector<GitObject> kept;
  for (GitObject& object : manifests.objects) {
    const ObjectIdentity identity = identity_of(object.body);
    if (seen.insert(identity).second) {
      kept.push_back(std::move(object));
    } else {
      manifests.problems.push_back(object.path + ": " + title_of(object.body) + " is also in another manifest");
    }
  }
  manifests.objects = std::move(kept);
}

}  // namespace keyturn::git
