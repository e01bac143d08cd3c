#include "tests/model/credential_world.h"

#include <bit>

#include "reconcilers/rotation/needs.h"

namespace keyturn::model {
namespace {

using api::Phase;
using api::Protocol;
using World = CredentialWorld;
using Scenario = CredentialScenario;
using Effect = CredentialEffect;
using EffectKind = CredentialEffectKind;

std::uint8_t bit(std::int8_t value) { return static_cast<std::uint8_t>(1u << value); }
std::size_t index(int i) { return static_cast<std::size_t>(i); }
int users_of(const Scenario& scenario) { return scenario.consumers + scenario.undeclared; }

bool has_staged(const World& world, int run, std::int8_t value) { return (world.staged[index(run)] & bit(value)) != 0; }
void keep(World& world, int run, std::int8_t value) { world.staged[index(run)] |= bit(value); }

std::uint8_t durable(const World& world) {
  std::uint8_t values = world.published;
  for (const std::uint8_t staged : world.staged) values |= staged;
  return values;
}

bool is_durable(const World& world, Login value) { return value.number >= 0 && (durable(world) & bit(value.number)) != 0; }

bool accepts(const Scenario& scenario, const World& world, Login value) {
  if (value.number < 0) return false;
  if (scenario.protocol == Protocol::Alternating) return world.password[index(value.login)] == value.number;
  return (world.accepted & bit(value.number)) != 0;
}

bool all_on(const Scenario& scenario, const World& world, Login value) {
  for (int i = 0; i < scenario.consumers; ++i) {
    if (!(world.loaded[index(i)] == value)) return false;
  }
  return true;
}

// ---- effects -----------------------------------------------------------------------------------------------------------------

void accept(const Scenario& scenario, World& world, Login value) {
  const bool replaces = scenario.protocol == Protocol::Single || scenario.keeps_one;
  if (scenario.protocol == Protocol::Alternating) {
    world.password[index(value.login)] = value.number;
  } else {
    world.accepted = replaces ? bit(value.number) : static_cast<std::uint8_t>(world.accepted | bit(value.number));
  }
  world.ever_accepted |= bit(value.number);
}

void withdraw(const Scenario& scenario, World& world, Login value) {
  if (scenario.protocol == Protocol::Alternating) {
    world.password[index(value.login)] = scrambled;
  } else {
    world.accepted = static_cast<std::uint8_t>(world.accepted & ~bit(value.number));
  }
}

void publish(World& world, Login value) {
  const CredentialJournal& journal = world.journal;
  world.published_unverified |= (world.ever_accepted & bit(value.number)) == 0;
  const bool retiring = journal.phase == Phase::Retiring || journal.phase == Phase::Succeeded;
  world.returned_after_retiring |= retiring && value == journal.old;
  world.regressed |= world.restored && has_staged(world, 1, value.number);
  for (std::int8_t run = 1; run < static_cast<std::int8_t>(world.staged.size()); ++run) {
    if (has_staged(world, run, value.number) && run > world.newest_run) world.newest_run = run;
  }
  world.latest = value;
  world.readable = true;
  world.foreign = false;
  world.published = static_cast<std::uint8_t>(world.published | bit(value.number));
}

// ---- successors --------------------------------------------------------------------------------------------------------------

class Family : public Driver<Family, World, Effect> {
 public:
  Family(const Scenario& scenario, const World& world, const Emit<World>& emit)
      : Driver(world, emit, scenario.faults, scenario.disturbances), scenario_(scenario) {}

  void all() const {
    users_restart_by_themselves();
    late_delivery();
    backup_is_restored();
    things_change_once();
    human_interferes();
    second_installation_interferes();
    controllers();
  }

  // ---- what Driver asks for

  RunSpec run() const {
    return {.protocol = scenario_.protocol,
            .compromised = scenario_.compromised,
            .back_on_failure = scenario_.disturbances.turns,
            .enforce_drift = scenario_.enforce,
            .publish_deadline = Duration{100},
            .progress_deadline = Duration{100},
            .max_unavailable = users_max};
  }

