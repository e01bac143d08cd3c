#include "sim/apps/platform_timing.h"

#include <algorithm>

namespace keyturn::sim {

Duration PlatformTiming::scaled(Duration simulated) const {
  return std::max(Duration(1), Duration(static_cast<Duration::rep>(static_cast<double>(simulated.count()) / speed)));
}

PlatformTiming PlatformTiming::at_speed(double speed) {
  PlatformTiming timing;
  timing.speed = speed;
  for (Duration* wait : {&timing.sync_period, &timing.operation_sync, &timing.operation_end, &timing.restart_delay, &timing.replica_start,
                         &timing.overlap, &timing.crash_period}) {
    *wait = timing.scaled(*wait);
  }
  return timing;
}

}  // namespace keyturn::sim
