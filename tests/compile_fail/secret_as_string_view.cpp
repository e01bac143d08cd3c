// error: no viable conversion from 'const keyturn::Secret' to
#include <string_view>

#include "base/secret.h"

void f(const keyturn::Secret& secret) { std::string_view text = secret; }
