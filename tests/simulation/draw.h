// Choices of a world, all from its seed. Each concern draws from a stream of its own, so that one more choice of one does not move all
// the others.
#pragma once

#include <vector>

#include "base/time.h"
#include "tests/support/seeded_random.h"

namespace keyturn::simulation {

class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t stream) : random_(seed * 0x9E3779B97F4A7C15U + stream * 0xD1B54A32D192ED03U) {}

  std::uint64_t next() { return random_.next(); }
  // Uniform in [0, bound); 0 for 0. The bias of the remainder is far below what a simulation can see.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : random_.next() % bound; }
  bool one_in(std::uint64_t odds) { return odds != 0 && below(odds) == 0; }
  Duration between(Duration low, Duration high) {
    if (high <= low) return low;
    return low + Duration(static_cast<Duration::rep>(below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  SeededRandom random_;
};

}  // namespace keyturn::simulation
