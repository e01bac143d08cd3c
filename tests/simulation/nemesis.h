// What goes wrong in a world besides single requests, at times drawn from the seed: processes end or stand still, a second one believes
// to lead, systems go down one by one and come back in another order, caches go stale, clocks jump, consumers restart and lie.
#pragma once

#include "tests/simulation/world.h"

namespace keyturn::simulation {

class Nemesis {
 public:
  // Plans everything for the next `span`. `kinds` is the set of faults of this world. The world outlives it.
  Nemesis(World& world, Draw& draw, std::uint64_t kinds, Duration span);

  // Takes every lasting fault away, and leaves one process.
  void heal();

 private:
  void at_some_moment(int times_max, std::function<void()> what);
  void plan(FaultKind kind);
  void crash_somebody();
  void suspend_somebody();
  void second_leader();
  void swizzle();
  void jump_a_clock();
  void flap(bool lie);
  void read_only_vault();
  void remember_and_restore();
  std::string some_application();

  World& world_;
  Draw& draw_;
  Duration span_;
  bool healed_ = false;
};

}  // namespace keyturn::simulation
