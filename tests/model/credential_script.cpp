#include "tests/model/credential_script.h"

#include <bit>

namespace keyturn::model {
namespace {

using World = ScriptWorld;

std::size_t index(int i) { return static_cast<std::size_t>(i); }
std::uint8_t bit(std::int8_t value) { return static_cast<std::uint8_t>(1u << value); }
bool accepts(const World& world, std::int8_t value) { return value >= 0 && (world.accepted & bit(value)) != 0; }
std::int8_t reads(const World& world) { return world.enabled ? world.latest : std::int8_t{-1}; }

void restart(World& world, int consumer) {
  world.restarted_into_bad |= !accepts(world, reads(world));
  world.loaded[index(consumer)] = reads(world);
}
void set_only(World& world, std::int8_t value) {
  world.accepted = bit(value);
  world.ever_accepted |= bit(value);
}

World apply(World world, ScriptStep step, std::int8_t value) {
  switch (step) {
    case ScriptStep::Generate:
      break;
    case ScriptStep::Stage:
      world.staged |= bit(value);
      break;
    case ScriptStep::Publish:
      world.published_unverified |= (world.ever_accepted & bit(value)) == 0;
      world.latest = value;
      world.enabled = true;
      world.readable |= bit(value);
      break;
    case ScriptStep::PublishDisabled:
      world.latest = value;
      world.enabled = false;
      break;
    case ScriptStep::Enable:
      world.enabled = true;
      world.readable |= bit(world.latest);
      break;
    case ScriptStep::Disable:
      world.enabled = false;
      world.readable = static_cast<std::uint8_t>(world.readable & ~bit(world.latest));
      break;
    case ScriptStep::Set:
      set_only(world, value);
      break;
    case ScriptStep::SetAsItself:
      if ((world.accepted & (world.readable | world.staged)) != 0) set_only(world, value);
      break;
    case ScriptStep::Add:
      world.accepted |= bit(value);
      world.ever_accepted |= bit(value);
      break;
    case ScriptStep::RemoveOld:
      world.accepted = static_cast<std::uint8_t>(world.accepted & ~bit(0));
      break;
    case ScriptStep::Restart0:
      restart(world, 0);
      break;
    case ScriptStep::Restart1:
      restart(world, 1);
      break;
  }
  return world;
}

const char* name(ScriptStep step) {
  constexpr const char* names[] = {"generates a value",
                                   "stages",
                                   "publishes",
                                   "publishes disabled",
                                   "enables the newest",
                                   "disables the newest",
                                   "sets",
                                   "sets as itself",
                                   "adds",
                                   "removes the old value",
                                   "restarts consumer 0",
                                   "restarts consumer 1"};
  return names[static_cast<std::size_t>(step)];
}

void worker_moves(const CredentialScript& script, const World& world, int i, const Emit<World>& emit) {
  const ScriptWorker& self = world.workers[index(i)];
  const auto who = [i] { return "worker " + std::to_string(i) + ": "; };
  World next = world;
  if (self.dead) {
    next.workers[index(i)] = {};
    return emit(Cause::System, [&] { return who() + "begins again from the top"; }, next);
  }
  if (index(self.at) >= script.steps.size()) return;
  const ScriptStep step = script.steps[index(self.at)];
  if (world.crashes > 0) {
    World crashed = world;
    --crashed.crashes;
    crashed.workers[index(i)] = {.dead = true};
    emit(Cause::Fault, [&] { return who() + "crashes before it " + name(step); }, crashed);
  }
  if (step == ScriptStep::Generate) {
    const bool adopts = script.adopts && world.staged != 0;
    next.workers[index(i)].value = adopts ? static_cast<std::int8_t>(std::bit_width(world.staged) - 1) : next.next_value++;
  } else {
    next = apply(next, step, self.value);
  }
  ++next.workers[index(i)].at;
  emit(Cause::System, [&] { return who() + name(step) + " (" + std::to_string(next.workers[index(i)].value) + ")"; }, next);
}

bool everybody_can_log_in(const CredentialScript& script, const World& world) {
  for (int i = 0; i < script.consumers; ++i) {
    if (!accepts(world, world.loaded[index(i)])) return false;
  }
  return true;
}

}  // namespace

ScriptWorld initial_world(const CredentialScript& script) {
  World world;
  world.crashes = static_cast<std::int8_t>(script.crashes);
  return world;
}

void successors(const CredentialScript& script, const World& world, const Emit<World>& emit) {
  for (int i = 0; i < script.consumers; ++i) {
    if (world.loaded[index(i)] == reads(world)) continue;
    World next = world;
    next.loaded[index(i)] = reads(world);
    emit(Cause::Environment, [&] { return "consumer " + std::to_string(i) + " restarts by itself"; }, next);
  }
  for (int i = 0; i < script.workers; ++i) worker_moves(script, world, i, emit);
}

std::vector<Property<ScriptWorld>> invariants_of(const CredentialScript& s) {
  return {
      {"I1 recoverable", [](const World& w) { return (w.accepted & (w.readable | w.staged)) != 0; }},
      {"I2 always readable", [](const World& w) { return w.enabled; }},
      {"I3 published is accepted", [](const World& w) { return accepts(w, w.latest); }},
      {"I4 nobody locked out", [s](const World& w) { return everybody_can_log_in(s, w); }},
      {"I5 verified before published", [](const World& w) { return !w.published_unverified; }},
      {"I8 no restart into failure", [](const World& w) { return !w.restarted_into_bad; }},
  };
}

bool good_end(const CredentialScript& script, const World& world) {
  for (int i = 0; i < script.workers; ++i) {
    const ScriptWorker& worker = world.workers[index(i)];
    if (worker.dead || index(worker.at) < script.steps.size()) return false;
  }
  return world.enabled && accepts(world, world.latest) && everybody_can_log_in(script, world);
}

std::string to_string(const CredentialScript& script, const World& world) {
  std::string text = "vault " + std::to_string(world.latest) + (world.enabled ? "" : " (disabled)") + " | accepted";
  for (std::int8_t value = 0; value < 8; ++value) text += (world.accepted & bit(value)) ? " " + std::to_string(value) : "";
  text += " | loaded";
  for (int i = 0; i < script.consumers; ++i) text += " " + std::to_string(world.loaded[index(i)]);
  return text;
}

}  // namespace keyturn::model
