// The world of one secret: its vault, one dependent, a few consumers, the journal, two controllers that may both believe to lead, and
// what still travels between them. The controllers decide with the product's own plan().
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "api/rotation_run.h"
#include "reconcilers/rotation/plan.h"
#include "tests/model/explorer.h"

namespace keyturn::model {

inline constexpr int consumers_max = 2;
inline constexpr int controllers_max = 2;
inline constexpr std::int8_t none = -1;
inline constexpr std::int8_t scrambled = -2;  // a password that nobody knows

// A credential: a value, and for alternating logins the login that it belongs to.
struct Value {
  std::int8_t login = 0;
  std::int8_t number = none;
  bool operator==(const Value&) const = default;
};

enum class EffectKind : std::uint8_t { Nothing, Stage, Install, Publish, Restart, Withdraw };
struct Effect {
  EffectKind kind = EffectKind::Nothing;
  std::int8_t target = 0;  // Stage: the run; Restart: the consumer
  Value value;
  bool operator==(const Effect&) const = default;
};

enum class Where : std::uint8_t { Standby, Running, Armed, Dead };
struct Controller {
  Where where = Where::Standby;
  std::int8_t candidate = none;  // the value it generated or found staged
  Effect armed;
};

struct ModelJournal {
  std::int8_t run = 1;
  api::Phase phase = api::Phase::Staging;
  bool pinned = false;
  bool blocked = false;
  Value pending;
  Value old{0, 0};
  std::int8_t owner = none;
};

struct World {
  Value latest{0, 0};
  bool readable = true;
  std::uint8_t published = 1;                         // values ever published, a bit each
  std::array<std::uint8_t, 4> staged{};               // per run, a bit per value
  std::uint16_t accepted = 1;                         // single and dual: a bit per value
  std::array<std::int8_t, 2> password{0, scrambled};  // alternating: per login
  std::uint16_t ever_accepted = 1;
  std::array<Value, consumers_max> loaded{Value{0, 0}, Value{0, 0}};
  std::int8_t next_value = 1;
  std::int8_t newest_run = 0;  // the highest generation tag on the store
  // What happened once, for invariants and for events that happen at most once.
  bool published_unverified = false;
  bool restarted_into_bad = false;
  bool retired_early = false;
  bool returned_after_retiring = false;
  bool regressed = false;
  bool deleted = false;
  bool human_set = false;
  bool human_published = false;
  bool restored = false;
  ModelJournal journal;
  std::array<Controller, controllers_max> controllers{};
  Effect travelling;
  std::int8_t crashes = 0, lost_replies = 0, late_requests = 0, lease_expiries = 0;

  bool operator==(const World& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};
static_assert(std::has_unique_object_representations_v<World>);  // compared and hashed as bytes

struct WorldHash {
  std::size_t operator()(const World& world) const noexcept {
    return std::hash<std::string_view>{}(std::string_view(reinterpret_cast<const char*>(&world), sizeof world));
  }
};

// What is explored: the protocol, how many runs and consumers, and which events may happen.
struct Scenario {
  api::Protocol protocol = api::Protocol::Single;
  int runs = 1;
  int consumers = 2;
  int controllers = 2;
  int crashes = 1, lost_replies = 1, late_requests = 1, lease_expiries = 1;
  bool rollback = false;         // health may turn bad and deadlines may pass at any moment before the point of no return
  bool reuse = false;            // the second run goes back to the value before the first
  bool deletion = false;         // the object may be deleted at any moment
  bool human = false;            // somebody sets the dependent by hand and then publishes
  bool enforce = false;          // driftPolicy: Enforce
  bool restored_backup = false;  // the journal may travel back to the middle of the first run
};

World initial_world(const Scenario& scenario);

// All that can happen next.
using Emit = std::function<void(Cause, std::string label, const World& next)>;
void successors(const Scenario& scenario, const World& world, const Emit& emit);

bool accepts(const Scenario& scenario, const World& world, Value value);

// The invariants of protocol.md 3 that a scenario is held to: strict where two credentials live, windowed where one does, and fewer
// where somebody else writes too.
using Property = Explorer<World, WorldHash>::Property;
std::vector<Property> invariants_of(const Scenario& scenario);

// A good end: nothing under way, everybody on one accepted value, and the journal says so (or says why it cannot go on).
bool good_end(const Scenario& scenario, const World& world);

std::string to_string(const Scenario& scenario, const World& world);

}  // namespace keyturn::model
