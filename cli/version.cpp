#include "cli/verbs.h"

namespace keyturn {

void print_version(std::ostream& out) { out << "keyturn " KEYTURN_VERSION "\n"; }

}  // namespace keyturn
