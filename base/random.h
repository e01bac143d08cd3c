// Randomness behind one interface, so that a simulation repeats by its seed.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/secret.h"

namespace keyturn {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<unsigned char> out) = 0;
  // Uniform in [0, bound), without modulo bias. bound > 0.
  std::uint32_t below(std::uint32_t bound);
  std::string uuid();  // version 4, lower case
  std::string hex(std::size_t bytes);
};

// OpenSSL's RAND_bytes. The seeded one lives in tests/support and cannot be linked into the product.
class SystemRandom final : public Random {
 public:
  void fill(std::span<unsigned char> out) override;
};

}  // namespace keyturn
