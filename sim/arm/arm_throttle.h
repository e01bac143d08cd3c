// ARM's token buckets: reads, writes and deletes of a principal in a subscription.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace keyturn::sim {

class ArmThrottle {
 public:
  enum class Kind { Read, Write, Delete };
  struct Taken {
    bool allowed = false;
    int remaining = 0;
    Duration retry_after{0};
  };

  void set_enabled(bool enabled) { enabled_ = enabled; }

  // A call before the wait is over is not processed and begins the wait anew.
  Taken take(const std::string& principal, Kind kind, Instant now);

 private:
  struct Bucket {
    double tokens;
    Instant refilled{};
    Instant blocked_until{};
  };
  bool enabled_ = true;
  std::map<std::pair<std::string, Kind>, Bucket> buckets_;
};

std::string_view name_of(ArmThrottle::Kind kind) noexcept;

}  // namespace keyturn::sim
