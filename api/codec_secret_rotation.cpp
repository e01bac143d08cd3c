#include "api/codec_secret_rotation.h"

#include <boost/json/serialize.hpp>

#include "api/codec.h"
#include "base/hash.h"

namespace keyturn::api {

Result<SecretRotation> decode_secret_rotation(const boost::json::object& object) { return codec::decode_object<SecretRotation>(object); }
boost::json::object encode(const SecretRotation& object) { return codec::encode_object(object); }
boost::json::object encode_spec(const SecretRotationSpec& spec) { return codec::encode_members(spec); }
boost::json::object encode_status(const SecretRotationStatus& status) { return codec::encode_members(status); }

// An approval names the plan, and the plan names this hash: the approval itself must not change it.
std::string spec_hash(const SecretRotationSpec& spec) {
  SecretRotationSpec unapproved = spec;
  unapproved.approved_plan.clear();
  return "sha256:" + to_hex(sha256(boost::json::serialize(encode_spec(unapproved))));
}

}  // namespace keyturn::api
