// RotationEnvironment: what exists (vaults, systems, applications), with which identity it is reached, and who may use what.
// Cluster-scoped; written by administrators.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/meta.h"

namespace keyturn::api {

enum class Cloud : std::uint8_t { Public, USGovernment, China, Custom };
enum class IdentityType : std::uint8_t { WorkloadIdentity, ManagedIdentity, ClientCertificate, ClientSecret, AzureCli };

// The identity's own material is never in the object: a file readable by the controller alone.
struct AzureIdentity {
  IdentityType type = IdentityType::WorkloadIdentity;
  std::string client_id;
  std::string client_secret_file;  // ClientSecret
  std::string certificate_file;    // ClientCertificate: PEM, certificate and key
  bool operator==(const AzureIdentity&) const = default;
};
// Only with cloud Custom: this is how keyturn-sim is reached.
struct AzureEndpoints {
  std::string authority;         // "https://localhost:8443"
  std::string resource_manager;  // "https://localhost:8443"
  std::string ca_file;           // PEM bundle to believe, empty = the system's
  bool operator==(const AzureEndpoints&) const = default;
};
struct AzureSettings {
  Cloud cloud = Cloud::Public;
  std::string tenant_id;
  std::string subscription_id;
  AzureIdentity identity;
  AzureEndpoints endpoints;
  bool operator==(const AzureSettings&) const = default;
};

struct VaultEntry {
  std::string name;
  std::string vault;                 // the vault's name in Azure: https://{vault}.vault.azure.net
  std::string url;                   // only with cloud Custom: its origin
  std::vector<std::string> secrets;  // patterns with '*', what may be rotated in it
  bool staging = false;              // pending values are staged here
  bool operator==(const VaultEntry&) const = default;
};

// A value that the controller reads when it needs it: a secret of a vault of this environment, or a file.
struct CredentialSource {
  std::string user;
  std::string vault_secret;
  std::string file;
  bool operator==(const CredentialSource&) const = default;
};

enum class TlsMode : std::uint8_t { Verify, LoopbackPlain };  // LoopbackPlain: refused unless the host is a loopback address

struct PostgreSqlSystem {
  std::string host;
  int port = 5432;
  std::string database = "postgres";
  TlsMode tls = TlsMode::Verify;
  std::string ca_file;
  std::vector<std::string> principals;  // roles that may be rotated
  CredentialSource admin;
  bool operator==(const PostgreSqlSystem&) const = default;
};
struct RedisAclSystem {
  std::vector<std::string> nodes;  // host:port, every one is written and verified
  TlsMode tls = TlsMode::Verify;
  std::string ca_file;
  std::vector<std::string> principals;
  CredentialSource admin;
  bool persist = true;  // ACL SAVE or CONFIG REWRITE after every change
  bool operator==(const RedisAclSystem&) const = default;
};
// A system type that the schema knows and this build has no adapter for: kept as its name only, reported as Stalled.
struct UnsupportedSystem {
  bool operator==(const UnsupportedSystem&) const = default;
};
using SystemSettings = std::variant<PostgreSqlSystem, RedisAclSystem, UnsupportedSystem>;

struct SystemEntry {
  std::string name;
  std::string type;  // PostgreSql | RedisAcl | SqlServer | AzureManagedRedis | AzureCacheForRedis | RabbitMq | Keycloak | Driver
  SystemSettings settings;
  bool operator==(const SystemEntry&) const = default;
};

enum class ReferenceMode : std::uint8_t { Versionless, Pinned };
enum class DataProtection : std::uint8_t { Detect, Persisted, NotUsed };

struct ContainerAppSettings {
  std::string resource_group;
  std::string app;
  ReferenceMode reference = ReferenceMode::Versionless;
  DataProtection data_protection = DataProtection::Detect;
  bool operator==(const ContainerAppSettings&) const = default;
};
// A file on a host, reached over SSH with a pinned host key (security.md 18, 19).
struct EnvFileSettings {
  std::string host;
  std::string user;
  std::string host_key;  // "ssh-ed25519 AAAA...": no trust on first use
  std::string path;      // absolute, without ".." segments
  std::string key;       // the variable's name in the file
  std::string reload;    // a verb that the host's forced command knows: "recreate"; empty = nothing to do
  bool operator==(const EnvFileSettings&) const = default;
};
struct HealthCheck {
  std::string url;
  std::string expect_path;  // JSON pointer; empty = any 2xx is healthy
  std::string expect_equals;
  bool operator==(const HealthCheck&) const = default;
};
struct ConsumerEntry {
  std::string name;
  std::string type;  // ContainerApp | ContainerAppJob | EnvFile | KubernetesWorkload | Webhook
  std::optional<ContainerAppSettings> container_app;
  std::optional<EnvFileSettings> env_file;
  std::optional<HealthCheck> health;
  bool operator==(const ConsumerEntry&) const = default;
};

// Authority, deny by default: a namespace may use what one binding names. '*' matches any run of characters.
struct Binding {
  std::vector<std::string> namespaces;
  std::vector<std::string> secrets;
  std::vector<std::string> systems;
  std::vector<std::string> consumers;
  bool operator==(const Binding&) const = default;
};

// Terms of the quarantine and deadlines (protocol.md 6). Defaults hold for real Azure; a rehearsal shortens them.
struct Timing {
  Duration issue{1'000};              // T_issue: from the journal's compare-and-swap to the first byte
  Duration request{10'000};           // T_req: client deadline of one request
  Duration server_residual{120'000};  // T_srv: how long a server may still finish an abandoned request
  Duration lease{15'000};             // LeaseDuration
  Duration publish_deadline{60'000};  // then the direction changes
  Duration soak{1'860'000};           // platform sync period plus margin: nobody on the old one for so long
  Duration drift_interval{300'000};
  Duration poll{2'000};         // between two looks at something that is under way
  Duration quarantine() const;  // T_q = lease * 1.05 + issue + request + server_residual
  bool operator==(const Timing&) const = default;
};

// No run starts in it; one under way is parked at its next safe point.
struct Freeze {
  Instant from{};
  Instant to{};  // exclusive
  std::string reason;
  bool operator==(const Freeze&) const = default;
};
// A revision may start here only after it has been current in another environment for `bake`.
struct PromoteAfter {
  std::string environment;  // empty = no such condition
  Duration bake{};
  bool operator==(const PromoteAfter&) const = default;
};
struct Protection {
  bool approval_required = false;
  bool require_min_replicas = false;
  int restarts_per_hour = 6;
  std::vector<Freeze> freezes;
  PromoteAfter promote_after;
  bool operator==(const Protection&) const = default;
};

enum class RecordType : std::uint8_t { AzureDevOpsWiki, JsonLines, Webhook };
// Where the record of a finished run is copied to. The members of other types than `type` are empty.
struct RecordSink {
  RecordType type = RecordType::JsonLines;
  std::string organization;  // AzureDevOpsWiki
  std::string project;
  std::string wiki;
  std::string path;  // AzureDevOpsWiki: the page; JsonLines: the file
  std::string url;   // Webhook
  bool operator==(const RecordSink&) const = default;
};

struct RotationEnvironmentSpec {
  AzureSettings azure;
  std::vector<VaultEntry> vaults;
  std::vector<SystemEntry> systems;
  std::vector<ConsumerEntry> consumers;
  std::vector<Binding> bindings;
  Timing timing;
  Protection protection;
  std::vector<RecordSink> records;
  bool operator==(const RotationEnvironmentSpec&) const = default;
};

struct TargetStatus {
  std::string name;
  std::string state;  // Reachable | Unreachable | Denied | Unknown
  std::string message;
  std::optional<Instant> as_of;
  bool operator==(const TargetStatus&) const = default;
};
struct RotationEnvironmentStatus {
  std::int64_t observed_generation = -1;
  std::vector<TargetStatus> vaults;
  std::vector<TargetStatus> systems;
  std::vector<TargetStatus> consumers;
  std::vector<Condition> conditions;
  bool operator==(const RotationEnvironmentStatus&) const = default;
};

struct RotationEnvironment {
  static constexpr std::string_view kind = "RotationEnvironment";
  static constexpr std::string_view plural = "rotationenvironments";
  ObjectMeta meta;
  RotationEnvironmentSpec spec;
  RotationEnvironmentStatus status;
};

// True when some binding gives `ns` all of these; the same coarse answer for "not bound" and "does not exist" (security.md 28).
bool allows(const RotationEnvironmentSpec& environment, std::string_view ns, std::string_view vault, std::string_view secret,
            const std::vector<std::string>& systems, const std::vector<std::string>& consumers);
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace keyturn::api
