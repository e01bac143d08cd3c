// Every pattern that a schema of ours uses, with a matcher written by hand: std::regex is slow and recurses on long input.
#pragma once

#include <string_view>

namespace keyturn::api::pattern {

// Kubernetes' label and subdomain names (RFC 1123).
inline constexpr std::string_view label = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
inline constexpr std::string_view subdomain = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";
// No dot, so that "revision.serial" reads one way only.
inline constexpr std::string_view revision = "^[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?$";
// Azure Key Vault: names of secrets, 1 to 127 characters, and of vaults, 3 to 24.
inline constexpr std::string_view vault_secret = "^[0-9A-Za-z-]+$";
inline constexpr std::string_view vault = "^[A-Za-z][0-9A-Za-z-]{1,22}[0-9A-Za-z]$";
// Logins, roles, users and clients: nothing that any dialect of ours would have to quote around.
inline constexpr std::string_view principal = "^[A-Za-z0-9_.@$#-]+$";
// Names with '*', in bindings and inventories.
inline constexpr std::string_view glob = "^[A-Za-z0-9*._-]+$";
inline constexpr std::string_view duration = "^([0-9]+([.][0-9]+)?(h|m|s|ms))+$";
inline constexpr std::string_view time_of_day = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
inline constexpr std::string_view time_zone = "^[A-Za-z][A-Za-z0-9_+/-]*$";
inline constexpr std::string_view sha256 = "^sha256:[0-9a-f]{64}$";
inline constexpr std::string_view uuid = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
inline constexpr std::string_view https_origin = "^https://([A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+\\])(:[0-9]{1,5})?$";
inline constexpr std::string_view url = "^https?://([A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+\\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/?&=%+-]*)?$";
inline constexpr std::string_view host = "^([A-Za-z0-9.-]+|[0-9a-fA-F:]+)$";
inline constexpr std::string_view host_and_port = "^([A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+\\]):[0-9]{1,5}$";
// A segment begins with at most one dot that a name follows: neither "." nor ".." is possible.
inline constexpr std::string_view absolute_path = "^(/[.]?[A-Za-z0-9_@-][A-Za-z0-9._@-]*)+$";
inline constexpr std::string_view variable = "^[A-Za-z_][A-Za-z0-9_]*$";
inline constexpr std::string_view ssh_host_key = "^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}$";
inline constexpr std::string_view azure_name = "^[A-Za-z0-9_().-]+$";
inline constexpr std::string_view field_name = "^[A-Za-z0-9 ._~/-]+$";
inline constexpr std::string_view json_pointer = "^(/[A-Za-z0-9._~-]+)+$";
// metav1.Condition.
inline constexpr std::string_view condition_type = "^[A-Za-z][A-Za-z0-9]*$";
inline constexpr std::string_view condition_reason = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";

// Whether `text` matches a pattern that stands above. An unknown pattern matches nothing: a test holds every schema to the list.
bool matches(std::string_view pattern, std::string_view text);
bool known(std::string_view pattern);

}  // namespace keyturn::api::pattern
