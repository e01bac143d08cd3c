// One seed, one world, three phases: undisturbed adoption, then faults and people's wishes, then nothing goes wrong any more and all
// must come to a good end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/simulation/faults.h"
#include "tests/simulation/oracle.h"

namespace keyturn::simulation {

struct SeedResult {
  std::uint64_t seed = 0;
  std::optional<Violation> violation;
  Duration simulated{};
  std::uint64_t succeeded = 0;
  std::uint64_t rolled_back = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t forgiven = 0;
  std::uint64_t requests = 0;
  FaultCounts faults{};
  std::string trace;
  std::string digest;
};

SeedResult run_seed(std::uint64_t seed);

}  // namespace keyturn::simulation
