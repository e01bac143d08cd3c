// The embedded API's users, as the controller's own API asks for them: same tokens, same roles.
#pragma once

#include "controller/embedded/access.h"
#include "controller/server/token_check.h"

namespace keyturn {

class AccessTokens final : public TokenCheck {
 public:
  explicit AccessTokens(const embedded::Access& access) : access_(access) {}
  std::optional<std::string> user_of(std::string_view bearer) const override;
  bool may_read(std::string_view user, std::string_view ns) const override;

 private:
  std::optional<embedded::User> find(std::string_view bearer) const;
  const embedded::Access& access_;
};

}  // namespace keyturn
