// One seed, one world, three phases: undisturbed adoption, then faults and people's wishes, then nothing goes wrong any more and all
// must come to a good end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/simulation/faults.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/workers.h"

namespace keyturn::simulation {

// What is counted of a world. From Faults on: how often each kind of fault struck.
enum class Count : std::uint8_t { Worlds, Violations, SimulatedSeconds, Succeeded, RolledBack, Abandoned, Forgiven, Requests, Faults };

struct SeedResult {
  std::uint64_t seed = 0;
  std::optional<Violation> violation;
  Counts counts;  // by Count
  std::string trace;
  std::string digest;
};

SeedResult run_seed(std::uint64_t seed);

}  // namespace keyturn::simulation
