// error: is not a constant expression
#include "base/log.h"

void f(const std::string& text) { keyturn::log::info(text.c_str()); }
