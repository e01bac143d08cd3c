// The closed list of hazards: the words that `keyturn plan` shows for what may go wrong with a rotation, and what its hash binds.
#pragma once

#include <span>
#include <string_view>

#include "api/reasons.h"

namespace keyturn::api::hazard {

// Those that may be Blocking: the same words as the reason that a rotation is then Stalled for.
inline constexpr std::string_view outage_not_acknowledged = reason::outage_not_acknowledged;
inline constexpr std::string_view unsafe_restart = reason::unsafe_restart;
inline constexpr std::string_view too_few_replicas = reason::too_few_replicas;
inline constexpr std::string_view permission = reason::permission;
inline constexpr std::string_view inline_secrets_present = reason::inline_secrets_present;
inline constexpr std::string_view reference_pinned = reason::reference_pinned;
inline constexpr std::string_view consumer_template_failed = reason::consumer_template_failed;
inline constexpr std::string_view invalid_reference = reason::invalid_reference;
inline constexpr std::string_view unsupported = reason::unsupported;
// Those that never are.
inline constexpr std::string_view unsafe_window = "UnsafeWindow";
inline constexpr std::string_view undeclared_consumer = "UndeclaredConsumer";
inline constexpr std::string_view job_user = "JobUser";
inline constexpr std::string_view volume_user = "VolumeUser";
inline constexpr std::string_view scale_rule_user = "ScaleRuleUser";
inline constexpr std::string_view registry_user = "RegistryUser";
inline constexpr std::string_view dapr_user = "DaprUser";
inline constexpr std::string_view no_use_seen = "NoUseSeen";
inline constexpr std::string_view key_ring_unknown = "KeyRingUnknown";
inline constexpr std::string_view unsafe_alphabet = "UnsafeAlphabet";
inline constexpr std::string_view no_consumers = "NoConsumers";
inline constexpr std::string_view consumer_unhealthy = reason::consumer_unhealthy;
inline constexpr std::string_view consumer_unknown = "ConsumerUnknown";
inline constexpr std::string_view users_unknown = "UsersUnknown";
inline constexpr std::string_view platform_reload = "PlatformReload";
inline constexpr std::string_view pinned_reference = "PinnedReference";
inline constexpr std::string_view approval_required = reason::approval_required;

// One row per hazard. docs/reference/hazards.md is generated from it.
struct Entry {
  std::string_view hazard;
  std::string_view severity;  // "Blocking", "Warning", "Info", or two of them, worst first: "Blocking, Warning"
  std::string_view meaning;
  std::string_view action;
};
std::span<const Entry> all();

}  // namespace keyturn::api::hazard
