// The only home of field names: between the value types and the JSON of the API.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "api/rotation_environment.h"
#include "api/rotation_run.h"
#include "api/secret_rotation.h"
#include "base/error.h"

namespace keyturn::api {

// Decoding is lenient about unknown fields (strictness is the API server's) and strict about types: Invalid names the first field
// that does not fit. What is absent takes its default. Encoding leaves out what is empty and is canonical: equal values give equal
// text, byte for byte.
Result<SecretRotation> decode_secret_rotation(const boost::json::object& object);
Result<RotationEnvironment> decode_rotation_environment(const boost::json::object& object);
Result<RotationRun> decode_rotation_run(const boost::json::object& object);

boost::json::object encode(const SecretRotation& object);
boost::json::object encode(const RotationEnvironment& object);
boost::json::object encode(const RotationRun& object);
boost::json::object encode_spec(const SecretRotationSpec& spec);
boost::json::object encode_status(const SecretRotationStatus& status);
boost::json::object encode_status(const RotationEnvironmentStatus& status);
boost::json::object encode_status(const RotationRunStatus& status);

// The words of the API for the enumerators that people read.
std::string_view name_of(Reason value) noexcept;
std::string_view name_of(Phase value) noexcept;
std::string_view name_of(Direction value) noexcept;
std::string_view name_of(Protocol value) noexcept;
std::string_view name_of(CredentialState value) noexcept;
std::string_view name_of(TargetKind value) noexcept;
std::string_view name_of(Tristate value) noexcept;

// "sha256:..." over the canonical spec: binds a frozen spec and a plan.
std::string spec_hash(const SecretRotationSpec& spec);

}  // namespace keyturn::api
