// Objects in files: YAML with one or several documents, or JSON, read as kubectl reads them.
#pragma once

#include <boost/json/object.hpp>
#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"

namespace keyturn::git {

// Which object a manifest means. The namespace is empty when the manifest does not say one.
struct ObjectIdentity {
  std::string api_version;
  std::string kind;
  ObjectKey key;
  auto operator<=>(const ObjectIdentity&) const = default;
};

struct GitObject {
  std::string path;  // of the file, within the repository
  boost::json::object body;
};

struct Manifests {
  std::vector<GitObject> objects;
  std::vector<std::string> problems;  // "apps/erp.yaml, document 2: ..."
};

bool is_manifest_name(std::string_view file_name);  // *.yaml, *.yml, *.json

// Adds the objects of one file, and what is wrong with those that cannot be read: one broken document does not hide the others. A List
// stands for its items; files for kustomize hold no object and are passed over. Values are typed by YAML 1.1 as kubectl does it (`yes` is a
// boolean, `2026-10-01` is text).
void read_manifests(const std::string& path, std::string_view text, Manifests& out);

// Of two manifests of one object the first counts; the second becomes a problem.
void drop_duplicates(Manifests& manifests);

// Empty members where `body` does not say.
ObjectIdentity identity_of(const boost::json::object& body);
std::string title_of(const boost::json::object& body);  // "SecretRotation erp-dev/erp-redis"

}  // namespace keyturn::git
