// What Azure's role assignments let the identity do with a resource, as Resource Manager lists it. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

class Permissions {
 public:
  static constexpr std::string_view api_version = "2022-04-01";

  // Of the body of GET {resource}/providers/Microsoft.Authorization/permissions. Nothing when the body is of another shape, lists no role
  // at all, or has a further page: then nothing is known, which is not the same as nothing being allowed.
  static std::optional<Permissions> read(const boost::json::value& body);

  // Allowed by one role at least: what a role takes away with `notActions` another may give. Without regard to case; "*" stands for any
  // text. Deny assignments do not show here.
  bool allow(std::string_view action) const;

 private:
  struct Role {
    std::vector<std::string> actions;
    std::vector<std::string> not_actions;
  };
  std::vector<Role> roles_;
};

}  // namespace keyturn
