// Where the controller is, whom to believe and who we are: read from a kubeconfig, as kubectl has it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/net/url.h"
#include "base/secret.h"
#include "cli/arguments.h"

namespace keyturn {

// The environment of the process, or of a test: nothing when the variable is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct Connection {
  net::Url server;
  std::string ca_pem;  // empty = the system's authorities
  std::shared_ptr<const Secret> token;
  std::string ns = "default";
};

// --kubeconfig, $KEYTURN_KUBECONFIG, $KUBECONFIG (the first file of its list that exists), ~/.keyturn/kubeconfig: the first that is set.
// The file need not exist.
std::string kubeconfig_path(const Arguments& arguments, const Environment& environment);

// Reads the kubeconfig and applies the flags. The file may be missing when --server and --token-file say all. Errors: NotFound and
// Invalid, whose messages name the file and what to do, because here a person reads them.
Result<Connection> read_connection(const Arguments& arguments, const Environment& environment);

}  // namespace keyturn