  Observation observe(int me) const {
    const CredentialJournal& journal = world_.journal;
    const Needs needs = needs_of(scenario_.protocol, api::Direction::Forward, journal.phase);
    const Login pending = pending_of(me);
    const bool unreadable = world_.lost && journal.pinned;
    Observation seen;
    seen.authorised = !world_.unbound;
    seen.suspended = world_.suspended;
    seen.quiet = !world_.actors.something_under_way(me);
    seen.deleted = world_.deleted;
    seen.staged = needs.staged && pending.number >= 0 && has_staged(world_, journal.run, pending.number);
    seen.value_lost = unreadable && (needs.pending || needs.vaults);
    VaultObservation& vault = seen.vaults.emplace_back();
    if (needs.vaults) {
      vault = {
          .latest = compare(pending, unreadable), .ahead_of_journal = world_.newest_run > journal.run, .foreign_owner = world_.foreign};
    }
    DependentObservation& dependent = seen.dependents.emplace_back();
    if (needs.pending && !unreadable) dependent.pending = probe(pending);
    if (needs.old) dependent.old = probe(journal.old);
    note_users(needs, pending, seen);
    return seen;
  }

  bool prepare(int i) const {
    if (world_.journal.pinned || world_.actors.of(i).candidate != none) return false;
    World next = world_;
    std::int8_t& candidate = next.actors.of(i).candidate;
    const std::uint8_t staged = world_.staged[index(world_.journal.run)];
    if (scenario_.reuse && world_.journal.run == 2) {
      candidate = 0;
      emit_(Cause::System, [&] { return who(i) + "goes back to the retained 0"; }, next);
    } else if (staged != 0) {
      candidate = static_cast<std::int8_t>(std::bit_width(staged) - 1);
      emit_(Cause::System, [&] { return who(i) + "adopts the staged value"; }, next);
    } else {
      candidate = next.next_value++;
      emit_(Cause::System, [&] { return who(i) + "generates a value"; }, next);
    }
    return true;
  }

  void ended(int i) const {
    const CredentialJournal& journal = world_.journal;
    if (journal.phase != Phase::Succeeded || journal.run >= scenario_.runs || world_.restored) return;
    World next = world_;
    next.journal = {.run = static_cast<std::int8_t>(journal.run + 1), .old = journal.pinned ? journal.pending : pending_of(i)};
    for (Controller<Effect>& controller : next.actors.controllers) controller.candidate = none;
    emit_(Cause::System, [&] { return who(i) + "begins the next run"; }, next);
  }

  Effect effect_of(int me, const Plan& step) const {
    const Login pending = pending_of(me);
    const bool forward = step.credential == Credential::Pending;
    const Login value = forward ? pending : world_.journal.old;
    switch (step.action) {
      case Action::Stage:
        return {EffectKind::Stage, world_.journal.run, pending, none};
      case Action::Install: {
        const std::int8_t from = forward ? world_.journal.old.number : pending.number;
        return {EffectKind::Install, 0, value, scenario_.compare_and_set ? from : none};
      }
      case Action::Publish:
        return {EffectKind::Publish, 0, value, none};
      case Action::Converge:
        return {EffectKind::Restart, static_cast<std::int8_t>(step.target), {}, none};
      case Action::Withdraw:
        return {EffectKind::Withdraw, 0, value, none};
      default:
        return {};
    }
  }

  World apply(World world, const Effect& effect) const {
    switch (effect.kind) {
      case EffectKind::Nothing:
        break;
      case EffectKind::Stage:
        keep(world, effect.target, effect.value.number);
        break;
      case EffectKind::Install:
        if (effect.expected == none || accepts(scenario_, world, {0, effect.expected})) accept(scenario_, world, effect.value);
        break;
      case EffectKind::Publish:
        publish(world, effect.value);
        break;
      case EffectKind::Restart:
        world.restarted_into_bad |= !accepts(scenario_, world, world.latest);
        world.loaded[index(effect.target)] = world.latest;
        break;
      case EffectKind::Withdraw:
        withdraw(scenario_, world, effect.value);
        break;
    }
    return world;
  }

  static std::string name(Login value) {
    if (value.number == none) return "-";
    return (value.login == 0 ? "" : "B:") + std::to_string(value.number);
  }
  static std::string name(const Effect& effect) {
    switch (effect.kind) {
      case EffectKind::Nothing:
        break;
      case EffectKind::Stage:
        return "stage " + name(effect.value);
      case EffectKind::Install:
        return "install " + name(effect.value);
      case EffectKind::Publish:
        return "publish " + name(effect.value);
      case EffectKind::Restart:
        return "restart consumer " + std::to_string(effect.target);
      case EffectKind::Withdraw:
        return "withdraw " + name(effect.value);
    }
    return "nothing";
  }

