#include "tests/model/shared_world.h"

#include <bit>

#include "reconcilers/rotation/needs.h"

namespace keyturn::model {
namespace {

using api::Phase;
using api::Protocol;
using World = SharedWorld;
using Scenario = SharedScenario;
using Effect = SharedEffect;
using EffectKind = SharedEffectKind;

std::size_t index(int i) { return static_cast<std::size_t>(i); }
std::uint8_t bit(std::int8_t key) { return static_cast<std::uint8_t>(1u << key); }
std::size_t vault_of(const Scenario& scenario, int service) { return index(service % scenario.vaults); }

std::string name(const KeyDocument& document) {
  const std::string also = document.also == none ? "" : "+" + std::to_string(document.also);
  return std::to_string(document.send) + also;
}

bool all_on(const Scenario& scenario, const World& world, const KeyDocument& document) {
  for (int i = 0; i < scenario.vaults; ++i) {
    if (!(world.latest[index(i)] == document)) return false;
  }
  for (int i = 0; i < scenario.services; ++i) {
    if (!(world.loaded[index(i)] == document)) return false;
  }
  return true;
}

class Family : public Driver<Family, World, Effect> {
 public:
  Family(const Scenario& scenario, const World& world, const Emit<World>& emit)
      : Driver(world, emit, scenario.faults, scenario.disturbances), scenario_(scenario) {}

  void all() const {
    services_restart_by_themselves();
    late_delivery();
    controllers();
  }

  // ---- what Driver asks for

  RunSpec run() const {
    return {.protocol = Protocol::SharedKey,
            .back_on_failure = scenario_.disturbances.turns,
            .publish_deadline = Duration{100},
            .progress_deadline = Duration{100},
            .max_unavailable = services_max};
  }

  Observation observe(int me) const {
    const SharedJournal& journal = world_.journal;
    const Needs needs = needs_of(Protocol::SharedKey, api::Direction::Forward, journal.phase);
    Observation seen;
    seen.quiet = !world_.actors.something_under_way(me);
    const std::int8_t pending = pending_of(me);
    seen.staged = needs.staged && pending != none && (world_.staged[index(journal.run)] & bit(pending)) != 0;
    seen.vaults.resize(index(scenario_.vaults));
    for (int i = 0; needs.vaults && i < scenario_.vaults; ++i) seen.vaults[index(i)].latest = recognise(world_.latest[index(i)], pending);
    const Published wanted = published_as(wanted_in(Protocol::SharedKey, journal.phase));
    for (int i = 0; i < scenario_.services; ++i) {
      ConsumerObservation& service = seen.consumers.emplace_back();
      const std::size_t vault = vault_of(scenario_, i);
      if (!needs.consumers || seen.vaults[vault].latest != wanted) continue;
      const bool proven = world_.loaded[index(i)] == world_.latest[vault];
      service.state = proven ? ConsumerState::Proven : ConsumerState::Stale;
      service.act_due = !proven;
    }
    return seen;
  }

  bool prepare(int i) const {
    if (world_.journal.pinned || world_.actors.of(i).candidate != none) return false;
    World next = world_;
    const std::uint8_t staged = world_.staged[index(world_.journal.run)];
    next.actors.of(i).candidate = staged != 0 ? static_cast<std::int8_t>(std::bit_width(staged) - 1) : next.next_key++;
    emit_(Cause::System, [&] { return who(i) + (staged != 0 ? "adopts the staged key" : "generates a key"); }, next);
    return true;
  }

  void ended(int i) const {
    const SharedJournal& journal = world_.journal;
    if (journal.phase != Phase::Succeeded || journal.run >= scenario_.runs) return;
    World next = world_;
    next.journal = {.run = static_cast<std::int8_t>(journal.run + 1), .old = journal.pending};
    for (Controller<Effect>& controller : next.actors.controllers) controller.candidate = none;
    emit_(Cause::System, [&] { return who(i) + "begins the next run"; }, next);
  }

  Effect effect_of(int me, const Plan& step) const {
    const auto target = static_cast<std::int8_t>(step.target);
    const std::int8_t pending = pending_of(me);
    switch (step.action) {
      case Action::Stage:
        return {EffectKind::Stage, world_.journal.run, {pending, none}};
      case Action::Publish:
        return {EffectKind::Publish, target, document(step.credential, pending)};
      case Action::Converge:
        return {EffectKind::Restart, target, {}};
      default:
        return {};
    }
  }

