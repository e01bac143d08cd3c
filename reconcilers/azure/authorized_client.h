// HTTP to one Azure service with its token. The one place where a token meets a request, so that the rules of where a token may go and
// what a lost answer means hold for every adapter.
#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "base/net/http_client.h"
#include "base/task.h"
#include "reconcilers/azure/identity.h"
#include "reconcilers/azure/service_error.h"

namespace keyturn {

// A service that accepts tokens for one resource.
struct Audience {
  std::string resource;       // "https://vault.azure.net", without a trailing slash
  net::Origin origin;         // the configured endpoint
  std::string parent_domain;  // its regional hosts: any https host below "management.azure.com"; empty = none
  std::string tenant;         // ours: a challenge of another one is refused
  std::string name;           // subject of messages: "Key Vault"

  // True when a token may be sent there (KV-A4, AR-A6): same scheme, host and port, or a regional host.
  bool includes(const net::Origin& origin) const;
};

class AuthorizedClient {
 public:
  AuthorizedClient(std::shared_ptr<net::HttpClient> http, std::shared_ptr<TokenSource> tokens, Audience audience, Duration request_timeout)
      : http_(std::move(http)), tokens_(std::move(tokens)), audience_(std::move(audience)), request_timeout_(request_timeout) {}

  // Any status but 401 is success here. On a 401 the token is dropped once and the request sent once more: a refusal is definite, so
  // this is safe for writes as well. Asks `may_send` immediately before a write leaves.
  // Errors: Invalid (the origin is not the service's: nothing was sent), Denied (no token, 401 twice, foreign tenant or audience),
  // Throttled, Unavailable (certainly not applied), OutcomeUnknown (a Write only: bytes left and no readable answer came).
  Task<net::HttpReply> send(Context context, net::Origin origin, net::HttpRequest request, Effect effect);

  const Audience& audience() const noexcept { return audience_; }

 private:
  Task<net::HttpReply> send_with(Context context, net::Origin origin, net::HttpRequest request, Effect effect);

  std::shared_ptr<net::HttpClient> http_;
  std::shared_ptr<TokenSource> tokens_;
  Audience audience_;
  Duration request_timeout_;
};

}  // namespace keyturn
