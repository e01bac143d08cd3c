// Takes one guard of the protocol out at a time and lives through worlds until that is noticed. Built with the mutants of the planner.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
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

// Every guard there is. Those that the model shows to cover each other are taken out in pairs (protocol.md 16).
std::vector<Planted> all_planted() {
  std::vector<Planted> all;
  for (std::uint8_t i = 1; name_of(static_cast<Guard>(i)) != name_of(Guard::None); ++i) {
    Planted planted{static_cast<Guard>(i)};
    if (planted.guard == Guard::QuietBeforeRetiring) planted.together = Guard::QuietBeforePin;
    all.push_back(planted);
  }
  return all;
}

// "12 I3" or "0 -" when nothing was found.
std::string hunt(const Planted& planted, std::uint64_t seeds, std::uint64_t from) {
  remove_guards({planted.guard, planted.together});
  for (std::uint64_t i = 0; i < seeds; ++i) {
    const SeedResult result = run_seed(from + i);
    if (!result.violation) continue;
    // What goes wrong with every guard in place is not found by taking one out.
    remove_guards({});
    const bool of_itself = run_seed(from + i).violation.has_value();
    if (!of_itself) return fmt::format("{} {}", i + 1, result.violation->invariant);
    remove_guards({planted.guard, planted.together});
  }
  return "0 -";
}

int run(std::uint64_t seeds, std::uint64_t from, int jobs) {
  const auto started = std::chrono::steady_clock::now();
  const std::vector<Planted> all = all_planted();
  const auto said = in_workers(jobs, [&](int worker) {
    std::string text;
    for (std::size_t i = static_cast<std::size_t>(worker); i < all.size(); i += static_cast<std::size_t>(jobs)) {
      text += std::to_string(i) + " " + hunt(all[i], seeds, from) + "\n";
    }
    return text;
  });
  std::vector<std::pair<std::uint64_t, std::string>> found(all.size());
  for (const std::string& lines : said) {
    std::istringstream in(lines);
    std::size_t i = 0;
    std::uint64_t seed = 0;
    std::string invariant;
    while (in >> i >> seed >> invariant) found[i] = {seed, invariant};
  }
  std::size_t caught = 0;
  fmt::print("{:<40} {:>13}  {}\n", "guard taken out", "seeds to find", "noticed by");
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string name(name_of(all[i].guard));
    if (all[i].together != Guard::None) name += " with " + std::string(name_of(all[i].together));
    caught += found[i].first > 0;
    fmt::print("{:<40} {:>13}  {}\n", name, found[i].first > 0 ? std::to_string(found[i].first) : "NOT FOUND", found[i].second);
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  fmt::print("planted bugs: {} of {} found within {} seeds each, {:.1f} s\n", caught, all.size(), seeds, took);
  return caught == all.size() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace keyturn::simulation

int main(int argc, char** argv) {
  using namespace keyturn::simulation;
  keyturn::log::configure(keyturn::log::Level::Error, keyturn::log::Format::Text);
  std::uint64_t seeds = 2'000;
  std::uint64_t from = 1;
  int jobs = processors();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i];
    const std::uint64_t number = std::strtoull(argv[i + 1], nullptr, 10);
    if (word == "--seeds") seeds = number;
    if (word == "--from") from = number;
    if (word == "--jobs") jobs = static_cast<int>(number);
  }
  return run(seeds, from, jobs);
}
