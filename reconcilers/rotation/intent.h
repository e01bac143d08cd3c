// What is wanted: a pure function of the spec, the ledger of this secret's credentials and the time.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "api/secret_rotation.h"
#include "base/time_zone.h"

namespace keyturn {

// One generation of the credential, as far as it is known: from the runs, or rebuilt from the vault's tags when they are lost.
struct LedgerEntry {
  CredentialName name;
  VersionId version;  // a vault version that holds its value
  api::CredentialState state = api::CredentialState::Current;
  Instant issued_at{};
  Instant proven_at{};                    // when a run with it last succeeded
  std::optional<Instant> reactivated_at;  // when a run brought it back
  bool retained = true;                   // its value can still be read
  int failed_returns = 0;                 // runs that were to bring it back and went back themselves, since the last that did
  std::optional<Instant> last_failed_return;
};

struct Ledger {
  std::vector<LedgerEntry> entries;  // in no particular order; names are unique
  std::optional<Instant> floor;      // status.issuedNotBefore: never moves back
  int attempts = 0;                  // failed runs for the wanted revision since it was last changed
  std::optional<Instant> last_failure;

  const LedgerEntry* current() const;
  const LedgerEntry* find(const CredentialName& name) const;
};

enum class Verb : std::uint8_t { Keep, Activate, Mint, Hold, Refuse, Repair };  // decide() never says the last: it is for drift

struct Decision {
  Verb verb = Verb::Hold;
  CredentialName credential;   // Keep, Activate: which; Mint: the name of the new one
  std::string_view reason;     // a word of api/reasons.h: why it is minted, held or refused
  std::optional<Instant> due;  // Keep: when the schedule will next mint (status.nextRotationTime); back-off, gate: when to look again
  bool urgent = false;         // the floor was raised: windows are ignored, no overlap
};

inline constexpr int attempts_max = 5;
inline constexpr Duration attempt_backoff_min = std::chrono::minutes(10);  // doubles with each failed attempt
inline constexpr Duration return_backoff_max = std::chrono::hours(1);      // of a way back that failed

// Pure and total. An empty ledger means that nothing is known of the secret, not even from the vault's tags: the caller adopts what
// is published (Adopted) before it asks; asked all the same, the answer is to mint the first serial.
Decision decide(const api::SecretRotationSpec& spec, const Ledger& ledger, Instant now, const TimeZones& zones);

// The first moment at or after `from` that lies inside a window; `from` itself without windows; nothing when none ever opens.
std::optional<Instant> next_opening(const std::vector<api::ScheduleWindow>& windows, Instant from, const TimeZones& zones);

std::string_view name_of(Verb verb) noexcept;

}  // namespace keyturn
