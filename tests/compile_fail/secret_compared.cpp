// error: invalid operands to binary expression
#include "base/secret.h"

bool f(const keyturn::Secret& a, const keyturn::Secret& b) { return a == b; }
