// The token endpoints: Entra ID's own and the two of managed identities.
#pragma once

#include <optional>
#include <string>

#include "base/net/http_message.h"
#include "base/random.h"
#include "sim/entra/directory.h"
#include "sim/entra/tokens.h"
#include "sim/request.h"
#include "sim/route.h"

namespace keyturn::sim {

struct TokenSettings {
  std::string tenant;
  Duration lifetime{3'599'000};
  std::optional<Duration> refresh_in;  // sent only when set: clients must cope with its absence
};

class TokenService {
 public:
  TokenService(Random& random, Directory& directory, Tokens& tokens, TokenSettings& settings)
      : random_(random), directory_(directory), tokens_(tokens), settings_(settings) {}

  // Operation "entra.token", "entra.metadata" or empty.
  static Route route(const Request& request);
  // Sets `principal` when a token was issued.
  net::HttpReply handle(const Request& request, const Route& route, Instant now, std::string& principal);

  // http://169.254.169.254/metadata/identity/oauth2/token and $IDENTITY_ENDPOINT, served where plain HTTP is.
  net::HttpReply instance_metadata(const Request& request, Instant now);
  net::HttpReply platform_identity(const Request& request, Instant now);

 private:
  net::HttpReply token(const Request& request, const Route& route, Instant now, std::string& principal);
  net::HttpReply metadata(const Request& request, const Route& route) const;
  net::HttpReply refused(const Refusal& refusal, Instant now);
  net::HttpReply managed_identity(const std::string& client_id, std::string_view resource, Instant now);

  Random& random_;
  Directory& directory_;
  Tokens& tokens_;
  TokenSettings& settings_;
};

}  // namespace keyturn::sim
