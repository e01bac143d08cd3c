#include "tests/model/catalogue.h"
#include "tests/model/credential_world.h"

namespace keyturn::model {
namespace {

using api::Protocol;
using Scenario = CredentialScenario;

constexpr Faults no_faults{.controllers = 1, .crashes = 0, .lost_replies = 0, .late_requests = 0, .lease_expiries = 0};
constexpr Faults one_late{.controllers = 1, .crashes = 0, .lost_replies = 0, .late_requests = 1, .lease_expiries = 0};
constexpr Faults late_and_expiry{.crashes = 0, .lost_replies = 0, .late_requests = 1, .lease_expiries = 1};
constexpr Faults doubled{.crashes = 2, .lost_replies = 2, .late_requests = 1, .lease_expiries = 2};
constexpr Faults crash_and_expiry{.crashes = 1, .lost_replies = 0, .late_requests = 0, .lease_expiries = 1};
constexpr Disturbances turns{.turns = true};

Scenario of(Protocol protocol, int runs = 1, int consumers = 1) { return {.protocol = protocol, .runs = runs, .consumers = consumers}; }

template <class Change>
Scenario with(Scenario scenario, const Change& change) {
  change(scenario);
  return scenario;
}
Scenario under(const Faults& faults, Scenario scenario) {
  scenario.faults = faults;
  return scenario;
}
Scenario turning(Scenario scenario) {
  scenario.disturbances = turns;
  return scenario;
}

void add_single(std::vector<Case>& all) {
  const Scenario one = of(Protocol::Single);
  const Scenario two = of(Protocol::Single, 2);
  const Scenario checked = with(two, [](Scenario& s) { s.compare_and_set = true; });
  const Scenario deletion = with(one, [](Scenario& s) { s.deletion = true; });
  const Scenario human = under(crash_and_expiry, with(one, [](Scenario& s) { s.human = true; }));
  const Scenario restored = with(two, [](Scenario& s) { s.restored_backup = s.enforce = true; });
  all.insert(
      all.end(),
      {
          planned("A8", "single: 1 run, all faults", of(Protocol::Single, 1, 2)),
          planned("A9", "single: 2 runs, all faults", of(Protocol::Single, 2, 2)),
          planned("A10", "single: 2 runs, 2 crashes, 2 lost, 1 late, 2 expiries", under(doubled, two)),
          planned("A11", "single: 2 runs, no wait before the next pin", two, {Guard::QuietBeforePin}, false),
          planned("A12", "single: the same, judged by where it ends", under(one_late, two), {Guard::QuietBeforePin}, false, {"I1", "I2"}),
          planned("A13", "single: no wait, but the dependent compares and sets", under(late_and_expiry, checked), {Guard::QuietBeforePin},
                  false),
          planned("A14", "single: the dependent compares and sets, and the wait", checked),
          planned("A15", "single: deleted mid-run, the controller just stops", under(no_faults, deletion), {Guard::FinishWhenDeleted},
                  false),
          planned("A16", "single: deleted mid-run, the run is completed", deletion),
          planned("A17", "single: a human rotates by hand mid-run, reported", human),
          planned("A18", "single: a human rotates by hand mid-run, enforced", with(human, [](Scenario& s) { s.enforce = true; })),
          planned("A19", "single: rollback from any phase of the switch, all faults", turning(one)),
          planned("A20", "single: rollback does not wait for forward requests", under(one_late, turning(one)),
                  {Guard::QuietBeforeReversing}, false),
          planned("A21", "single: restored backup, generation not compared", under(crash_and_expiry, restored),
                  {Guard::NewerGenerationBlocks}, false),
          planned("A22", "single: restored backup, generation compared first", restored),
      });
}

void add_dual(std::vector<Case>& all) {
  const Scenario one = of(Protocol::Dual);
  const Scenario two = of(Protocol::Dual, 2);
  all.insert(all.end(), {
                            planned("B1", "dual: 1 run, all faults", of(Protocol::Dual, 1, 2)),
                            planned("B2", "dual: 2 runs, all faults", of(Protocol::Dual, 2, 2)),
                            planned("B3", "dual: rollback until retiring, all faults", turning(of(Protocol::Dual, 1, 2))),
                            planned("B4", "dual: rollback, 2 crashes, 2 lost, 1 late, 2 expiries", under(doubled, turning(one))),
                            planned("B5", "dual: point of no return not journalled", turning(one), {Guard::RetiringIsJournalled}, false),
                            planned("B6", "dual: old retired without waiting for consumers", under(no_faults, of(Protocol::Dual, 1, 2)),
                                    {Guard::ConsumersBeforeRetiring}, false),
                            planned("B7", "dual: 2 runs, no wait before pinning or retiring", under(late_and_expiry, two),
                                    {Guard::QuietBeforePin, Guard::QuietBeforeRetiring}, false),
                        });
}

void add_alternating(std::vector<Case>& all) {
  const Scenario one = of(Protocol::Alternating);
  const Scenario two = of(Protocol::Alternating, 2);
  all.insert(all.end(),
             {
                 planned("B9", "alternating logins: 3 runs with retirement, all faults", of(Protocol::Alternating, 3)),
                 planned("B10", "alternating logins: rollback until retiring, all faults", turning(of(Protocol::Alternating, 1, 2))),
                 planned("B11", "alternating logins: no wait before the next pin", under(one_late, two), {Guard::QuietBeforePin}, false),
                 planned("B12", "alternating logins: point of no return not journalled", under(one_late, turning(one)),
                         {Guard::RetiringIsJournalled}, false),
                 planned("B13", "alternating logins: rollback does not wait before withdrawing", under(one_late, turning(one)),
                         {Guard::QuietBeforeWithdrawing}, false),
             });
}

void add_rollback_runs(std::vector<Case>& all) {
  const auto again = [](Scenario& s) { s.reuse = true; };
  const Scenario single = with(of(Protocol::Single, 2), again);
  const Scenario dual = with(of(Protocol::Dual, 2), again);
  all.insert(all.end(),
             {
                 planned("R1", "single: the second run goes back to the retained value", with(of(Protocol::Single, 2, 2), again)),
                 planned("R2", "dual: the second run goes back to the retained value", with(of(Protocol::Dual, 2, 2), again)),
                 planned("R3", "single: the same, no wait before the next pin", single, {Guard::QuietBeforePin}, false),
                 planned("R4", "dual: the same, no wait before the next pin", dual, {Guard::QuietBeforePin}, false),
                 planned("R5", "dual: the same, no wait before retiring", dual, {Guard::QuietBeforeRetiring}),
             });
}

void add_waits(std::vector<Case>& all) {
  const Scenario single = of(Protocol::Single);
  const Scenario dual = of(Protocol::Dual);
  const Scenario alternating = of(Protocol::Alternating);
  const Scenario dual_twice = of(Protocol::Dual, 2);
  const Scenario alternating_twice = of(Protocol::Alternating, 2);
  all.insert(all.end(),
             {
                 planned("W1", "single: before pinning the next run", of(Protocol::Single, 2), {Guard::QuietBeforePin}, false),
                 planned("W2", "single: before reversing the direction", turning(single), {Guard::QuietBeforeReversing}, false),
                 planned("W3", "dual: before pinning the next run", dual_twice, {Guard::QuietBeforePin}),
                 planned("W4", "dual: before retiring, 1 run", dual, {Guard::QuietBeforeRetiring}),
                 planned("W5", "dual: before retiring, 2 runs", dual_twice, {Guard::QuietBeforeRetiring}),
                 planned("W6", "dual: before retiring, 1 run with rollback", turning(dual), {Guard::QuietBeforeRetiring}),
                 planned("W7", "dual: before pinning and before retiring, 2 runs", dual_twice,
                         {Guard::QuietBeforePin, Guard::QuietBeforeRetiring}, false),
                 planned("W8", "dual: before withdrawing in a rollback", turning(dual), {Guard::QuietBeforeWithdrawing}, false),
                 planned("W9", "alternating logins: before pinning the next run", alternating_twice, {Guard::QuietBeforePin}, false),
                 planned("W10", "alternating logins: before retiring", alternating_twice, {Guard::QuietBeforeRetiring}),
                 planned("W11", "alternating logins: before withdrawing in a rollback", turning(alternating),
                         {Guard::QuietBeforeWithdrawing}, false),
             });
}

// The same scenario with the guard and without it.
void add_guard(std::vector<Case>& all, const std::string& id, const std::string& title, const Scenario& scenario, Guard guard) {
  all.push_back(planned(id, title, scenario));
  all.push_back(planned(id + "x", title, scenario, {guard}, false));
}

void add_guards(std::vector<Case>& all) {
  const Scenario single = of(Protocol::Single);
  const Scenario dual = of(Protocol::Dual);
  const Scenario alternating = of(Protocol::Alternating);
  const auto human = [](Scenario& s) {
    s.human = true;
    s.faults = crash_and_expiry;
  };
  add_guard(all, "G1", "single: two leaders stage two values, one is pinned", single, Guard::PinTheChoice);
  add_guard(all, "G2", "single: a value is published after a fresh login", single, Guard::VerifyBeforePublish);
  add_guard(all, "G3", "single: the dependent is changed by hand while consumers restart", with(single, human),
            Guard::AcceptedBeforeRestart);
  add_guard(all, "G4", "alternating logins: somebody is on the idle login from before",
            with(alternating,
                 [](Scenario& s) {
                   s.undeclared = 1;
                   s.stray = true;
                 }),
            Guard::IdleLoginUnused);
  add_guard(all, "G5", "alternating logins: a user that nobody declared", with(alternating, [](Scenario& s) { s.undeclared = 1; }),
            Guard::SessionsBeforeRetiring);
  add_guard(all, "G6", "single: a human publishes mid-run, reported", with(single, human), Guard::ForeignPublishBlocks);
  add_guard(all, "G7", "single: a second installation rotates the same secret",
            with(single,
                 [](Scenario& s) {
                   s.second_install = true;
                   s.enforce = true;
                 }),
            Guard::ForeignOwnerBlocks);
  add_guard(all, "G8", "dual: the pinned version becomes unreadable", with(dual, [](Scenario& s) { s.losing = true; }),
            Guard::LostValueBlocks);
  add_guard(all, "G9", "single: suspended at any moment", with(single, [](Scenario& s) { s.suspension = true; }), Guard::ParkOnlySafely);
  all.push_back(planned("G10", "dual: suspended at any moment", with(dual, [](Scenario& s) { s.suspension = true; })));
  add_guard(all, "G11", "dual: old is seen refused before success", dual, Guard::OldRefusedBeforeSuccess);
  add_guard(all, "G12", "single: changed by hand late in the run", with(single, human), Guard::AllTrueBeforeSuccess);
  add_guard(all, "G13", "dual: published by hand late in the run", with(dual, human), Guard::AllTrueBeforeSuccess);
  add_guard(all, "G14", "dual: the dependent keeps one value after all", with(dual, [](Scenario& s) { s.keeps_one = true; }),
            Guard::OldSurvivesTheAddition);
  const auto doubts = [](Scenario& s) { s.disturbances.doubts = true; };
  add_guard(all, "G15", "dual: any look may fail to tell", with(dual, doubts), Guard::UnknownIsNoAnswer);
  all.push_back(planned("G16", "single: any look may fail to tell, with rollback", with(turning(single), doubts)));
  all.push_back(planned("G17", "alternating logins: any look may fail to tell, with rollback", with(turning(alternating), doubts)));
  add_guard(all, "G18", "single: the old credential is refused from the start", with(single, [](Scenario& s) { s.broken = true; }),
            Guard::BaselineFirst);
  add_guard(all, "G19", "single: the binding is taken away at any moment", with(single, [](Scenario& s) { s.unbinding = true; }),
            Guard::Authority);
  add_guard(all, "G20", "dual: compromised, and health turns bad", with(turning(dual), [](Scenario& s) { s.compromised = true; }),
            Guard::NoReturnWhenCompromised);
  all.push_back(planned("G21", "dual: deleted mid-run, with rollback", with(turning(dual), [](Scenario& s) { s.deletion = true; })));
  add_guard(all, "G43", "alternating logins: a user that nobody declared, with rollback",
            with(turning(alternating), [](Scenario& s) { s.undeclared = 1; }), Guard::SessionsBeforeRetiring);
  add_guard(all, "G39", "dual: restored backup", with(of(Protocol::Dual, 2), [](Scenario& s) { s.restored_backup = true; }),
            Guard::NewerGenerationBlocks);
  add_guard(all, "G40", "dual: a second installation rotates the same secret",
            with(dual,
                 [](Scenario& s) {
                   s.second_install = true;
                   s.enforce = true;
                 }),
            Guard::ForeignOwnerBlocks);
}

}  // namespace

std::vector<Case> credential_cases() {
  std::vector<Case> all;
  add_single(all);
  add_dual(all);
  add_alternating(all);
  add_rollback_runs(all);
  add_waits(all);
  add_guards(all);
  return all;
}

}  // namespace keyturn::model
