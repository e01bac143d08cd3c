// What the outside systems tell, as plain facts: the words that adapters and the pure core share. No values, nothing that waits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "reconcilers/rotation/consumer_findings.h"

namespace keyturn {

// Tags on staged and published versions (protocol.md 5): metadata only, readable with list permission.
struct VersionTags {
  std::string run;              // keyturn-run
  std::int64_t generation = 0;  // keyturn-generation
  std::string owner;            // keyturn-owner: identity of the store that drives it
  CredentialName credential;    // keyturn-revision, keyturn-serial
  // keyturn-issued-not-before, in whole seconds: set by a run that replaces a compromised credential. What was issued earlier never comes
  // back, also when the journal that revoked it is lost.
  std::optional<Instant> floor{};
  bool ours() const noexcept { return !owner.empty(); }
  bool operator==(const VersionTags&) const = default;
};

struct VaultVersion {
  VersionId id;
  bool enabled = true;
  Instant created{};  // whole seconds: never used for ordering
  VersionTags tags;
};

// Why a read or write was refused, where the reaction differs.
enum class VaultRefusal : std::uint8_t { None, Missing, Disabled, SoftDeleted, Permission, Firewall, ReadOnly, Managed };

struct VaultFacts {
  std::optional<VaultVersion> latest;  // what a versionless read returns, by its id
  VaultRefusal refusal = VaultRefusal::None;
};

// What a request that changes a credential names (protocol.md 1).
enum class Addressing : std::uint8_t {
  Value,  // the value itself: a duplicate is harmless
  Slot,   // one of two places, the provider makes the value: a duplicate makes another one
  Shift,  // nothing: the provider makes the value, the current one becomes the previous one, and the previous one is dropped
};
struct DependentCapabilities {
  int live_values_per_principal = 1;  // Redis ACL: 2 or more
  bool tells_sessions = false;
  Addressing addressing = Addressing::Value;
};

// Three-valued (protocol.md 8). Unknown never changes state. Locked: the login exists but is disabled, locked or expired.
enum class ProbeResult : std::uint8_t { Unknown, Accepted, Rejected, Locked };

// Who still uses a credential, by the dependent's own list of connections.
struct Sessions {
  int count = 0;
  std::vector<std::string> clients;  // "10.0.0.7 apps-portal": names and addresses only
};

enum class ConsumerState : std::uint8_t {
  Unknown,    // cannot be told now
  Stale,      // not on the target, and an act of ours is due: converge has something to do now
  Moving,     // on the way: syncing, restarting, starting
  Proven,     // every running copy is proven to have loaded the target, and is healthy
  Unhealthy,  // on the target but not healthy, or its restart failed
};

struct ConsumerFacts {
  ConsumerState state = ConsumerState::Unknown;
  int replicas = 0;
  std::string evidence;  // "2 of 2 replicas started after the sync"
  std::string refusal;   // a reason of api/reasons.h when converge cannot work at all: InlineSecretsPresent, ReferencePinned, ...
  std::vector<ConsumerFinding> findings;  // of a baseline
};

}  // namespace keyturn
