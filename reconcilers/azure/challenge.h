// The WWW-Authenticate header of a 401, as Key Vault and Azure Resource Manager send it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/net/http_message.h"

namespace keyturn {

struct BearerChallenge {
  std::string tenant;    // the last segment of `authorization` or `authorization_uri`; empty when absent
  std::string resource;  // without a trailing slash; empty when absent
  std::string claims;    // decoded JSON that the next token request has to carry (continuous access evaluation); usually empty
};

// Nothing when there is no Bearer challenge. Parameters that cannot be read are left empty.
std::optional<BearerChallenge> parse_bearer_challenge(std::string_view header);
std::optional<BearerChallenge> bearer_challenge_of(const net::HttpReply& reply);

}  // namespace keyturn
