// Every rule that can be checked without leaving the process, all violations at once, each saying what to write instead.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "api/schema.h"
#include "api/secret_rotation.h"

namespace keyturn::api {

// One thing that is wrong. `reason` and the wording of `message` follow the API conventions (FieldValueInvalid, FieldValueRequired,
// FieldValueNotSupported, FieldValueDuplicate, FieldValueTypeInvalid, FieldValueForbidden, FieldValueTooLong).
struct Violation {
  std::string reason;
  std::string field;  // "spec.generator.length"
  std::string message;
  bool operator==(const Violation&) const = default;
};
using Violations = std::vector<Violation>;  // sorted by field

// Structure (types, required, enums, patterns, list maps) and then, if that holds, the kind's rules. `object` is the whole object.
Violations validate(const KindSchema& kind, const boost::json::object& object);

// Sets what is absent and has a default; removes what the schema does not know and says which ("spec.typo").
void apply_defaults(const KindSchema& kind, boost::json::object& object);
std::vector<std::string> prune_unknown(const KindSchema& kind, boost::json::object& object);

// A rotation against the environment it names: vaults, systems, consumers and principals exist and are bound to the namespace; what
// is not bound and what does not exist give the same violation. Checked at admission and again before every effect (I12).
Violations validate_against(const RotationEnvironmentSpec& environment, std::string_view ns, const SecretRotationSpec& spec);

}  // namespace keyturn::api
