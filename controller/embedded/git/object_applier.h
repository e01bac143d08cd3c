// How objects from outside reach the API. Whoever implements it decides on authority and validation.
#pragma once

#include <boost/json/object.hpp>
#include <compare>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/task.h"

namespace keyturn::embedded {

// Which object a manifest means. `ns` is empty when the manifest does not say one.
struct ObjectIdentity {
  std::string api_version;
  std::string kind;
  std::string ns;
  std::string name;
  auto operator<=>(const ObjectIdentity&) const = default;
};

class ObjectApplier {
 public:
  virtual ~ObjectApplier() = default;

  // Server-side apply of one object as `field_manager`. Idempotent: nothing is written when the object already is as stated.
  // Errors: Invalid (unknown kind, or the object breaks a rule), Conflict (another manager owns a field), Denied, Unavailable. The
  // message says what to change, and is shown to people.
  virtual Task<> apply(Context context, boost::json::object body, std::string field_manager) = 0;

  // Deletes the objects that `field_manager` applied and that are not in `keep`. Idempotent; asked only when pruning is on, with a
  // `keep` that is complete and not empty.
  virtual Task<> prune(Context context, std::vector<ObjectIdentity> keep, std::string field_manager) = 0;
};

}  // namespace keyturn::embedded
