// error: no viable conversion from 'const keyturn::Secret' to
#include "base/secret.h"

keyturn::Error f(const keyturn::Secret& secret) { return keyturn::Error{keyturn::Errc::Invalid, secret}; }
