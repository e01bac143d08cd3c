// HTTP/1.1 server over TLS (or plain on loopback), keep-alive, bounded bodies, streamed replies. One coroutine per connection.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/net/http_message.h"
#include "base/net/tls.h"
#include "base/task.h"

namespace keyturn::net {

// What a handler knows of its peer besides the request.
struct Peer {
  std::string address;
  std::string certificate_common_name;  // empty without a verified client certificate
  std::vector<std::string> certificate_organizations;
};

// The one reply of a request: either send() once, or begin() and then write() any number of times; a handler that does neither
// gets a 500. Errors of the peer (gone, too slow) make the calls return false; the handler then returns.
class ReplyWriter {
 public:
  virtual ~ReplyWriter() = default;
  virtual Awaitable<bool> send(HttpReply reply) = 0;
  virtual Awaitable<bool> begin(int status, Headers headers) = 0;  // chunked
  virtual Awaitable<bool> write(std::string_view chunk) = 0;
  virtual bool begun() const noexcept = 0;
  // True once the peer closed its side: polled by long watches between writes.
  virtual bool peer_gone() noexcept = 0;
  // Faults for keyturn-sim: drops the connection at once, without a reply.
  virtual void drop() noexcept = 0;
};

using HttpHandler = std::function<Awaitable<>(HttpRequest, Peer, ReplyWriter&)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0 = any free one, see HttpServer::port
  std::size_t body_bytes_max = std::size_t{3} << 20;
  std::size_t connections_max = 1024;
  // From the first byte of a request to the end of its head and body; also for the TLS handshake and the first byte after it.
  Duration head_timeout{10'000};
  Duration idle_timeout{300'000};  // between two requests of a connection
  Duration write_timeout{30'000};  // for the peer to take one piece of a reply
};

class HttpServer {
 public:
  // `tls` null = plain HTTP, accepted only on a loopback address.
  HttpServer(boost::asio::any_io_executor executor, Clock& clock, HttpServerOptions options, std::shared_ptr<boost::asio::ssl::context> tls,
             HttpHandler handler);
  ~HttpServer();

  // Binds and starts to accept. Errors: Conflict (the port is in use), Denied, Invalid.
  Result<> start();
  std::uint16_t port() const noexcept;
  // Closes the listener, then waits at most `grace` for handlers in flight. Long watches see peer_gone() = true.
  Awaitable<> stop(Duration grace);

 private:
  friend class HttpConnection;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace keyturn::net
