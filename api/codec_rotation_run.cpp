#include "api/codec_rotation_run.h"

#include "api/codec.h"

namespace keyturn::api {

Result<RotationRun> decode_rotation_run(const boost::json::object& object) { return codec::decode_object<RotationRun>(object); }
boost::json::object encode(const RotationRun& object) { return codec::encode_object(object); }
boost::json::object encode_status(const RotationRunStatus& status) { return codec::encode_members(status); }

}  // namespace keyturn::api
