// A small explicit-state model checker: breadth first, so that every counterexample is a shortest one.
//
// Safety: every invariant is evaluated in every reachable world. Liveness: from every reachable world a good end must be reachable
// over the system's own steps alone, without a further fault and without help from the environment (AG EF good).
//
// A world is compared and hashed as bytes. Only its bytes, its parent and its depth are kept; the words of a trace are found again by
// taking the same steps once more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace keyturn::model {

enum class Cause : std::uint8_t {
  System,       // progress the system makes by itself, and deliveries of what is under way
  Environment,  // what the world may do at any time
  Fault,        // budgeted
};

// Receives each edge out of a world. The label is a callable that gives the words, because almost nobody reads them.
template <class W>
class Emit {
 public:
  using Sink = std::function<void(Cause, const std::string& label, const W& next)>;
  Emit(bool labelled, Sink sink) : labelled_(labelled), sink_(std::move(sink)) {}
  template <class Label>
  void operator()(Cause cause, const Label& label, const W& next) const {
    sink_(cause, labelled_ ? std::string(label()) : std::string{}, next);
  }

 private:
  bool labelled_;
  Sink sink_;
};

template <class W>
struct Property {
  std::string name;  // "I3 published is accepted": the first word is its short name
  std::function<bool(const W&)> holds;
};

template <class W>
struct Step {
  std::string label;  // empty for the first world
  W world;
};

template <class W>
struct Exploration {
  struct Violation {
    std::string invariant;
    std::vector<Step<W>> trace;
  };
  std::size_t worlds = 0;
  std::size_t edges = 0;
  std::size_t depth = 0;              // of the world that is furthest from the first, by its shortest path
  std::vector<Violation> violations;  // one per invariant, each with a shortest trace
  bool stuck = false;                 // some world has no way to a good end
  std::vector<Step<W>> stuck_trace;
  bool complete = true;
};

template <class W>
class Explorer {
  static_assert(std::has_unique_object_representations_v<W> && std::is_trivially_copyable_v<W>);

 public:
  static constexpr std::size_t worlds_max = 8'000'000;
  using Successors = std::function<void(const W&, const Emit<W>&)>;

  explicit Explorer(Successors successors) : successors_(std::move(successors)), slots_(first_slots, no_world) {}

  // `good` may be empty: then only safety is judged.
  Exploration<W> explore(const W& initial, const std::vector<Property<W>>& properties, const std::function<bool(const W&)>& good) {
    Exploration<W> result;
    add(initial, no_world);
    std::vector<std::size_t> violated_at(properties.size(), no_world);
    std::size_t at = 0;
    const Emit<W> emit(false, [&](Cause cause, const std::string&, const W& next) {
      ++result.edges;
      const std::uint32_t to = add(next, static_cast<std::uint32_t>(at));
      if (to == no_world) {
        result.complete = false;
      } else if (cause == Cause::System) {
        steps_.emplace_back(to, static_cast<std::uint32_t>(at));
      }
    });
    for (; at < worlds_.size(); ++at) {
      const W world = worlds_[at];  // the vector grows meanwhile
      for (std::size_t k = 0; k < properties.size(); ++k) {
        if (violated_at[k] == no_world && !properties[k].holds(world)) violated_at[k] = at;
      }
      successors_(world, emit);
    }
    result.worlds = worlds_.size();
    result.depth = depths_.back();
    for (std::size_t k = 0; k < properties.size(); ++k) {
      if (violated_at[k] != no_world) result.violations.push_back({properties[k].name, trace(violated_at[k])});
    }
    if (good) find_stuck(good, result);
    return result;
  }

 private:
  static constexpr std::uint32_t no_world = UINT32_MAX;
  static constexpr std::size_t first_slots = std::size_t{1} << 12;  // a power of two

  static std::size_t hash(const W& world) noexcept {
    return std::hash<std::string_view>{}(std::string_view(reinterpret_cast<const char*>(&world), sizeof world));
  }

  // The slot of an equal world, or the free one where it belongs.
  std::size_t find(const W& world) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash(world) & mask;
    while (slots_[slot] != no_world && std::memcmp(&worlds_[slots_[slot]], &world, sizeof world) != 0) slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    slots_.assign(slots_.size() * 2, no_world);
    for (std::uint32_t at = 0; at < worlds_.size(); ++at) slots_[find(worlds_[at])] = at;
  }

  std::uint32_t add(const W& world, std::uint32_t parent) {
    const std::size_t slot = find(world);
    if (slots_[slot] != no_world) return slots_[slot];
    if (worlds_.size() >= worlds_max) return no_world;
    const auto at = static_cast<std::uint32_t>(worlds_.size());
    slots_[slot] = at;
    worlds_.push_back(world);
    parents_.push_back(parent);
    depths_.push_back(parent == no_world ? std::uint16_t{0} : static_cast<std::uint16_t>(depths_[parent] + 1));
    if (worlds_.size() * 2 > slots_.size()) grow();
    return at;
  }

  std::vector<Step<W>> trace(std::size_t last) const {
    std::vector<std::uint32_t> path;
    for (auto at = static_cast<std::uint32_t>(last); at != no_world; at = parents_[at]) path.push_back(at);
    std::reverse(path.begin(), path.end());
    std::vector<Step<W>> steps{{{}, worlds_[path.front()]}};
    for (std::size_t i = 1; i < path.size(); ++i) steps.push_back({label_between(path[i - 1], path[i]), worlds_[path[i]]});
    return steps;
  }

  std::string label_between(std::uint32_t from, std::uint32_t to) const {
    std::string found;
    const Emit<W> emit(true, [&](Cause, const std::string& label, const W& next) {
      if (found.empty() && std::memcmp(&next, &worlds_[to], sizeof next) == 0) found = label;
    });
    successors_(worlds_[from], emit);
    return found;
  }

  // Backwards from the good ends over the system's own steps.
  void find_stuck(const std::function<bool(const W&)>& good, Exploration<W>& result) {
    std::sort(steps_.begin(), steps_.end());
    std::vector<bool> reaches(worlds_.size());
    std::vector<std::uint32_t> frontier;
    for (std::uint32_t at = 0; at < worlds_.size(); ++at) {
      if (!good(worlds_[at])) continue;
      reaches[at] = true;
      frontier.push_back(at);
    }
    while (!frontier.empty()) {
      const std::uint32_t to = frontier.back();
      frontier.pop_back();
      auto edge = std::lower_bound(steps_.begin(), steps_.end(), std::pair<std::uint32_t, std::uint32_t>{to, 0});
      for (; edge != steps_.end() && edge->first == to; ++edge) {
        if (reaches[edge->second]) continue;
        reaches[edge->second] = true;
        frontier.push_back(edge->second);
      }
    }
    // Worlds are numbered by their depth, so the first is a nearest one.
    const auto first = std::find(reaches.begin(), reaches.end(), false);
    if (first == reaches.end()) return;
    result.stuck = true;
    result.stuck_trace = trace(static_cast<std::size_t>(first - reaches.begin()));
  }

  Successors successors_;
  std::vector<std::uint32_t> slots_;  // open addressing over worlds_
  std::vector<W> worlds_;
  std::vector<std::uint32_t> parents_;
  std::vector<std::uint16_t> depths_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> steps_;  // (to, from)
};

}  // namespace keyturn::model
