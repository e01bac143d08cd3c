// What a controller may do next in any world: lead, lose the lead, crash, decide with the product's own plan(), record the intent, send.
//
// `World` has `actors` (actors.h) and a `journal` with `phase` and `blocked`. `Derived` is a family of worlds and gives:
//   RunSpec run() const;
//   Observation observe(int me) const;
//   bool prepare(int me) const;                              // true: that was the step (choosing a candidate)
//   void ended(int me) const;                                // the run is in a terminal phase
//   Effect effect_of(int me, const Plan&) const;
//   World apply(World, const Effect&) const;
//   std::string name(const Effect&) const;
//   void intended(int me, const Plan&, World& next) const;   // notes for the invariants
//   void recorded(int me, const Plan&, World& next) const;   // what an Advance writes beside the phase
#pragma once

#include <string>
#include <string_view>

#include "api/codec.h"
#include "reconcilers/rotation/plan.h"
#include "tests/model/actors.h"
#include "tests/model/explorer.h"

namespace keyturn::model {

// What may come between at any moment, beside the faults.
struct Disturbances {
  bool turns = false;   // health may turn bad and deadlines may pass, until the run turns back
  bool doubts = false;  // each probe, each read of a vault or provider and each look at a consumer may fail to tell
};

template <class Derived, class World, class Effect>
class Driver {
 protected:
  Driver(const World& world, const Emit<World>& emit, const Faults& faults, const Disturbances& disturbances)
      : world_(world), emit_(emit), faults_(faults), disturbances_(disturbances) {}

  static std::string who(int i) { return "controller " + std::to_string(i) + ": "; }

  void controllers() const {
    for (int i = 0; i < faults_.controllers; ++i) controller(i);
  }

  void late_delivery() const {
    if (!world_.actors.travels()) return;
    World next = world_;
    next.actors.travelling = {};
    const Effect& effect = world_.actors.travelling;
    emit_(Cause::System, [&] { return "late delivery: " + self().name(effect); }, self().apply(next, effect));
  }

  // The journal's next step on a world like this one, for what Derived adds.
  void take(int i, Cause cause, const Plan& step) const {
    World next = world_;
    next.journal.blocked = step.action == Action::Block;
    switch (step.action) {
      case Action::Wait:
      case Action::Finished:
      case Action::Block:
        if (next.journal.blocked != world_.journal.blocked) {
          emit_(cause, [&] { return who(i) + std::string(name_of(step.action)) + " " + std::string(step.reason); }, next);
        }
        return;
      case Action::Advance:
        next.journal.phase = step.phase;
        self().recorded(i, step, next);
        emit_(cause, [&] { return who(i) + "journal: " + std::string(api::name_of(step.phase)); }, next);
        return;
      default:
        break;
    }
    Controller<Effect>& controller = next.actors.of(i);
    controller.where = Where::Armed;
    controller.armed = self().effect_of(i, step);
    self().intended(i, step, next);
    emit_(cause, [&] { return who(i) + "records the intent to " + self().name(controller.armed); }, next);
  }

  const World& world_;
  const Emit<World>& emit_;

