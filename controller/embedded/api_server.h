// The Kubernetes-compatible API server inside the controller: what kubectl, GitOps tools and our own client talk to in standalone mode.
// docs: what it serves is described in the design of the standalone API; it deviates from a genuine server only where a comment says so.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/net/http_server.h"
#include "base/random.h"
#include "controller/embedded/access.h"
#include "controller/embedded/object_writer.h"
#include "controller/runtime/store.h"

namespace keyturn::embedded {

struct ApiServerOptions {
  net::HttpServerOptions http;
  Admission admission;  // empty = structure and rules only
  // Path -> who serves it and what is below it, authentication included. "/metrics" takes /metrics, /metrics?a and /metrics/a, but not
  // /metricsa; "/v1alpha1/" takes only what is below it. A query is never part of a path. Paths must not lie below each other.
  std::map<std::string, net::HttpHandler> mounts;
  net::HttpHandler page;           // gets GET / of clients that accept text/html, which are browsers; others get the list of paths
  std::function<bool()> ready;     // asked by /readyz; empty = ready from start to stop
  std::function<bool()> live;      // asked by all probes: false once the store refuses writes for good; empty = never
  std::size_t requests_max = 400;  // in flight, watches aside; more get 429
};

class ApiServer {
 public:
  // `clock`, `random`, `store` and `access` must outlive it. `tls` null = plain HTTP on a loopback address: kubectl sends no token then.
  ApiServer(boost::asio::any_io_executor executor, Clock& clock, Random& random, Store& store, const Access& access,
            ApiServerOptions options, std::shared_ptr<boost::asio::ssl::context> tls);
  ~ApiServer();

  // Makes the objects that always exist: the namespaces `default` and `keyturn-system`, and the definitions of our kinds. Idempotent;
  // once before start. Errors are the store's.
  Task<> prepare(Context context);
  // Binds and serves. Errors as of HttpServer::start.
  Result<> start();
  std::uint16_t port() const noexcept;
  // /readyz fails, watches end with a clean end of file, then the listener closes. Total: at most `grace`.
  Awaitable<> stop(Duration grace);

  // Everything that start() serves, for tests without a socket and for mounting elsewhere.
  net::HttpHandler handler();
  // How the program itself writes.
  ObjectWriter& writer() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keyturn::embedded
