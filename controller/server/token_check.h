// Who is asking, and what may he see: what the server needs of the access rules, and nothing more.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

class TokenCheck {
 public:
  virtual ~TokenCheck() = default;
  // The user whose bearer token this is; nothing when there is no such token. Constant time in the token. Never logs it.
  virtual std::optional<std::string> user_of(std::string_view bearer) const = 0;
  // May the user read rotations of this namespace? An empty namespace asks for all of them.
  virtual bool may_read(std::string_view user, std::string_view ns) const = 0;
};

// The token in an Authorization header or metadata entry, "Bearer <token>"; empty when it is not of that form.
constexpr std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.size() <= scheme.size() || authorization.substr(0, scheme.size()) != scheme) return {};
  return authorization.substr(scheme.size());
}

}  // namespace keyturn
