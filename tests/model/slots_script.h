// Fixed orders of steps for two slots whose values the provider makes, by workers that keep no journal.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/explorer.h"

namespace keyturn::model {

struct SlotsWorker {
  std::int8_t at = 0;      // the next step
  std::int8_t slot = 0;    // the one it regenerates
  std::int8_t value = -1;  // what the provider answered
  std::int8_t runs = 0;    // begun
};

struct SlotsScriptWorld {
  std::array<std::int8_t, 2> held{0, 1};
  std::int8_t latest = 0;
  std::int8_t tagged = 0;  // the slot that the newest version names
  std::int8_t loaded = 0;
  std::int8_t next_value = 2;
  std::array<SlotsWorker, 2> workers{};
};

struct SlotsScript {
  bool alternates = false;  // takes the slot that the newest version does not name; otherwise the one in use
  int workers = 1;
  int runs = 1;  // of each worker
};

SlotsScriptWorld initial_world(const SlotsScript& script);
void successors(const SlotsScript& script, const SlotsScriptWorld& world, const Emit<SlotsScriptWorld>& emit);
std::vector<Property<SlotsScriptWorld>> invariants_of(const SlotsScript& script);
bool good_end(const SlotsScript& script, const SlotsScriptWorld& world);
std::string to_string(const SlotsScript& script, const SlotsScriptWorld& world);

}  // namespace keyturn::model
