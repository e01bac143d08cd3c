// Files that only their owner may read.
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace keyturn::embedded {

// Replaces the file in one step (a temporary file beside it, synced, renamed), mode 0600; makes its directory with mode 0700 if missing.
Result<> write_private_file(const std::string& path, const Secret& text);
Result<> make_private_directory(const std::string& path);
// The whole file; NotFound when there is none, Denied when others may read it.
Result<std::string> read_private_file(const std::string& path);

}  // namespace keyturn::embedded
