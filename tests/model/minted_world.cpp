#include "tests/model/minted_world.h"

#include "reconcilers/rotation/needs.h"

namespace keyturn::model {
namespace {

using api::Phase;
using api::Protocol;
using World = MintedWorld;
using Scenario = MintedScenario;
using Effect = MintedEffect;
using EffectKind = MintedEffectKind;

std::size_t index(int i) { return static_cast<std::size_t>(i); }
std::uint16_t bit(std::int8_t value) { return static_cast<std::uint16_t>(1u << value); }

bool accepts(const World& world, std::int8_t value) { return value != none && (world.held[0] == value || world.held[1] == value); }

bool all_on(const Scenario& scenario, const World& world, std::int8_t value) {
  for (int i = 0; i < scenario.consumers; ++i) {
    if (world.loaded[index(i)] != value) return false;
  }
  return true;
}

class Family : public Driver<Family, World, Effect> {
 public:
  Family(const Scenario& scenario, const World& world, const Emit<World>& emit)
      : Driver(world, emit, scenario.faults, scenario.disturbances), scenario_(scenario), slots_(scenario.protocol == Protocol::Slots) {}

  void all() const {
    consumers_restart_by_themselves();
    late_delivery();
    previous_expires();
    object_is_deleted();
    controllers();
  }

  // ---- what Driver asks for

  RunSpec run() const {
    return {.protocol = scenario_.protocol,
            .direction = direction(),
            .back_on_failure = scenario_.disturbances.turns,
            .revoke_old = scenario_.revoke_old,
            .publish_deadline = Duration{100},
            .progress_deadline = Duration{100},
            .max_unavailable = minted_consumers_max};
  }

  Observation observe(int me) const {
    const MintedJournal& journal = world_.journal;
    const Needs needs = needs_of(scenario_.protocol, direction(), journal.phase);
    Observation seen;
    seen.deleted = world_.deleted;
    seen.quiet = !world_.actors.something_under_way(me);
    VaultObservation& vault = seen.vaults.emplace_back();
    if (needs.vaults) vault.latest = compare();
    if (needs.held) note_held(seen);
    seen.staged = needs.staged && (world_.staged[index(journal.run)] & bit(made())) != 0;
    DependentObservation& dependent = seen.dependents.emplace_back();
    if (needs.pending) dependent.pending = probe(journal.pending);
    if (needs.old) dependent.old = probe(journal.old);
    const Published wanted = published_as(wanted_in(scenario_.protocol, journal.phase));
    for (int i = 0; i < scenario_.consumers; ++i) {
      ConsumerObservation& consumer = seen.consumers.emplace_back();
      if (!needs.consumers || vault.latest != wanted) continue;
      const bool proven = world_.loaded[index(i)] == world_.latest;
      consumer.state = proven ? ConsumerState::Proven : ConsumerState::Stale;
      consumer.act_due = !proven;
    }
    return seen;
  }

  bool prepare(int) const { return false; }  // the provider makes the candidate

  void ended(int i) const {
    const MintedJournal& journal = world_.journal;
    if (journal.phase != Phase::Succeeded || journal.run >= scenario_.runs) return;
    World next = world_;
    next.journal = {.run = static_cast<std::int8_t>(journal.run + 1), .old = world_.latest};
    if (scenario_.back) {
      next.journal.back = true;
      next.journal.pending = journal.old;
    }
    emit_(Cause::System, [&] { return who(i) + "begins the next run"; }, next);
  }

  Effect effect_of(int, const Plan& step) const {
    const MintedJournal& journal = world_.journal;
    const bool pending = step.credential == Credential::Pending;
    const std::int8_t value = pending ? journal.pending : journal.old;
    switch (step.action) {
      case Action::Stage:
        return {EffectKind::Stage, journal.run, made(), false};
      case Action::Mint:
        return {EffectKind::Mint, slots_ ? journal.slot : std::int8_t{0}, none, false};
      case Action::Publish:
        return {EffectKind::Publish, journal.run, value, pending};
      case Action::Converge:
        return {EffectKind::Restart, static_cast<std::int8_t>(step.target), none, false};
      case Action::Withdraw:
        // The slot that holds it is looked up, then it is named: a late duplicate regenerates that slot whatever it holds by then.
        return {EffectKind::Revoke, slots_ && world_.held[0] == value ? std::int8_t{0} : std::int8_t{1}, none, false};
      default:
        return {};
    }
  }

