#include "tests/model/slots_script.h"

namespace keyturn::model {
namespace {

using World = SlotsScriptWorld;

std::size_t index(int i) { return static_cast<std::size_t>(i); }
bool accepts(const World& world, std::int8_t value) { return world.held[0] == value || world.held[1] == value; }

// What a worker does in turn. Who regenerates the key in use restarts the consumer at the end; the tutorial knows of no consumers.
enum Turn : std::int8_t { Choose, Regenerate, Publish, Restart, Done };

void worker_moves(const SlotsScript& script, const World& world, int i, const Emit<World>& emit) {
  World next = world;
  SlotsWorker& self = next.workers[index(i)];
  const auto told = [&](const char* what) { return [i, what] { return "worker " + std::to_string(i) + ": " + what; }; };
  switch (self.at) {
    case Choose:
      if (self.runs >= script.runs) return;
      ++self.runs;
      self.slot = script.alternates ? static_cast<std::int8_t>(1 - world.tagged) : std::int8_t{0};
      self.at = Regenerate;
      return emit(Cause::System, told(self.slot == 0 ? "takes slot A" : "takes slot B"), next);
    case Regenerate:
      self.value = next.held[index(self.slot)] = next.next_value++;
      self.at = Publish;
      return emit(Cause::System, told("regenerates it"), next);
    case Publish:
      next.latest = self.value;
      next.tagged = self.slot;
      self.at = script.alternates ? Choose : Restart;
      self.value = -1;
      return emit(Cause::System, told("publishes the answer"), next);
    case Restart:
      next.loaded = world.latest;
      self.at = Done;
      return emit(Cause::System, told("restarts the consumer"), next);
    default:
      return;
  }
}

}  // namespace

SlotsScriptWorld initial_world(const SlotsScript&) { return {}; }

void successors(const SlotsScript& script, const World& world, const Emit<World>& emit) {
  if (world.loaded != world.latest) {
    World next = world;
    next.loaded = world.latest;
    emit(Cause::Environment, [] { return "the consumer restarts by itself"; }, next);
  }
  for (int i = 0; i < script.workers; ++i) worker_moves(script, world, i, emit);
}

std::vector<Property<SlotsScriptWorld>> invariants_of(const SlotsScript&) {
  return {{"I3 published is accepted", [](const World& w) { return accepts(w, w.latest); }},
          {"I4 nobody locked out", [](const World& w) { return accepts(w, w.loaded); }}};
}

bool good_end(const SlotsScript&, const World&) { return true; }  // only safety is asked of these

std::string to_string(const SlotsScript&, const World& world) {
  return "vault " + std::to_string(world.latest) + " | A:" + std::to_string(world.held[0]) + " B:" + std::to_string(world.held[1]) +
         " | loaded " + std::to_string(world.loaded);
}

}  // namespace keyturn::model
