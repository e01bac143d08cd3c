// A secret that a file holds: read straight into the arena, never through a std::string.
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace keyturn {

inline constexpr std::size_t secret_file_bytes_max = std::size_t{64} << 10;

// The file's content without trailing line breaks and blanks. Reads anew at every call, because platforms replace such files.
// Errors: Denied (cannot be opened), Invalid (empty, too large, or not a file).
Result<Secret> read_secret_file(const std::string& path);

}  // namespace keyturn
