// Encrypts the bodies of objects that hold secrets before they are written: AES-256-GCM, bound to the place where they are stored.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"
#include "controller/embedded/sqlite/wiped_bytes.h"

namespace keyturn {

class ObjectCipher {
 public:
  static constexpr std::size_t key_bytes = 32;

  // Invalid when the key has another length.
  static Result<ObjectCipher> with_key(Secret key);

  // Nonce, cipher text and tag in one. `place` is authenticated, not stored: what was sealed for one place does not open at another.
  // A nonce is 96 random bits, good for 2^32 writes under one key.
  Result<std::string> seal(std::string_view clear, std::string_view place, Random& random) const;
  // Invalid when it was changed, belongs to another place or was sealed under another key.
  Result<WipedBytes> open(std::string_view sealed, std::string_view place) const;

  // Tells whether two ciphers have the same key, without telling the key.
  std::string fingerprint() const;

 private:
  explicit ObjectCipher(Secret key) : key_(std::move(key)) {}
  Secret key_;
};

}  // namespace keyturn
