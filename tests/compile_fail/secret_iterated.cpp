// error: invalid range expression of type 'const keyturn::Secret'
#include "base/secret.h"

int f(const keyturn::Secret& secret) {
  int sum = 0;
  for (char c : secret) sum += c;
  return sum;
}
