// The directory that outlives a run: it holds the authority whose certificates the users already trust.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/net/tls.h"

namespace keyturn::sim {

struct StateDir {
  net::TlsIdentity identity;
  std::filesystem::path ca_file;  // absolute
};

// Makes the directory (0700) and the authority (ca.pem, ca-key.pem with 0600) unless they are there, and issues a server
// certificate for the simulated hosts. Errors: Denied (the directory cannot be used), Invalid (the files in it cannot be read).
Result<StateDir> open_state_dir(const std::filesystem::path& directory);

// Replaces `path` in one step, so that a reader sees the old contents or the new ones. Errors: Denied.
Result<> write_file(const std::filesystem::path& path, const std::string& contents, std::filesystem::perms permissions);

}  // namespace keyturn::sim
