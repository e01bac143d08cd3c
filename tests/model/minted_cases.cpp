#include "tests/model/catalogue.h"
#include "tests/model/minted_world.h"

namespace keyturn::model {
namespace {

using api::Protocol;
using Scenario = MintedScenario;

constexpr Faults no_faults{.controllers = 1, .crashes = 0, .lost_replies = 0, .late_requests = 0, .lease_expiries = 0};
constexpr Faults one_late{.controllers = 1, .crashes = 0, .lost_replies = 0, .late_requests = 1, .lease_expiries = 0};
constexpr Faults one_expiry{.crashes = 0, .lost_replies = 0, .late_requests = 0, .lease_expiries = 1};

void add_waits(std::vector<Case>& all) {
  const Scenario slots{};
  const Scenario revoking{.revoke_old = true};
  const Scenario shift{.protocol = Protocol::Shift};
  all.insert(
      all.end(),
      {
          planned("W12", "slots: before the intent of the next run", slots, {Guard::QuietBeforePin}),
          planned("W13", "slots: before pinning what was made", slots, {Guard::QuietAfterMint}, false),
          planned("W14", "slots with revocation: before the intent of the next run", revoking, {Guard::QuietBeforePin}),
          planned("W15", "slots with revocation: before pinning what was made", revoking, {Guard::QuietAfterMint}, false),
          planned("W16", "slots with revocation: before revoking", revoking, {Guard::QuietBeforeRetiring}),
          planned("W17", "slots with revocation: before success", revoking),
          planned("W18", "shift: before asking again", Scenario{.protocol = Protocol::Shift, .runs = 1}, {Guard::OneMintInTheAir}, false),
          planned("W19", "shift: before the intent and before pinning", shift, {Guard::QuietBeforePin, Guard::QuietAfterMint}),
      });
}

}  // namespace

std::vector<Case> minted_cases() {
  const Scenario shift{.protocol = Protocol::Shift, .consumers = 2};
  const Scenario shift_once{.protocol = Protocol::Shift, .runs = 1};
  const auto under = [](Scenario scenario, const Faults& faults) {
    scenario.faults = faults;
    return scenario;
  };
  const Scenario turning{.runs = 1, .consumers = 2, .disturbances = {.turns = true}};
  const Scenario revoking_turning{.runs = 1, .disturbances = {.turns = true}, .revoke_old = true};
  std::vector<Case> all{
      planned("C4", "slots: 2 runs, all faults", Scenario{.consumers = 2}),
      planned("C5", "slots: 2 runs with revocation of the old slot, all faults", Scenario{.revoke_old = true}),
      planned("C6", "slots: no wait before what was made is chosen", under({.runs = 1}, one_late), {Guard::QuietAfterMint}, false),
      planned("C7", "slots: the next run does not look who is on the idle slot", under({}, no_faults),
              {Guard::EvictedUnused, Guard::ConsumersBeforeRetiring}, false),
      planned("C8", "shift: a timed-out request to make a value is repeated at once", under(shift_once, one_late), {Guard::OneMintInTheAir},
              false),
      planned("C9", "shift: a new leader does not wait for the old one's request", under(shift_once, one_expiry), {Guard::OneMintInTheAir},
              false),
      planned("C10", "shift: 2 runs, all faults", shift),
      planned("C11", "shift: the provider drops the previous value too early",
              under({.protocol = Protocol::Shift, .runs = 1, .expiries = 1}, no_faults), {}, false),
      planned("G22", "slots: a consumer is on the idle slot from before", Scenario{.runs = 1, .stray = true}),
      planned("G22x", "slots: a consumer is on the idle slot from before", Scenario{.runs = 1, .stray = true}, {Guard::EvictedUnused},
              false),
      planned("G23", "shift: a consumer is on the previous value from before",
              Scenario{.protocol = Protocol::Shift, .runs = 1, .stray = true}),
      planned("G23x", "shift: a consumer is on the previous value from before",
              Scenario{.protocol = Protocol::Shift, .runs = 1, .stray = true}, {Guard::EvictedUnused}, false),
      planned("G24", "slots: rollback until the end, all faults", turning),
      planned("G25", "slots with revocation: rollback until retiring, all faults", revoking_turning),
      planned("G26", "shift: 2 runs with revocation of the previous value, all faults",
              Scenario{.protocol = Protocol::Shift, .revoke_old = true}),
      planned("G27", "slots with revocation: any look may fail to tell", Scenario{.disturbances = {.doubts = true}, .revoke_old = true}),
      planned("G28", "slots: the second run goes back to the retained value", Scenario{.back = true}),
      planned("G29", "slots: deleted at any moment", Scenario{.runs = 1, .deletion = true}),
      planned("G30", "shift: deleted at any moment", Scenario{.protocol = Protocol::Shift, .runs = 1, .deletion = true}),
      planned("G41", "slots: deleted at any moment, with rollback, and any look may fail to tell",
              Scenario{.runs = 1, .disturbances = {.turns = true, .doubts = true}, .deletion = true}),
  };
  add_waits(all);
  return all;
}

}  // namespace keyturn::model
