// The heart: from what a run is, what its journal says and what was just seen to the one next step. Pure and total.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "api/rotation_run.h"
#include "reconcilers/rotation/observation.h"

namespace keyturn {

// What of a frozen run the planner needs.
struct RunSpec {
  api::Protocol protocol = api::Protocol::Single;
  api::Direction direction = api::Direction::Forward;
  bool compromised = false;      // ConfirmedCompromise: no overlap, no way back (I13)
  bool back_on_failure = true;   // onFailure: Rollback
  bool enforce_drift = false;    // driftPolicy: Enforce
  bool revoke_old = false;       // Slots, Shift: also end what the provider would leave valid
  bool bootstrap = false;        // nothing was published before: there is no old credential, and nothing to go back to
  Duration publish_deadline{};   // Publishing may take so long, then the direction changes
  Duration progress_deadline{};  // so may Switching and Rolling
  Duration soak{};               // at least so long nobody may be seen on the old one before it goes
  Duration overlap{};            // and so long it stays valid for people's sake
  Duration poll{};               // between two looks at something under way
  int max_unavailable = 1;       // consumers under way at once, where two credentials live
  int canaries = 0;              // the first so many consumers go first, alone
  Duration bake{};               // and so long before the others
};

// What of the journal the planner needs. Everything else in it is for people or for the executor.
struct Journal {
  api::Phase phase = api::Phase::Admitted;
  Instant phase_since{};
};

// The last two are the documents of a shared key in between: both keys are accepted, and the one in the name is sent.
enum class Credential : std::uint8_t { Pending, Old, OldOfBoth, PendingOfBoth };

enum class Action : std::uint8_t {
  Advance,   // journal only: enter `phase`
  Stage,     // write the pending value, or what the provider holds, to the staging vault; make a pinned one readable again
  Mint,      // ask the provider at dependent `target` for a new value
  Install,   // make `credential` accepted at dependent `target`
  Publish,   // make `credential` what vault `target` returns
  Converge,  // bring consumer `target` to what is published
  Withdraw,  // make `credential` no longer accepted at dependent `target`
  Wait,      // look again at `look_at`, or after a poll
  Block,     // a human or a changed world must act; `reason` names why. The phase stays
  Finished,  // the run is in a terminal phase
};

struct Plan {
  Action action = Action::Wait;
  api::Phase phase = api::Phase::Admitted;  // Advance
  bool pins = false;  // Advance: record the staged version, to Pinned as the choice, to Minting as what the idle slot held before
  Credential credential = Credential::Pending;
  std::uint16_t target = 0;
  std::string_view reason;  // Wait, Block and changes of direction: a word of api/reasons.h or of `waits`
  std::optional<Instant> look_at;
  bool operator==(const Plan&) const = default;
};

// Why a run waits: shown in status, not reasons of conditions.
namespace waits {
inline constexpr std::string_view quiet = "WaitingForQuiet";          // an older request may still land
inline constexpr std::string_view observation = "WaitingForFacts";    // something could not be told
inline constexpr std::string_view consumers = "WaitingForConsumers";  // they are on the way
inline constexpr std::string_view bake = "Baking";
inline constexpr std::string_view soak = "Soaking";
inline constexpr std::string_view sessions = "OldCredentialInUse";
inline constexpr std::string_view pending_sessions = "PendingCredentialInUse";  // on the way back
inline constexpr std::string_view idle_login = "IdleLoginInUse";
inline constexpr std::string_view suspended = "Suspended";
inline constexpr std::string_view frozen = "Frozen";                 // a freeze of the environment holds what is new
inline constexpr std::string_view restart_budget = "RestartBudget";  // a consumer was restarted as often as its environment allows
}  // namespace waits

// Total: every combination gives a plan. Never allocates. The same input gives the same plan.
Plan plan(const RunSpec& run, const Journal& journal, const Observation& seen, Instant now);

// True while a run may still return to its old credential (I7).
constexpr bool before_point_of_no_return(api::Phase phase) {
  return phase != api::Phase::Retiring && !api::is_terminal(phase) && phase != api::Phase::RollingBack && phase != api::Phase::Withdrawing;
}
constexpr bool going_back(api::Phase phase) { return phase == api::Phase::RollingBack || phase == api::Phase::Withdrawing; }

// The provider makes the pending value. A run back brings a retained value in again and makes none.
constexpr bool mints(api::Protocol protocol, api::Direction direction) {
  return (protocol == api::Protocol::Slots || protocol == api::Protocol::Shift) && direction == api::Direction::Forward;
}

// What vaults and consumers are to hold in a phase.
Credential wanted_in(api::Protocol protocol, api::Phase phase) noexcept;
Published published_as(Credential credential) noexcept;

std::string_view name_of(Action action) noexcept;

}  // namespace keyturn
