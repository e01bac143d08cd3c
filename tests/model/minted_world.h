// The world of one secret whose value the provider makes: two slots that are both valid, or a register that drops its oldest value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "api/rotation_run.h"
#include "tests/model/actors.h"
#include "tests/model/driver.h"
#include "tests/model/explorer.h"

namespace keyturn::model {

inline constexpr int minted_consumers_max = 2;

enum class MintedEffectKind : std::uint8_t { Nothing, Stage, Mint, Publish, Restart, Revoke };
struct MintedEffect {
  MintedEffectKind kind = MintedEffectKind::Nothing;
  std::int8_t target = 0;  // Stage, Publish: the run; Mint, Revoke: the slot; Restart: the consumer
  std::int8_t value = none;
  bool pending = false;  // Publish: what the run brings in, not what it goes back to
};

struct MintedJournal {
  std::int8_t run = 1;
  api::Phase phase = api::Phase::Admitted;
  bool pinned = false;
  bool blocked = false;
  bool back = false;          // the run brings a retained value in again: `pending` is known from the start
  std::int8_t slot = none;    // Slots: which one the run regenerates
  std::int8_t before = none;  // Slots: what it held then
  std::int8_t pending = none;
  std::int8_t old = 0;
};

struct MintedWorld {
  std::array<std::int8_t, 2> held{0, none};  // Slots: per slot. Shift: current, previous
  std::int8_t latest = 0;
  std::int8_t latest_run = 0;   // the run that published it
  bool latest_pending = false;  // as what that run brings in
  std::array<std::int8_t, minted_consumers_max> loaded{};
  std::int8_t next_value = 0;
  std::array<std::uint16_t, 3> staged{};  // per run, a bit per value
  std::int8_t expiries = 0;               // Shift: how often the provider may still drop the previous value by itself
  bool deleted = false;                   // the object
  // What must never have happened; the invariants ask.
  bool restarted_into_bad = false;
  bool retired_early = false;
  bool returned_after_retiring = false;
  bool succeeded_untrue = false;
  MintedJournal journal;
  Actors<MintedEffect> actors;
};

struct MintedScenario {
  api::Protocol protocol = api::Protocol::Slots;  // or Shift
  int runs = 2;
  int consumers = 1;
  Faults faults;
  Disturbances disturbances;
  bool revoke_old = false;
  bool stray = false;     // consumer 0 begins on what the provider would drop for the new value
  bool back = false;      // the second run goes back to the value before the first
  bool deletion = false;  // the object may be deleted at any moment
  int expiries = 0;
};

MintedWorld initial_world(const MintedScenario& scenario);
void successors(const MintedScenario& scenario, const MintedWorld& world, const Emit<MintedWorld>& emit);
std::vector<Property<MintedWorld>> invariants_of(const MintedScenario& scenario);
bool good_end(const MintedScenario& scenario, const MintedWorld& world);
std::string to_string(const MintedScenario& scenario, const MintedWorld& world);

}  // namespace keyturn::model
