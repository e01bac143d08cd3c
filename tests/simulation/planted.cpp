// Takes one guard of the protocol out at a time and lives through worlds until that is noticed. Built with the mutants of the planner.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "base/log.h"
#include "reconcilers/rotation/guard.h"
#include "tests/simulation/seed_run.h"
#include "tests/simulation/workers.h"

namespace keyturn::simulation {
namespace {

struct Planted {
  Guard guard;
  Guard together = Guard::None;  // a guard that covers for this one, and goes with it
};

// What goes wrong without these comes together once in many thousand worlds. The model check misses those of the planner in every run, the
// tests of the reconciler the others.
constexpr Guard too_rare[] = {Guard::IdleLoginUnused, Guard::OldSurvivesTheAddition, Guard::SendDeadline, Guard::TakeoverIsNoted};

bool is_rare(Guard guard) { return std::find(std::begin(too_rare), std::end(too_rare), guard) != std::end(too_rare); }

// The guards that are hunted for: `only` this one, or all that are not too rare. Those that the model shows to cover each other are taken
// out in pairs (protocol.md 16).
std::vector<Planted> all_planted(const std::string& only) {
  std::vector<Planted> all;
  for (std::uint8_t i = 1; keyturn::name_of(static_cast<Guard>(i)) != keyturn::name_of(Guard::None); ++i) {
    Planted planted{static_cast<Guard>(i)};
    if (planted.guard == Guard::QuietBeforeRetiring) planted.together = Guard::QuietBeforePin;
    if (only.empty() ? !is_rare(planted.guard) : only == keyturn::name_of(planted.guard)) all.push_back(planted);
  }
  return all;
}

struct Finding {
  std::uint64_t seeds = 0;  // 0 = nothing was found
  std::string invariant;
};
Finding hunt(const Planted& planted, std::uint64_t seeds, std::uint64_t from) {
  remove_guards({planted.guard, planted.together});
  for (std::uint64_t i = 0; i < seeds; ++i) {
    const SeedResult result = run_seed(from + i);
    if (!result.violation) continue;
    // What goes wrong with every guard in place is not found by taking one out.
    remove_guards({});
    const bool of_itself = run_seed(from + i).violation.has_value();
    if (!of_itself) return {i + 1, result.violation->invariant};
    remove_guards({planted.guard, planted.together});
  }
  return {};
}

std::string name_of(const Planted& planted) {
  std::string name(keyturn::name_of(planted.guard));
  return planted.together == Guard::None ? name : name + " with " + std::string(keyturn::name_of(planted.together));
}

// Each guard is printed as soon as it is done with: the order of the lines depends on the workers, what they say does not.
int run(std::uint64_t seeds, std::uint64_t from, int jobs, const std::string& only) {
  const auto started = std::chrono::steady_clock::now();
  const std::vector<Planted> all = all_planted(only);
  fmt::print("{:<46} {:>13}  {}\n", "guard taken out", "seeds to find", "noticed by");
  const auto sums = sum_over(all.size(), jobs, [&](std::uint64_t i) {
    const Finding found = hunt(all[i], seeds, from);
    fmt::print("{:<46} {:>13}  {}\n", name_of(all[i]), found.seeds > 0 ? std::to_string(found.seeds) : "NOT FOUND", found.invariant);
    std::fflush(stdout);
    return Counts{found.seeds > 0};
  });
  if (!sums) {
    fmt::print("a worker DIED\n");
    return EXIT_FAILURE;
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (only.empty()) {
    fmt::print("not hunted for, too rare:");
    for (const Guard guard : too_rare) fmt::print(" {}", keyturn::name_of(guard));
    fmt::print("\n");
  }
  fmt::print("planted bugs: {} of {} found within {} seeds each, {:.1f} s\n", sums->front(), all.size(), seeds, took);
  return sums->front() == all.size() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace keyturn::simulation

int main(int argc, char** argv) {
  using namespace keyturn::simulation;
  keyturn::log::configure(keyturn::log::Level::Error, keyturn::log::Format::Text);
  std::uint64_t seeds = 2'000;
  std::uint64_t from = 1;
  int jobs = processors();
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i];
    const std::uint64_t number = std::strtoull(argv[i + 1], nullptr, 10);
    if (word == "--guard") only = argv[i + 1];
    if (word == "--seeds") seeds = number;
    if (word == "--from") from = number;
    if (word == "--jobs") jobs = static_cast<int>(number);
  }
  return run(seeds, from, jobs, only);
}
