// What the benchmarks work on: a rotation of ordinary size and a run of it in the middle, both full.
#pragma once

#include "api/rotation_run.h"
#include "api/secret_rotation.h"

namespace keyturn::bench {

inline constexpr int consumers = 4;

api::SecretRotation sample_rotation();
api::RotationRun sample_run();

// The moment that the samples take for now.
Instant sample_now();

}  // namespace keyturn::bench