  void intended(int me, const Plan& step, World& next) const {
    const Login pending = pending_of(me);
    const bool old = step.credential == Credential::Old;
    const bool publishes = step.action == Action::Publish;
    next.acted_unbound |= world_.unbound;
    next.acted_on_foreign |= world_.foreign;
    next.touched_broken |= scenario_.broken;
    next.overwrote_foreign |= publishes && !scenario_.enforce && compare(pending, false) == Published::Foreign;
    next.published_without_overlap |= publishes && !old && !accepts(scenario_, world_, world_.journal.old);
    next.returned_to_compromised |= scenario_.compromised && old && (publishes || step.action == Action::Install);
    next.began_bad_restart |= step.action == Action::Converge && !accepts(scenario_, world_, world_.latest);
    // I6: the old credential goes only when the pending one is published and in everybody's hands.
    if (step.action == Action::Withdraw && old) {
      next.retired_early |= !(world_.latest == pending) || !all_on(scenario_, world_, pending);
    }
  }

  void recorded(int me, const Plan& step, World& next) const {
    if (step.pins) {
      next.journal.pending = pending_of(me);
      next.journal.pinned = true;
    }
    if (step.phase != Phase::Succeeded) return;
    const Login pending = pending_of(me);
    const bool in_use = world_.latest == pending && accepts(scenario_, world_, pending) && all_on(scenario_, world_, pending);
    next.succeeded_untrue |= !in_use || accepts(scenario_, world_, world_.journal.old);
  }

 private:
  Login pending_of(int me) const {
    const CredentialJournal& journal = world_.journal;
    if (journal.pinned) return journal.pending;
    const std::int8_t login =
        scenario_.protocol == Protocol::Alternating ? static_cast<std::int8_t>(1 - journal.old.login) : std::int8_t{0};
    return {login, world_.actors.of(me).candidate};
  }

  Published compare(Login pending, bool unreadable) const {
    if (!world_.readable) return Published::Refused;
    if (world_.latest == pending && !unreadable) return Published::Pending;
    if (world_.latest == world_.journal.old) return Published::Old;
    return unreadable ? Published::Unknown : Published::Foreign;
  }
  ProbeResult probe(Login value) const {
    if (value.number == none) return ProbeResult::Unknown;
    return accepts(scenario_, world_, value) ? ProbeResult::Accepted : ProbeResult::Rejected;
  }

  void note_users(const Needs& needs, Login pending, Observation& seen) const {
    const Credential wanted = wanted_in(scenario_.protocol, world_.journal.phase);
    const Login target = wanted == Credential::Pending ? pending : world_.journal.old;
    const bool tells = scenario_.protocol == Protocol::Alternating;
    for (int i = 0; i < users_of(scenario_); ++i) {
      const Login loaded = world_.loaded[index(i)];
      seen.idle_in_use |= tells && needs.idle && loaded.login == pending.login;
      if (tells && needs.sessions) {
        DependentObservation& dependent = seen.dependents.front();
        if (going_back(world_.journal.phase)) {
          dependent.sessions_on_pending += loaded.login == pending.login;
        } else {
          dependent.sessions_on_old += loaded.login == world_.journal.old.login;
        }
      }
      if (i >= scenario_.consumers) continue;
      ConsumerObservation& consumer = seen.consumers.emplace_back();
      const bool has_target = needs.consumers && seen.vaults.front().latest == published_as(wanted);
      if (has_target) consumer.state = loaded == target ? ConsumerState::Proven : ConsumerState::Stale;
      consumer.act_due = consumer.state == ConsumerState::Stale;
    }
  }

  // Who was not declared is waited for, so that its own restart is what brings it on.
  void users_restart_by_themselves() const {
    for (int i = 0; i < users_of(scenario_); ++i) {
      if (world_.loaded[index(i)] == world_.latest) continue;
      World next = world_;
      next.loaded[index(i)] = world_.latest;
      const Cause cause = i < scenario_.consumers ? Cause::Environment : Cause::System;
      emit_(cause, [&] { return "consumer " + std::to_string(i) + " restarts by itself"; }, next);
    }
  }

  void backup_is_restored() const {
    const CredentialJournal& journal = world_.journal;
    const bool possible = scenario_.restored_backup && !world_.restored && journal.run == 2 && journal.phase == Phase::Succeeded;
    if (!possible || world_.actors.something_under_way(none)) return;
    for (const Phase phase : {Phase::Pinned, Phase::Switching, Phase::Publishing, Phase::Rolling, Phase::Verifying, Phase::Retiring,
                              Phase::RollingBack, Phase::Withdrawing}) {
      if (scenario_.protocol == Protocol::Single && (phase == Phase::Retiring || phase == Phase::Withdrawing)) continue;
      World next = world_;
      next.restored = true;
      next.journal = {.run = 1, .phase = phase, .pinned = true, .pending = journal.old, .old = {0, 0}};
      next.actors.owner = none;
      next.actors.controllers = {};
      emit_(Cause::Fault, [&] { return "a backup is restored: the first run is " + std::string(api::name_of(phase)) + " again"; }, next);
    }
  }

