// error: ignoring return value of function declared with 'nodiscard' attribute
#include "base/error.h"

keyturn::Result<> g();
void f() { g(); }
