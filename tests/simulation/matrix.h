// One fault at the n-th external call, for every n: each protocol, forward, back on failure, and as a rollback run.
#pragma once

#include <cstdint>

namespace keyturn::simulation {

// Prints the table class x fault. True = every single one came to a good end, without a violation. `stride` 1 tries every n; a larger one
// every so manieth, each class from another start, so that together they still meet every kind of call.
bool run_matrix(int jobs, std::uint64_t stride);

}  // namespace keyturn::simulation
