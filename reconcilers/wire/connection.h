// One fresh connection to a system that speaks a protocol of its own: verified TLS, or plain to a loopback address.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/rotation_environment.h"
#include "base/context.h"
#include "base/net/stream.h"
#include "base/secret.h"
#include "base/task.h"

namespace keyturn::wire {

// Whom to connect to and how. `trust` may be null only with LoopbackPlain.
struct Peer {
  std::string host;
  std::uint16_t port = 0;
  api::TlsMode tls = api::TlsMode::Verify;
  std::shared_ptr<boost::asio::ssl::context> trust;
};

// "host:port" or "[v6]:port". Errors: Invalid.
Result<Peer> parse_peer(std::string_view text, api::TlsMode tls, std::shared_ptr<boost::asio::ssl::context> trust);

// The addresses of `peer` that may be connected to: all of them, or with LoopbackPlain the loopback ones.
// Errors: Unavailable (no such name), Denied (LoopbackPlain and no loopback address).
Task<std::vector<boost::asio::ip::tcp::endpoint>> addresses_of(Context context, Peer peer);

// Every call ends at the deadline of its Context, at the latest after `call_time_max`, and leaves the connection closed when it fails.
// Nothing of a connection is reused after a time-out: whatever the peer still sends belongs to nobody.
class Connection {
 public:
  static constexpr Duration call_time_max{10'000};
  static constexpr std::size_t read_bytes = 16 * 1024;

  // TCP only; nothing is sent. Errors: as addresses_of, Unavailable.
  static Task<std::unique_ptr<Connection>> open(Context context, Peer peer);

  // Before TLS: sends a request for it and reads the one byte that answers (how PostgreSQL begins). Errors: Unavailable.
  Task<char> ask_for_tls(Context context, std::string request);
  // Verifies the certificate against the trust and the peer's name. A plain connection stays as it is. `protocol` is offered by ALPN,
  // empty = none. Errors: Unavailable.
  Task<> start_tls(Context context, std::string protocol);

  // Errors: Unavailable (nothing left: the send deadline passed), OutcomeUnknown.
  Task<> send(Context context, const Secret& bytes);
  // Appends what arrived, at least one byte. Errors: OutcomeUnknown (closed, silent until the deadline).
  Task<> receive(Context context, std::string& into);
  void close() noexcept { stream_->close(); }

 private:
  Connection(Peer peer, std::unique_ptr<net::Stream> stream) : peer_(std::move(peer)), stream_(std::move(stream)) {}
  Peer peer_;
  std::unique_ptr<net::Stream> stream_;
};

}  // namespace keyturn::wire
