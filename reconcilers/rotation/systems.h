// The ports: the outside systems of a rotation as the domain sees them. An adapter reports facts and carries out one idempotent act;
// it takes no decision. Values cross only as Secret.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "api/secret_rotation.h"
#include "base/context.h"
#include "base/id.h"
#include "base/secret.h"
#include "base/task.h"
#include "reconcilers/rotation/facts.h"

namespace keyturn {

// ---- vault -------------------------------------------------------------------------------------------------------------------

inline constexpr std::string_view staging_prefix = "keyturn-stage-";

class SecretVault {
 public:
  virtual ~SecretVault() = default;

  // The versionless read and its value. A refusal is a fact, not an error. Errors: Unavailable, Throttled, OutcomeUnknown (time-out),
  // Denied (the identity itself was refused).
  struct Latest {
    VaultFacts facts;
    Secret value;  // empty when refused
  };
  virtual Task<Latest> read_latest(Context context, std::string secret) = 0;
  // One version's value. Errors as above, NotFound (never "make another one": region failover lags), Denied (disabled).
  virtual Task<Secret> read(Context context, std::string secret, VersionId version) = 0;
  // All versions with tags, in no order that means anything.
  virtual Task<std::vector<VaultVersion>> versions(Context context, std::string secret) = 0;
  // Appends a version; what it answers is only a hint, the next read tells. Not idempotent: a duplicate carries the same value.
  // Errors: Throttled, Denied, Unavailable (certainly not written), OutcomeUnknown, Conflict (soft-deleted).
  virtual Task<VaultVersion> append(Context context, std::string secret, const Secret& value, VersionTags tags) = 0;
  // Adds our tags to an existing version, keeping foreign ones: adoption. Idempotent.
  virtual Task<> tag(Context context, std::string secret, VersionId version, VersionTags tags) = 0;
  // Idempotent. `set_enabled(false)` on the newest version of a name is refused with Invalid, after a look: never disable the newest,
  // which consumers read. Staged values (names with staging_prefix) are read by nobody else and may be disabled.
  virtual Task<> set_enabled(Context context, std::string secret, VersionId version, bool enabled) = 0;
};

// ---- dependent ---------------------------------------------------------------------------------------------------------------

class Dependent {
 public:
  virtual ~Dependent() = default;
  virtual DependentCapabilities capabilities() const = 0;

  // A fresh login on every node; Accepted only if all accept, Rejected only if all reject.
  virtual Task<ProbeResult> probe(Context context, std::string principal, const Secret& password) = 0;
  // Makes `password` accepted for `principal` on every node and durable there, as hash or verifier where the system can take one.
  // With several live values the others stay; with one it replaces. Idempotent (value-addressed).
  // Errors: Denied, Invalid (policy rejects the value), Unavailable, OutcomeUnknown.
  virtual Task<> install(Context context, std::string principal, const Secret& password) = 0;
  // Makes `password` no longer accepted. Several live values: removes it by value, absent = done. One: sets an unguessable value that
  // nobody knows, whatever is there. Idempotent.
  virtual Task<> withdraw(Context context, std::string principal, const Secret& password) = 0;

  // Where the provider makes the values (Addressing Slot and Shift). Others answer Invalid.
  // What it holds now, read back. Slot: both slots, in order. Shift: the current value, then the previous one while it is accepted.
  virtual Task<std::vector<Secret>> held(Context, std::string) { co_return takes_values(); }
  // Asks for a new value, once: not idempotent, so never repeated by an adapter. Slot: in `slot`, in place of what is there. Shift: as
  // the current one. Errors: Denied, Unavailable (certainly not made), OutcomeUnknown.
  virtual Task<> mint(Context, std::string, int) { co_return takes_values(); }
  // (Such a system's `install` answers Invalid, and its `withdraw` regenerates the slot that holds the value, or drops the previous one.)

  // Connections of this principal that were opened before `since` or cannot be told from those. Only if tells_sessions.
  virtual Task<Sessions> sessions(Context context, std::string principal, std::optional<Instant> since) = 0;

 private:
  static Error takes_values() { return {Errc::Invalid, "this system takes the value that it is given and makes none"}; }
};

// ---- consumer ----------------------------------------------------------------------------------------------------------------

// What a consumer is to load: the published version of this secret in this vault.
struct ConvergeTarget {
  std::string vault_url;  // origin of the vault
  std::string secret;
  VersionId version;
  api::ReloadMode reload = api::ReloadMode::Restart;
};

class Consumer {
 public:
  virtual ~Consumer() = default;
  // Facts against a target. `mark` is what the last converge returned for this target, empty before the first.
  virtual Task<ConsumerFacts> observe(Context context, ConvergeTarget target, std::string mark) = 0;
  // The next idempotent act towards the target (make the platform resolve the value; restart), and the new mark, which the caller
  // journals. Errors: Denied, Invalid (the platform refuses: see `refusal` of the next observation), Unavailable, OutcomeUnknown.
  virtual Task<std::string> converge(Context context, ConvergeTarget target, std::string mark) = 0;
  // Before anything is touched: healthy, reachable, and what would refuse converge. `replicas` for the plan.
  virtual Task<ConsumerFacts> baseline(Context context, std::string vault_url, std::string secret) = 0;

  // Where it lives, as far as `users_of` looks: consumers of one place see the same users. Empty = there is nothing to look at.
  virtual std::string place() const { return {}; }
  // Everything there that refers to the secret in one of the vaults, this consumer included. Reads only; what cannot be read is said in
  // the answer, so that a plan can tell it.
  virtual Awaitable<SecretUsers> users_of(Context /*context*/, std::vector<std::string> /*vault_urls*/, std::string /*secret*/) {
    co_return SecretUsers{};
  }
};

// ---- catalog -----------------------------------------------------------------------------------------------------------------

// From names in an environment to adapters; the one switch over types. Errors: NotFound (this build has no adapter for
// the entry's type), Invalid (no such entry, or it cannot work).
class Catalog {
 public:
  virtual ~Catalog() = default;
  virtual Result<std::shared_ptr<SecretVault>> vault(const api::RotationEnvironment& environment, const std::string& name) = 0;
  // The vault's origin, "https://{vault}.vault.azure.net": how consumers refer to it.
  virtual Result<std::string> vault_url(const api::RotationEnvironment& environment, const std::string& name) = 0;
  virtual Result<std::shared_ptr<Dependent>> dependent(const api::RotationEnvironment& environment, const std::string& name) = 0;
  virtual Result<std::shared_ptr<Consumer>> consumer(const api::RotationEnvironment& environment, const std::string& name) = 0;
};

}  // namespace keyturn
