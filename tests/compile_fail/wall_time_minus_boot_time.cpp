// error: invalid operands to binary expression
#include "base/time.h"

auto f(keyturn::Instant wall, keyturn::BootInstant boot) { return wall - boot; }
