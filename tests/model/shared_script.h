// Fixed orders of writes for a shared key whose configuration is several fields of a vault, each written by itself.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/explorer.h"

namespace keyturn::model {

inline constexpr int script_vaults = 2;
inline constexpr int script_services_max = 3;
inline constexpr std::int8_t no_key = -1;

// The first field is the key that is sent; all of them are accepted.
using KeyFields = std::array<std::int8_t, 3>;

struct SharedScriptWorld {
  std::array<KeyFields, script_vaults> vaults{};
  std::array<KeyFields, script_services_max> loaded{};
  std::int8_t at = 0;
  std::int8_t crashes = 0;
  std::int8_t lost_replies = 0;
};

struct FieldWrite {
  int field;
  std::int8_t key;
};

struct SharedScript {
  std::vector<std::vector<FieldWrite>> phases;  // each write of a phase goes to both vaults, then all services restart, then a barrier
  int services = 3;                             // service i reads vault i % 2
  int crashes = 1;
  int lost_replies = 1;
};

SharedScriptWorld initial_world(const SharedScript& script);
void successors(const SharedScript& script, const SharedScriptWorld& world, const Emit<SharedScriptWorld>& emit);
std::vector<Property<SharedScriptWorld>> invariants_of(const SharedScript& script);
bool good_end(const SharedScript& script, const SharedScriptWorld& world);
std::string to_string(const SharedScript& script, const SharedScriptWorld& world);

}  // namespace keyturn::model
