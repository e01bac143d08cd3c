// Access tokens: who may show them where, and until when.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/time.h"

namespace keyturn::sim {

// Tokens are opaque: clients must not look into them. Only their hashes are kept.
class Tokens {
 public:
  explicit Tokens(Random& random) : random_(random) {}

  Secret issue(const std::string& tenant, const std::string& principal, const std::string& audience, Instant now, Duration lifetime);

  enum class Verdict {
    Accepted,
    Missing,
    Unknown,
    Expired,
    WrongTenant,
    WrongAudience,
    Revoked,  // continuous access evaluation: a new token is asked for, with claims
  };
  struct Checked {
    Verdict verdict = Verdict::Missing;
    std::string principal;  // also of refused tokens that are known, for the journal
  };
  Checked check(const Secret& token, std::string_view tenant, std::string_view audience, Instant now) const;

  // Tokens of this principal that were issued until `now` are refused from now on.
  void revoke(const std::string& principal, Instant now);

 private:
  struct Issued {
    std::string tenant;
    std::string principal;
    std::string audience;
    Instant at{};
    Instant expires{};
  };
  void forget_expired(Instant now);

  Random& random_;
  std::map<Sha256, Issued> issued_;
  std::map<std::string, Instant, std::less<>> revoked_;
};

std::string_view name_of(Tokens::Verdict verdict) noexcept;

// "https://vault.azure.net/.default", "https://vault.azure.net/" -> "https://vault.azure.net". Empty when it names no resource.
std::string audience_of_scope(std::string_view scope);

}  // namespace keyturn::sim
