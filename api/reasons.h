// The closed list of reasons: the same words in conditions, events, metrics, CLI and docs/runbook.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace keyturn::api::reason {

// Ready
inline constexpr std::string_view current_verified = "CurrentVerified";
inline constexpr std::string_view rotating = "Rotating";
inline constexpr std::string_view rolled_back = "RolledBack";
inline constexpr std::string_view not_yet_issued = "NotYetIssued";
inline constexpr std::string_view verification_lost = "VerificationLost";
inline constexpr std::string_view store_unreachable = "StoreUnreachable";
inline constexpr std::string_view reachable = "Reachable";      // of an environment
inline constexpr std::string_view unreachable = "Unreachable";  // of an environment
// Reconciling
inline constexpr std::string_view revision_changed = "RevisionChanged";
inline constexpr std::string_view rolling_back = "RollingBack";
inline constexpr std::string_view floor_raised = "FloorRaised";
inline constexpr std::string_view pin_changed = "PinChanged";
inline constexpr std::string_view scheduled = "Scheduled";
inline constexpr std::string_view deleting = "Deleting";
// Stalled
inline constexpr std::string_view revision_not_retained = "RevisionNotRetained";
inline constexpr std::string_view revision_revoked = "RevisionRevoked";
inline constexpr std::string_view pinned_serial_not_found = "PinnedSerialNotFound";
inline constexpr std::string_view pinned_serial_revoked = "PinnedSerialRevoked";
inline constexpr std::string_view invalid_reference = "InvalidReference";
inline constexpr std::string_view permission_denied = "PermissionDenied";
inline constexpr std::string_view attempts_exhausted = "AttemptsExhausted";
inline constexpr std::string_view progress_deadline_exceeded = "ProgressDeadlineExceeded";
inline constexpr std::string_view unsupported = "Unsupported";
// Blocked runs, shown as Stalled
inline constexpr std::string_view baseline = "Baseline";
inline constexpr std::string_view drift = "Drift";
inline constexpr std::string_view foreign_publish = "ForeignPublish";
inline constexpr std::string_view foreign_owner = "ForeignOwner";
inline constexpr std::string_view journal_behind = "JournalBehind";
inline constexpr std::string_view identity_in_use = "IdentityInUse";
inline constexpr std::string_view not_bound = "NotBound";
inline constexpr std::string_view permission = "Permission";
inline constexpr std::string_view secret_disabled = "SecretDisabled";
inline constexpr std::string_view secret_soft_deleted = "SecretSoftDeleted";
inline constexpr std::string_view vault_read_only = "VaultReadOnly";
inline constexpr std::string_view inline_secrets_present = "InlineSecretsPresent";
inline constexpr std::string_view reference_pinned = "ReferencePinned";
inline constexpr std::string_view consumer_template_failed = "ConsumerTemplateFailed";
inline constexpr std::string_view unsafe_restart = "UnsafeRestart";
inline constexpr std::string_view too_few_replicas = "TooFewReplicas";
inline constexpr std::string_view outage_not_acknowledged = "OutageNotAcknowledged";
inline constexpr std::string_view approval_required = "ApprovalRequired";
inline constexpr std::string_view format_not_reversible = "FormatNotReversible";
inline constexpr std::string_view value_lost = "ValueLost";
inline constexpr std::string_view version_too_new = "Version";
// Others
inline constexpr std::string_view suspended = "Suspended";
inline constexpr std::string_view pinned = "Pinned";
inline constexpr std::string_view outside_window = "OutsideWindow";
inline constexpr std::string_view frozen = "Frozen";
inline constexpr std::string_view not_promoted = "NotPromoted";
inline constexpr std::string_view restart_budget = "RestartBudget";
inline constexpr std::string_view consumer_unhealthy = "ConsumerUnhealthy";
inline constexpr std::string_view publish_deadline_exceeded = "PublishDeadlineExceeded";
inline constexpr std::string_view floor_kept = "FloorKept";
inline constexpr std::string_view adopted = "Adopted";
inline constexpr std::string_view succeeded = "Succeeded";

// Where a reason stands in the index of the runbook: the sections of the list above.
enum class Group : std::uint8_t { Ready, Reconciling, Stalled, Blocked, Other };

// One row per reason. docs/runbook/README.md is generated from it.
struct Entry {
  Group group;
  std::string_view reason;
  std::string_view meaning;
  std::string_view action;  // for what needs one line or none; empty: docs/runbook/REASON.md, written by hand, says it
};

// A reason that takes a person more than a line. All of Stalled and Blocked have a page; tests/tidy/runbook.py checks the pages.
constexpr bool has_page(const Entry& entry) { return entry.action.empty(); }

std::span<const Entry> all();

}  // namespace keyturn::api::reason
