#include "controller/runtime/backoff.h"

#include <algorithm>
#include <limits>

namespace keyturn {

Duration exponential(Duration base, Duration cap, int n) {
  Duration delay = std::min(base, cap);
  for (int doubled = 0; doubled < n && delay < cap; ++doubled) delay = delay > cap / 2 ? cap : delay * 2;
  return delay;
}

Duration Backoff::next(BootInstant now) {
  if (failures_ > 0 && now - last_ >= limits_.quiet) reset();
  last_ = now;
  const Duration delay = exponential(limits_.base, limits_.cap, failures_);
  failures_ = std::min(failures_ + 1, 62);  // doubling a millisecond more often would overflow; the cap was reached long before
  const auto spread = std::clamp<Duration::rep>(delay.count() + 1, 1, std::numeric_limits<std::uint32_t>::max());
  return delay + Duration(random_->below(static_cast<std::uint32_t>(spread)));
}

}  // namespace keyturn
