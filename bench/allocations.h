// How often this process has taken memory from the heap: the benchmarks replace operator new to count it.
#pragma once

#include <cstdint>

namespace keyturn::bench {

// Calls of operator new since the start, in all forms, of all threads.
std::uint64_t allocations() noexcept;

}  // namespace keyturn::bench
