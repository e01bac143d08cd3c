// The controller's own API as HTTP/JSON: the routes named in rotation.proto, with the same messages in protobuf's JSON mapping, so that
// it says exactly what the gRPC service says. Also /metrics, and a status page at /.
//
//   GET /v1alpha1/rotations[?namespace=NS]          GET /v1alpha1/namespaces/NS/rotations
//   GET /v1alpha1/rotations:watch[?namespace=NS]    GET /v1alpha1/namespaces/NS/rotations:watch    one JSON object per line
//   GET /v1alpha1/namespaces/NS/rotations/NAME      .../NAME/history[?limit=N]    .../NAME/plan[?revision=R]
//   .../NAME/verify[?anchor=HASH]
//   GET /metrics                                    for callers that may read all namespaces
//   GET /                                           a page without data: it asks for a token and reads the routes above
//
// Errors are {"code": "NOT_FOUND", "message": "..."} with the HTTP status of canonical.h. Every route but the page needs a bearer token.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "base/net/http_server.h"
#include "controller/server/rotation_queries.h"
#include "controller/server/token_check.h"

namespace keyturn {

struct HttpGatewayOptions {
  Duration request_timeout{15'000};
  Duration watch_poll{1'000};        // how often an idle watch looks whether its reader is still there
  Duration watch_heartbeat{30'000};  // an idle watch writes an empty line so often, so that its reader knows that it lives
  std::size_t watches_max = 256;
};

class HttpGateway {
 public:
  // The text of /metrics, see metrics.h.
  using MetricsText = std::function<Task<std::string>(Context)>;

  // `clock`, `queries` and `tokens` must outlive the gateway, and the gateway the server that it is mounted in.
  HttpGateway(boost::asio::any_io_executor executor, Clock& clock, RotationQueries& queries, const TokenCheck& tokens, MetricsText metrics,
              HttpGatewayOptions options = {});

  // True for the paths above and all others under /v1alpha1/: what a server that has more to serve should hand to `handle`.
  static bool serves(std::string_view target);

  Awaitable<> handle(net::HttpRequest request, net::Peer peer, net::ReplyWriter& writer);
  net::HttpHandler handler();

 private:
  struct Route;
  struct Caller;
  static Result<Route> route_of(std::string_view target);

  Task<std::string> answer(Route route, std::string user);
  Task<std::string> list(Context context, std::string ns, std::string user);
  Task<std::string> history(Context context, ObjectKey key, int limit);
  Awaitable<> watch(std::string ns, std::string user, net::ReplyWriter& writer);
  Awaitable<> pump(RotationFeed& feed, std::string user, net::ReplyWriter& writer);
  Awaitable<bool> drain(RotationFeed& feed, std::string user, net::ReplyWriter& writer);
  std::optional<std::string> user_of(const net::HttpRequest& request) const;
  bool may_read(const Route& route, const std::string& user) const;

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  RotationQueries& queries_;
  const TokenCheck& tokens_;
  MetricsText metrics_;
  HttpGatewayOptions options_;
  std::size_t watches_ = 0;
};

}  // namespace keyturn
