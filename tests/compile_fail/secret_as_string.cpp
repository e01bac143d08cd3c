// error: no viable conversion from 'const keyturn::Secret' to
#include <string>

#include "base/secret.h"

void f(const keyturn::Secret& secret) { std::string text = secret; }
