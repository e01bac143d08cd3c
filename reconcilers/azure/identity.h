// Tokens of Microsoft Entra ID: how the controller proves who it is, and for how long it keeps the answer.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/rotation_environment.h"
#include "base/context.h"
#include "base/event.h"
#include "base/net/http_client.h"
#include "base/secret.h"
#include "base/task.h"
#include "reconcilers/azure/cloud.h"

namespace keyturn {

struct IssuedToken {
  Secret value;
  Duration lifetime{};
  std::optional<Duration> refresh_in;  // when the issuer wishes to be asked again
};

// One way to prove who we are. Errors: Denied (the identity is refused or its material is missing), Throttled, Unavailable; never
// OutcomeUnknown, because asking for a token changes nothing. `claims` is JSON of a claims challenge, usually empty.
class TokenIssuer {
 public:
  virtual ~TokenIssuer() = default;
  virtual Task<IssuedToken> issue(Context context, std::string resource, std::string claims) = 0;
};

// POST {authority}/{tenant}/oauth2/v2.0/token with grant_type=client_credentials. The proof is read from its file at every call: a
// client secret, or the federated assertion that workload identity projects and replaces (AU-A2, AU-S5).
class ClientCredentialIssuer final : public TokenIssuer {
 public:
  enum class Proof : std::uint8_t { Secret, Assertion };
  struct Settings {
    net::Origin authority;
    std::string tenant;
    std::string client_id;
    Proof proof = Proof::Secret;
    std::string file;
  };
  ClientCredentialIssuer(std::shared_ptr<net::HttpClient> http, Settings settings)
      : http_(std::move(http)), settings_(std::move(settings)) {}
  Task<IssuedToken> issue(Context context, std::string resource, std::string claims) override;

 private:
  std::shared_ptr<net::HttpClient> http_;
  Settings settings_;
};

// The instance metadata service of a virtual machine (api-version 2018-02-01). `client_id` may be empty only with a system-assigned
// identity (AU-A6). 404, 410 and 5xx mean "not yet" there, so they are Unavailable.
class ManagedIdentityIssuer final : public TokenIssuer {
 public:
  ManagedIdentityIssuer(std::shared_ptr<net::HttpClient> http, net::Origin endpoint, std::string client_id)
      : http_(std::move(http)), endpoint_(std::move(endpoint)), client_id_(std::move(client_id)) {}
  Task<IssuedToken> issue(Context context, std::string resource, std::string claims) override;

 private:
  std::shared_ptr<net::HttpClient> http_;
  net::Origin endpoint_;
  std::string client_id_;
};

// The tokens of one identity, one per resource (AU-A1). Single flight; refreshed when the issuer wishes, else five minutes or half its
// life before the end; an old token is served while the refresh fails, until it expires (AU-A2).
class TokenSource {
 public:
  explicit TokenSource(std::shared_ptr<TokenIssuer> issuer) : issuer_(std::move(issuer)) {}

  // `life_min`: what is left of the token's life must exceed it, where a fresh one can be had (AU-A4). Errors: as TokenIssuer.
  Task<std::shared_ptr<const Secret>> token(Context context, std::string resource, Duration life_min);
  // Forgets a token that a service refused; nothing when another one took its place meanwhile (AU-A3). `claims` go into the next request.
  void drop(const std::string& resource, const std::shared_ptr<const Secret>& refused, std::string claims);

 private:
  struct Slot {
    std::shared_ptr<const Secret> value;
    BootInstant refresh_at{};
    BootInstant expires_at{};
    BootInstant retry_at{};  // after a failure: not before
    std::optional<Error> failure;
    std::string claims;
    std::shared_ptr<Event> flight;  // set while somebody fetches
    bool usable(BootInstant now, Duration life_min) const { return value != nullptr && expires_at - now > life_min; }
  };
  class Flight;
  Task<std::shared_ptr<const Secret>> fetch(Context context, std::string resource);

  std::shared_ptr<TokenIssuer> issuer_;
  std::map<std::string, Slot> slots_;  // never erased from: references stay good
};

// The issuer that an environment's identity asks for. `federated_token_file` is the value of AZURE_FEDERATED_TOKEN_FILE, which only
// WorkloadIdentity needs. Errors: Invalid (a type without an adapter in this build, or settings that are missing).
Result<std::shared_ptr<TokenIssuer>> make_token_issuer(const api::AzureSettings& settings, const AzureCloud& cloud,
                                                       std::shared_ptr<net::HttpClient> http, const std::string& federated_token_file);

}  // namespace keyturn
