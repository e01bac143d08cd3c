// Both APIs on real sockets: the control thread runs beside the test, whose clients block.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "base/blocking_pool.h"
#include "base/net/http_server.h"
#include "base/net/tls.h"
#include "controller/server/grpc_server.h"
#include "controller/server/http_gateway.h"
#include "tests/unit/controller/server/fixtures.h"

namespace keyturn {

inline Task<std::string> no_metrics(Context) { co_return std::string(); }

class LiveApi {
 public:
  LiveApi() : thread_([this] { io.run(); }) {}
  ~LiveApi() {
    stop();
    work_.reset();
    thread_.join();
  }
  LiveApi(const LiveApi&) = delete;
  LiveApi& operator=(const LiveApi&) = delete;

  boost::asio::io_context io{1};

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ = boost::asio::make_work_guard(io);

 public:
  SystemClock clock{io.get_executor()};
  MemoryStore store{io.get_executor(), clock, Uid{"store"}};
  StoreQueries queries{store, plan_of};
  FakeTokens tokens;
  net::GeneratedTls tls = *net::generate_tls("keyturn", {"localhost", "127.0.0.1"});
  BlockingPool pool{1};

  // Runs a coroutine on the control thread and waits for it here.
  template <class T>
  T wait(boost::asio::awaitable<T> task) {
    return boost::asio::co_spawn(io, std::move(task), boost::asio::use_future).get();
  }
  template <class Object>
  void add(const Object& object) {
    const Result<StoredPtr> stored = wait(created(store, clock, object));
    if (!stored) throw BadResultAccess(stored.error());
  }

  Result<> start_grpc(GrpcServerOptions options = {}) {
    grpc_ = std::make_unique<GrpcServer>(io.get_executor(), clock, pool, queries, tokens, tls.server, std::move(options));
    return wait(started(*grpc_));
  }
  Result<> start_http() {
    gateway_ = std::make_unique<HttpGateway>(io.get_executor(), clock, queries, tokens, no_metrics);
    http_ = std::make_unique<net::HttpServer>(io.get_executor(), clock, net::HttpServerOptions{}, *net::server_context(tls.server),
                                              gateway_->handler());
    return wait(started(*http_));
  }
  void stop() {
    // A moment for what is being said; what hangs is cut.
    constexpr Duration grace{2'000};
    if (grpc_) wait(grpc_->stop(grace));
    if (http_) wait(http_->stop(grace));
  }
  GrpcServer& grpc() { return *grpc_; }
  std::string grpc_address() const { return "localhost:" + std::to_string(grpc_->port()); }
  std::string http_address() const { return "https://localhost:" + std::to_string(http_->port()); }

  // Starts a server on the control thread, where it belongs.
  template <class Server>
  static Task<> started(Server& server) {
    co_return server.start();
  }

 private:
  std::unique_ptr<GrpcServer> grpc_;
  std::unique_ptr<HttpGateway> gateway_;
  std::unique_ptr<net::HttpServer> http_;
  std::thread thread_;
};

}  // namespace keyturn
