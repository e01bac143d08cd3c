// What a request is about: its path and query, taken apart once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/embedded/resource_types.h"

namespace keyturn::embedded {

// The parameters after the question mark, decoded; of a repeated one the first counts, as in Go's url.Values.Get.
class Query {
 public:
  static Query parse(std::string_view text);
  std::string get(std::string_view name) const;  // empty when absent
  bool has(std::string_view name) const;
  bool flag(std::string_view name) const;  // Go's ParseBool, leniently: present and neither "false" nor "0"
  std::vector<std::string> all(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Where a path leads. `group` and what follows it are set only for paths below /api/v1 and /apis/GROUP/VERSION.
struct Route {
  std::string path;
  Query query;
  bool resource = false;  // a path of the form /apis/G/V[/namespaces/NS]/PLURAL[/NAME[/SUBRESOURCE]]
  std::string group, version, ns, plural, name, subresource;
  bool trailing = false;  // more segments than any resource has
};

// Nothing when the target is not a valid path (control characters, bad escapes).
std::optional<Route> parse_route(std::string_view target);

// The RBAC verb of a request on a resource: get, list, watch, create, update, patch, delete, deletecollection; "" for other methods.
std::string verb_of(std::string_view method, const Route& route);

}  // namespace keyturn::embedded
