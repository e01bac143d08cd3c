// error: invalid operands to binary expression
#include <iostream>

#include "base/secret.h"

void f(const keyturn::Secret& secret) { std::cout << secret; }
