// The file beside the database that holds the key of its encrypted objects: 32 bytes, readable by its owner only.
#pragma once

#include <string>

#include "base/random.h"
#include "base/secret.h"

namespace keyturn {

// NotFound, Denied (others may read it: whoever copies the database must not find the key by accident), Invalid (not a key), Unavailable.
Result<Secret> read_key_file(const std::string& path);

// Writes a new key with mode 0600, durable when it returns; never replaces a file. Conflict when there is one, Unavailable.
Result<Secret> create_key_file(const std::string& path, Random& random);

}  // namespace keyturn
