// error: no viable conversion from 'const keyturn::Secret' to
#include "base/net/http_message.h"

void f(keyturn::net::Headers& headers, const keyturn::Secret& secret) { headers.add("Authorization", secret); }
