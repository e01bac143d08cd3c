// error: overload resolution selected deleted operator '='
#include "base/secret.h"

void f(keyturn::Secret& to, const keyturn::Secret& from) { to = from; }
