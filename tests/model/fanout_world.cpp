#include "tests/model/fanout_world.h"

#include "reconcilers/rotation/needs.h"

namespace keyturn::model {
namespace {

using api::Phase;
using api::Protocol;
using World = FanoutWorld;
using Scenario = FanoutScenario;
using Effect = FanoutEffect;
using EffectKind = FanoutEffectKind;

constexpr std::int8_t old_value = 0;
constexpr std::int8_t pending_value = 1;

std::size_t index(int i) { return static_cast<std::size_t>(i); }
std::uint8_t bit(std::int8_t value) { return static_cast<std::uint8_t>(1u << value); }
bool accepts(const World& world, std::int8_t value) { return (world.accepted & bit(value)) != 0; }

bool all_publish(const Scenario& scenario, const World& world, std::int8_t value) {
  for (int i = 0; i < scenario.vaults; ++i) {
    if (world.latest[index(i)] != value) return false;
  }
  return true;
}
bool all_loaded(const Scenario& scenario, const World& world, std::int8_t value) {
  for (int i = 0; i < scenario.vaults; ++i) {
    if (world.loaded[index(i)] != value) return false;
  }
  return true;
}

class Family : public Driver<Family, World, Effect> {
 public:
  Family(const Scenario& scenario, const World& world, const Emit<World>& emit)
      : Driver(world, emit, scenario.faults, scenario.disturbances), scenario_(scenario) {}

  void all() const {
    for (int i = 0; i < scenario_.vaults; ++i) surroundings(i);
    late_delivery();
    controllers();
  }

  // ---- what Driver asks for

  RunSpec run() const {
    return {.protocol = Protocol::Dual,
            .back_on_failure = scenario_.disturbances.turns,
            .publish_deadline = Duration{100},
            .progress_deadline = Duration{100},
            .max_unavailable = fanout_max};
  }

  Observation observe(int me) const {
    const FanoutJournal& journal = world_.journal;
    const Needs needs = needs_of(Protocol::Dual, api::Direction::Forward, journal.phase);
    Observation seen;
    seen.quiet = !world_.actors.something_under_way(me);
    seen.staged = needs.staged && world_.staged;
    DependentObservation& dependent = seen.dependents.emplace_back();
    if (needs.pending && journal.pinned) dependent.pending = probe(pending_value);
    if (needs.old) dependent.old = probe(old_value);
    const Published wanted = published_as(wanted_in(Protocol::Dual, journal.phase));
    for (int i = 0; i < scenario_.vaults; ++i) {
      VaultObservation& vault = seen.vaults.emplace_back();
      const bool pending = world_.latest[index(i)] == pending_value;
      if (needs.vaults && !world_.down[index(i)]) vault.latest = pending ? Published::Pending : Published::Old;
      ConsumerObservation& consumer = seen.consumers.emplace_back();
      if (!needs.consumers || vault.latest != wanted) continue;
      const bool proven = world_.loaded[index(i)] == world_.latest[index(i)];
      consumer.state = proven ? ConsumerState::Proven : ConsumerState::Stale;
      consumer.act_due = !proven;
    }
    return seen;
  }

  bool prepare(int) const { return false; }
  void ended(int) const {}

  Effect effect_of(int, const Plan& step) const {
    const auto target = static_cast<std::int8_t>(step.target);
    const std::int8_t value = step.credential == Credential::Pending ? pending_value : old_value;
    switch (step.action) {
      case Action::Stage:
        return {EffectKind::Stage, 0, pending_value};
      case Action::Install:
        return {EffectKind::Install, 0, value};
      case Action::Publish:
        return {EffectKind::Publish, target, value};
      case Action::Converge:
        return {EffectKind::Restart, target, none};
      case Action::Withdraw:
        return {EffectKind::Withdraw, 0, value};
      default:
        return {};
    }
  }

  World apply(World world, const Effect& effect) const {
    switch (effect.kind) {
      case EffectKind::Nothing:
        break;
      case EffectKind::Stage:
        world.staged = true;
        break;
      case EffectKind::Install:
        world.accepted |= bit(effect.value);
        break;
      case EffectKind::Publish:
        // A vault that is down refuses; nothing is written.
        if (!world.down[index(effect.target)]) world.latest[index(effect.target)] = effect.value;
        break;
      case EffectKind::Restart:
        world.loaded[index(effect.target)] = world.latest[index(effect.target)];
        break;
      case EffectKind::Withdraw:
        world.accepted = static_cast<std::uint8_t>(world.accepted & ~bit(effect.value));
        break;
    }
    return world;
  }

