#include "controller/access_tokens.h"

#include "api/secret_rotation.h"

namespace keyturn {

std::optional<embedded::User> AccessTokens::find(std::string_view bearer) const {
  net::HttpRequest request;
  request.headers.set("Authorization", "Bearer " + std::string(bearer));
  auto user = access_.authenticate(request, {});
  return user && !user->anonymous() ? user : std::nullopt;
}

std::optional<std::string> AccessTokens::user_of(std::string_view bearer) const {
  const auto user = find(bearer);
  return user ? std::optional(user->name) : std::nullopt;
}

bool AccessTokens::may_read(std::string_view user, std::string_view ns) const {
  const auto known = access_.user_named(user);
  return known && access_.allowed(*known, "list", api::group, api::SecretRotation::plural, ns, {});
}

}  // namespace keyturn
