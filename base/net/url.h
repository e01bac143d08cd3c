// URLs that the program itself connects to: https only by default, parsed once, compared by parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace keyturn::net {

// scheme, host and port of a server. `http` exists only for loopback peers that a configuration names explicitly.
struct Origin {
  std::string scheme;  // "https" or "http"
  std::string host;    // lower case, without brackets
  std::uint16_t port = 0;
  std::string authority() const;  // host[:port], the port left out when it is the scheme's own
  auto operator<=>(const Origin&) const = default;
};

struct Url {
  Origin origin;
  std::string target;  // path and query, begins with '/'

  // Refuses userinfo, fragments, control characters, other schemes and http to anything but loopback. Errors: Invalid.
  static Result<Url> parse(std::string_view text);
};

}  // namespace keyturn::net
