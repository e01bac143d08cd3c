// The world of a shared key without a dependent: every service sends a key and accepts a set of keys, as the document in its vault says.
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

inline constexpr int services_max = 3;
inline constexpr int shared_vaults_max = 2;

// The key that is sent, and one more that is accepted.
struct KeyDocument {
  std::int8_t send = none;
  std::int8_t also = none;
  bool operator==(const KeyDocument&) const = default;
  bool accepts(std::int8_t key) const { return key != none && (key == send || key == also); }
};

enum class SharedEffectKind : std::uint8_t { Nothing, Stage, Publish, Restart };
struct SharedEffect {
  SharedEffectKind kind = SharedEffectKind::Nothing;
  std::int8_t target = 0;  // Stage: the run; Publish: the vault; Restart: the service
  KeyDocument document;
};

struct SharedJournal {
  std::int8_t run = 1;
  api::Phase phase = api::Phase::Admitted;
  bool pinned = false;
  bool blocked = false;
  std::int8_t pending = none;
  std::int8_t old = 0;
};

struct SharedWorld {
  std::array<KeyDocument, shared_vaults_max> latest{KeyDocument{0, none}, KeyDocument{0, none}};
  std::array<KeyDocument, services_max> loaded{KeyDocument{0, none}, KeyDocument{0, none}, KeyDocument{0, none}};
  std::array<std::uint8_t, 3> staged{};  // per run, a bit per key
  std::int8_t next_key = 1;
  bool succeeded_untrue = false;  // what must never have happened
  SharedJournal journal;
  Actors<SharedEffect> actors;
};

struct SharedScenario {
  int runs = 1;
  int vaults = 2;
  int services = 3;  // service i reads vault i % vaults
  Faults faults;
  Disturbances disturbances;
};

SharedWorld initial_world(const SharedScenario& scenario);
void successors(const SharedScenario& scenario, const SharedWorld& world, const Emit<SharedWorld>& emit);
std::vector<Property<SharedWorld>> invariants_of(const SharedScenario& scenario);
bool good_end(const SharedScenario& scenario, const SharedWorld& world);
std::string to_string(const SharedScenario& scenario, const SharedWorld& world);

}  // namespace keyturn::model
