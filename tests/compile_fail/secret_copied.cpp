// error: call to deleted constructor of
#include "base/secret.h"

void f(const keyturn::Secret& secret) { keyturn::Secret copy = secret; }
