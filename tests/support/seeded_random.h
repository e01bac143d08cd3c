// Random numbers that repeat by their seed. Tests and simulation only: the product never links this.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace keyturn {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<unsigned char> out) override;
  std::uint64_t next();

 private:
  std::uint64_t state_;
};

}  // namespace keyturn
