#include "tests/model/catalogue.h"
#include "tests/model/fanout_world.h"
#include "tests/model/shared_world.h"

namespace keyturn::model {
namespace {

constexpr Faults no_faults{.controllers = 1, .crashes = 0, .lost_replies = 0, .late_requests = 0, .lease_expiries = 0};
constexpr Faults one_late{.controllers = 1, .crashes = 0, .lost_replies = 0, .late_requests = 1, .lease_expiries = 0};
constexpr Disturbances turns{.turns = true};

std::vector<Case> shared_key_cases() {
  const SharedScenario two_services{.services = 2};
  const SharedScenario twice{.runs = 2, .services = 2};
  const SharedScenario turning{.services = 2, .disturbances = turns};
  const SharedScenario late{.services = 2, .faults = one_late};
  const SharedScenario late_twice{.runs = 2, .services = 2, .faults = one_late};
  const SharedScenario late_turning{.services = 2, .faults = one_late, .disturbances = turns};
  return {
      planned("D5", "shared key: one document per vault, a barrier per phase, 2 vaults, 3 services, all faults", SharedScenario{}),
      planned("D6", "shared key: the barriers left out", SharedScenario{.faults = no_faults},
              {Guard::EveryServiceAccepts, Guard::ConsumersBeforeRetiring}, false),
      planned("G31", "shared key: both keys are accepted everywhere before the new one is sent", two_services),
      planned("G31x", "shared key: both keys are accepted everywhere before the new one is sent", two_services,
              {Guard::EveryServiceAccepts}, false),
      planned("G32", "shared key: the old key ends after everybody sends the new one", two_services),
      planned("G32x", "shared key: the old key ends before everybody sends the new one", two_services, {Guard::ConsumersBeforeRetiring},
              false),
      planned("G33", "shared key: 2 runs, all faults", twice),
      planned("G33x", "shared key: no wait before the next run pins", late_twice, {Guard::QuietBeforePin}, false),
      planned("G34", "shared key: rollback until retiring, all faults", turning),
      planned("G34x", "shared key: rollback does not wait before the new key ends", late_turning, {Guard::QuietBeforeWithdrawing}, false),
      planned("G35", "shared key: 1 run, 1 late request", late),
      planned("G35x", "shared key: no wait before the old key ends", late, {Guard::QuietBeforeRetiring}, false),
      planned("G36", "shared key: any look may fail to tell", SharedScenario{.services = 2, .disturbances = {.doubts = true}}),
      planned("G42", "shared key: 2 runs, rollback until retiring",
              SharedScenario{.runs = 2, .services = 2, .faults = {.lease_expiries = 0}, .disturbances = turns}),
  };
}

std::vector<Case> fanout_cases() {
  const FanoutScenario two{.vaults = 2};
  const FanoutScenario plain{.vaults = 2, .faults = no_faults};
  return {
      planned("E1", "several vaults: 3 vaults, all published before anybody moves, outages and all faults", FanoutScenario{}),
      planned("E2", "several vaults: best effort, no gates", plain, {Guard::EveryVaultPublished, Guard::ConsumersBeforeRetiring}, false),
      planned("G37", "several vaults: 2 vaults, 2 outages, rollback until retiring",
              FanoutScenario{.vaults = 2, .outages = 2, .disturbances = turns}),
      planned("G38", "several vaults: 2 vaults, all published before anybody moves", two),
      planned("G38x", "several vaults: 2 vaults, all published before anybody moves", two, {Guard::EveryVaultPublished}, false),
  };
}

}  // namespace

std::vector<Case> shared_cases() {
  std::vector<Case> all = shared_key_cases();
  for (Case& one : fanout_cases()) all.push_back(std::move(one));
  return all;
}

}  // namespace keyturn::model