  void things_change_once() const {
    if (api::is_terminal(world_.journal.phase)) return;
    const auto once = [&](bool allowed, bool World::* fact, std::string_view what) {
      if (!allowed || world_.*fact) return;
      World next = world_;
      next.*fact = true;
      emit_(Cause::Fault, [&] { return std::string(what); }, next);
    };
    once(scenario_.deletion, &World::deleted, "the object is deleted");
    once(scenario_.suspension, &World::suspended, "the object is suspended");
    once(scenario_.unbinding, &World::unbound, "the binding is taken away");
    once(scenario_.losing && world_.journal.pinned, &World::lost, "the pinned version becomes unreadable");
  }

  void human_interferes() const {
    // Before the pin a red baseline stops the run, and after the run the drift monitor reports: neither is a question for plan().
    if (!scenario_.human || !world_.journal.pinned || api::is_terminal(world_.journal.phase)) return;
    World next = world_;
    if (!world_.human_set) {
      next.human_set = true;
      keep(next, 0, strangers_key);
      accept(scenario_, next, {0, strangers_key});
      emit_(Cause::Fault, [] { return "a human sets the dependent by hand"; }, next);
    } else if (!world_.human_published) {
      next.human_published = true;
      publish(next, {0, strangers_key});
      emit_(Cause::System, [] { return "a human publishes that by hand"; }, next);
    }
  }

  void second_installation_interferes() const {
    if (!scenario_.second_install || world_.human_set || !world_.journal.pinned || api::is_terminal(world_.journal.phase)) return;
    World next = world_;
    next.human_set = true;
    keep(next, 0, strangers_key);
    accept(scenario_, next, {0, strangers_key});
    publish(next, {0, strangers_key});
    next.foreign = true;
    emit_(Cause::Fault, [] { return "another installation rotates the secret"; }, next);
  }

