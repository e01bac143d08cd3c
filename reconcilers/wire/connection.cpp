#include "reconcilers/wire/connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <span>

#include "base/net/resolve.h"

namespace keyturn::wire {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Duration limit_of(const Context& context) {
  return std::min(Connection::call_time_max, context.remaining().value_or(Connection::call_time_max));
}

bool is_address(const std::string& host) {
  error_code not_address;
  asio::ip::make_address(host, not_address);
  return !not_address;
}

// The name in the certificate, the name in the hello message, and the protocol within.
bool prepare_tls(net::Stream& stream, const std::string& host, const std::string& protocol) {
  SSL* ssl = stream.ssl();
  if (!is_address(host) && SSL_set_tlsext_host_name(ssl, host.c_str()) != 1) return false;
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  const bool named =
      is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1 : SSL_set1_host(ssl, host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // The context offers HTTP, which PostgreSQL 17 answers with an alert. An empty list offers nothing. Returns 0 for success.
  std::string offered;
  if (!protocol.empty()) offered = static_cast<char>(protocol.size()) + protocol;
  const auto* bytes = reinterpret_cast<const unsigned char*>(offered.data());
  return named && SSL_set_alpn_protos(ssl, offered.empty() ? nullptr : bytes, static_cast<unsigned>(offered.size())) == 0;
}

}  // namespace

Result<Peer> parse_peer(std::string_view text, api::TlsMode tls, std::shared_ptr<asio::ssl::context> trust) {
  const Error wrong{Errc::Invalid, "a node is not written as host:port"};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return wrong;
  }
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc() || end != digits.data() + digits.size() || port == 0) return wrong;
  if (host.empty() || host.find_first_of(" \t\r\n/@") != std::string_view::npos) return wrong;
  return Peer{std::string(host), port, tls, std::move(trust)};
}

Task<std::vector<tcp::endpoint>> addresses_of(Context context, Peer peer) {
  auto found = co_await net::resolve(context, peer.host, peer.port);
  if (!found) co_return found.error();
  std::vector<tcp::endpoint> allowed = *std::move(found);
  if (peer.tls == api::TlsMode::Verify) co_return allowed;
  std::erase_if(allowed, [](const tcp::endpoint& one) { return !one.address().is_loopback(); });
  if (allowed.empty()) co_return Error{Errc::Denied, "a connection without TLS may only go to a loopback address"};
  co_return allowed;
}

Task<std::unique_ptr<Connection>> Connection::open(Context context, Peer peer) {
  const bool verified = peer.tls == api::TlsMode::Verify;
  if (verified && !peer.trust) co_return Error{Errc::Internal, "a verified connection needs certificate authorities"};
  const auto addresses = co_await addresses_of(context, peer);
  if (!addresses) co_return addresses.error();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  for (const tcp::endpoint& address : *addresses) {
    auto stream = std::make_unique<net::Stream>(tcp::socket(executor), verified ? peer.trust : nullptr);
    error_code ec;
    {
      const net::StreamLimit limit(context.clock(), limit_of(context), *stream);
      ec = co_await stream->connect(address);
    }
    if (!ec) co_return std::unique_ptr<Connection>(new Connection(std::move(peer), std::move(stream)));
    if (context.expired()) break;
  }
  co_return Error{Errc::Unavailable, "no connection to the system"};
}

Task<char> Connection::ask_for_tls(Context context, std::string request) {
  const net::StreamLimit limit(context.clock(), limit_of(context), *stream_);
  error_code ec;
  co_await asio::async_write(stream_->socket(), asio::buffer(request), asio::redirect_error(asio::use_awaitable, ec));
  // Exactly one byte: whatever follows must come through TLS, else somebody in between could slip it in.
  char answer = 0;
  if (!ec) co_await asio::async_read(stream_->socket(), asio::buffer(&answer, 1), asio::redirect_error(asio::use_awaitable, ec));
  if (!ec) co_return answer;
  close();
  co_return Error{Errc::Unavailable, "the system did not answer before TLS"};
}

Task<> Connection::start_tls(Context context, std::string protocol) {
  if (!stream_->is_tls()) co_return ok();
  if (!prepare_tls(*stream_, peer_.host, protocol)) co_return Error{Errc::Internal, "TLS cannot be set up"};
  error_code ec;
  {
    const net::StreamLimit limit(context.clock(), limit_of(context), *stream_);
    ec = co_await stream_->handshake(asio::ssl::stream_base::client);
  }
  ERR_clear_error();
  if (!ec) co_return ok();
  const bool untrusted = SSL_get_verify_result(stream_->ssl()) != X509_V_OK;
  close();
  co_return Error{Errc::Unavailable, untrusted ? "the system's certificate is not trusted" : "TLS with the system failed"};
}

Task<> Connection::send(Context context, const Secret& bytes) {
  if (!context.may_send()) {
    close();
    co_return Error{Errc::Unavailable, "the time to send has passed"};
  }
  const net::StreamLimit limit(context.clock(), limit_of(context), *stream_);
  // The caller keeps `bytes` until this coroutine is done, so the view stays good.
  const std::string_view view = bytes.expose([](std::string_view inner) { return inner; });
  const error_code ec = co_await stream_->write(view);
  if (!ec) co_return ok();
  close();
  co_return Error{Errc::OutcomeUnknown, "the connection broke while sending"};
}

Task<> Connection::receive(Context context, std::string& into) {
  const net::StreamLimit limit(context.clock(), limit_of(context), *stream_);
  const std::size_t before = into.size();
  into.resize(before + read_bytes);
  const net::Stream::Read read = co_await stream_->read_some(std::span(into).subspan(before));
  into.resize(before + read.bytes);
  if (!read.ec && read.bytes != 0) co_return ok();
  close();
  const bool late = read.ec == asio::error::timed_out;
  co_return Error{Errc::OutcomeUnknown, late ? "no answer before the deadline" : "the connection broke before the answer"};
}

}  // namespace keyturn::wire
