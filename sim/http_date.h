// The Date header. Clients of ARM take its time as the one that orders events, so it has to be the simulator's own present.
#pragma once

#include <string>

#include "base/time.h"

namespace keyturn::sim {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
std::string http_date(Instant at);

}  // namespace keyturn::sim
