// A small explicit-state model checker: breadth first, so that every counterexample is a shortest one.
//
// Safety: every invariant is evaluated in every reachable world. Liveness: from every reachable world a good end must be reachable
// over the system's own steps alone, without a further fault and without help from the environment (AG EF good).
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace keyturn::model {

enum class Cause : std::uint8_t {
  System,       // progress the system makes by itself, and deliveries of what is under way
  Environment,  // what the world may do at any time
  Fault,        // budgeted
};

template <class W>
struct Exploration {
  struct Violation {
    std::string invariant;
    std::vector<std::pair<std::string, W>> trace;
  };
  std::size_t worlds = 0;
  std::size_t edges = 0;
  std::vector<Violation> violations;  // one per invariant, each with a shortest trace
  bool stuck = false;                 // some world has no way to a good end
  std::vector<std::pair<std::string, W>> stuck_trace;
  bool complete = true;

  bool passes() const { return violations.empty() && !stuck && complete; }
};

template <class W, class Hash>
class Explorer {
 public:
  static constexpr std::size_t worlds_max = 8'000'000;
  struct Property {
    std::string name;
    std::function<bool(const W&)> holds;
  };

  // `successors(world, emit)` calls emit(cause, label, next) for each edge; `label` says in words what happened.
  template <class Successors>
  Exploration<W> explore(const W& initial, const Successors& successors, const std::vector<Property>& properties,
                         const std::function<bool(const W&)>& good) {
    Exploration<W> result;
    add(initial, no_parent, {});
    std::vector<bool> violated(properties.size());
    for (std::size_t at = 0; at < worlds_.size(); ++at) {
      for (std::size_t k = 0; k < properties.size(); ++k) {
        if (violated[k] || properties[k].holds(worlds_[at])) continue;
        violated[k] = true;
        result.violations.push_back({properties[k].name, trace(at)});
      }
      const W world = worlds_[at];
      successors(world, [&](Cause cause, std::string label, const W& next) {
        ++result.edges;
        const std::size_t to = add(next, at, std::move(label));
        if (to == no_parent) {
          result.complete = false;
        } else if (cause == Cause::System) {
          steps_.emplace_back(static_cast<std::uint32_t>(to), static_cast<std::uint32_t>(at));
        }
      });
    }
    result.worlds = worlds_.size();
    find_stuck(good, result);
    return result;
  }

 private:
  static constexpr std::size_t no_parent = SIZE_MAX;

  std::size_t add(const W& world, std::size_t parent, std::string label) {
    const auto [where, is_new] = index_.try_emplace(world, static_cast<std::uint32_t>(worlds_.size()));
    if (!is_new) return where->second;
    if (worlds_.size() >= worlds_max) return no_parent;
    worlds_.push_back(world);
    parents_.push_back(parent);
    labels_.push_back(std::move(label));
    return worlds_.size() - 1;
  }

  std::vector<std::pair<std::string, W>> trace(std::size_t at) const {
    std::vector<std::pair<std::string, W>> steps;
    for (; at != no_parent; at = parents_[at]) steps.emplace_back(labels_[at], worlds_[at]);
    return {steps.rbegin(), steps.rend()};
  }

  // Backwards from the good ends over the system's own steps.
  void find_stuck(const std::function<bool(const W&)>& good, Exploration<W>& result) {
    if (!good) return;
    std::sort(steps_.begin(), steps_.end());
    std::vector<bool> reaches(worlds_.size());
    std::deque<std::uint32_t> frontier;
    for (std::uint32_t at = 0; at < worlds_.size(); ++at) {
      if (!good(worlds_[at])) continue;
      reaches[at] = true;
      frontier.push_back(at);
    }
    while (!frontier.empty()) {
      const std::uint32_t to = frontier.front();
      frontier.pop_front();
      auto edge = std::lower_bound(steps_.begin(), steps_.end(), std::pair<std::uint32_t, std::uint32_t>{to, 0});
      for (; edge != steps_.end() && edge->first == to; ++edge) {
        if (reaches[edge->second]) continue;
        reaches[edge->second] = true;
        frontier.push_back(edge->second);
      }
    }
    const auto first = std::find(reaches.begin(), reaches.end(), false);
    if (first == reaches.end()) return;
    result.stuck = true;
    result.stuck_trace = trace(static_cast<std::size_t>(first - reaches.begin()));
  }

  std::unordered_map<W, std::uint32_t, Hash> index_;
  std::vector<W> worlds_;
  std::vector<std::size_t> parents_;
  std::vector<std::string> labels_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> steps_;  // (to, from)
};

}  // namespace keyturn::model
