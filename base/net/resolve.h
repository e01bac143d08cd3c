// From a host name to the addresses to try.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/task.h"

namespace keyturn::net {

// An address stands for itself, without asking anybody. Errors: Unavailable (no such name, no answer before the Context's deadline).
// A lookup that hangs in the system's resolver is left to itself; it does not hold up the caller.
Task<std::vector<boost::asio::ip::tcp::endpoint>> resolve(Context context, std::string host, std::uint16_t port);

}  // namespace keyturn::net