  World apply(World world, const Effect& effect) const {
    switch (effect.kind) {
      case EffectKind::Nothing:
        break;
      case EffectKind::Stage:
        world.staged[index(effect.target)] |= bit(effect.value);
        break;
      case EffectKind::Mint:
        if (slots_) {
          world.held[index(effect.target)] = world.next_value++;
        } else {
          world.held = {world.next_value++, world.held[0]};
        }
        break;
      case EffectKind::Publish:
        publish(world, effect);
        break;
      case EffectKind::Restart:
        world.restarted_into_bad |= !accepts(world, world.latest);
        world.loaded[index(effect.target)] = world.latest;
        break;
      case EffectKind::Revoke:
        world.held[index(effect.target)] = slots_ ? world.next_value++ : none;
        break;
    }
    return world;
  }

  std::string name(const Effect& effect) const {
    const std::string slot = slots_ ? (effect.target == 0 ? " of slot A" : " of slot B") : "";
    switch (effect.kind) {
      case EffectKind::Nothing:
        break;
      case EffectKind::Stage:
        return "stage " + std::to_string(effect.value);
      case EffectKind::Mint:
        return "make a new value" + slot;
      case EffectKind::Publish:
        return "publish " + std::to_string(effect.value);
      case EffectKind::Restart:
        return "restart consumer " + std::to_string(effect.target);
      case EffectKind::Revoke:
        return "revoke the value" + slot;
    }
    return "nothing";
  }

  void intended(int, const Plan& step, World& next) const {
    // I6: the old value goes only when the pending one is published and in everybody's hands.
    if (step.action != Action::Withdraw || step.credential != Credential::Old) return;
    const std::int8_t pending = world_.journal.pending;
    next.retired_early |= world_.latest != pending || !all_on(scenario_, world_, pending);
  }

  void recorded(int, const Plan& step, World& next) const {
    const MintedJournal& journal = world_.journal;
    if (step.pins && step.phase == Phase::Minting && slots_) {
      next.journal.slot = static_cast<std::int8_t>(idle());
      next.journal.before = made();
    } else if (step.pins && step.phase == Phase::Pinned) {
      next.journal.pending = made();
      next.journal.pinned = true;
    }
    if (step.phase != Phase::Succeeded) return;
    const bool in_use = world_.latest == journal.pending && accepts(world_, journal.pending) && all_on(scenario_, world_, journal.pending);
    next.succeeded_untrue |= !in_use || (scenario_.revoke_old && accepts(world_, journal.old));
  }

 private:
  api::Direction direction() const { return world_.journal.back ? api::Direction::Back : api::Direction::Forward; }

  Published compare() const {
    const MintedJournal& journal = world_.journal;
    if (journal.pinned && world_.latest == journal.pending) return Published::Pending;
    if (!journal.back && world_.latest_run == journal.run && world_.latest_pending) return Published::Earlier;
    return world_.latest == journal.old ? Published::Old : Published::Foreign;
  }
  ProbeResult probe(std::int8_t value) const {
    if (value == none) return ProbeResult::Unknown;
    return accepts(world_, value) ? ProbeResult::Accepted : ProbeResult::Rejected;
  }

  // See MintObservation::idle.
  int idle() const {
    const bool first = world_.held[0] == world_.latest;
    if (!slots_) return first ? 0 : -1;
    if (first == (world_.held[1] == world_.latest)) return -1;
    return first ? 1 : 0;
  }
  // What is to be staged: what the place to be regenerated holds now, or the retained value.
  std::int8_t made() const {
    if (world_.journal.back) return world_.journal.pending;
    if (!slots_) return world_.held[0];
    const int at = world_.journal.slot != none ? world_.journal.slot : std::max(idle(), 0);
    return world_.held[index(at)];
  }
  void note_held(Observation& seen) const {
    const MintedJournal& journal = world_.journal;
    seen.mint = {.known = true, .idle = idle()};
    if (journal.phase != Phase::Minting) return;
    const std::int8_t before = slots_ ? journal.before : journal.old;
    seen.mint.known = before != none;
    seen.mint.unchanged = made() == before;
  }

