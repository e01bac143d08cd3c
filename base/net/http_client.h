// HTTPS client: keep-alive pool per origin, deadlines from Context, size limits, verified TLS, streaming replies.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "base/context.h"
#include "base/net/http_message.h"
#include "base/net/tls.h"
#include "base/net/url.h"
#include "base/task.h"

namespace keyturn::net {

class HttpClient {
 public:
  static constexpr std::size_t idle_connections_max = 8;  // per origin

  // `trust` null = plain HTTP to loopback only; an https origin is then refused with Invalid.
  HttpClient(boost::asio::any_io_executor executor, std::shared_ptr<boost::asio::ssl::context> trust);
  ~HttpClient();

  // Sends one request and reads the whole reply; any HTTP status is success here. Redirects are never followed.
  // Errors: Unavailable (nothing of the request left this process: connect, TLS, send deadline), OutcomeUnknown (bytes left and no
  // complete reply came before the Context's deadline, or the connection broke), Invalid (reply malformed or over reply_bytes_max).
  // A stale pooled connection is replaced once, only if no byte of a reply came and the method is GET or HEAD.
  // Which address was connected to can be refused by `address_allowed` (see set_address_filter).
  Task<HttpReply> send(Context context, Origin origin, HttpRequest request);

  // As send, but hands the body of a 2xx reply piece by piece to `on_bytes`, which returns false to stop; `reply_bytes_max` does not
  // apply to it. Any other reply is returned whole, as by send. `idle` bounds the silence between two reads (OutcomeUnknown when it
  // lasts longer), the Context's deadline the whole. Used for watches.
  Task<HttpReply> stream(Context context, Origin origin, HttpRequest request, Duration idle,
                         std::function<bool(std::string_view)> on_bytes);

  // SSRF guard: called with the address actually connected to, before any byte is sent. Refused = Denied.
  using AddressFilter = std::function<bool(std::string_view address)>;
  void set_address_filter(AddressFilter filter);

  std::size_t idle_connections() const noexcept;
  void close_idle() noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace keyturn::net
