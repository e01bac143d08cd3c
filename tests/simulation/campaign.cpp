#include "tests/simulation/campaign.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "tests/simulation/seed_run.h"
#include "tests/simulation/workers.h"

namespace keyturn::simulation {
namespace {

constexpr std::size_t lines_shown = 60;
constexpr std::uint64_t findings_shown = 5;

std::string last_lines(const std::string& text) {
  std::size_t from = text.size();
  for (std::size_t lines = 0; from > 0 && lines <= lines_shown; --from) lines += text[from - 1] == '\n';
  return text.substr(from == 0 ? 0 : from + 1);
}

void report(const SeedResult& result, const std::string& command, bool shown) {
  fmt::print("VIOLATION of {} by seed {}: {}\n", result.violation->invariant, result.seed, result.violation->message);
  if (shown) fmt::print("{}reproduce: {} --seeds 1 --from {} --trace\n\n", last_lines(result.trace), command, result.seed);
  std::fflush(stdout);
}

SeedResult live(const CampaignOptions& options, std::uint64_t seed) {
  SeedResult result = run_seed(seed);
  if (!options.twice || result.violation || run_seed(seed).trace == result.trace) return result;
  result.violation = Violation{"determinism", "two runs of one seed differ"};
  result.counts[static_cast<std::size_t>(Count::Violations)] = 1;
  return result;
}

}  // namespace

bool run_campaign(const CampaignOptions& options, const std::string& command) {
  const auto started = std::chrono::steady_clock::now();
  std::uint64_t found = 0;  // by this worker
  const auto sums = sum_over(options.seeds, options.jobs, [&](std::uint64_t i) {
    const SeedResult result = live(options, options.from + i);
    const bool alone = options.trace && options.seeds == 1;
    if (alone) fmt::print("{}", result.trace);
    if (options.trace) fmt::print("seed {} {}\n", result.seed, result.digest);
    if (result.violation) report(result, command, ++found <= findings_shown && !alone);
    return result.counts;
  });
  if (!sums) {
    fmt::print("a worker DIED\n");
    return false;
  }
  const auto sum = [&](Count count) { return (*sums)[static_cast<std::size_t>(count)]; };
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  fmt::print("simulation: {} seeds from {}, {} violations, {:.1f} s ({:.0f} seeds/s, {} jobs)\n", sum(Count::Worlds), options.from,
             sum(Count::Violations), took, static_cast<double>(sum(Count::Worlds)) / took, options.jobs);
  fmt::print("  simulated {:.2f} years; runs: {} succeeded, {} rolled back, {} abandoned; {} requests\n",
             static_cast<double>(sum(Count::SimulatedSeconds)) / (365.0 * 86'400), sum(Count::Succeeded), sum(Count::RolledBack),
             sum(Count::Abandoned), sum(Count::Requests));
  fmt::print("  faults:");
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    fmt::print(" {} {}", name_of(static_cast<FaultKind>(i)), (*sums)[static_cast<std::size_t>(Count::Faults) + i]);
  }
  fmt::print(
      "\n  beyond the promise (late past the quarantine, stopped after the last check): {} instants of harm, all repaired or reported\n",
      sum(Count::Forgiven));
  return sum(Count::Violations) == 0 && sum(Count::Worlds) == options.seeds;
}

}  // namespace keyturn::simulation
