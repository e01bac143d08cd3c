// Names of logins as they may reach an outside system at all.
#pragma once

#include <cstddef>
#include <string_view>

namespace keyturn {

// Letters, digits and "_.@$#-", 1 to `bytes_max` of them. Quoting and length prefixes make any name harmless where it is sent; this
// keeps a name harmless also where the system writes it: configuration files, logs and lists of connections.
bool is_plain_principal(std::string_view name, std::size_t bytes_max);

}  // namespace keyturn
