// error: call to deleted constructor of
#include "base/log.h"

void f(const keyturn::Secret& secret) { keyturn::log::Field field("value", secret); }
