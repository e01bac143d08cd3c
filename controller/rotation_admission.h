// What the API server asks before it accepts a SecretRotation: does its environment give the namespace what it names? The same rules are
// asked again before every effect (I12).
#pragma once

#include "controller/embedded/write_pipeline.h"
#include "controller/runtime/store.h"

namespace keyturn {

// `store` must outlive what is returned. An environment that does not exist yet is a warning, not a refusal: Git and `kubectl apply -f`
// may bring both in any order.
embedded::Admission rotation_admission(Store& store);

}  // namespace keyturn
