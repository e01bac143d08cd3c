#include "tests/simulation/campaign.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <sstream>

#include "tests/simulation/seed_run.h"
#include "tests/simulation/workers.h"

namespace keyturn::simulation {
namespace {

constexpr std::size_t lines_shown = 60;
constexpr std::uint64_t findings_shown = 5;

struct Sums {
  std::uint64_t seeds = 0;
  std::uint64_t found = 0;
  std::uint64_t simulated_s = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t rolled_back = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t forgiven = 0;
  std::uint64_t requests = 0;
  FaultCounts faults{};

  void add(const SeedResult& result) {
    ++seeds;
    found += result.violation.has_value();
    simulated_s += static_cast<std::uint64_t>(result.simulated.count()) / 1000;
    succeeded += result.succeeded;
    rolled_back += result.rolled_back;
    abandoned += result.abandoned;
    forgiven += result.forgiven;
    requests += result.requests;
    for (std::size_t i = 0; i < fault_kinds; ++i) faults[i] += result.faults[i];
  }
  std::string to_line() const {
    std::string line =
        fmt::format("{} {} {} {} {} {} {} {}", seeds, found, simulated_s, succeeded, rolled_back, abandoned, forgiven, requests);
    for (const std::uint64_t count : faults) line += " " + std::to_string(count);
    return line + "\n";
  }
  void add_line(const std::string& line) {
    std::istringstream in(line);
    const auto more = [&in](std::uint64_t& sum) {
      std::uint64_t value = 0;
      in >> value;
      sum += value;
    };
    for (std::uint64_t* sum : {&seeds, &found, &simulated_s, &succeeded, &rolled_back, &abandoned, &forgiven, &requests}) more(*sum);
    for (std::uint64_t& count : faults) more(count);
  }
};

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

Sums live(const CampaignOptions& options, const std::string& command, int worker) {
  Sums sums;
  for (std::uint64_t i = static_cast<std::uint64_t>(worker); i < options.seeds; i += static_cast<std::uint64_t>(options.jobs)) {
    SeedResult result = run_seed(options.from + i);
    if (options.twice && run_seed(options.from + i).trace != result.trace && !result.violation) {
      result.violation = Violation{"determinism", "two runs of one seed differ"};
    }
    sums.add(result);
    if (options.trace && options.seeds == 1) fmt::print("{}", result.trace);
    if (options.trace) fmt::print("seed {} {}\n", result.seed, result.digest);
    if (result.violation) report(result, command, sums.found <= findings_shown && !(options.trace && options.seeds == 1));
  }
  return sums;
}

}  // namespace

bool run_campaign(const CampaignOptions& options, const std::string& command) {
  const auto started = std::chrono::steady_clock::now();
  const auto said = in_workers(options.jobs, [&](int worker) { return live(options, command, worker).to_line(); });
  Sums sums;
  bool died = false;
  for (const std::string& line : said) {
    died |= line == "died";
    if (line != "died") sums.add_line(line);
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  fmt::print("simulation: {} seeds from {}, {} violations, {:.1f} s ({:.0f} seeds/s, {} jobs)\n", sums.seeds, options.from, sums.found,
             took, static_cast<double>(sums.seeds) / took, options.jobs);
  fmt::print("  simulated {:.2f} years; runs: {} succeeded, {} rolled back, {} abandoned; {} requests\n",
             static_cast<double>(sums.simulated_s) / (365.0 * 86'400), sums.succeeded, sums.rolled_back, sums.abandoned, sums.requests);
  fmt::print("  faults:");
  for (std::size_t i = 0; i < fault_kinds; ++i) fmt::print(" {} {}", name_of(static_cast<FaultKind>(i)), sums.faults[i]);
  fmt::print(
      "\n  beyond the promise (late past the quarantine, stopped after the last check): {} instants of harm, all repaired or reported\n",
      sums.forgiven);
  if (died) fmt::print("a worker DIED\n");
  return sums.found == 0 && !died && sums.seeds == options.seeds;
}

}  // namespace keyturn::simulation