  const Scenario& scenario_;
};

// ---- invariants --------------------------------------------------------------------------------------------------------------

bool someone_can_log_in(const Scenario& scenario, const World& world) {
  if (scenario.protocol != Protocol::Alternating) return (world.accepted & durable(world)) != 0;
  for (std::int8_t login = 0; login < 2; ++login) {
    if (is_durable(world, {login, world.password[index(login)]})) return true;
  }
  return false;
}

bool everybody_can_log_in(const Scenario& scenario, const World& world) {
  for (int i = 0; i < users_of(scenario); ++i) {
    if (!accepts(scenario, world, world.loaded[index(i)])) return false;
  }
  return true;
}

bool in_switch_window(const World& world) {
  const CredentialJournal& journal = world.journal;
  const Phase phase = journal.phase;
  const bool phases = phase == Phase::Switching || phase == Phase::Publishing || phase == Phase::RollingBack;
  if (!phases || !is_durable(world, journal.pending) || !is_durable(world, journal.old)) return false;
  return (world.accepted & ~(bit(journal.pending.number) | bit(journal.old.number))) == 0;
}

bool in_reload_window(const World& world) {
  const Phase phase = world.journal.phase;
  const bool rolling = phase == Phase::Rolling || phase == Phase::Verifying;
  const bool phases = rolling || phase == Phase::Switching || phase == Phase::Publishing || phase == Phase::RollingBack;
  return phases && is_durable(world, world.journal.pending);
}

// Where nobody else writes.
void add_own_invariants(const Scenario& s, std::vector<Property<World>>& all) {
  all.push_back({"I5 verified before published", [](const World& w) { return !w.published_unverified; }});
  all.push_back({"I6 no early retirement", [](const World& w) { return !w.retired_early; }});
  all.push_back({"I7 no return after retiring", [](const World& w) { return !w.returned_after_retiring; }});
  all.push_back({"I8 no restart into failure", [](const World& w) { return !w.restarted_into_bad; }});
  all.push_back({"I9 monotone generations", [](const World& w) { return !w.regressed; }});
  if (s.protocol == Protocol::Single) {
    all.push_back({"I3w published is accepted outside the switch window",
                   [s](const World& w) { return accepts(s, w, w.latest) || in_switch_window(w); }});
    all.push_back(
        {"I4w nobody locked out outside the window", [s](const World& w) { return everybody_can_log_in(s, w) || in_reload_window(w); }});
  } else {
    all.push_back({"I3 published is accepted", [s](const World& w) { return accepts(s, w, w.latest); }});
    all.push_back({"I4 nobody locked out", [s](const World& w) { return everybody_can_log_in(s, w); }});
  }
}

}  // namespace

CredentialWorld initial_world(const Scenario& scenario) {
  World world;
  world.actors.allow(scenario.faults);
  if (scenario.broken) {
    keep(world, 0, strangers_key);
    world.accepted = world.ever_accepted = bit(strangers_key);
  }
  if (scenario.stray) {
    constexpr std::int8_t earlier = 6;
    keep(world, 0, earlier);
    world.password[1] = earlier;
    world.loaded[index(scenario.consumers)] = {1, earlier};
  }
  return world;
}

void successors(const Scenario& scenario, const World& world, const Emit<World>& emit) { Family(scenario, world, emit).all(); }

std::vector<Property<CredentialWorld>> invariants_of(const Scenario& s) {
  std::vector<Property<World>> all{
      {"I1 recoverable", [s](const World& w) { return someone_can_log_in(s, w); }},
      {"I2 always readable", [](const World& w) { return w.readable; }},
      {"I8b no restart is begun into failure", [](const World& w) { return !w.began_bad_restart; }},
      {"I12 authority", [](const World& w) { return !w.acted_unbound; }},
      {"I13 no return to a compromised one", [](const World& w) { return !w.returned_to_compromised; }},
      {"I14 honest status", [](const World& w) { return !w.succeeded_untrue; }},
      {"FOREIGN hands off what another installation writes", [](const World& w) { return !w.acted_on_foreign; }},
      {"OVERWRITE nobody else's value is overwritten unasked", [](const World& w) { return !w.overwrote_foreign; }},
      {"BASELINE nothing is touched where the start is broken", [](const World& w) { return !w.touched_broken; }},
  };
  if (s.protocol != Protocol::Single && !s.enforce) {
    all.push_back({"OVERLAP old is accepted when the new one is published", [](const World& w) { return !w.published_without_overlap; }});
  }
  const bool others_write = s.human || s.second_install || s.broken || s.keeps_one;
  if (!others_write) add_own_invariants(s, all);
  return all;
}

bool good_end(const Scenario& scenario, const World& world) {
  if (world.actors.something_under_way(none)) return false;
  const CredentialJournal& journal = world.journal;
  const bool somebody_must_act = scenario.second_install || scenario.losing || scenario.unbinding || scenario.broken || scenario.keeps_one;
  const bool may_block = (scenario.human && !scenario.enforce) || scenario.restored_backup || somebody_must_act;
  const bool sound = accepts(scenario, world, world.latest) && everybody_can_log_in(scenario, world);
  // What was restored must not have cost anything when it is found out.
  if (journal.blocked) return may_block && (sound || !scenario.restored_backup);
  if (world.suspended && !api::is_terminal(journal.phase)) return sound;
  const bool all_runs = journal.phase == Phase::Succeeded && journal.run == scenario.runs;
  const bool back = journal.phase == Phase::RolledBack || journal.phase == Phase::Abandoned;
  if (!all_runs && !back) return false;
  const Login wanted = all_runs ? (journal.pinned ? journal.pending : world.latest) : journal.old;
  const bool together = world.latest == wanted && all_on(scenario, world, wanted);
  return together && world.readable && everybody_can_log_in(scenario, world);
}

std::string to_string(const Scenario& scenario, const World& world) {
  std::string text = "vault " + Family::name(world.latest) + " | accepted";
  if (scenario.protocol == Protocol::Alternating) {
    text += " A:" + std::to_string(world.password[0]) + " B:" + std::to_string(world.password[1]);
  } else {
    for (std::int8_t value = 0; value < 8; ++value) text += (world.accepted & bit(value)) ? " " + std::to_string(value) : "";
  }
  text += " | loaded";
  for (int i = 0; i < users_of(scenario); ++i) text += " " + Family::name(world.loaded[index(i)]);
  text += " | run " + std::to_string(world.journal.run) + " " + std::string(api::name_of(world.journal.phase));
  if (world.journal.pinned) text += " pinned " + Family::name(world.journal.pending);
  if (world.journal.blocked) text += " blocked";
  if (world.actors.travels()) text += " | travelling: " + Family::name(world.actors.travelling);
  return text;
}

}  // namespace keyturn::model
