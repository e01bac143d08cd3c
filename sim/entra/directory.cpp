#include "sim/entra/directory.h"

#include "sim/entra/assertion.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace {

// Entra's own advice is five to ten minutes; a longer life is refused here so that nobody gets used to it.
constexpr std::int64_t assertion_life_s_max = 600;
constexpr std::string_view federation_audience = "api://AzureADTokenExchange";

Refusal unknown_client() { return {400, "unauthorized_client", "Application was not found in the directory.", "700016"}; }
Refusal bad_secret() { return {400, "invalid_client", "Invalid client secret provided.", "7000215"}; }
Refusal bad_assertion() { return {400, "invalid_client", "Client assertion failed signature validation.", "700027"}; }
Refusal outside_lifetime() { return {400, "invalid_client", "Client assertion is not within its valid time range.", "700024"}; }
Refusal no_federation() { return {400, "invalid_client", "No matching federated identity record found for presented assertion.", "70021"}; }

bool within_lifetime(const Assertion& assertion, Instant now) {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (!assertion.expires || *assertion.expires <= seconds) return false;
  return !assertion.not_before || *assertion.not_before <= seconds + assertion_life_s_max;
}

Answer<> check_by_certificate(const Principal& principal, const Assertion& assertion, std::string_view token_url, Instant now) {
  const bool names_itself = same_word(assertion.issuer, principal.client_id) && same_word(assertion.subject, principal.client_id);
  if (!names_itself || assertion.id.empty() || !same_word(assertion.audience, token_url)) return bad_assertion();
  if (!within_lifetime(assertion, now)) return outside_lifetime();
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (*assertion.expires > seconds + assertion_life_s_max) return outside_lifetime();
  if (!is_signed_by(assertion, principal.certificate_pem)) return bad_assertion();
  return {};
}

// The issuer's keys are not known here, so the signature of a workload's token is not checked.
Answer<> check_by_federation(const Principal& principal, const Assertion& assertion, Instant now) {
  if (assertion.subject != principal.federated_subject || assertion.audience != federation_audience) return no_federation();
  if (!within_lifetime(assertion, now)) return outside_lifetime();
  return {};
}

}  // namespace

void Directory::add(Principal principal) {
  std::string key = lower(principal.client_id);
  principals_.insert_or_assign(std::move(key), std::move(principal));
}

const Principal* Directory::find(std::string_view client_id) const {
  const auto found = principals_.find(lower(client_id));
  return found == principals_.end() ? nullptr : &found->second;
}

Answer<> Directory::check_known(std::string_view client_id) const {
  if (client_id.empty() || (!principals_.empty() && !find(client_id))) return unknown_client();
  return {};
}

Answer<> Directory::check_secret(std::string_view client_id, const Secret& client_secret) const {
  if (const auto known = check_known(client_id); !known) return known.error();
  if (client_secret.empty()) return bad_secret();
  const Principal* principal = find(client_id);
  if (principal && (principal->client_secret.empty() || !principal->client_secret.equals(client_secret))) return bad_secret();
  return {};
}

Answer<> Directory::check_assertion(std::string_view client_id, const Secret& jwt, std::string_view token_url, Instant now) const {
  if (const auto known = check_known(client_id); !known) return known.error();
  const auto assertion = read_assertion(jwt);
  if (!assertion) return bad_assertion();
  const Principal* principal = find(client_id);
  if (!principal) return within_lifetime(*assertion, now) ? Answer<>{} : outside_lifetime();
  if (!principal->certificate_pem.empty()) return check_by_certificate(*principal, *assertion, token_url, now);
  if (!principal->federated_subject.empty()) return check_by_federation(*principal, *assertion, now);
  return bad_assertion();
}

}  // namespace keyturn::sim
