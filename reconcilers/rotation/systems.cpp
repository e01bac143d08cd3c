#include "reconcilers/rotation/systems.h"

namespace keyturn {
namespace {

Error takes_values() { return {Errc::Invalid, "this system takes the value that it is given and makes none"}; }

}  // namespace

Task<std::vector<Secret>> Dependent::held(Context, std::string) { co_return takes_values(); }
Task<> Dependent::mint(Context, std::string, int) { co_return takes_values(); }

}  // namespace keyturn
