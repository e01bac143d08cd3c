// Where a Container App gets the value behind a Key Vault reference.
#pragma once

#include <string>

#include "base/secret.h"
#include "base/time.h"
#include "sim/refusal.h"

namespace keyturn::sim {

class ReferenceSource {
 public:
  virtual ~ReferenceSource() = default;

  struct Resolved {
    Secret value;
    std::string version;
  };
  // `principal` is the identity the platform uses. Refusals: those of the vault, and 404 for a vault nobody knows.
  virtual Answer<Resolved> read(const std::string& key_vault_url, const std::string& principal, Instant at) = 0;
};

}  // namespace keyturn::sim
