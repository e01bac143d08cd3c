// error: no member named 'data' in 'keyturn::Secret'
#include "base/secret.h"

const void* f(const keyturn::Secret& secret) { return secret.data(); }
