// What all objects of the API share: metadata and conditions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/time.h"

namespace keyturn::api {

inline constexpr std::string_view group = "keyturn.dev";
inline constexpr std::string_view version = "v1alpha1";
inline constexpr std::string_view group_version = "keyturn.dev/v1alpha1";
inline constexpr std::string_view finalizer = "keyturn.dev/cleanup";
inline constexpr std::string_view requested_at_annotation = "keyturn.dev/requestedAt";

struct ObjectMeta {
  std::string name;
  std::string ns;  // "namespace" on the wire; empty for cluster-scoped kinds
  Uid uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::optional<Instant> created;
  std::optional<Instant> deleted;  // deletionTimestamp: nothing new starts once it is set
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> finalizers;

  ObjectKey key() const { return {ns, name}; }
  bool operator==(const ObjectMeta&) const = default;
};

enum class Tristate : std::uint8_t { Unknown, False, True };

// metav1.Condition. `reason` is one of api/reasons.h; `message` is for people, stable, without values or counters.
struct Condition {
  std::string type;
  Tristate status = Tristate::Unknown;
  std::int64_t observed_generation = 0;
  std::string reason;
  std::string message;
  Instant last_transition{};  // moves only when `status` moves
  bool operator==(const Condition&) const = default;
};

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);

}  // namespace keyturn::api
