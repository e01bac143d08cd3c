#include "sim/entra/tokens.h"

#include <openssl/crypto.h>

#include "sim/text.h"

namespace keyturn::sim {

namespace {

// Expired tokens are kept that long, so that they are refused as expired and not as unknown.
constexpr Duration expired_kept = std::chrono::hours(24);

Sha256 digest_of(const Secret& token) {
  return token.expose([](std::string_view bytes) { return sha256(bytes); });
}

}  // namespace

std::string_view name_of(Tokens::Verdict verdict) noexcept {
  switch (verdict) {
    case Tokens::Verdict::Accepted:
      return "accepted";
    case Tokens::Verdict::Missing:
      return "missing";
    case Tokens::Verdict::Unknown:
      return "unknown";
    case Tokens::Verdict::Expired:
      return "expired";
    case Tokens::Verdict::WrongTenant:
      return "wrong tenant";
    case Tokens::Verdict::WrongAudience:
      return "wrong audience";
    case Tokens::Verdict::Revoked:
      return "revoked";
  }
  return "unknown";
}

Secret Tokens::issue(const std::string& tenant, const std::string& principal, const std::string& audience, Instant now, Duration lifetime) {
  forget_expired(now);
  std::array<unsigned char, 48> bytes{};
  random_.fill(bytes);
  std::string text = to_base64url(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  Secret token = Secret::copy_of(text);
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(bytes.data(), bytes.size());
  issued_.insert_or_assign(digest_of(token), Issued{tenant, principal, audience, now, now + lifetime});
  return token;
}

void Tokens::forget_expired(Instant now) {
  std::erase_if(issued_, [&](const auto& entry) { return entry.second.expires + expired_kept < now; });
}

Tokens::Checked Tokens::check(const Secret& token, std::string_view tenant, std::string_view audience, Instant now) const {
  if (token.empty()) return {Verdict::Missing, ""};
  const auto found = issued_.find(digest_of(token));
  if (found == issued_.end()) return {Verdict::Unknown, ""};
  const Issued& issued = found->second;
  if (issued.expires <= now) return {Verdict::Expired, issued.principal};
  if (!same_word(issued.tenant, tenant)) return {Verdict::WrongTenant, issued.principal};
  if (issued.audience != audience) return {Verdict::WrongAudience, issued.principal};
  const auto revoked = revoked_.find(issued.principal);
  if (revoked != revoked_.end() && issued.at <= revoked->second) return {Verdict::Revoked, issued.principal};
  return {Verdict::Accepted, issued.principal};
}

void Tokens::revoke(const std::string& principal, Instant now) { revoked_.insert_or_assign(principal, now); }

std::string audience_of_scope(std::string_view scope) {
  constexpr std::string_view suffix = "/.default";
  if (scope.ends_with(suffix)) scope.remove_suffix(suffix.size());
  while (scope.ends_with('/')) scope.remove_suffix(1);
  return lower(scope);
}

}  // namespace keyturn::sim
