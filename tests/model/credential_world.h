// The world of one secret whose value the caller chooses: its vault, one dependent, a few consumers, the journal, and who acts on them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "api/rotation_run.h"
#include "tests/model/actors.h"
#include "tests/model/driver.h"
#include "tests/model/explorer.h"

namespace keyturn::model {

inline constexpr int users_max = 2;              // declared consumers, then those that nobody declared
inline constexpr std::int8_t scrambled = -2;     // a password that nobody knows
inline constexpr std::int8_t strangers_key = 7;  // what somebody else sets and publishes

// A credential: a value, and for alternating logins the login that it belongs to.
struct Login {
  std::int8_t login = 0;
  std::int8_t number = none;
  bool operator==(const Login&) const = default;
};

enum class CredentialEffectKind : std::uint8_t { Nothing, Stage, Install, Publish, Restart, Withdraw };
struct CredentialEffect {
  CredentialEffectKind kind = CredentialEffectKind::Nothing;
  std::int8_t target = 0;  // Stage: the run; Restart: the consumer
  Login value;
  std::int8_t expected = none;  // Install with compare-and-set: what must be accepted
};

struct CredentialJournal {
  std::int8_t run = 1;
  api::Phase phase = api::Phase::Admitted;
  bool pinned = false;
  bool blocked = false;
  Login pending;
  Login old{0, 0};
};

struct CredentialWorld {
  Login latest{0, 0};
  bool readable = true;
  bool foreign = false;                               // the newest version carries another installation's tag
  std::uint8_t published = 1;                         // values ever published, a bit each
  std::array<std::uint8_t, 4> staged{};               // per run, a bit per value; 0: what others keep
  std::uint8_t accepted = 1;                          // single and dual: a bit per value
  std::array<std::int8_t, 2> password{0, scrambled};  // alternating: per login
  std::uint8_t ever_accepted = 1;
  std::array<Login, users_max> loaded{Login{0, 0}, Login{0, 0}};
  std::int8_t next_value = 1;
  std::int8_t newest_run = 0;  // the highest generation tag on the store
  // What happens at most once.
  bool deleted = false;
  bool suspended = false;
  bool unbound = false;  // the binding was taken away
  bool lost = false;     // the pinned version cannot be read any more
  bool human_set = false;
  bool human_published = false;
  bool restored = false;
  // What must never have happened; the invariants ask.
  bool published_unverified = false;
  bool published_without_overlap = false;
  bool restarted_into_bad = false;  // when the restart took place
  bool began_bad_restart = false;   // already when it was intended
  bool retired_early = false;
  bool returned_after_retiring = false;
  bool returned_to_compromised = false;
  bool regressed = false;
  bool succeeded_untrue = false;
  bool acted_unbound = false;
  bool acted_on_foreign = false;
  bool overwrote_foreign = false;
  bool touched_broken = false;
  CredentialJournal journal;
  Actors<CredentialEffect> actors;
};

// What is explored: the protocol, how many runs and consumers, and which events may happen.
struct CredentialScenario {
  api::Protocol protocol = api::Protocol::Single;  // or Dual, Alternating
  int runs = 1;
  int consumers = 2;
  int undeclared = 0;  // users of the credential that the run does not know
  Faults faults;
  Disturbances disturbances;
  bool reuse = false;            // the second run goes back to the value before the first
  bool compare_and_set = false;  // the dependent changes only from what the run expects
  bool deletion = false;         // the object may be deleted at any moment
  bool suspension = false;       // the object may be suspended at any moment, for good
  bool unbinding = false;        // the binding may be taken away at any moment
  bool losing = false;           // the pinned version may become unreadable
  bool human = false;            // somebody sets the dependent by hand and then publishes
  bool second_install = false;   // another installation rotates the same secret once
  bool enforce = false;          // driftPolicy: Enforce
  bool compromised = false;      // ConfirmedCompromise
  bool broken = false;           // the run begins with an old credential that is not accepted
  bool stray = false;            // an undeclared user begins on the idle login
  bool keeps_one = false;        // taken for a dependent of two live values, it keeps one
  bool restored_backup = false;  // the journal may travel back to any moment of the first run
};

CredentialWorld initial_world(const CredentialScenario& scenario);
// All that can happen next.
void successors(const CredentialScenario& scenario, const CredentialWorld& world, const Emit<CredentialWorld>& emit);
// The invariants of protocol.md 3 that a scenario is held to: strict where two credentials live, windowed where one does, and fewer
// where somebody else writes too.
std::vector<Property<CredentialWorld>> invariants_of(const CredentialScenario& scenario);
// A good end: nothing under way, everybody on one accepted value, and the journal says so (or says why it cannot go on).
bool good_end(const CredentialScenario& scenario, const CredentialWorld& world);
std::string to_string(const CredentialScenario& scenario, const CredentialWorld& world);

}  // namespace keyturn::model
