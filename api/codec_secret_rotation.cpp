#include "api/codec_secret_rotation.h"

#include <boost/json/serialize.hpp>

#include "api/codec.h"
#include "base/hash.h"

namespace keyturn::api {
namespace codec {

template <class Io>
void describe(Io& io, Like<Io, CredentialStatus>& v) {
  describe(io, v.name);
  io.field("version", v.version);
  io.field("state", v.state);
  io.field("issuedAt", v.issued_at);
  io.field("activatedAt", v.activated_at);
  io.field("step", v.step);
}

template <class Io>
void describe(Io& io, Like<Io, ConsumerStatus>& v) {
  io.field("name", v.name);
  io.field("using", v.using_credential);
  io.field("state", v.state);
  io.field("evidence", v.evidence);
}

template <class Io>
void describe(Io& io, Like<Io, DependentStatus>& v) {
  io.field("name", v.name);
  io.field("accepts", v.accepts);
  io.field("verifiedAt", v.verified_at);
}

template <class Io>
void describe(Io& io, Like<Io, PlanStatus>& v) {
  io.field("hash", v.hash);
  io.field("nextStep", v.next_step);
  io.field("hazards", v.hazards);
}

template <class Io>
void describe(Io& io, Like<Io, SecretRotationStatus>& v) {
  io.field("observedGeneration", v.observed_generation);
  io.field("current", v.current);
  io.field("candidate", v.candidate);
  io.field("previous", v.previous);
  io.field("history", v.history);
  io.field("consumers", v.consumers);
  io.field("dependents", v.dependents);
  io.field("plan", v.plan);
  io.field("run", v.run);
  io.field("nextRotationTime", v.next_rotation);
  io.field("issuedNotBefore", v.issued_not_before);
  io.field("lastHandledReconcileAt", v.last_handled_reconcile_at);
  io.field("conditions", v.conditions);
}

}  // namespace codec

Result<SecretRotation> decode_secret_rotation(const boost::json::object& object) { return codec::decode_object<SecretRotation>(object); }
boost::json::object encode(const SecretRotation& object) { return codec::encode_object(object); }
boost::json::object encode_spec(const SecretRotationSpec& spec) { return codec::encode_members(spec); }
boost::json::object encode_status(const SecretRotationStatus& status) { return codec::encode_members(status); }

// An approval names the plan, and the plan names this hash: the approval itself must not change it.
std::string spec_hash(const SecretRotationSpec& spec) {
  boost::json::object canonical = encode_spec(spec);
  canonical.erase("approvedPlan");
  return "sha256:" + to_hex(sha256(boost::json::serialize(canonical)));
}

}  // namespace keyturn::api
