// One row of the model check: a family of worlds explored under a scenario, with guards taken out or not, and what came of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "reconcilers/rotation/guard.h"
#include "tests/model/explorer.h"

namespace keyturn::model {

// A shortest way to what must not be.
struct Counterexample {
  std::string what;
  std::vector<std::string> steps;  // each: what happened, and the world after it
};

struct Verdict {
  bool complete = true;               // every reachable world was seen
  std::vector<std::string> violated;  // short names of invariants, then STUCK where some world has no way to a good end
  std::size_t worlds = 0;
  std::size_t edges = 0;
  std::size_t depth = 0;
  std::vector<Counterexample> counterexamples;  // one for each of `violated`
  bool passes() const { return complete && violated.empty(); }
};

struct Case {
  std::string id;  // a letter for the chapter, a number, and "x" for the same scenario without a guard
  std::string title;
  std::vector<Guard> removed;  // of the planner
  bool passes = true;          // what is expected
  bool scripted = false;       // a fixed order that the planner cannot produce
  std::function<Verdict()> explore;
};

template <class World, class Scenario>
Counterexample told(std::string what, const Scenario& scenario, const std::vector<Step<World>>& trace) {
  Counterexample example{std::move(what), {}};
  for (const Step<World>& step : trace) {
    std::string line = step.label.empty() ? "at first" : step.label;
    line.resize(std::max<std::size_t>(line.size(), 64), ' ');
    example.steps.push_back(line + " " + to_string(scenario, step.world));
  }
  return example;
}

// Explores the family that `scenario` belongs to: initial_world, successors, invariants_of, good_end and to_string are found by its type.
// `only`: short names of the invariants to judge; empty = all.
template <class Scenario>
Verdict check(const Scenario& scenario, const std::vector<std::string_view>& only = {}) {
  using World = decltype(initial_world(scenario));
  const auto short_name = [](const std::string& name) { return name.substr(0, name.find(' ')); };
  std::vector<Property<World>> properties = invariants_of(scenario);
  std::erase_if(properties, [&](const Property<World>& property) {
    return !only.empty() && std::find(only.begin(), only.end(), short_name(property.name)) == only.end();
  });
  Explorer<World> explorer([&](const World& world, const Emit<World>& emit) { successors(scenario, world, emit); });
  const Exploration<World> found =
      explorer.explore(initial_world(scenario), properties, [&](const World& world) { return good_end(scenario, world); });
  Verdict verdict{.complete = found.complete, .worlds = found.worlds, .edges = found.edges, .depth = found.depth};
  for (const auto& violation : found.violations) {
    verdict.violated.push_back(short_name(violation.invariant));
    verdict.counterexamples.push_back(told(violation.invariant, scenario, violation.trace));
  }
  if (found.stuck) {
    verdict.violated.emplace_back("STUCK");
    verdict.counterexamples.push_back(told("no way to a good end", scenario, found.stuck_trace));
  }
  return verdict;
}

template <class Scenario>
Case planned(std::string id, std::string title, Scenario scenario, std::vector<Guard> removed = {}, bool passes = true,
             std::vector<std::string_view> only = {}) {
  return {std::move(id), std::move(title), std::move(removed), passes, false, [=] { return check(scenario, only); }};
}
template <class Scenario>
Case scripted(std::string id, std::string title, Scenario scenario, bool passes, std::vector<std::string_view> only = {}) {
  return {std::move(id), std::move(title), {}, passes, true, [=] { return check(scenario, only); }};
}

}  // namespace keyturn::model