  std::string name(const Effect& effect) const {
    const std::string value = std::to_string(effect.value);
    switch (effect.kind) {
      case EffectKind::Nothing:
        break;
      case EffectKind::Stage:
        return "stage " + value;
      case EffectKind::Install:
        return "install " + value;
      case EffectKind::Publish:
        return "publish " + value + " in vault " + std::to_string(effect.target);
      case EffectKind::Restart:
        return "restart consumer " + std::to_string(effect.target);
      case EffectKind::Withdraw:
        return "withdraw " + value;
    }
    return "nothing";
  }

  void intended(int, const Plan& step, World& next) const {
    const bool all = all_publish(scenario_, world_, pending_value);
    next.moved_early |= step.action == Action::Converge && !going_back(world_.journal.phase) && !all;
    const bool retires = step.action == Action::Withdraw && step.credential == Credential::Old;
    next.retired_early |= retires && !(all && all_loaded(scenario_, world_, pending_value));
  }

  void recorded(int, const Plan& step, World& next) const {
    if (step.pins) next.journal.pinned = true;
    if (step.phase != Phase::Succeeded) return;
    const bool in_use = all_publish(scenario_, world_, pending_value) && all_loaded(scenario_, world_, pending_value);
    next.succeeded_untrue |= !in_use || world_.accepted != bit(pending_value);
  }

 private:
  ProbeResult probe(std::int8_t value) const { return accepts(world_, value) ? ProbeResult::Accepted : ProbeResult::Rejected; }

  // Vault i and its consumer.
  void surroundings(int i) const {
    const std::string at = std::to_string(i);
    if (world_.loaded[index(i)] != world_.latest[index(i)]) {
      World next = world_;
      next.loaded[index(i)] = world_.latest[index(i)];
      emit_(Cause::Environment, [&] { return "consumer " + at + " restarts by itself"; }, next);
    }
    World next = world_;
    next.down[index(i)] = !world_.down[index(i)];
    if (world_.down[index(i)]) {
      emit_(Cause::System, [&] { return "vault " + at + " comes back"; }, next);
    } else if (world_.outages > 0) {
      --next.outages;
      emit_(Cause::Fault, [&] { return "vault " + at + " goes out of reach"; }, next);
    }
  }

  const Scenario& scenario_;
};

}  // namespace

FanoutWorld initial_world(const Scenario& scenario) {
  World world;
  world.actors.allow(scenario.faults);
  world.outages = static_cast<std::int8_t>(scenario.outages);
  return world;
}

void successors(const Scenario& scenario, const World& world, const Emit<World>& emit) { Family(scenario, world, emit).all(); }

std::vector<Property<FanoutWorld>> invariants_of(const Scenario& s) {
  const auto all_accepted = [s](const auto& values, const World& w) {
    for (int i = 0; i < s.vaults; ++i) {
      if (!accepts(w, values[index(i)])) return false;
    }
    return true;
  };
  return {
      {"I3 every vault publishes an accepted value", [=](const World& w) { return all_accepted(w.latest, w); }},
      {"I4 nobody locked out", [=](const World& w) { return all_accepted(w.loaded, w); }},
      {"I6 no early retirement", [](const World& w) { return !w.retired_early; }},
      {"GATE nobody is moved before all vaults publish", [](const World& w) { return !w.moved_early; }},
      {"I14 honest status", [](const World& w) { return !w.succeeded_untrue; }},
  };
}

bool good_end(const Scenario& scenario, const World& world) {
  const FanoutJournal& journal = world.journal;
  if (world.actors.something_under_way(none) || journal.blocked) return false;
  const bool done = journal.phase == Phase::Succeeded;
  if (!done && journal.phase != Phase::RolledBack) return false;
  const std::int8_t wanted = done ? pending_value : old_value;
  return all_publish(scenario, world, wanted) && all_loaded(scenario, world, wanted) && accepts(world, wanted);
}

std::string to_string(const Scenario& scenario, const World& world) {
  std::string text = "vaults";
  for (int i = 0; i < scenario.vaults; ++i) text += " " + std::to_string(world.latest[index(i)]) + (world.down[index(i)] ? "(down)" : "");
  text += " | loaded";
  for (int i = 0; i < scenario.vaults; ++i) text += " " + std::to_string(world.loaded[index(i)]);
  text += std::string(" | accepted") + (accepts(world, old_value) ? " 0" : "") + (accepts(world, pending_value) ? " 1" : "");
  text += " | " + std::string(api::name_of(world.journal.phase)) + (world.journal.blocked ? " blocked" : "");
  return text + (world.actors.travels() ? " | something travels" : "");
}

}  // namespace keyturn::model
