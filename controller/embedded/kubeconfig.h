// The kubeconfig file that lets kubectl and the CLI reach this server.
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace keyturn::embedded {

// Writes the file with mode 0600, its directory with 0700 if it must be made, and replaces an older one in one step. It always holds a
// token: kubectl would ask for a user name otherwise. Errors: Denied, Unavailable (disk).
Result<> write_kubeconfig(const std::string& path, const std::string& server_url, const std::string& ca_pem, const Secret& token);

}  // namespace keyturn::embedded
