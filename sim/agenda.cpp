#include "sim/agenda.h"

namespace keyturn::sim {

void Agenda::at(Instant when, Event event) { events_.emplace(std::pair(when, ++sequence_), std::move(event)); }

void Agenda::run_until(Instant now) {
  while (!events_.empty() && events_.begin()->first.first <= now) {
    auto node = events_.extract(events_.begin());
    node.mapped()(node.key().first);
  }
}

}  // namespace keyturn::sim
