// Every reachable world of the real planner functions, all faults within a budget. The same verdicts as the reference models of the
// protocol: the proposed variants pass, each removed guard is caught. The ids are those of the protocol's table of scenarios.
#include <gtest/gtest.h>

#include <cstdio>

#include "reconcilers/rotation/guard.h"
#include "tests/model/world.h"

namespace keyturn::model {
namespace {

using api::Protocol;

struct Case {
  const char* id;
  const char* title;
  Scenario scenario;
  std::vector<Guard> removed;
  bool expected_to_pass;
};

Scenario faults(Scenario scenario, int crashes, int lost, int late, int expiries) {
  scenario.crashes = crashes;
  scenario.lost_replies = lost;
  scenario.late_requests = late;
  scenario.lease_expiries = expiries;
  return scenario;
}

std::vector<Case> cases() {
  const Scenario single{.protocol = Protocol::Single};
  const Scenario dual{.protocol = Protocol::Dual};
  const Scenario alternating{.protocol = Protocol::Alternating, .consumers = 1};
  const auto with = [](Scenario base, auto change) {
    change(base);
    return base;
  };
  const auto runs = [&](Scenario base, int count, int consumers = 2) {
    return with(base, [&](Scenario& s) { s.runs = count, s.consumers = consumers; });
  };
  const auto rollback = [&](Scenario base, int consumers) {
    return with(base, [&](Scenario& s) { s.rollback = true, s.consumers = consumers; });
  };
  const Scenario deletion = with(runs(single, 1, 1), [](Scenario& s) { s.deletion = true; });
  const Scenario human = with(faults(runs(single, 1, 1), 1, 0, 0, 1), [](Scenario& s) { s.human = true; });
  const Scenario restored = with(runs(single, 2, 1), [](Scenario& s) { s.restored_backup = s.enforce = true; });
  const Scenario reuse_single = with(runs(single, 2, 1), [](Scenario& s) { s.reuse = true; });
  const Scenario reuse_dual = with(runs(dual, 2, 1), [](Scenario& s) { s.reuse = true; });
  return {
      {"A8", "single: 1 run, 2 leaders, all faults", single, {}, true},
      {"A9", "single: 2 runs, all faults", runs(single, 2), {}, true},
      {"A10", "single: 2 runs, 2 crashes, 2 lost, 1 late, 2 expiries", faults(runs(single, 2, 1), 2, 2, 1, 2), {}, true},
      {"A16", "single: deleted mid-run, the run is completed", deletion, {}, true},
      {"A17", "single: human drift mid-run, reported", human, {}, true},
      {"A18", "single: human drift mid-run, enforced", with(human, [](Scenario& s) { s.enforce = true; }), {}, true},
      {"A19", "single: rollback from any switch phase, all faults", rollback(single, 1), {}, true},
      {"A22", "single: restored backup, generation compared first", restored, {}, true},
      {"R1", "single: rollback run, the retained value is used again", reuse_single, {}, true},
      {"B1", "dual: 1 run, all faults", dual, {}, true},
      {"B2", "dual: 2 runs, all faults", runs(dual, 2), {}, true},
      {"B3", "dual: rollback until retiring, all faults", rollback(dual, 2), {}, true},
      {"B4", "dual: rollback, 2 crashes, 2 lost, 1 late, 2 expiries", faults(rollback(dual, 1), 2, 2, 1, 2), {}, true},
      {"R2", "dual: rollback run, the retained value is used again", reuse_dual, {}, true},
      {"B9", "alternating logins: 3 runs with retirement, all faults", runs(alternating, 3, 1), {}, true},
      {"B10", "alternating logins: rollback until retiring, all faults", rollback(alternating, 2), {}, true},

      {"A6", "single: nobody pins the choice", runs(single, 1, 1), {Guard::PinTheChoice}, false},
      {"A11", "single: no wait before the next pin", faults(runs(single, 2, 1), 0, 0, 1, 0), {Guard::QuietBeforePin}, false},
      {"A15", "single: deleted mid-run, the controller just stops", deletion, {Guard::FinishWhenDeleted}, false},
      {"A20",
       "single: rollback does not wait for forward requests",
       faults(rollback(single, 1), 0, 0, 1, 0),
       {Guard::QuietBeforeReversing},
       false},
      {"A21", "single: restored backup, generation not compared", restored, {Guard::NewerGenerationBlocks}, false},
      {"A5", "single: published without a fresh login", runs(single, 1, 1), {Guard::VerifyBeforePublish}, false},
      {"A1",
       "single: consumers restarted onto what is not accepted",
       rollback(single, 1),
       {Guard::AcceptedBeforeRestart, Guard::QuietBeforeReversing},
       false},
      {"B5", "dual: point of no return not journalled", faults(rollback(dual, 1), 0, 0, 0, 1), {Guard::RetiringIsJournalled}, false},
      {"B6", "dual: old retired without waiting for consumers", faults(dual, 0, 0, 0, 0), {Guard::ConsumersBeforeRetiring}, false},
      {"B7",
       "dual: no wait before pinning or retiring",
       faults(runs(dual, 2, 1), 0, 0, 1, 1),
       {Guard::QuietBeforePin, Guard::QuietBeforeRetiring},
       false},
      {"B11", "alternating: no wait before the next pin", faults(runs(alternating, 2, 1), 0, 0, 1, 0), {Guard::QuietBeforePin}, false},
      {"B12",
       "alternating: point of no return not journalled",
       faults(rollback(alternating, 1), 0, 0, 1, 0),
       {Guard::RetiringIsJournalled},
       false},
      {"B14",
       "alternating: the idle login is still in somebody's hands",
       runs(alternating, 2, 1),
       {Guard::IdleLoginUnused, Guard::ConsumersBeforeRetiring},
       false},
      {"B13",
       "alternating: rollback does not wait before withdrawing",
       faults(rollback(alternating, 1), 0, 0, 1, 0),
       {Guard::QuietBeforeWithdrawing},
       false},
      {"R3", "single: rollback run without the wait before the pin", faults(reuse_single, 0, 0, 1, 0), {Guard::QuietBeforePin}, false},
  };
}

std::string removed_names(const Case& c) {
  std::string names;
  for (const Guard guard : c.removed) names += (names.empty() ? "" : "+") + std::string(name_of(guard));
  return names.empty() ? "-" : names;
}

void set_guards(const std::vector<Guard>& removed) {
  if (removed.empty()) return remove_guards({});
  if (removed.size() == 1) return remove_guards({removed[0]});
  remove_guards({removed[0], removed[1]});
}

template <class Trace>
void print_trace(const Scenario& scenario, const std::string& why, const Trace& trace) {
  std::printf("  shortest way to: %s\n", why.c_str());
  for (const auto& [label, world] : trace) std::printf("    %-62s %s\n", label.c_str(), to_string(scenario, world).c_str());
}

class ModelCheck : public testing::TestWithParam<Case> {
 protected:
  void TearDown() override { remove_guards({}); }
};

TEST_P(ModelCheck, AgreesWithTheReferenceModel) {
  const Case& c = GetParam();
  set_guards(c.removed);
  Explorer<World, WorldHash> explorer;
  const auto result = explorer.explore(
      initial_world(c.scenario), [&](const World& world, const auto& emit) { successors(c.scenario, world, emit); },
      invariants_of(c.scenario), [&](const World& world) { return good_end(c.scenario, world); });
  std::string violated;
  for (const auto& violation : result.violations)
    violated += (violated.empty() ? "" : ", ") + violation.invariant.substr(0, violation.invariant.find(' '));
  if (result.stuck) violated += violated.empty() ? "STUCK" : ", STUCK";
  std::printf("%-4s %-60s removed: %-38s %s  worlds %8zu  edges %9zu  violated: %s\n", c.id, c.title, removed_names(c).c_str(),
              result.passes() ? "PASS" : (c.expected_to_pass ? "FAIL" : "CAUGHT"), result.worlds, result.edges,
              violated.empty() ? "-" : violated.c_str());
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.passes(), c.expected_to_pass);
  if (!c.expected_to_pass) return;
  for (const auto& violation : result.violations) print_trace(c.scenario, violation.invariant, violation.trace);
  if (result.stuck) print_trace(c.scenario, "no way to a good end", result.stuck_trace);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ModelCheck, testing::ValuesIn(cases()), [](const auto& info) { return std::string(info.param.id); });

}  // namespace
}  // namespace keyturn::model
