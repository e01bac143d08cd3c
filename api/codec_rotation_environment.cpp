#include "api/codec_rotation_environment.h"

#include "api/codec.h"

namespace keyturn::api {

Result<RotationEnvironment> decode_rotation_environment(const boost::json::object& object) {
  return codec::decode_object<RotationEnvironment>(object);
}
boost::json::object encode(const RotationEnvironment& object) { return codec::encode_object(object); }
boost::json::object encode_status(const RotationEnvironmentStatus& status) { return codec::encode_members(status); }

}  // namespace keyturn::api
