// Azure Resource Manager: requests with correlation ids, and long-running operations in their three styles (azure.md 4).
#pragma once

#include <boost/json/value.hpp>

#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "reconcilers/azure/authorized_client.h"

namespace keyturn {

// What is kept of a reply: never the body of an error.
struct ArmReply {
  int status = 0;
  boost::json::value body;      // null when there was none, or when it was not JSON
  ServiceError error;           // only when the status is not a success
  std::optional<Instant> date;  // the server's clock
  net::Headers headers;
  bool success() const noexcept { return status >= 200 && status < 300; }
};

// Where the end of an accepted request can be seen.
struct ArmOperation {
  enum class Style : std::uint8_t {
    AsyncOperation,     // Azure-AsyncOperation: a document with `status`
    Location,           // Location: 202 while it runs, then the result
    ProvisioningState,  // neither header: `properties.provisioningState` of the resource itself
  };
  Style style = Style::ProvisioningState;
  net::Url url;
  bool operator==(const ArmOperation& other) const {
    return style == other.style && url.origin == other.url.origin && url.target == other.url.target;
  }
};

enum class OperationState : std::uint8_t {
  Running,
  Succeeded,
  Failed,  // failed or cancelled, also inside an HTTP 200
  Gone,    // its address is not known any more: look at the resource
};
struct OperationStatus {
  OperationState state = OperationState::Running;
  std::optional<Instant> date;  // of the answer that told
  std::optional<Duration> retry_after;
  ServiceError error;
};

// What an answer says about an operation. Unknown words mean that it still runs; a missing one at status 200, 201 or 204 that it is done.
OperationState operation_state(int status, const boost::json::value& body);

class ArmClient {
 public:
  static constexpr std::size_t operation_url_bytes_max = 4'096;  // Azure's own limit

  struct Settings {
    net::Origin origin;    // AzureCloud::resource_manager
    std::string audience;  // AzureCloud::arm_audience
    std::string tenant;
    bool regional_hosts = true;  // operation addresses may be on "*.{origin's host}"; false with Custom
    Duration request_timeout{10'000};
  };
  ArmClient(std::shared_ptr<net::HttpClient> http, std::shared_ptr<TokenSource> tokens, std::shared_ptr<Random> random, Settings settings);

  // One request. Any status is success here; `target` is path and query. Errors: as AuthorizedClient.
  Task<ArmReply> send(Context context, std::string method, std::string target, std::string body, Effect effect);
  // GET that must succeed with JSON. Errors: NotFound, Denied, Throttled, Unavailable.
  Task<ArmReply> get(Context context, std::string target);
  // GET of an address that a reply named: nextLink. Errors: as get, Invalid (another host).
  Task<ArmReply> follow(Context context, net::Url url);

  // How to see the end of a write that answered `reply`; `resource` is its GET target. Nothing: it is finished already.
  // Errors: Invalid (the operation's address is not Resource Manager's, or too long): no token went there.
  Result<std::optional<ArmOperation>> operation_of(const ArmReply& reply, const std::string& resource) const;
  // One look. Whoever waits for the end looks again later, with the operation's address from the journal: so a wait survives a restart
  // of the controller, and nothing else waits behind it. Errors: Denied, Throttled, Unavailable, Invalid (another host).
  Task<OperationStatus> look(Context context, ArmOperation operation);

  const net::Origin& origin() const noexcept { return client_.audience().origin; }

 private:
  Task<ArmReply> send_to(Context context, net::Url url, std::string method, std::string body, Effect effect);

  AuthorizedClient client_;
  std::shared_ptr<Random> random_;
  // Whoever asks again while a subscription is throttled keeps it throttled, for all its clients.
  BootInstant paused_until_{};
};

// The reaction to a reply that is not a success. 409 and 429 for "another operation runs" are Throttled: wait, then repeat.
Error arm_error(const ArmReply& reply, Effect effect);

}  // namespace keyturn
