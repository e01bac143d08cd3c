// Growing, scattered pauses between attempts at something that fails.
#pragma once

#include "base/random.h"
#include "base/time.h"

namespace keyturn {

struct BackoffLimits {
  Duration base{800};
  Duration cap{30'000};
  Duration quiet = std::chrono::minutes(2);  // with no failure for so long, the next one counts as the first
};

// base * 2^n, at most cap.
Duration exponential(Duration base, Duration cap, int n);

// The pauses of one thing that is tried again and again. The defaults are those of client-go's reflector: doubled each time from
// 0.8 s to 30 s, with as much again added at random (its jitter factor is 1), so the pause lies in [base, 2 * cap].
class Backoff {
 public:
  // `random` must outlive this.
  explicit Backoff(Random& random, BackoffLimits limits = {}) : random_(&random), limits_(limits) {}

  // How long to wait after a failure at `now`.
  Duration next(BootInstant now);
  void reset() noexcept { failures_ = 0; }
  int failures() const noexcept { return failures_; }

 private:
  Random* random_;
  BackoffLimits limits_;
  int failures_ = 0;
  BootInstant last_{};
};

}  // namespace keyturn
