// The whole program but the process: what main and the tests call.
#pragma once

#include <ostream>

#include "cli/arguments.h"
#include "cli/kubeconfig.h"

namespace keyturn {

// Does what the arguments ask and returns the exit code: 0, or 1 with "error: ..." on `err`. A
// verification that found something is 1, too, with its findings on `out`: a caller that asks for 0 is safe either way.
int run(const Arguments& arguments, const Environment& environment, std::ostream& out, std::ostream& err);

}  // namespace keyturn
