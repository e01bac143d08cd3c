// The server's certificates: a self-made authority that lives in the data directory, so that users trust it once.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/net/tls.h"

namespace keyturn::embedded {

struct Certificates {
  std::string ca_pem;
  net::TlsIdentity server;  // asks for client certificates of the same authority
};

// Reads the authority from DIRECTORY/ca.crt and ca.key, or makes and keeps it there, and issues a server certificate for `names` by it.
// Idempotent: the authority stays the same. Errors: Denied, Unavailable, Invalid (one of the two files is missing or broken).
Result<Certificates> ensure_certificates(const std::string& directory, const std::vector<std::string>& names);

}  // namespace keyturn::embedded
