#include "api/loopback.h"

#include <algorithm>

namespace keyturn::api {

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") {
    return true;
  }
  if (!host.starts_with("127.")) {
    return false;
  }
  // Four groups of one to three digits; whatever else begins so is a name.
  std::size_t groups = 1;
  std::size_t digits = 0;
  for (const char c : host) {
    if (c == '.') {
      if (digits == 0) {
        return false;
      }
      ++groups;
      digits = 0;
    } else if (c < '0' || c > '9' || ++digits > 3) {
      return false;
    }
  }
  return groups == 4 && digits > 0;
}

std::string_view host_of_node(std::string_view node) {
  std::string_view host = node.substr(0, node.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  return host;
}

}  // namespace keyturn::api
