// The controller's own API as gRPC: RotationService over TLS with bearer tokens in the metadata (`authorization: Bearer ...`), server
// reflection and the standard health service. gRPC's threads only carry bytes: every decision is posted to the control thread.
// Reflection shows nothing but the published rotation.proto, and health one bit, so neither asks for a token.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/blocking_pool.h"
#include "base/context.h"
#include "base/net/tls.h"
#include "base/task.h"
#include "controller/server/rotation_queries.h"
#include "controller/server/token_check.h"

namespace keyturn {

struct GrpcServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;            // 0 = any free one, see GrpcServer::port
  Duration request_timeout{15'000};  // of a unary call; a client's shorter deadline ends its wait, not ours
  int calls_max = 256;               // unary calls in flight; more are told RESOURCE_EXHAUSTED
  int watches_max = 256;
  int request_bytes_max = 64 << 10;
};

class RotationGrpcService;

class GrpcServer {
 public:
  // What is passed by reference must outlive the server. `pool` waits for gRPC to shut down, which blocks.
  GrpcServer(boost::asio::any_io_executor executor, Clock& clock, BlockingPool& pool, RotationQueries& queries, const TokenCheck& tokens,
             net::TlsIdentity identity, GrpcServerOptions options = {});
  // Requires that `stop` ran or that `start` was never called.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // Binds and serves. Errors: Conflict (the address is in use or cannot be bound), Invalid (certificate or key).
  Result<> start();
  std::uint16_t port() const noexcept;
  // Health says NOT_SERVING, watches end with UNAVAILABLE, calls in flight get at most `grace`, then everything closes. Idempotent.
  Awaitable<> stop(Duration grace);

 private:
  std::unique_ptr<RotationGrpcService> service_;
};

}  // namespace keyturn
