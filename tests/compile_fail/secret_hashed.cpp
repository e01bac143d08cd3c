// error: no matching function for call to 'sha256'
#include "base/hash.h"
#include "base/secret.h"

auto f(const keyturn::Secret& secret) { return keyturn::sha256(secret); }
