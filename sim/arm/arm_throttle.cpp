#include "sim/arm/arm_throttle.h"

#include <algorithm>

namespace keyturn::sim {

namespace {

// azure.md 4: general knowledge, unconfirmed; since 2024 per region.
struct Limit {
  double burst;
  double per_second;
};
constexpr Limit limit_of(ArmThrottle::Kind kind) { return kind == ArmThrottle::Kind::Read ? Limit{250, 25} : Limit{200, 10}; }
constexpr Duration wait{1'000};

}  // namespace

std::string_view name_of(ArmThrottle::Kind kind) noexcept {
  switch (kind) {
    case ArmThrottle::Kind::Read:
      return "reads";
    case ArmThrottle::Kind::Write:
      return "writes";
    case ArmThrottle::Kind::Delete:
      return "deletes";
  }
  return "reads";
}

ArmThrottle::Taken ArmThrottle::take(const std::string& principal, Kind kind, Instant now) {
  const Limit limit = limit_of(kind);
  Bucket& bucket = buckets_.try_emplace({principal, kind}, Bucket{limit.burst, now, Instant{}}).first->second;
  const double seconds = std::chrono::duration<double>(now - bucket.refilled).count();
  bucket.tokens = std::min(limit.burst, bucket.tokens + seconds * limit.per_second);
  bucket.refilled = now;
  const bool waiting = now < bucket.blocked_until;
  if (enabled_ && (waiting || bucket.tokens < 1)) {
    bucket.blocked_until = now + wait;
    return {false, 0, wait};
  }
  bucket.tokens = std::max(0.0, bucket.tokens - 1);
  return {true, static_cast<int>(bucket.tokens), Duration{0}};
}

}  // namespace keyturn::sim
