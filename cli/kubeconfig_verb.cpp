#include <filesystem>

#include "cli/verbs.h"

namespace keyturn {

Result<> print_kubeconfig(const Arguments& arguments, const Environment& environment, std::ostream& out) {
  const std::string path = kubeconfig_path(arguments, environment);
  if (!std::filesystem::exists(path))
    return Error{Errc::NotFound, "there is no kubeconfig at " + path + ": a controller writes one when it starts"};
  out << path << '\n';
  return ok();
}

}  // namespace keyturn
