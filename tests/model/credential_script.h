// Fixed orders of steps for a value that the caller chooses, run by workers that keep no journal: what runbooks and simple scripts do.
// The planner cannot produce them; they show that the checker sees what is wrong with them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/explorer.h"

namespace keyturn::model {

inline constexpr int script_consumers_max = 2;
inline constexpr int script_workers_max = 2;
inline constexpr int script_steps_max = 8;

enum class ScriptStep : std::uint8_t {
  Generate,
  Stage,            // in a sibling secret
  Publish,          // as the newest version, enabled
  PublishDisabled,  // as the newest version, disabled
  Enable,           // the newest version
  Disable,          // the newest version
  Set,              // the only accepted value becomes this one
  SetAsItself,      // the same by a login that may only change its own password, with a stored value
  Add,              // one more accepted value
  RemoveOld,        // the value from before is no longer accepted
  Restart0,
  Restart1,
};

struct ScriptWorker {
  bool dead = false;
  std::int8_t at = 0;      // the next step
  std::int8_t value = -1;  // what it generated; lost with a crash
};

struct ScriptWorld {
  std::int8_t latest = 0;
  bool enabled = true;
  std::uint8_t readable = 1;  // values that can be read from the vault, a bit each
  std::uint8_t staged = 0;
  std::uint8_t accepted = 1;
  std::uint8_t ever_accepted = 1;
  std::array<std::int8_t, script_consumers_max> loaded{};  // -1: could not read anything
  std::int8_t next_value = 1;
  std::int8_t crashes = 0;
  bool published_unverified = false;
  bool restarted_into_bad = false;
  std::array<ScriptWorker, script_workers_max> workers{};
};

struct CredentialScript {
  std::vector<ScriptStep> steps;
  int workers = 1;
  int consumers = 1;
  int crashes = 0;
  bool adopts = false;  // a worker goes on with the newest staged value instead of generating one
};

ScriptWorld initial_world(const CredentialScript& script);
void successors(const CredentialScript& script, const ScriptWorld& world, const Emit<ScriptWorld>& emit);
std::vector<Property<ScriptWorld>> invariants_of(const CredentialScript& script);
bool good_end(const CredentialScript& script, const ScriptWorld& world);
std::string to_string(const CredentialScript& script, const ScriptWorld& world);

}  // namespace keyturn::model
