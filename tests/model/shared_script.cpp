#include "tests/model/shared_script.h"

#include <algorithm>

namespace keyturn::model {
namespace {

using World = SharedScriptWorld;

std::size_t index(int i) { return static_cast<std::size_t>(i); }

enum class What : std::uint8_t { Write, Restart, Barrier };
struct ScriptLine {
  What what = What::Barrier;
  int target = 0;  // Write: the vault; Restart: the service
  FieldWrite write{};
};

std::vector<ScriptLine> lines_of(const SharedScript& script) {
  std::vector<ScriptLine> lines;
  for (const auto& phase : script.phases) {
    for (const FieldWrite& write : phase) {
      for (int vault = 0; vault < script_vaults; ++vault) lines.push_back({What::Write, vault, write});
    }
    for (int service = 0; service < script.services; ++service) lines.push_back({What::Restart, service});
    lines.push_back({What::Barrier});
  }
  return lines;
}

const KeyFields& published_for(const World& world, int service) { return world.vaults[index(service % script_vaults)]; }

World restarted(World world, int service) {
  world.loaded[index(service)] = published_for(world, service);
  return world;
}
World advanced(World world) {
  ++world.at;
  return world;
}

bool all_current(const SharedScript& script, const World& world) {
  for (int service = 0; service < script.services; ++service) {
    if (world.loaded[index(service)] != published_for(world, service)) return false;
  }
  return true;
}

void write(const SharedScript&, const World& world, const ScriptLine& line, const Emit<World>& emit) {
  World next = world;
  next.vaults[index(line.target)][index(line.write.field)] = line.write.key;
  const auto told = [&] { return "writes field " + std::to_string(line.write.field) + " of vault " + std::to_string(line.target); };
  emit(Cause::System, told, advanced(next));
  if (world.lost_replies == 0) return;
  --next.lost_replies;
  emit(Cause::Fault, [&] { return told() + ", the reply is lost"; }, next);
}

void barrier(const SharedScript& script, const World& world, const Emit<World>& emit) {
  if (all_current(script, world)) return emit(Cause::System, [] { return "all services have the new fields"; }, advanced(world));
  for (int service = 0; service < script.services; ++service) {
    if (world.loaded[index(service)] == published_for(world, service)) continue;
    emit(Cause::System, [&] { return "restarts service " + std::to_string(service) + " again"; }, restarted(world, service));
  }
}

bool accepts(const KeyFields& fields, std::int8_t key) { return std::find(fields.begin(), fields.end(), key) != fields.end(); }

std::string name(const KeyFields& fields) {
  std::string text;
  for (const std::int8_t key : fields) text += key == no_key ? "-" : std::to_string(key);
  return text;
}

}  // namespace

SharedScriptWorld initial_world(const SharedScript& script) {
  constexpr KeyFields first{0, no_key, no_key};
  World world;
  world.vaults.fill(first);
  world.loaded.fill(first);
  world.crashes = static_cast<std::int8_t>(script.crashes);
  world.lost_replies = static_cast<std::int8_t>(script.lost_replies);
  return world;
}

void successors(const SharedScript& script, const World& world, const Emit<World>& emit) {
  for (int service = 0; service < script.services; ++service) {
    if (world.loaded[index(service)] == published_for(world, service)) continue;
    emit(Cause::Environment, [&] { return "service " + std::to_string(service) + " restarts by itself"; }, restarted(world, service));
  }
  const std::vector<ScriptLine> lines = lines_of(script);
  if (index(world.at) >= lines.size()) return;
  if (world.crashes > 0 && world.at > 0) {
    World next = world;
    --next.crashes;
    --next.at;
    emit(Cause::Fault, [] { return "crashes and goes on one step before"; }, next);
  }
  const ScriptLine& line = lines[index(world.at)];
  switch (line.what) {
    case What::Write:
      return write(script, world, line, emit);
    case What::Restart:
      emit(Cause::System, [&] { return "restarts service " + std::to_string(line.target); }, advanced(restarted(world, line.target)));
      return emit(Cause::Fault, [&] { return "service " + std::to_string(line.target) + " will restart later"; }, advanced(world));
    case What::Barrier:
      return barrier(script, world, emit);
  }
}

std::vector<Property<SharedScriptWorld>> invariants_of(const SharedScript& s) {
  return {{"S every sender is accepted by every receiver", [s](const World& w) {
             for (int sender = 0; sender < s.services; ++sender) {
               for (int receiver = 0; receiver < s.services; ++receiver) {
                 if (!accepts(w.loaded[index(receiver)], w.loaded[index(sender)][0])) return false;
               }
             }
             return true;
           }}};
}

bool good_end(const SharedScript& script, const World& world) {
  return index(world.at) >= lines_of(script).size() && all_current(script, world);
}

std::string to_string(const SharedScript& script, const World& world) {
  std::string text = "vaults";
  for (const KeyFields& fields : world.vaults) text += " " + name(fields);
  text += " | services";
  for (int i = 0; i < script.services; ++i) text += " " + name(world.loaded[index(i)]);
  return text;
}

}  // namespace keyturn::model
