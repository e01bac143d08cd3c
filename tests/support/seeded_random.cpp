#include "tests/support/seeded_random.h"

namespace keyturn {

// SplitMix64 by Sebastiano Vigna: passes the usual statistical tests, has no bad seeds, and is the same on every platform.
std::uint64_t SeededRandom::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

void SeededRandom::fill(std::span<unsigned char> out) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) bits = next();
    out[i] = static_cast<unsigned char>(bits >> (i % 8 * 8));
  }
}

}  // namespace keyturn
