// One connection as bytes: TLS, or plain TCP for loopback. Both sides of HTTP are built on it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/task.h"

namespace keyturn::net {

class Stream {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // `tls` null = plain. The context is kept alive.
  Stream(Socket socket, std::shared_ptr<boost::asio::ssl::context> tls);

  Socket& socket() noexcept { return stream_.next_layer(); }
  bool is_tls() const noexcept { return tls_ != nullptr; }
  SSL* ssl() noexcept { return stream_.native_handle(); }

  using Code = boost::system::error_code;
  struct Read {
    std::size_t bytes = 0;
    Code ec;
  };

  // Errors: timed_out once `expire` closed the socket, operation_aborted once the coroutine is cancelled, else the system's.
  Awaitable<Code> connect(boost::asio::ip::tcp::endpoint peer);
  Awaitable<Code> handshake(boost::asio::ssl::stream_base::handshake_type side);
  Awaitable<Read> read_some(std::span<char> into);
  // One buffer per call: a sequence of buffers would be copied to the stack inside Asio, secrets with it.
  Awaitable<Code> write(std::string_view bytes);
  // Says that nothing more will be sent, then drops what the peer still sends until it closes too, so that the last reply is not
  // lost to a reset. The caller sets the limit of time.
  Awaitable<> finish();

  void expire() noexcept;  // closes because a limit of time passed
  void close() noexcept;
  bool is_open() const noexcept { return stream_.next_layer().is_open(); }

  // Something can be read, or the peer is gone. Of a connection at rest only the latter is possible.
  bool has_input() noexcept;
  bool peer_closed() noexcept;

 private:
  Awaitable<Code> may_begin();
  Code settled(Code ec) const noexcept;

  std::shared_ptr<boost::asio::ssl::context> tls_;
  boost::asio::ssl::stream<Socket> stream_;
  bool expired_ = false;
};

// Closes `stream` after `limit`, unless destroyed before.
class StreamLimit {
 public:
  StreamLimit(Clock& clock, Duration limit, Stream& stream) : timer_(clock.after(limit, [&stream] { stream.expire(); })) {}

 private:
  Timer timer_;
};

}  // namespace keyturn::net
