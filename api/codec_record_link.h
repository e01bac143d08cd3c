// The few fields of a RotationRun that tie its record to the others, read straight from the stored object. Only reading: a record is
// judged as it is stored, whatever this build would make of the rest of it.
#pragma once

#include "api/codec_fields.h"
#include "api/record_chain.h"

namespace keyturn::api::codec {

// What the digest of a record is made of, and the one field that it leaves out because it holds that digest.
inline constexpr std::string_view spec_field = "spec";
inline constexpr std::string_view status_field = "status";
inline constexpr std::string_view record_hash_field = "recordHash";

// The reference comes first: what is read before a field that does not fit is kept, and so a damaged record still has an owner.
inline void describe(Reader& io, RecordLink& v) {
  io.group("metadata", [&v](Reader& meta) { meta.field("name", v.run); });
  io.group(spec_field, [&v](Reader& spec) {
    spec.group("rotationRef", [&v](Reader& reference) {
      reference.field("namespace", v.rotation.ns);
      reference.field("name", v.rotation.name);
    });
    spec.field("identity", v.identity);
    spec.field("generation", v.generation);
  });
  io.group(status_field, [&v](Reader& status) {
    status.field("phase", v.phase);
    status.field("finishedAt", v.finished_at);
    status.field("previousHash", v.previous);
    status.field(record_hash_field, v.hash);
  });
}

}  // namespace keyturn::api::codec