  void publish(World& world, const Effect& effect) const {
    const MintedJournal& journal = world.journal;
    const bool retiring = journal.phase == Phase::Retiring || journal.phase == Phase::Succeeded;
    world.returned_after_retiring |= retiring && effect.value == journal.old;
    world.latest = effect.value;
    world.latest_run = effect.target;
    world.latest_pending = effect.pending;
  }

  void consumers_restart_by_themselves() const {
    for (int i = 0; i < scenario_.consumers; ++i) {
      if (world_.loaded[index(i)] == world_.latest) continue;
      World next = world_;
      next.loaded[index(i)] = world_.latest;
      emit_(Cause::Environment, [&] { return "consumer " + std::to_string(i) + " restarts by itself"; }, next);
    }
  }

  void previous_expires() const {
    if (world_.expiries == 0 || world_.held[1] == none) return;
    World next = world_;
    --next.expiries;
    next.held[1] = none;
    emit_(Cause::Fault, [] { return "the provider drops the previous value by itself"; }, next);
  }

  void object_is_deleted() const {
    if (!scenario_.deletion || world_.deleted || api::is_terminal(world_.journal.phase)) return;
    World next = world_;
    next.deleted = true;
    emit_(Cause::Fault, [] { return "the object is deleted"; }, next);
  }

  const Scenario& scenario_;
  const bool slots_;
};

}  // namespace

MintedWorld initial_world(const Scenario& scenario) {
  World world;
  world.actors.allow(scenario.faults);
  world.expiries = static_cast<std::int8_t>(scenario.expiries);
  world.next_value = 1;
  if (scenario.protocol == Protocol::Slots || scenario.stray) world.held[1] = world.next_value++;
  if (scenario.stray) world.loaded[0] = world.held[1];
  return world;
}

void successors(const Scenario& scenario, const World& world, const Emit<World>& emit) { Family(scenario, world, emit).all(); }

std::vector<Property<MintedWorld>> invariants_of(const Scenario& s) {
  return {
      {"I3 published is accepted", [](const World& w) { return accepts(w, w.latest); }},
      {"I4 nobody locked out",
       [s](const World& w) {
         for (int i = 0; i < s.consumers; ++i) {
           if (!accepts(w, w.loaded[index(i)])) return false;
         }
         return true;
       }},
      {"I6 no early retirement", [](const World& w) { return !w.retired_early; }},
      {"I7 no return after retiring", [](const World& w) { return !w.returned_after_retiring; }},
      {"I8 no restart into failure", [](const World& w) { return !w.restarted_into_bad; }},
      {"I14 honest status", [](const World& w) { return !w.succeeded_untrue; }},
  };
}

bool good_end(const Scenario& scenario, const World& world) {
  const MintedJournal& journal = world.journal;
  if (world.actors.something_under_way(none) || journal.blocked) return false;
  const bool all_runs = journal.phase == Phase::Succeeded && journal.run == scenario.runs;
  const bool back = journal.phase == Phase::RolledBack || journal.phase == Phase::Abandoned;
  if (!all_runs && !back) return false;
  const std::int8_t wanted = all_runs ? journal.pending : journal.old;
  return world.latest == wanted && accepts(world, wanted) && all_on(scenario, world, wanted);
}

std::string to_string(const Scenario& scenario, const World& world) {
  const auto held = [&](int i) { return world.held[index(i)] == none ? std::string("-") : std::to_string(world.held[index(i)]); };
  const bool slots = scenario.protocol == Protocol::Slots;
  std::string text =
      "vault " + std::to_string(world.latest) + (slots ? " | A:" : " | current ") + held(0) + (slots ? " B:" : " previous ") + held(1);
  text += " | loaded";
  for (int i = 0; i < scenario.consumers; ++i) text += " " + std::to_string(world.loaded[index(i)]);
  text += " | run " + std::to_string(world.journal.run) + " " + std::string(api::name_of(world.journal.phase));
  if (world.journal.pinned) text += " pinned " + std::to_string(world.journal.pending);
  if (world.journal.blocked) text += " blocked";
  return text + (world.actors.travels() ? " | something travels" : "");
}

}  // namespace keyturn::model
