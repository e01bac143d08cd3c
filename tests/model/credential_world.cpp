#include "tests/model/world.h"

#include "reconcilers/rotation/guard.h"

namespace keyturn::model {
namespace {

using api::Phase;
using api::Protocol;

constexpr std::int8_t humans_value = 7;
constexpr Instant phase_since{};
constexpr Instant in_time = phase_since + Duration{1};
constexpr Instant late = phase_since + Duration{1'000};

std::uint16_t bit(std::int8_t value) { return static_cast<std::uint16_t>(1u << value); }

bool has_staged(const World& world, int run, std::int8_t value) { return (world.staged[static_cast<std::size_t>(run)] & bit(value)) != 0; }

std::uint16_t durable(const World& world) {
  std::uint16_t values = world.published;
  for (const std::uint8_t staged : world.staged) values |= staged;
  return values;
}

bool is_durable(const World& world, Value value) { return value.number >= 0 && (durable(world) & bit(value.number)) != 0; }

// Could any request sent under an earlier ownership still take effect?
bool something_under_way(const World& world, int me) {
  if (world.travelling.kind != EffectKind::Nothing) return true;
  for (int other = 0; other < controllers_max; ++other) {
    if (other != me && world.controllers[static_cast<std::size_t>(other)].where == Where::Armed) return true;
  }
  return false;
}

Value pending_of(const Scenario& scenario, const World& world, int me) {
  const ModelJournal& journal = world.journal;
  if (journal.pinned) return journal.pending;
  const std::int8_t login = scenario.protocol == Protocol::Alternating ? static_cast<std::int8_t>(1 - journal.old.login) : std::int8_t{0};
  return {login, world.controllers[static_cast<std::size_t>(me)].candidate};
}

// ---- effects -----------------------------------------------------------------------------------------------------------------

void accept(const Scenario& scenario, World& world, Value value) {
  switch (scenario.protocol) {
    case Protocol::Single:
      world.accepted = bit(value.number);
      break;
    case Protocol::Dual:
      world.accepted |= bit(value.number);
      break;
    case Protocol::Alternating:
      world.password[static_cast<std::size_t>(value.login)] = value.number;
      break;
  }
  world.ever_accepted |= bit(value.number);
}

void withdraw(const Scenario& scenario, World& world, Value value) {
  if (scenario.protocol == Protocol::Alternating) {
    world.password[static_cast<std::size_t>(value.login)] = scrambled;
  } else {
    world.accepted = static_cast<std::uint16_t>(world.accepted & ~bit(value.number));
  }
}

void publish(World& world, Value value) {
  const ModelJournal& journal = world.journal;
  world.published_unverified |= (world.ever_accepted & bit(value.number)) == 0;
  const bool retiring = journal.phase == Phase::Retiring || journal.phase == Phase::Succeeded;
  world.returned_after_retiring |= retiring && value == journal.old;
  world.regressed |= world.restored && has_staged(world, 1, value.number);
  for (std::int8_t run = 1; run < static_cast<std::int8_t>(world.staged.size()); ++run) {
    if (has_staged(world, run, value.number) && run > world.newest_run) world.newest_run = run;
  }
  world.latest = value;
  world.readable = true;
  world.published = static_cast<std::uint8_t>(world.published | bit(value.number));
}

World apply(const Scenario& scenario, World world, const Effect& effect) {
  switch (effect.kind) {
    case EffectKind::Nothing:
      break;
    case EffectKind::Stage:
      world.staged[static_cast<std::size_t>(effect.target)] =
          static_cast<std::uint8_t>(world.staged[static_cast<std::size_t>(effect.target)] | bit(effect.value.number));
      break;
    case EffectKind::Install:
      accept(scenario, world, effect.value);
      break;
    case EffectKind::Publish:
      publish(world, effect.value);
      break;
    case EffectKind::Restart:
      world.restarted_into_bad |= !accepts(scenario, world, world.latest);
      world.loaded[static_cast<std::size_t>(effect.target)] = world.latest;
      break;
    case EffectKind::Withdraw:
      withdraw(scenario, world, effect.value);
      break;
  }
  return world;
}

// ---- what a controller sees --------------------------------------------------------------------------------------------------

Published compare(const World& world, Value pending) {
  if (!world.readable) return Published::Refused;
  if (world.latest == pending) return Published::Pending;
  return world.latest == world.journal.old ? Published::Old : Published::Foreign;
}

Observation observe(const Scenario& scenario, const World& world, int me) {
  const ModelJournal& journal = world.journal;
  const Value pending = pending_of(scenario, world, me);
  const Value wanted = going_back(journal.phase) ? journal.old : pending;
  const auto probe = [&](Value value) { return accepts(scenario, world, value) ? ProbeResult::Accepted : ProbeResult::Rejected; };
  Observation seen;
  seen.quiet = !something_under_way(world, me);
  seen.deleted = world.deleted;
  seen.staged = pending.number >= 0 && has_staged(world, journal.run, pending.number);
  seen.vaults.push_back({.latest = compare(world, pending), .newer_generation = world.newest_run > journal.run});
  seen.dependents.push_back({.pending = probe(pending), .old = probe(journal.old)});
  for (int i = 0; i < scenario.consumers; ++i) {
    const Value loaded = world.loaded[static_cast<std::size_t>(i)];
    seen.idle_in_use |= scenario.protocol == Protocol::Alternating && loaded.login == pending.login;
    const bool proven = loaded == wanted;
    seen.consumers.push_back({.state = proven ? ConsumerState::Proven : ConsumerState::Stale, .act_due = !proven});
  }
  return seen;
}

RunSpec run_of(const Scenario& scenario) {
  return {.protocol = scenario.protocol,
          .back_on_failure = scenario.rollback,
          .enforce_drift = scenario.enforce,
          .publish_deadline = Duration{100},
          .progress_deadline = Duration{100},
          .max_unavailable = consumers_max};
}

Effect effect_of(const World& world, const Plan& step, Value pending) {
  const Value value = step.credential == Credential::Pending ? pending : world.journal.old;
  const auto target = static_cast<std::int8_t>(step.target);
  switch (step.action) {
    case Action::Stage:
      return {EffectKind::Stage, world.journal.run, pending};
    case Action::Install:
      return {EffectKind::Install, 0, value};
    case Action::Publish:
      return {EffectKind::Publish, 0, value};
    case Action::Converge:
      return {EffectKind::Restart, target, {0, none}};
    case Action::Withdraw:
      return {EffectKind::Withdraw, 0, value};
    default:
      return {};
  }
}

// ---- names for traces --------------------------------------------------------------------------------------------------------

std::string name(Value value) {
  if (value.number == none) return "-";
  return (value.login == 0 ? "" : "B:") + std::to_string(value.number);
}
std::string name(const Effect& effect) {
  switch (effect.kind) {
    case EffectKind::Nothing:
      return "nothing";
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
std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::Admitted:
      return "Admitted";
    case Phase::Staging:
      return "Staging";
    case Phase::Pinned:
      return "Pinned";
    case Phase::Switching:
      return "Switching";
    case Phase::Publishing:
      return "Publishing";
    case Phase::Rolling:
      return "Rolling";
    case Phase::Verifying:
      return "Verifying";
    case Phase::Retiring:
      return "Retiring";
    case Phase::Succeeded:
      return "Succeeded";
    case Phase::RollingBack:
      return "RollingBack";
    case Phase::Withdrawing:
      return "Withdrawing";
    case Phase::RolledBack:
      return "RolledBack";
    case Phase::Abandoned:
      return "Abandoned";
  }
  return "?";
}

// ---- successors --------------------------------------------------------------------------------------------------------------

class Step {
 public:
  Step(const Scenario& scenario, const World& world, const Emit& emit) : scenario_(scenario), world_(world), emit_(emit) {}

  void all() const {
    consumers_restart_by_themselves();
    late_delivery();
    backup_is_restored();
    object_is_deleted();
    human_interferes();
    for (int i = 0; i < scenario_.controllers; ++i) controller(i);
  }

 private:
  Controller& at(World& world, int i) const { return world.controllers[static_cast<std::size_t>(i)]; }
  const Controller& at(int i) const { return world_.controllers[static_cast<std::size_t>(i)]; }
  std::string who(int i) const { return "controller " + std::to_string(i) + ": "; }

  void consumers_restart_by_themselves() const {
    for (int i = 0; i < scenario_.consumers; ++i) {
      const auto c = static_cast<std::size_t>(i);
      if (world_.loaded[c] == world_.latest) continue;
      World next = world_;
      next.loaded[c] = world_.latest;
      emit_(Cause::Environment, "consumer " + std::to_string(i) + " restarts by itself", next);
    }
  }

  void late_delivery() const {
    if (world_.travelling.kind == EffectKind::Nothing) return;
    World next = world_;
    next.travelling = {};
    emit_(Cause::System, "late delivery of " + name(world_.travelling), apply(scenario_, next, world_.travelling));
  }

  void backup_is_restored() const {
    const ModelJournal& journal = world_.journal;
    const bool possible = scenario_.restored_backup && !world_.restored && journal.run == 2 && journal.phase == Phase::Succeeded;
    if (!possible || something_under_way(world_, none)) return;
    World next = world_;
    next.restored = true;
    next.journal = {.run = 1, .phase = Phase::Rolling, .pinned = true, .pending = journal.old, .old = {0, 0}};
    for (Controller& controller : next.controllers) controller = {};
    emit_(Cause::Fault, "a backup is restored: the journal is back in the first run", next);
  }

  void object_is_deleted() const {
    if (!scenario_.deletion || world_.deleted || api::is_terminal(world_.journal.phase)) return;
    World next = world_;
    next.deleted = true;
    emit_(Cause::Fault, "the object is deleted", next);
  }

  void human_interferes() const {
    // Before the pin a red baseline stops the run, and after the run the drift monitor reports: neither is a question for plan().
    if (!scenario_.human || !world_.journal.pinned || api::is_terminal(world_.journal.phase)) return;
    World next = world_;
    if (!world_.human_set) {
      next.human_set = true;
      next.staged[0] = static_cast<std::uint8_t>(next.staged[0] | bit(humans_value));
      accept(scenario_, next, {0, humans_value});
      emit_(Cause::Fault, "a human sets the dependent by hand", next);
    } else if (!world_.human_published) {
      next.human_published = true;
      publish(next, {0, humans_value});
      emit_(Cause::System, "a human publishes that by hand", next);
    }
  }

  void controller(int i) const {
    const Controller& self = at(i);
    if (self.where == Where::Dead) return moved(i, Where::Standby, Cause::System, "starts again");
    if (world_.crashes > 0) {
      World next = world_;
      --next.crashes;
      at(next, i) = {.where = Where::Dead};
      emit_(Cause::Fault, who(i) + "crashes", next);
    }
    switch (self.where) {
      case Where::Standby:
        return standby(i);
      case Where::Armed:
        return armed(i);
      case Where::Running:
        return running(i);
      case Where::Dead:
        return;
    }
  }

  void moved(int i, Where where, Cause cause, std::string_view what) const {
    World next = world_;
    at(next, i) = {.where = where};
    emit_(cause, who(i) + std::string(what), next);
  }

  void standby(int i) const {
    const std::int8_t owner = world_.journal.owner;
    World next = world_;
    next.journal.owner = static_cast<std::int8_t>(i);
    at(next, i) = {.where = Where::Running};
    const bool free = owner == none || at(owner).where == Where::Standby || at(owner).where == Where::Dead;
    if (free) {
      emit_(Cause::System, who(i) + "takes ownership", next);
    } else if (owner != i && world_.lease_expiries > 0) {
      --next.lease_expiries;
      emit_(Cause::Fault, who(i) + "takes over, the lease expired", next);
    }
  }

  // A request leaves: answered, applied with the reply lost, timed out while it still travels, or dropped at the send deadline.
  void armed(int i) const {
    const Effect effect = at(i).armed;
    World next = world_;
    at(next, i).where = Where::Running;
    at(next, i).armed = {};
    emit_(Cause::System, who(i) + "drops " + name(effect) + " at the send deadline", next);
    emit_(Cause::System, who(i) + name(effect), apply(scenario_, next, effect));
    if (world_.lost_replies > 0) {
      World lost = apply(scenario_, next, effect);
      --lost.lost_replies;
      emit_(Cause::Fault, who(i) + name(effect) + ", the reply is lost", lost);
    }
    if (world_.late_requests > 0 && world_.travelling.kind == EffectKind::Nothing) {
      World travels = next;
      travels.travelling = effect;
      --travels.late_requests;
      emit_(Cause::Fault, who(i) + name(effect) + " times out and still travels", travels);
    }
  }

  void running(int i) const {
    if (world_.journal.owner != i) return moved(i, Where::Standby, Cause::System, "loses the compare-and-swap and steps down");
    if (api::is_terminal(world_.journal.phase)) return finished(i);
    if (!world_.journal.pinned && at(i).candidate == none) return choose_candidate(i);
    const Observation seen = observe(scenario_, world_, i);
    const Journal journal{.phase = world_.journal.phase, .phase_since = phase_since};
    const RunSpec run = run_of(scenario_);
    take(i, Cause::System, plan(run, journal, seen, in_time));
    if (!scenario_.rollback || going_back(journal.phase)) return;
    const Plan after_deadline = plan(run, journal, seen, late);
    if (after_deadline.phase == Phase::RollingBack) take(i, Cause::Environment, after_deadline);
    Observation ill = seen;
    ill.consumers.front().state = ConsumerState::Unhealthy;
    const Plan when_ill = plan(run, journal, ill, in_time);
    if (when_ill.phase == Phase::RollingBack) take(i, Cause::Environment, when_ill);
  }

  void take(int i, Cause cause, const Plan& step) const {
    World next = world_;
    next.journal.blocked = step.action == Action::Block;
    switch (step.action) {
      case Action::Wait:
      case Action::Finished:
        return;
      case Action::Block:
        return emit_(cause, who(i) + "blocked: " + std::string(step.reason), next);
      case Action::Advance:
        return advance(i, cause, step, next);
      default:
        break;
    }
    const Value pending = pending_of(scenario_, world_, i);
    at(next, i).where = Where::Armed;
    at(next, i).armed = effect_of(world_, step, pending);
    note_retirement(step, pending, next);
    emit_(cause, who(i) + "records the intent to " + name(at(next, i).armed), next);
  }

  // I6: the old credential goes only when the pending one is published and in everybody's hands.
  void note_retirement(const Plan& step, Value pending, World& next) const {
    if (step.action != Action::Withdraw || step.credential != Credential::Old) return;
    next.retired_early |= !(world_.latest == pending);
    for (int c = 0; c < scenario_.consumers; ++c) next.retired_early |= !(world_.loaded[static_cast<std::size_t>(c)] == pending);
  }

  void advance(int i, Cause cause, const Plan& step, World& next) const {
    next.journal.phase = step.phase;
    if (step.pins) {
      next.journal.pending = pending_of(scenario_, world_, i);
      next.journal.pinned = true;
    }
    emit_(cause, who(i) + "journal: " + std::string(phase_name(step.phase)), next);
  }

  void choose_candidate(int i) const {
    World next = world_;
    const std::uint8_t staged = world_.staged[static_cast<std::size_t>(world_.journal.run)];
    if (scenario_.reuse && world_.journal.run == 2) {
      at(next, i).candidate = 0;
      emit_(Cause::System, who(i) + "goes back to the retained 0", next);
    } else if (staged != 0) {
      at(next, i).candidate = static_cast<std::int8_t>(31 - __builtin_clz(staged));
      emit_(Cause::System, who(i) + "adopts the staged value", next);
    } else {
      at(next, i).candidate = next.next_value++;
      emit_(Cause::System, who(i) + "generates a value", next);
    }
  }

  void finished(int i) const {
    const ModelJournal& journal = world_.journal;
    if (journal.phase != Phase::Succeeded || journal.run >= scenario_.runs || world_.restored) return;
    World next = world_;
    next.journal = {.run = static_cast<std::int8_t>(journal.run + 1),
                    .phase = Phase::Admitted,
                    .old = journal.pinned ? journal.pending : pending_of(scenario_, world_, i),
                    .owner = journal.owner};
    for (Controller& controller : next.controllers) controller.candidate = none;
    emit_(Cause::System, who(i) + "begins the next run", next);
  }

  const Scenario& scenario_;
  const World& world_;
  const Emit& emit_;
};

// ---- invariants --------------------------------------------------------------------------------------------------------------

bool someone_can_log_in(const Scenario& scenario, const World& world) {
  if (scenario.protocol != Protocol::Alternating) return (world.accepted & durable(world)) != 0;
  for (std::int8_t login = 0; login < 2; ++login) {
    const Value value{login, world.password[static_cast<std::size_t>(login)]};
    if (is_durable(world, value)) return true;
  }
  return false;
}

bool everybody_can_log_in(const Scenario& scenario, const World& world) {
  for (int i = 0; i < scenario.consumers; ++i) {
    if (!accepts(scenario, world, world.loaded[static_cast<std::size_t>(i)])) return false;
  }
  return true;
}

bool in_switch_window(const World& world) {
  const ModelJournal& journal = world.journal;
  const Phase phase = journal.phase;
  const bool phases = phase == Phase::Switching || phase == Phase::Publishing || phase == Phase::RollingBack;
  if (!phases || !is_durable(world, journal.pending) || !is_durable(world, journal.old)) return false;
  const std::uint16_t both = static_cast<std::uint16_t>(bit(journal.pending.number) | bit(journal.old.number));
  return (world.accepted & ~both) == 0;
}

bool in_reload_window(const World& world) {
  const Phase phase = world.journal.phase;
  const bool rolling = phase == Phase::Rolling || phase == Phase::Verifying;
  const bool phases = rolling || phase == Phase::Switching || phase == Phase::Publishing || phase == Phase::RollingBack;
  return phases && is_durable(world, world.journal.pending);
}

}  // namespace

bool accepts(const Scenario& scenario, const World& world, Value value) {
  if (value.number < 0) return false;
  if (scenario.protocol == Protocol::Alternating) return world.password[static_cast<std::size_t>(value.login)] == value.number;
  return (world.accepted & bit(value.number)) != 0;
}

World initial_world(const Scenario& scenario) {
  World world;
  world.journal.phase = Phase::Admitted;
  world.crashes = static_cast<std::int8_t>(scenario.crashes);
  world.lost_replies = static_cast<std::int8_t>(scenario.lost_replies);
  world.late_requests = static_cast<std::int8_t>(scenario.late_requests);
  world.lease_expiries = static_cast<std::int8_t>(scenario.lease_expiries);
  return world;
}

void successors(const Scenario& scenario, const World& world, const Emit& emit) { Step(scenario, world, emit).all(); }

std::vector<Property> invariants_of(const Scenario& s) {
  std::vector<Property> all{
      {"I1 recoverable", [s](const World& w) { return someone_can_log_in(s, w); }},
      {"I2 always readable", [](const World& w) { return w.readable; }},
  };
  if (s.human) return all;
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
  return all;
}

bool good_end(const Scenario& scenario, const World& world) {
  if (something_under_way(world, none)) return false;
  const ModelJournal& journal = world.journal;
  const bool may_block = (scenario.human && !scenario.enforce) || scenario.restored_backup;
  if (journal.blocked) return may_block;
  const bool all_runs = journal.phase == Phase::Succeeded && journal.run == scenario.runs;
  const bool back = journal.phase == Phase::RolledBack || journal.phase == Phase::Abandoned;
  if (!all_runs && !back) return false;
  const Value wanted = all_runs ? (journal.pinned ? journal.pending : world.latest) : journal.old;
  for (int i = 0; i < scenario.consumers; ++i) {
    if (!(world.loaded[static_cast<std::size_t>(i)] == wanted)) return false;
  }
  return world.latest == wanted && world.readable && accepts(scenario, world, wanted);
}

std::string to_string(const Scenario& scenario, const World& world) {
  std::string text = "vault " + name(world.latest) + " | accepted";
  if (scenario.protocol == Protocol::Alternating) {
    text += " A:" + std::to_string(world.password[0]) + " B:" + std::to_string(world.password[1]);
  } else {
    for (std::int8_t value = 0; value < 8; ++value) text += (world.accepted & bit(value)) ? " " + std::to_string(value) : "";
  }
  text += " | loaded";
  for (int i = 0; i < scenario.consumers; ++i) text += " " + name(world.loaded[static_cast<std::size_t>(i)]);
  text += " | run " + std::to_string(world.journal.run) + " " + std::string(phase_name(world.journal.phase));
  if (world.journal.pinned) text += " pinned " + name(world.journal.pending);
  if (world.journal.blocked) text += " blocked";
  if (world.travelling.kind != EffectKind::Nothing) text += " | travelling: " + name(world.travelling);
  return text;
}

}  // namespace keyturn::model
