// A container app as Azure Resource Manager shows it, reduced to what a rotation needs. Reading is tolerant: enums are open, so words that
// are not known stay words, and a missing member is an empty one.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/net/url.h"
#include "base/time.h"
#include "reconcilers/azure/container_app_usage.h"

namespace keyturn {

// One entry of `configuration.secrets`. A GET never shows values.
struct AppSecretEntry {
  std::string name;
  std::string key_vault_url;  // as written; empty = an inline value
  std::string identity;
};

// What a keyVaultUrl names. `version` is empty for the newest.
struct VaultReference {
  net::Origin vault;
  std::string secret;
  std::string version;
};
std::optional<VaultReference> parse_vault_reference(std::string_view url);
// True when the reference names that secret there, in any version. Names of vaults and secrets compare without regard to case.
bool refers_to(const AppSecretEntry& entry, const net::Origin& vault, std::string_view secret);

struct AppReplica {
  std::string name;
  std::optional<Instant> created;
  bool stopped = false;  // "NotRunning": every other word counts as running, because it must then be proven new
  bool ready = false;    // the replica is "Running" and all of its containers are ready
  int restarts = 0;      // the highest of its containers
};

struct AppRevision {
  std::string name;
  bool active = false;
  std::string provisioning_state;
  std::string health_state;
  std::string running_state;
  std::vector<AppReplica> replicas;
};

struct AppView {
  std::string provisioning_state;
  std::string running_status;
  std::string latest_revision;
  std::string latest_ready_revision;
  bool multiple_revisions = false;
  std::vector<AppSecretEntry> secrets;
  bool has_errors = false;         // properties.deploymentErrors, which is in no specification
  std::string errors_fingerprint;  // of its text, 16 hex digits
  AppUsage usage;
  Instant date{};  // the server's clock when it answered
};

// Errors: Unavailable (not the shape of the resource).
Result<AppView> read_app(const boost::json::value& body, Instant date);
// The applications or jobs on a page that refer to the secret in one of the vaults.
Result<std::vector<SecretUser>> read_users(const boost::json::value& page, SecretUser::Kind kind, const std::string& group,
                                           const std::vector<net::Origin>& vaults, std::string_view secret);
Result<std::vector<AppRevision>> read_revisions(const boost::json::value& page);
Result<std::vector<AppReplica>> read_replicas(const boost::json::value& body);
// The following page's address, empty at the end.
std::string next_link(const boost::json::value& page);

// Which references the array holds, whatever their order and letter case: 16 hex digits. Identity ids come back in another letter case
// than they were written (azure.md 2.2).
std::string references_fingerprint(const std::vector<AppSecretEntry>& secrets);

}  // namespace keyturn
