// Names of things. Each is a type of its own, so that one cannot be passed for another.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace keyturn {

template <class Tag>
struct Id {
  std::string value;
  bool empty() const noexcept { return value.empty(); }
  auto operator<=>(const Id&) const = default;
};

using Uid = Id<struct UidTag>;              // of an API object, a version 4 UUID
using VersionId = Id<struct VersionIdTag>;  // of one version of a secret in its vault (32 hex digits at Azure)
using EpochId = Id<struct EpochIdTag>;      // of one ownership of a run: a new one for every start of a controller

// "namespace/name" of an API object; the namespace is empty for a cluster-scoped kind.
struct ObjectKey {
  std::string ns;
  std::string name;
  std::string to_string() const { return ns.empty() ? name : ns + "/" + name; }
  auto operator<=>(const ObjectKey&) const = default;
};

// A revision's name and the count within it: "2026-q4.1". Names one generation of a credential.
struct CredentialName {
  std::string revision;
  int serial = 0;
  bool empty() const noexcept { return revision.empty(); }
  std::string to_string() const { return revision + "." + std::to_string(serial); }
  auto operator<=>(const CredentialName&) const = default;
};

}  // namespace keyturn

template <>
struct std::hash<keyturn::ObjectKey> {
  std::size_t operator()(const keyturn::ObjectKey& key) const noexcept {
    return std::hash<std::string>{}(key.ns) * 31 + std::hash<std::string>{}(key.name);
  }
};
