// Which hosts a password may be sent to in the clear.
#pragma once

#include <string_view>

namespace keyturn::api {

// "localhost", 127.0.0.0/8 as four numbers, or "::1". A name that merely resolves to one of them is not: names can be moved.
bool is_loopback(std::string_view host);
// The host of "host:port" or "[::1]:port".
std::string_view host_of_node(std::string_view node);

}  // namespace keyturn::api
