#include "base/net/stream.h"

#include <poll.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace keyturn::net {
namespace {

namespace asio = boost::asio;

constexpr std::size_t dropped_bytes_max = std::size_t{16} << 20;

// ssl::stream needs a context even when only its socket is used.
asio::ssl::context& no_tls() {
  static asio::ssl::context never_used(asio::ssl::context::tls);
  return never_used;
}

int poll_now(Stream::Socket& socket, short events) {
  pollfd descriptor{socket.native_handle(), events, 0};
  return ::poll(&descriptor, 1, 0) > 0 ? descriptor.revents : 0;
}

}  // namespace

Stream::Stream(Socket socket, std::shared_ptr<asio::ssl::context> tls)
    : tls_(std::move(tls)), stream_(std::move(socket), tls_ ? *tls_ : no_tls()) {}

// An operation begun after a cancellation would not hear of it any more.
Awaitable<Stream::Code> Stream::may_begin() {
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  Code ec;
  if (state.cancelled() != asio::cancellation_type::none) ec = asio::error::operation_aborted;
  co_return settled(ec);
}

Stream::Code Stream::settled(Code ec) const noexcept { return expired_ ? Code(asio::error::timed_out) : ec; }

Awaitable<Stream::Code> Stream::connect(asio::ip::tcp::endpoint peer) {
  Code ec = co_await may_begin();
  if (ec) co_return ec;
  co_await socket().async_connect(peer, asio::redirect_error(asio::use_awaitable, ec));
  Code ignored;  // a matter of speed only
  if (!ec) socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  co_return settled(ec);
}

Awaitable<Stream::Code> Stream::handshake(asio::ssl::stream_base::handshake_type side) {
  Code ec = co_await may_begin();
  if (ec || !is_tls()) co_return ec;
  co_await stream_.async_handshake(side, asio::redirect_error(asio::use_awaitable, ec));
  co_return settled(ec);
}

Awaitable<Stream::Read> Stream::read_some(std::span<char> into) {
  Read read;
  read.ec = co_await may_begin();
  if (read.ec) co_return read;
  const auto buffer = asio::buffer(into.data(), into.size());
  if (is_tls()) {
    read.bytes = co_await stream_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, read.ec));
  } else {
    read.bytes = co_await socket().async_read_some(buffer, asio::redirect_error(asio::use_awaitable, read.ec));
  }
  read.ec = settled(read.ec);
  co_return read;
}

Awaitable<Stream::Code> Stream::write(std::string_view bytes) {
  Code ec = co_await may_begin();
  if (ec || bytes.empty()) co_return ec;
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  if (is_tls()) {
    co_await asio::async_write(stream_, buffer, asio::redirect_error(asio::use_awaitable, ec));
  } else {
    co_await asio::async_write(socket(), buffer, asio::redirect_error(asio::use_awaitable, ec));
  }
  co_return settled(ec);
}

Awaitable<> Stream::finish() {
  Code ec = co_await may_begin();
  if (ec || !is_open()) co_return;
  Code ignored;  // the connection ends either way
  if (is_tls()) {
    // Sends close_notify only: waiting for the peer's would fail on data that it still sends.
    SSL_set_shutdown(ssl(), SSL_RECEIVED_SHUTDOWN);
    co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
  }
  socket().shutdown(Socket::shutdown_send, ignored);
  std::array<char, 4096> dropped{};
  std::size_t bytes = 0;
  while (!ec && bytes < dropped_bytes_max) {
    bytes += co_await socket().async_read_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, ec));
  }
}

void Stream::expire() noexcept {
  expired_ = true;
  close();
}

void Stream::close() noexcept {
  Code ignored;  // closing is all that can be done about a connection that cannot be closed
  socket().close(ignored);
}

bool Stream::has_input() noexcept { return !is_open() || poll_now(socket(), POLLIN) != 0; }
bool Stream::peer_closed() noexcept { return !is_open() || (poll_now(socket(), POLLRDHUP) & (POLLRDHUP | POLLHUP | POLLERR)) != 0; }

}  // namespace keyturn::net
