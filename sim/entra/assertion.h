// A signed statement by which a client shows who it is instead of sending a client secret (RFC 7523).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace keyturn::sim {

struct Assertion {
  std::string algorithm;
  std::string thumbprint_sha256;  // x5t#S256: base64url of the certificate's SHA-256
  std::string issuer;
  std::string subject;
  std::string audience;
  std::string id;  // jti
  std::optional<std::int64_t> not_before;
  std::optional<std::int64_t> expires;
  std::string signed_part;  // header.claims, as sent
  std::string signature;    // decoded
};

// Takes a compact JWT apart without judging it. Errors: Invalid.
Result<Assertion> read_assertion(const Secret& jwt);

// Whether `assertion` is signed with PS256 by the key of the PEM certificate and names that certificate.
bool is_signed_by(const Assertion& assertion, const std::string& certificate_pem);

}  // namespace keyturn::sim
