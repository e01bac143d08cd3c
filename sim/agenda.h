// What will happen in the simulated platform, in order of time. Nothing here waits: the owner says how late it is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/time.h"

namespace keyturn::sim {

// The world is brought up to the present before every request is looked at. Since only requests change it from outside, this is
// indistinguishable from timers that fire on time, and it needs no threads, no timers and no waiting in tests.
class Agenda {
 public:
  using Event = std::function<void(Instant)>;

  // `event` runs once, with `when` as its time, as soon as `run_until` reaches it. Events of one instant keep their order.
  void at(Instant when, Event event);

  // Runs everything that is due, including what these events add, each at its own time. Never goes back.
  void run_until(Instant now);

  std::size_t size() const noexcept { return events_.size(); }

 private:
  std::map<std::pair<Instant, std::uint64_t>, Event> events_;
  std::uint64_t sequence_ = 0;
};

}  // namespace keyturn::sim
