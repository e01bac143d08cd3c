// error: no viable conversion from 'const keyturn::Secret' to
#include "base/hash.h"
#include "base/secret.h"

auto f(const keyturn::Secret& secret) { return keyturn::sha256(secret); }
