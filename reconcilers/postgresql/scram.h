// SCRAM-SHA-256 as PostgreSQL uses it: the stored verifier, and the client's side of a login. Sources: RFC 5802, RFC 7677,
// postgresql.org/docs/current/sasl-authentication.html and catalog-pg-authid.html (form of rolpassword).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"

namespace keyturn::postgresql {

inline constexpr int scram_iterations_default = 4096;
// A server chooses the count; beyond this one login would keep the thread busy for longer than a login may.
inline constexpr int scram_iterations_max = 200'000;
inline constexpr std::size_t scram_salt_bytes = 16;

// Passwords that mean the same with and without SASLprep: printable ASCII. Errors: Invalid.
Result<> check_password(const Secret& password);

// "SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>": what the server stores, and from which nobody can log in.
// Errors: Invalid (see check_password).
Result<std::string> scram_verifier(const Secret& password, std::string_view salt, int iterations = scram_iterations_default);

// One login: first(), then final() with the server's challenge, then verify() with the server's proof that it knows the verifier.
class ScramClient {
 public:
  explicit ScramClient(Random& random);
  ScramClient(std::string nonce) : nonce_(std::move(nonce)) {}  // RFC 7677 has an example with a fixed one

  std::string first() const;
  // Errors: Invalid (malformed, not our nonce, too many iterations; a password that check_password refuses).
  Result<std::string> final(std::string_view challenge, const Secret& password);
  bool verify(std::string_view server_final) const;

 private:
  std::string nonce_;
  std::string expected_signature_;  // base64
};

}  // namespace keyturn::postgresql
