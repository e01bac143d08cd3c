// The world of one credential that several vaults publish, each with a consumer of its own; a vault may be out of reach for any time.
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

inline constexpr int fanout_max = 3;

enum class FanoutEffectKind : std::uint8_t { Nothing, Stage, Install, Publish, Restart, Withdraw };
struct FanoutEffect {
  FanoutEffectKind kind = FanoutEffectKind::Nothing;
  std::int8_t target = 0;  // Publish: the vault; Restart: the consumer
  std::int8_t value = none;
};

struct FanoutJournal {
  api::Phase phase = api::Phase::Admitted;
  bool pinned = false;
  bool blocked = false;
};

// One run: 0 is old, 1 is pending. The choice among several candidates is judged where there is one vault.
struct FanoutWorld {
  std::array<std::int8_t, fanout_max> latest{};
  std::array<bool, fanout_max> down{};
  std::array<std::int8_t, fanout_max> loaded{};
  std::uint8_t accepted = 1;  // a bit per value
  bool staged = false;
  std::int8_t outages = 0;
  // What must never have happened; the invariants ask.
  bool retired_early = false;
  bool moved_early = false;
  bool succeeded_untrue = false;
  FanoutJournal journal;
  Actors<FanoutEffect> actors;
};

struct FanoutScenario {
  int vaults = 3;
  int outages = 1;
  Faults faults;
  Disturbances disturbances;
};

FanoutWorld initial_world(const FanoutScenario& scenario);
void successors(const FanoutScenario& scenario, const FanoutWorld& world, const Emit<FanoutWorld>& emit);
std::vector<Property<FanoutWorld>> invariants_of(const FanoutScenario& scenario);
bool good_end(const FanoutScenario& scenario, const FanoutWorld& world);
std::string to_string(const FanoutScenario& scenario, const FanoutWorld& world);

}  // namespace keyturn::model
