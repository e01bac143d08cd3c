// Who acts in every world that the planner drives: two controllers that may both believe to lead, what each is about to send, and what
// was sent and still travels.
#pragma once

#include <array>
#include <cstdint>

namespace keyturn::model {

inline constexpr int controllers_max = 2;
inline constexpr std::int8_t none = -1;

// What a scenario allows to go wrong, each so many times.
struct Faults {
  int controllers = 2;
  int crashes = 1;
  int lost_replies = 1;    // applied, and nobody is told
  int late_requests = 1;   // timed out, and applied at any later moment
  int lease_expiries = 1;  // the other controller takes over from one that still acts
};

enum class Where : std::uint8_t { Standby, Running, Armed, Dead };

// `Effect` has a `kind` whose zero is nothing.
template <class Effect>
struct Controller {
  Where where = Where::Standby;
  std::int8_t candidate = none;  // the value it generated or found staged
  Effect armed;
};

template <class Effect>
struct Actors {
  std::array<Controller<Effect>, controllers_max> controllers{};
  Effect travelling;
  std::int8_t owner = none;  // of the journal
  std::int8_t crashes = 0, lost_replies = 0, late_requests = 0, lease_expiries = 0;

  const Controller<Effect>& of(int i) const { return controllers[static_cast<std::size_t>(i)]; }
  Controller<Effect>& of(int i) { return controllers[static_cast<std::size_t>(i)]; }
  bool travels() const { return travelling.kind != decltype(travelling.kind){}; }

  // Could a request that another ownership than `me` sent, or that nobody answered, still take effect? `none` asks for all.
  bool something_under_way(int me) const {
    if (travels()) return true;
    for (int other = 0; other < controllers_max; ++other) {
      if (other != me && of(other).where == Where::Armed) return true;
    }
    return false;
  }

  void allow(const Faults& faults) {
    crashes = static_cast<std::int8_t>(faults.crashes);
    lost_replies = static_cast<std::int8_t>(faults.lost_replies);
    late_requests = static_cast<std::int8_t>(faults.late_requests);
    lease_expiries = static_cast<std::int8_t>(faults.lease_expiries);
  }
};

}  // namespace keyturn::model
