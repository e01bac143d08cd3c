// How long the simulated platform takes for what it does by itself.
#pragma once

#include "base/time.h"

namespace keyturn::sim {

// The defaults are measured ones (azure.md 2.3): a sync period of 30 minutes, a new container about 16 s after its replica was
// made, the old one gone about 10 s later.
struct PlatformTiming {
  Duration sync_period{std::chrono::minutes(30)};
  Duration operation_sync{8'000};  // from the write to its sync
  Duration operation_end{13'000};  // from the write to the end of its operation
  Duration restart_delay{2'000};   // from the answer to the new replicas
  Duration replica_start{16'000};  // from a replica's creation to its being ready
  Duration overlap{10'000};        // old replicas run on beside ready new ones
  Duration crash_period{20'000};   // between two restarts of a container that does not get ready
  double speed = 1;

  // All waits divided by `speed`; a wait never becomes zero, so that the order of events stays.
  static PlatformTiming at_speed(double speed);
  Duration scaled(Duration simulated) const;
};

}  // namespace keyturn::sim
