// error: ignoring return value of function declared with 'nodiscard' attribute
#include "base/error.h"

keyturn::Result<int> g();
void f() { g(); }