  World apply(World world, const Effect& effect) const {
    switch (effect.kind) {
      case EffectKind::Nothing:
        break;
      case EffectKind::Stage:
        world.staged[index(effect.target)] |= bit(effect.document.send);
        break;
      case EffectKind::Publish:
        world.latest[index(effect.target)] = effect.document;
        break;
      case EffectKind::Restart:
        world.loaded[index(effect.target)] = world.latest[vault_of(scenario_, effect.target)];
        break;
    }
    return world;
  }

  std::string name(const Effect& effect) const {
    switch (effect.kind) {
      case EffectKind::Nothing:
        break;
      case EffectKind::Stage:
        return "stage " + model::name(effect.document);
      case EffectKind::Publish:
        return "publish " + model::name(effect.document) + " in vault " + std::to_string(effect.target);
      case EffectKind::Restart:
        return "restart service " + std::to_string(effect.target);
    }
    return "nothing";
  }

  void intended(int, const Plan&, World&) const {}

  void recorded(int me, const Plan& step, World& next) const {
    if (step.pins) {
      next.journal.pending = pending_of(me);
      next.journal.pinned = true;
    }
    if (step.phase == Phase::Succeeded) next.succeeded_untrue |= !all_on(scenario_, world_, {world_.journal.pending, none});
  }

 private:
  std::int8_t pending_of(int me) const { return world_.journal.pinned ? world_.journal.pending : world_.actors.of(me).candidate; }

  KeyDocument document(Credential content, std::int8_t pending) const {
    const std::int8_t old = world_.journal.old;
    switch (content) {
      case Credential::Old:
        return {old, none};
      case Credential::OldOfBoth:
        return {old, pending};
      case Credential::PendingOfBoth:
        return {pending, old};
      case Credential::Pending:
        break;
    }
    return {pending, none};
  }

  Published recognise(const KeyDocument& found, std::int8_t pending) const {
    for (const Credential content : {Credential::Old, Credential::OldOfBoth, Credential::PendingOfBoth, Credential::Pending}) {
      if (found == document(content, pending)) return published_as(content);
    }
    return Published::Foreign;
  }

  void services_restart_by_themselves() const {
    for (int i = 0; i < scenario_.services; ++i) {
      const KeyDocument& published = world_.latest[vault_of(scenario_, i)];
      if (world_.loaded[index(i)] == published) continue;
      World next = world_;
      next.loaded[index(i)] = published;
      emit_(Cause::Environment, [&] { return "service " + std::to_string(i) + " restarts by itself"; }, next);
    }
  }

  const Scenario& scenario_;
};

bool everybody_is_accepted(const Scenario& scenario, const World& world) {
  for (int sender = 0; sender < scenario.services; ++sender) {
    for (int receiver = 0; receiver < scenario.services; ++receiver) {
      if (!world.loaded[index(receiver)].accepts(world.loaded[index(sender)].send)) return false;
    }
  }
  return true;
}

}  // namespace

SharedWorld initial_world(const Scenario& scenario) {
  World world;
  world.actors.allow(scenario.faults);
  return world;
}

void successors(const Scenario& scenario, const World& world, const Emit<World>& emit) { Family(scenario, world, emit).all(); }

std::vector<Property<SharedWorld>> invariants_of(const Scenario& s) {
  return {{"S every sender is accepted by every receiver", [s](const World& w) { return everybody_is_accepted(s, w); }},
          {"I14 honest status", [](const World& w) { return !w.succeeded_untrue; }}};
}

bool good_end(const Scenario& scenario, const World& world) {
  const SharedJournal& journal = world.journal;
  if (world.actors.something_under_way(none) || journal.blocked) return false;
  if (journal.phase == Phase::Succeeded && journal.run == scenario.runs) return all_on(scenario, world, {journal.pending, none});
  return journal.phase == Phase::RolledBack && all_on(scenario, world, {journal.old, none});
}

std::string to_string(const Scenario& scenario, const World& world) {
  std::string text = "vaults";
  for (int i = 0; i < scenario.vaults; ++i) text += " " + name(world.latest[index(i)]);
  text += " | services";
  for (int i = 0; i < scenario.services; ++i) text += " " + name(world.loaded[index(i)]);
  text += " | run " + std::to_string(world.journal.run) + " " + std::string(api::name_of(world.journal.phase));
  if (world.journal.pinned) text += " pinned " + std::to_string(world.journal.pending);
  if (world.journal.blocked) text += " blocked";
  return text + (world.actors.travels() ? " | something travels" : "");
}

}  // namespace keyturn::model
