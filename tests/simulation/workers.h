// Spreads independent pieces of work over child processes, and adds up what each of them counts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace keyturn::simulation {

using Counts = std::vector<std::uint64_t>;

// Does `work(i)` for every i below `pieces`, in `jobs` child processes that take the next piece whenever they are done with one; what
// comes first depends on the machine, what is returned does not: the sums of what all pieces returned, place by place. Nothing = a child
// died. With one job everything happens in this process.
std::optional<Counts> sum_over(std::uint64_t pieces, int jobs, const std::function<Counts(std::uint64_t)>& work);

int processors();

}  // namespace keyturn::simulation
