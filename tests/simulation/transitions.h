// From one wish to another and back: the world must be as it was.
#pragma once

#include <cstdint>

namespace keyturn::simulation {

// Random transitions S1 -> S2 -> S1, without faults. Prints a summary; true = each restored the state of S1.
bool run_transitions(std::uint64_t count, std::uint64_t from, int jobs);

}  // namespace keyturn::simulation
