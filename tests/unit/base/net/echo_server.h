// An HttpServer whose answers a test chooses by the path, and one TLS authority for all tests of a binary.
#pragma once

#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/net/http_server.h"
#include "base/net/url.h"
#include "tests/support/run_loop.h"

namespace keyturn::net {

inline const GeneratedTls& test_tls() {
  static const GeneratedTls only = generate_tls("Keyturn tests", {"localhost", "127.0.0.1"}).value();
  return only;
}
inline std::shared_ptr<boost::asio::ssl::context> test_server_context() { return server_context(test_tls().server).value(); }
inline std::shared_ptr<boost::asio::ssl::context> test_client_context() { return client_context({.ca_pem = test_tls().ca_pem}).value(); }

// Paths: /echo (the body, and what was asked in headers), /status/NNN, /silent (never answers), /stream/N (N chunks), /flood (large chunks
// until one is refused), /open (chunks without end until the peer is gone), /drop, /nothing, /throw, /throw-late, /malformed, /wait (until
// `release`).
class EchoServer {
 public:
  EchoServer(boost::asio::io_context& io, Clock& clock, HttpServerOptions options, std::shared_ptr<boost::asio::ssl::context> tls)
      : io_(io),
        clock_(clock),
        secure_(tls != nullptr),
        released_(io.get_executor()),
        server_(io.get_executor(), clock, options, std::move(tls), handler()) {}

  Result<> start() { return server_.start(); }
  HttpServer& server() { return server_; }
  std::uint16_t port() const { return server_.port(); }
  Origin origin() const { return {.scheme = secure_ ? "https" : "http", .host = "127.0.0.1", .port = port()}; }
  void release() { released_.set(); }

  std::vector<HttpRequest> requests;
  std::vector<Peer> peers;
  int finished = 0;         // handlers that came to their end
  int noticed_leaving = 0;  // handlers that saw that the peer is gone
  int refused_writes = 0;

 private:
  HttpHandler handler() {
    return [this](HttpRequest request, Peer peer, ReplyWriter& writer) { return handle(std::move(request), std::move(peer), writer); };
  }

  Awaitable<> handle(HttpRequest request, Peer peer, ReplyWriter& writer) {
    const std::string target = request.target;
    peers.push_back(std::move(peer));
    HttpReply reply{.status = 200, .headers = {{"X-Method", request.method}}, .body = request.body, .secret_body = {}};
    requests.push_back(std::move(request));
    if (target == "/echo") {
      co_await writer.send(std::move(reply));
    } else if (target.starts_with("/status/")) {
      reply.status = std::stoi(target.substr(8));
      reply.headers.add("Location", "/echo");
      co_await writer.send(std::move(reply));
    } else if (target == "/silent") {
      Event never(io_.get_executor());
      co_await never.wait(clock_, std::chrono::hours(1'000'000));
    } else if (target.starts_with("/stream/")) {
      co_await stream(std::stoi(target.substr(8)), writer);
    } else if (target == "/flood") {
      co_await flood(writer);
    } else if (target == "/open") {
      co_await stream_until_gone(writer);
    } else if (target == "/drop") {
      writer.drop();
    } else if (target == "/throw") {
      throw std::runtime_error("a text that might hold anything");
    } else if (target == "/throw-late") {
      co_await writer.begin(200, Headers());
      co_await writer.write("half");
      throw std::runtime_error("a text that might hold anything");
    } else if (target == "/malformed") {
      reply.headers.add("X-Bad", "a\r\nb: c");
      co_await writer.send(std::move(reply));
    } else if (target == "/wait") {
      co_await released_.wait(clock_, std::chrono::hours(1'000'000));
      co_await writer.send(std::move(reply));
    }
    ++finished;
  }

  Awaitable<> stream(int chunks, ReplyWriter& writer) {
    const Headers headers{{"X-Kind", "stream"}};
    co_await writer.begin(200, headers);
    for (int i = 0; i < chunks; ++i) {
      const std::string chunk = "chunk " + std::to_string(i) + "\n";
      co_await writer.write(chunk);
      co_await writer.write("");
    }
  }

  Awaitable<> flood(ReplyWriter& writer) {
    bool taken = co_await writer.begin(200, Headers());
    const std::string chunk(std::size_t{1} << 20, 'x');
    while (taken) taken = co_await writer.write(chunk);
    ++refused_writes;
  }

  Awaitable<> stream_until_gone(ReplyWriter& writer) {
    co_await writer.begin(200, Headers());
    for (bool open = true; open && !writer.peer_gone();) {
      open = co_await writer.write("tick\n");
      if (!open) ++refused_writes;
      co_await clock_.sleep_for(std::chrono::milliseconds(1));
    }
    ++noticed_leaving;
  }

  boost::asio::io_context& io_;
  Clock& clock_;
  bool secure_;
  Event released_;
  HttpServer server_;
};

}  // namespace keyturn::net
