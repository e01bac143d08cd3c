// error: no matching conversion for functional-style cast from 'const keyturn::Secret'
#include <boost/json/value.hpp>

#include "base/secret.h"

boost::json::value f(const keyturn::Secret& secret) { return boost::json::value(secret); }
