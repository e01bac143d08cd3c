// error: no matching constructor for initialization of 'keyturn::Secret'
#include "base/secret.h"

keyturn::Secret secret("literal");