 private:
  static constexpr Instant phase_since{};
  static constexpr Instant in_time = phase_since + Duration{1};
  static constexpr Instant late = phase_since + Duration{1'000};  // past the deadlines of the families' runs

  const Derived& self() const { return static_cast<const Derived&>(*this); }
  const Actors<Effect>& actors() const { return world_.actors; }

  void controller(int i) const {
    const Where where = actors().of(i).where;
    if (where == Where::Dead) return moved(i, Where::Standby, "starts again");
    if (actors().crashes > 0) {
      World next = world_;
      --next.actors.crashes;
      next.actors.of(i) = {.where = Where::Dead};
      emit_(Cause::Fault, [&] { return who(i) + "crashes"; }, next);
    }
    if (where == Where::Standby) return standby(i);
    if (where == Where::Armed) return armed(i);
    running(i);
  }

  void moved(int i, Where where, std::string_view what) const {
    World next = world_;
    next.actors.of(i) = {.where = where};
    emit_(Cause::System, [&] { return who(i) + std::string(what); }, next);
  }

  void standby(int i) const {
    const std::int8_t owner = actors().owner;
    World next = world_;
    next.actors.owner = static_cast<std::int8_t>(i);
    next.actors.of(i) = {.where = Where::Running};
    const bool free = owner == none || actors().of(owner).where == Where::Standby || actors().of(owner).where == Where::Dead;
    if (free) {
      emit_(Cause::System, [&] { return who(i) + "takes ownership"; }, next);
    } else if (owner != i && actors().lease_expiries > 0) {
      --next.actors.lease_expiries;
      emit_(Cause::Fault, [&] { return who(i) + "takes over, the lease expired"; }, next);
    }
  }

  // A request leaves: answered, applied with the reply lost, timed out while it still travels, or dropped at the send deadline.
  void armed(int i) const {
    const Effect effect = actors().of(i).armed;
    World next = world_;
    next.actors.of(i).where = Where::Running;
    next.actors.of(i).armed = {};
    const auto told = [&](std::string_view how) { return [&, how] { return who(i) + self().name(effect) + std::string(how); }; };
    emit_(Cause::System, told(": dropped at the send deadline"), next);
    const World applied = self().apply(next, effect);
    emit_(Cause::System, told(""), applied);
    if (actors().lost_replies > 0) {
      World lost = applied;
      --lost.actors.lost_replies;
      emit_(Cause::Fault, told(", the reply is lost"), lost);
    }
    if (actors().late_requests > 0 && !actors().travels()) {
      World travels = next;
      travels.actors.travelling = effect;
      --travels.actors.late_requests;
      emit_(Cause::Fault, told(" times out and still travels"), travels);
    }
  }

  void running(int i) const {
    if (actors().owner != i) return moved(i, Where::Standby, "loses the compare-and-swap and steps down");
    if (api::is_terminal(world_.journal.phase)) return self().ended(i);
    if (self().prepare(i)) return;
    const Observation seen = self().observe(i);
    const Journal journal{.phase = world_.journal.phase, .phase_since = phase_since};
    const RunSpec run = self().run();
    take(i, Cause::System, plan(run, journal, seen, in_time));
    if (disturbances_.turns && !going_back(journal.phase)) turns(i, run, journal, seen);
    if (disturbances_.doubts) doubts(i, run, journal, seen);
  }

  void turns(int i, const RunSpec& run, const Journal& journal, const Observation& seen) const {
    const auto turn = [&](const Plan& step) {
      if (step.action == Action::Advance && going_back(step.phase)) take(i, Cause::Environment, step);
    };
    turn(plan(run, journal, seen, late));
    Observation ill = seen;
    ill.consumers.front().state = ConsumerState::Unhealthy;
    turn(plan(run, journal, ill, in_time));
  }

  void doubts(int i, const RunSpec& run, const Journal& journal, const Observation& seen) const {
    Observation unsure = seen;
    const auto doubt = [&](auto& fact, auto unknown) {
      const auto told = fact;
      fact = unknown;
      take(i, Cause::Environment, plan(run, journal, unsure, in_time));
      fact = told;
    };
    for (DependentObservation& dependent : unsure.dependents) {
      doubt(dependent.pending, ProbeResult::Unknown);
      doubt(dependent.old, ProbeResult::Unknown);
    }
    for (VaultObservation& vault : unsure.vaults) doubt(vault.latest, Published::Unknown);
    if (seen.mint.known) doubt(unsure.mint.known, false);
    for (ConsumerObservation& consumer : unsure.consumers) doubt(consumer, ConsumerObservation{});
  }

  const Faults& faults_;
  const Disturbances& disturbances_;
};

}  // namespace keyturn::model
