#include "base/net/http_client.h"

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <exception>
#include <map>
#include <new>

#include "base/net/http_parser.h"
#include "base/net/input_buffer.h"
#include "base/net/resolve.h"
#include "base/net/stream.h"

namespace keyturn::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// Servers close idle connections after a minute or more. Using only younger ones keeps the window small in which a write could meet
// a server that is just closing, and its outcome be unknown.
constexpr Duration idle_age_max = std::chrono::seconds(30);
constexpr Duration connect_time_max = std::chrono::seconds(10);  // for one address of several
constexpr int interim_replies_max = 8;                           // "100 Continue" and the like

struct Connection {
  Connection(asio::any_io_executor executor, Origin to, std::shared_ptr<asio::ssl::context> tls)
      : stream(tcp::socket(std::move(executor)), std::move(tls)), origin(std::move(to)) {}
  Stream stream;
  Origin origin;
  std::string address;
  BootInstant idle_since;
  bool reused = false;
  bool sent = false;  // a byte of the request may have left
  bool got = false;   // a byte of the reply came
};

// Text form of the address that packets go to: an IPv4 address inside an IPv6 one is shown as what it is.
std::string address_text(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD"; }

bool is_one_line(const std::shared_ptr<const Secret>& secret) {
  return !secret || secret->expose([](std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
  });
}

Result<> check(const Origin& origin, const HttpRequest& request) {
  if (origin.scheme != "https" && origin.scheme != "http") return Error{Errc::Invalid, "origin is not https"};
  if (!is_well_formed(request)) return Error{Errc::Invalid, "request has a malformed method, target or header"};
  if (!is_one_line(request.bearer)) return Error{Errc::Invalid, "credential has a control character"};
  return ok();
}

// Everything of the head but credentials and the empty line.
std::string head_of(const Origin& origin, const HttpRequest& request) {
  std::string head = request.method + " " + request.target + " HTTP/1.1\r\n";
  if (!request.headers.find("Host")) head += "Host: " + origin.authority() + "\r\n";
  for (const auto& [name, value] : request.headers.fields()) {
    if (!is_framing_header(name)) head += name + ": " + value + "\r\n";
  }
  const std::size_t length = request.secret_body ? request.secret_body->size() : request.body.size();
  const bool has_body = length != 0 || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (has_body) head += "Content-Length: " + std::to_string(length) + "\r\n";
  return head;
}

void append_base64(SecretBuffer& out, std::string_view bytes) {
  const std::size_t length = (bytes.size() + 2) / 3 * 4;
  auto room = out.prepare(length + 1);  // EVP_EncodeBlock ends its output with a zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(room.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out.commit(length);
}

// The Authorization header in the arena; empty without a credential.
Secret authorization_of(const HttpRequest& request) {
  SecretBuffer out;
  if (request.bearer) {
    out.append("Authorization: Bearer ").append(*request.bearer).append("\r\n");
  } else if (request.basic) {
    out.append("Authorization: Basic ");
    request.basic->expose([&](std::string_view bytes) { append_base64(out, bytes); });
    out.append("\r\n");
  }
  return std::move(out).finish();
}

Error not_sent(error_code ec) {
  if (ec == asio::error::operation_aborted) return {Errc::Cancelled, "stopped before the request was sent"};
  if (ec == asio::error::timed_out) return {Errc::Unavailable, "no connection before the deadline"};
  return {Errc::Unavailable, "cannot connect: " + ec.message()};
}

Error no_answer(error_code ec) {
  if (ec == asio::error::operation_aborted) return {Errc::OutcomeUnknown, "stopped before a complete reply"};
  if (ec == asio::error::timed_out) return {Errc::OutcomeUnknown, "no complete reply in time"};
  return {Errc::OutcomeUnknown, "connection broke before a complete reply"};
}

Error handshake_failed(Stream& stream, error_code ec) {
  const long verdict = SSL_get_verify_result(stream.ssl());
  if (verdict != X509_V_OK)
    return {Errc::Unavailable, std::string("server certificate is not trusted: ") + X509_verify_cert_error_string(verdict)};
  if (ec == asio::error::timed_out || ec == asio::error::operation_aborted) return not_sent(ec);
  return {Errc::Unavailable, "TLS handshake failed"};
}

// Which certificate will do: one that names the host, as a DNS name or as an address.
bool expect_host(SSL* ssl, const std::string& host) {
  error_code not_address;
  asio::ip::make_address(host, not_address);
  if (!not_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
}

// What `stream` adds to `send`.
struct Streaming {
  Duration idle;
  std::function<bool(std::string_view)> on_bytes;
};

// One request and its reply on one connection.
class Exchange {
 public:
  Exchange(Context context, std::shared_ptr<Connection> connection, const HttpRequest& request, const Streaming* streaming)
      : context_(std::move(context)),
        connection_(std::move(connection)),
        request_(request),
        streaming_(streaming),
        input_(request.secret_reply),
        parser_(new_parser()) {}

  Task<HttpReply> run();
  // The connection can carry another request.
  bool reusable() const { return complete_ && parser_->keep_alive() && input_.unread().empty(); }
  // The connection had been closed by the peer before it saw the request, as far as that can be told.
  bool was_stale() const { return broken_ && connection_->reused && !connection_->got; }

 private:
  Task<> send_request();
  Awaitable<error_code> send_body();
  Task<> receive();
  Awaitable<error_code> read_more();
  Result<> parse_unread();
  Result<> end_of_input(error_code ec);
  bool take(std::string_view bytes);
  std::unique_ptr<ReplyParser> new_parser();
  Error broken(error_code ec);
  HttpReply reply();

  Context context_;
  std::shared_ptr<Connection> connection_;
  const HttpRequest& request_;
  const Streaming* streaming_;
  InputBuffer input_;
  std::unique_ptr<ReplyParser> parser_;
  std::string body_;
  SecretBuffer secret_body_;
  int interim_ = 0;
  bool complete_ = false;
  bool stopped_ = false;  // by the receiver of the stream
  bool broken_ = false;
};

std::unique_ptr<ReplyParser> Exchange::new_parser() {
  auto made = std::make_unique<ReplyParser>([this](std::string_view bytes) { return take(bytes); });
  made->skip(request_.method == "HEAD");
  return made;
}

Error Exchange::broken(error_code ec) {
  broken_ = ec != asio::error::timed_out && ec != asio::error::operation_aborted;
  return connection_->sent ? no_answer(ec) : not_sent(ec);
}

bool Exchange::take(std::string_view bytes) {
  if (streaming_ != nullptr && parser_->status / 100 == 2) {
    stopped_ = !streaming_->on_bytes(bytes);
    return !stopped_;
  }
  const std::size_t have = request_.secret_reply ? secret_body_.size() : body_.size();
  if (bytes.size() > request_.reply_bytes_max - have) return false;
  if (request_.secret_reply) {
    secret_body_.append(bytes);
  } else {
    body_ += bytes;
  }
  return true;
}

Task<> Exchange::send_request() {
  const std::string head = head_of(connection_->origin, request_);
  const Secret authorization = authorization_of(request_);
  if (!context_.may_send()) co_return Error{Errc::Unavailable, "the send deadline passed"};
  connection_->sent = true;
  Stream& stream = connection_->stream;
  // Each piece is a write of its own, straight from where it lies: putting them together would copy the secret ones.
  error_code ec = co_await stream.write(head);
  if (!ec && !authorization.empty()) {
    auto written = authorization.expose([&stream](std::string_view bytes) { return stream.write(bytes); });
    ec = co_await std::move(written);
  }
  if (!ec) ec = co_await stream.write("\r\n");
  if (!ec) ec = co_await send_body();
  if (ec) co_return broken(ec);
  co_return ok();
}

Awaitable<error_code> Exchange::send_body() {
  Stream& stream = connection_->stream;
  if (!request_.secret_body) return stream.write(request_.body);
  return request_.secret_body->expose([&stream](std::string_view bytes) { return stream.write(bytes); });
}

Awaitable<error_code> Exchange::read_more() {
  std::optional<StreamLimit> silence;
  if (streaming_ != nullptr) silence.emplace(context_.clock(), streaming_->idle, connection_->stream);
  const Stream::Read read = co_await connection_->stream.read_some(input_.prepare());
  input_.commit(read.bytes);
  if (read.bytes != 0) connection_->got = true;
  co_return read.bytes != 0 ? error_code() : read.ec;
}

Result<> Exchange::parse_unread() {
  while (!complete_ && !input_.unread().empty()) {
    error_code ec;
    const std::string_view unread = input_.unread();
    input_.consume(parser_->put(asio::buffer(unread.data(), unread.size()), ec));
    if (stopped_) return ok();
    if (ec == http::error::need_more) return ok();
    if (ec == http::error::body_limit) return Error{Errc::Invalid, "reply is too large"};
    if (ec) return Error{Errc::Invalid, "reply is not valid HTTP"};
    if (!parser_->is_done()) continue;
    if (parser_->status / 100 != 1) {
      complete_ = true;
    } else if (parser_->status == 101 || ++interim_ > interim_replies_max) {
      return Error{Errc::Invalid, "reply is not valid HTTP"};
    } else {
      parser_ = new_parser();  // an interim reply; the real one follows
    }
  }
  return ok();
}

// A body without a length ends where the connection ends. In TLS only the peer's own word for it counts: anybody can cut a connection.
Result<> Exchange::end_of_input(error_code ec) {
  if (ec != asio::error::eof || !parser_->got_some()) return broken(ec);
  error_code incomplete;
  parser_->put_eof(incomplete);
  if (incomplete || !parser_->is_done()) return broken(ec);
  complete_ = true;
  return ok();
}

Task<> Exchange::receive() {
  while (!complete_ && !stopped_) {
    const error_code ec = co_await read_more();
    const Result<> step = ec ? end_of_input(ec) : parse_unread();
    if (!step) co_return step.error();
  }
  co_return ok();
}

HttpReply Exchange::reply() {
  HttpReply made;
  made.status = parser_->status;
  made.headers = std::move(parser_->headers);
  made.body = std::move(body_);
  made.secret_body = std::move(secret_body_).finish();
  return made;
}

Task<HttpReply> Exchange::run() {
  std::optional<StreamLimit> deadline;
  const auto remaining = context_.remaining();
  if (remaining) deadline.emplace(context_.clock(), *remaining, connection_->stream);
  const Result<> sent = co_await send_request();
  if (!sent) co_return sent.error();
  const Result<> received = co_await receive();
  if (!received) co_return received.error();
  co_return reply();
}

}  // namespace

struct HttpClient::Impl {
  using Self = std::shared_ptr<Impl>;

  asio::any_io_executor executor;
  std::shared_ptr<asio::ssl::context> trust;
  AddressFilter address_allowed;
  std::map<Origin, std::deque<std::shared_ptr<Connection>>> idle;

  std::shared_ptr<Connection> take_idle(const Context& context, const Origin& origin);
  void give_back(const Context& context, std::shared_ptr<Connection> connection);
  Result<> allow(const Origin& origin, const asio::ip::address& address) const;
  static Task<> connect_to(Self self, Context context, std::shared_ptr<Connection> connection, tcp::endpoint peer);
  static Task<std::shared_ptr<Connection>> connect(Self self, Context context, Origin origin);
  static Task<HttpReply> attempt(Self self, Context context, Origin origin, std::shared_ptr<const HttpRequest> request,
                                 std::shared_ptr<const Streaming> streaming);
  static Task<HttpReply> perform(Self self, Context context, Origin origin, HttpRequest request,
                                 std::shared_ptr<const Streaming> streaming);
};

std::shared_ptr<Connection> HttpClient::Impl::take_idle(const Context& context, const Origin& origin) {
  const auto pool = idle.find(origin);
  if (pool == idle.end()) return nullptr;
  std::shared_ptr<Connection> found;
  while (!found && !pool->second.empty()) {
    std::shared_ptr<Connection> youngest = std::move(pool->second.back());
    pool->second.pop_back();
    const bool young = context.clock().boot_now() - youngest->idle_since < idle_age_max;
    const bool allowed = !address_allowed || address_allowed(youngest->address);
    if (young && allowed && !youngest->stream.has_input()) found = std::move(youngest);
  }
  if (pool->second.empty()) idle.erase(pool);
  if (found) {
    found->reused = true;
    found->sent = found->got = false;
  }
  return found;
}

void HttpClient::Impl::give_back(const Context& context, std::shared_ptr<Connection> connection) {
  auto& pool = idle[connection->origin];
  connection->idle_since = context.clock().boot_now();
  pool.push_back(std::move(connection));
  if (pool.size() > idle_connections_max) pool.pop_front();
}

Result<> HttpClient::Impl::allow(const Origin& origin, const asio::ip::address& address) const {
  const std::string text = address_text(address);
  if (origin.scheme == "http" && !asio::ip::make_address(text).is_loopback())
    return Error{Errc::Denied, "plain HTTP is for loopback addresses only"};
  if (address_allowed && !address_allowed(text)) return Error{Errc::Denied, "the server's address is not allowed"};
  return ok();
}

// One address: TCP, then TLS with the host's name verified.
Task<> HttpClient::Impl::connect_to(Self self, Context context, std::shared_ptr<Connection> connection, tcp::endpoint peer) {
  Stream& stream = connection->stream;
  const StreamLimit limit(context.clock(), context.remaining().value_or(connect_time_max), stream);
  error_code ec = co_await stream.connect(peer);
  if (ec) co_return not_sent(ec);
  connection->address = address_text(peer.address());
  if (!stream.is_tls()) co_return ok();
  if (!expect_host(stream.ssl(), connection->origin.host)) co_return Error{Errc::Invalid, "host name cannot be verified"};
  ec = co_await stream.handshake(asio::ssl::stream_base::client);
  if (ec) co_return handshake_failed(stream, ec);
  co_return ok();
}

// The first address that answers. Every address is asked for permission before a packet goes to it; one that is refused ends it, since
// a name that leads to both allowed and forbidden places is not to be trusted.
Task<std::shared_ptr<Connection>> HttpClient::Impl::connect(Self self, Context context, Origin origin) {
  const Result<std::vector<tcp::endpoint>> peers = co_await resolve(context, origin.host, origin.port);
  if (!peers) co_return peers.error();
  for (const tcp::endpoint& peer : *peers) {
    const Result<> allowed = self->allow(origin, peer.address());
    if (!allowed) co_return allowed.error();
  }
  Error last{Errc::Unavailable, "no connection before the deadline"};
  std::size_t left = peers->size();
  for (const tcp::endpoint& peer : *peers) {
    const auto remaining = context.remaining();
    if (remaining && *remaining == Duration(0)) co_return last;
    const Duration share = remaining ? *remaining / static_cast<int>(left) : connect_time_max;
    --left;
    auto made = std::make_shared<Connection>(self->executor, origin, origin.scheme == "https" ? self->trust : nullptr);
    const Context bounded = context.with_timeout(std::min(share, connect_time_max));
    const Result<> connected = co_await connect_to(self, bounded, made, peer);
    if (connected) co_return made;
    last = connected.error();
    if (last.code == Errc::Cancelled) co_return last;
  }
  co_return last;
}

Task<HttpReply> HttpClient::Impl::attempt(Self self, Context context, Origin origin, std::shared_ptr<const HttpRequest> request,
                                          std::shared_ptr<const Streaming> streaming) {
  std::shared_ptr<Connection> connection = self->take_idle(context, origin);
  for (;;) {
    if (!connection) {
      Result<std::shared_ptr<Connection>> made = co_await connect(self, context, origin);
      if (!made) co_return made.error();
      connection = *std::move(made);
    }
    Exchange exchange(context, connection, *request, streaming.get());
    Result<HttpReply> reply = co_await exchange.run();
    const bool untouched = !reply && !connection->sent;
    if (exchange.reusable() || untouched) self->give_back(context, connection);
    if (reply || !exchange.was_stale() || !is_safe(request->method)) co_return reply;
    connection = nullptr;
  }
}

Task<HttpReply> HttpClient::Impl::perform(Self self, Context context, Origin origin, HttpRequest request,
                                          std::shared_ptr<const Streaming> streaming) {
  const Result<> sound = check(origin, request);
  if (!sound) co_return sound.error();
  if (origin.scheme == "https" && !self->trust) co_return Error{Errc::Invalid, "client has no TLS settings"};
  if (context.expired()) co_return Error{Errc::Unavailable, "the deadline passed before the request was sent"};
  // A cancellation shall end as an error that says whether something was sent, not as an exception from the next wait.
  const bool throwing = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto shared = std::make_shared<const HttpRequest>(std::move(request));
  // What stands when the arena is full: cautious, since that may be before or after the request was sent.
  Result<HttpReply> reply = Error{Errc::OutcomeUnknown, "memory for secrets is exhausted"};
  std::exception_ptr thrown;  // by the receiver of a stream
  try {
    reply = co_await attempt(self, context, origin, shared, streaming);
  } catch (const std::bad_alloc&) {
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(throwing);
  if (thrown) std::rethrow_exception(thrown);
  co_return reply;
}

HttpClient::HttpClient(asio::any_io_executor executor, std::shared_ptr<asio::ssl::context> trust) : impl_(std::make_shared<Impl>()) {
  impl_->executor = std::move(executor);
  impl_->trust = std::move(trust);
}

HttpClient::~HttpClient() { close_idle(); }

Task<HttpReply> HttpClient::send(Context context, Origin origin, HttpRequest request) {
  return Impl::perform(impl_, std::move(context), std::move(origin), std::move(request), nullptr);
}

Task<HttpReply> HttpClient::stream(Context context, Origin origin, HttpRequest request, Duration idle,
                                   std::function<bool(std::string_view)> on_bytes) {
  auto streaming = std::make_shared<const Streaming>(Streaming{idle, std::move(on_bytes)});
  return Impl::perform(impl_, std::move(context), std::move(origin), std::move(request), std::move(streaming));
}

void HttpClient::set_address_filter(AddressFilter filter) { impl_->address_allowed = std::move(filter); }

std::size_t HttpClient::idle_connections() const noexcept {
  std::size_t count = 0;
  for (const auto& [origin, pool] : impl_->idle) count += pool.size();
  return count;
}

void HttpClient::close_idle() noexcept { impl_->idle.clear(); }

}  // namespace keyturn::net
