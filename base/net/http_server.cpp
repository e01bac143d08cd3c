#include "base/net/http_server.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/status.hpp>
#include <optional>
#include <set>

#include "base/event.h"
#include "base/log.h"
#include "base/net/http_parser.h"
#include "base/net/input_buffer.h"
#include "base/net/stream.h"
#include "base/task_group.h"

namespace keyturn::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr Duration finish_time_max = std::chrono::seconds(2);               // for the peer to take the last reply and close
constexpr Duration stop_time_max = std::chrono::seconds(5);                 // for handlers to notice that they are cancelled
constexpr Duration accept_retry_interval = std::chrono::milliseconds(100);  // when the process is out of descriptors

std::string_view reason_of(int status) {
  const auto text = http::obsolete_reason(static_cast<http::status>(status));
  return {text.data(), text.size()};
}

bool has_no_body(int status) { return status / 100 == 1 || status == 204 || status == 304; }

std::string status_line(int status) { return "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_of(status)) + "\r\n"; }

std::string lines_of(const Headers& headers) {
  std::string lines;
  for (const auto& [name, value] : headers.fields()) {
    if (!is_framing_header(name)) lines += name + ": " + value + "\r\n";
  }
  return lines;
}

std::string chunk_of(std::string_view bytes) {
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string size;
  for (std::size_t rest = bytes.size(); rest != 0; rest >>= 4) size.insert(size.begin(), hex[rest & 15]);
  return size + "\r\n" + std::string(bytes) + "\r\n";
}

// All values of one kind of entry in a certificate's subject.
std::vector<std::string> subject_entries(X509* certificate, int kind) {
  std::vector<std::string> values;
  X509_NAME* subject = X509_get_subject_name(certificate);
  for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, kind, i)) >= 0;) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
    if (size < 0) continue;
    values.emplace_back(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
  }
  return values;
}

}  // namespace

class HttpConnection;

struct HttpServer::Impl {
  Impl(asio::any_io_executor on, Clock& with, HttpServerOptions chosen, std::shared_ptr<asio::ssl::context> secured, HttpHandler handle)
      : executor(std::move(on)),
        clock(with),
        options(std::move(chosen)),
        tls(std::move(secured)),
        handler(std::move(handle)),
        acceptor(executor),
        drained(executor),
        tasks(executor) {}

  asio::any_io_executor executor;
  Clock& clock;
  HttpServerOptions options;
  std::shared_ptr<asio::ssl::context> tls;
  HttpHandler handler;
  tcp::acceptor acceptor;
  std::set<HttpConnection*> connections;
  bool stopping = false;
  Event drained;
  TaskGroup tasks;

  static Awaitable<> accept(std::shared_ptr<Impl> self);
  Result<> listen();
  void close_listener();
  void left(HttpConnection* connection);
};

// One accepted connection and its requests, one after the other.
class HttpConnection {
 public:
  HttpConnection(std::shared_ptr<HttpServer::Impl> server, tcp::socket socket)
      : server_(std::move(server)), stream_(std::move(socket), server_->tls), input_(false) {
    server_->connections.insert(this);
  }
  ~HttpConnection() { server_->left(this); }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  Awaitable<> run();
  // The server stops: an idle connection ends at once, a busy one after its reply.
  void hurry() noexcept {
    if (idle_) stream_.close();
  }
  void close() noexcept { stream_.close(); }

  Awaitable<bool> write(std::string_view bytes);
  bool peer_gone() noexcept { return server_->stopping || stream_.peer_closed(); }
  bool will_close() const noexcept { return closing_ || server_->stopping; }
  void close_after_reply() noexcept { closing_ = true; }

 private:
  enum class Step { Ready, Closed, Refused };

  Awaitable<bool> open();
  Awaitable<bool> wait_for_request();
  Awaitable<Step> read_request();
  Step parse_unread();
  Step refuse(int status);
  bool is_acceptable() const;
  bool wants_continue() const;
  Awaitable<> refuse_now();
  Awaitable<bool> answer();
  Awaitable<> finish();

  std::shared_ptr<HttpServer::Impl> server_;
  Stream stream_;
  InputBuffer input_;
  Peer peer_;
  std::unique_ptr<RequestParser> parser_;
  std::string body_;
  int refused_with_ = 0;
  bool idle_ = true;
  bool closing_ = false;
  bool served_ = false;  // a request was answered
};

namespace {

class ConnectionReply final : public ReplyWriter {
 public:
  ConnectionReply(HttpConnection& connection, bool head_only, bool http10)
      : connection_(connection), head_only_(head_only), http10_(http10) {}

  Awaitable<bool> send(HttpReply reply) override;
  Awaitable<bool> begin(int status, Headers headers) override;
  Awaitable<bool> write(std::string_view chunk) override;
  bool begun() const noexcept override { return state_ != State::Nothing; }
  bool peer_gone() noexcept override { return connection_.peer_gone(); }
  void drop() noexcept override {
    state_ = State::Dropped;
    connection_.close();
  }

  // After the handler: completes a chunked reply, answers for a handler that did not. False = the connection is of no more use.
  Awaitable<bool> end();
  // The handler failed in the middle of a reply: the peer must see that it is incomplete.
  void fail() noexcept {
    if (begun()) drop();
  }

 private:
  enum class State { Nothing, Chunked, Complete, Dropped };

  std::string connection_line() const { return connection_.will_close() ? "Connection: close\r\n" : ""; }

  HttpConnection& connection_;
  bool head_only_;
  bool http10_;
  bool healthy_ = true;
  State state_ = State::Nothing;
};

Awaitable<bool> ConnectionReply::send(HttpReply reply) {
  if (begun()) co_return false;
  const bool sound = reply.headers.well_formed() && reply.status >= 200 && reply.status <= 999;
  if (!sound) {
    log::error("a handler made a malformed reply");
    reply = HttpReply{.status = 500, .headers = {}, .body = {}, .secret_body = {}};
  }
  state_ = State::Complete;
  const std::size_t length = reply.secret_body.empty() ? reply.body.size() : reply.secret_body.size();
  const bool bodiless = has_no_body(reply.status);
  std::string text = status_line(reply.status) + lines_of(reply.headers) + connection_line();
  if (!bodiless) text += "Content-Length: " + std::to_string(length) + "\r\n";
  text += "\r\n";
  const bool with_body = !bodiless && !head_only_;
  if (with_body && reply.secret_body.empty()) text += reply.body;
  healthy_ = co_await connection_.write(text);
  if (healthy_ && with_body && !reply.secret_body.empty()) {
    auto written = reply.secret_body.expose([this](std::string_view bytes) { return connection_.write(bytes); });
    healthy_ = co_await std::move(written);
  }
  co_return healthy_;
}

Awaitable<bool> ConnectionReply::begin(int status, Headers headers) {
  if (begun() || !headers.well_formed()) co_return false;
  state_ = State::Chunked;
  // HTTP/1.0 has no chunks: there the end of the connection ends the body.
  if (http10_) connection_.close_after_reply();
  const std::string framing = http10_ ? "" : "Transfer-Encoding: chunked\r\n";
  const std::string text = status_line(status) + lines_of(headers) + framing + connection_line() + "\r\n";
  healthy_ = co_await connection_.write(text);
  co_return healthy_;
}

Awaitable<bool> ConnectionReply::write(std::string_view chunk) {
  if (state_ != State::Chunked || !healthy_) co_return false;
  if (chunk.empty() || head_only_) co_return true;  // an empty chunk would end the body
  const std::string text = http10_ ? std::string(chunk) : chunk_of(chunk);
  healthy_ = co_await connection_.write(text);
  co_return healthy_;
}

Awaitable<bool> ConnectionReply::end() {
  if (state_ == State::Nothing) {
    HttpReply nothing{.status = 500, .headers = {}, .body = {}, .secret_body = {}};
    co_return co_await send(std::move(nothing));
  }
  const bool terminated = state_ == State::Chunked && !http10_ && !head_only_;
  if (terminated && healthy_) healthy_ = co_await connection_.write("0\r\n\r\n");
  co_return healthy_&& state_ != State::Dropped;
}

}  // namespace

Awaitable<bool> HttpConnection::write(std::string_view bytes) {
  const StreamLimit limit(server_->clock, server_->options.write_timeout, stream_);
  const error_code ec = co_await stream_.write(bytes);
  co_return !ec;
}

Awaitable<> HttpConnection::run() {
  co_await asio::this_coro::throw_if_cancelled(false);  // every wait below reports a cancellation as an error of its own
  bool usable = co_await open();
  while (usable) {
    usable = co_await wait_for_request();
    if (!usable) break;
    const Step step = co_await read_request();
    if (step == Step::Refused) co_await refuse_now();
    if (step != Step::Ready) break;
    usable = co_await answer();
  }
  co_await finish();
}

Awaitable<bool> HttpConnection::open() {
  error_code ec;
  peer_.address = stream_.socket().remote_endpoint(ec).address().to_string();
  if (ec) co_return false;
  if (!stream_.is_tls()) co_return true;
  const StreamLimit limit(server_->clock, server_->options.head_timeout, stream_);
  ec = co_await stream_.handshake(asio::ssl::stream_base::server);
  if (ec) co_return false;
  // A certificate that was sent has been verified: the handshake fails otherwise.
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(stream_.ssl()), X509_free);
  if (certificate) {
    const auto names = subject_entries(certificate.get(), NID_commonName);
    if (!names.empty()) peer_.certificate_common_name = names.front();
    peer_.certificate_organizations = subject_entries(certificate.get(), NID_organizationName);
  }
  co_return true;
}

Awaitable<bool> HttpConnection::wait_for_request() {
  if (server_->stopping) co_return false;
  if (!input_.unread().empty()) co_return true;  // the peer did not wait for the reply
  idle_ = true;
  // Who has asked nothing yet is not given the patience for those who come back.
  const Duration patience = served_ ? server_->options.idle_timeout : server_->options.head_timeout;
  const StreamLimit limit(server_->clock, patience, stream_);
  const Stream::Read read = co_await stream_.read_some(input_.prepare());
  idle_ = false;
  input_.commit(read.bytes);
  co_return read.bytes != 0;
}

HttpConnection::Step HttpConnection::refuse(int status) {
  refused_with_ = status;
  return Step::Refused;
}

// What Beast's parser lets pass but RFC 9112 (3.2, 3.2.1) forbids.
bool HttpConnection::is_acceptable() const {
  const auto& fields = parser_->headers.fields();
  const auto hosts = std::ranges::count_if(fields, [](const auto& field) {
    const Headers one{{field.first, field.second}};
    return one.find("Host").has_value();
  });
  const bool host_ok = hosts == 1 || (hosts == 0 && parser_->version == 10);
  return host_ok && (parser_->target.starts_with('/') || parser_->target == "*");
}

bool HttpConnection::wants_continue() const {
  return parser_->is_header_done() && !parser_->is_done() && body_.empty() && parser_->version == 11 &&
         parser_->headers.find("Expect").has_value();
}

// Ready once the message is complete, Closed while more is needed.
HttpConnection::Step HttpConnection::parse_unread() {
  while (!input_.unread().empty() && !parser_->is_done()) {
    error_code ec;
    const std::string_view unread = input_.unread();
    input_.consume(parser_->put(asio::buffer(unread.data(), unread.size()), ec));
    if (ec == http::error::need_more) break;
    if (ec == http::error::body_limit) return refuse(413);
    if (ec == http::error::header_limit) return refuse(431);
    if (ec) return refuse(400);
  }
  if (parser_->is_header_done()) {
    if (!is_acceptable()) return refuse(400);
    const auto length = parser_->content_length();
    if (length && *length > server_->options.body_bytes_max) return refuse(413);
  }
  return parser_->is_done() ? Step::Ready : Step::Closed;
}

Awaitable<HttpConnection::Step> HttpConnection::read_request() {
  const StreamLimit limit(server_->clock, server_->options.head_timeout, stream_);
  body_.clear();
  parser_ = std::make_unique<RequestParser>([this](std::string_view bytes) {
    if (bytes.size() > server_->options.body_bytes_max - body_.size()) return false;
    body_ += bytes;
    return true;
  });
  bool continued = false;
  for (;;) {
    const Step step = parse_unread();
    if (step != Step::Closed) co_return step;
    if (!continued && wants_continue()) {
      continued = true;
      const error_code unwritten = co_await stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (unwritten) co_return Step::Closed;
    }
    const Stream::Read read = co_await stream_.read_some(input_.prepare());
    if (read.bytes == 0) co_return Step::Closed;
    input_.commit(read.bytes);
  }
}

Awaitable<> HttpConnection::refuse_now() {
  closing_ = true;
  ConnectionReply writer(*this, false, false);
  HttpReply reply{.status = refused_with_, .headers = {}, .body = {}, .secret_body = {}};
  co_await writer.send(std::move(reply));
}

Awaitable<bool> HttpConnection::answer() {
  closing_ = !parser_->keep_alive();
  HttpRequest request;
  request.method = std::move(parser_->method);
  request.target = std::move(parser_->target);
  request.headers = std::move(parser_->headers);
  request.body = std::move(body_);
  ConnectionReply writer(*this, request.method == "HEAD", parser_->version == 10);
  Peer peer = peer_;
  // Inside the handler a cancellation behaves as everywhere: it ends the handler by an exception.
  co_await asio::this_coro::throw_if_cancelled(true);
  bool failed = false;
  try {
    co_await server_->handler(std::move(request), std::move(peer), writer);
  } catch (const boost::system::system_error& error) {
    failed = true;
    if (error.code() != asio::error::operation_aborted) log::error("an HTTP handler failed", {{"error", error.code().message()}});
  } catch (const std::exception& error) {
    failed = true;
    log::error("an HTTP handler failed", {{"type", typeid(error).name()}});
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  if (failed) writer.fail();
  const bool healthy = co_await writer.end();
  served_ = true;
  co_return healthy && !will_close();
}

Awaitable<> HttpConnection::finish() {
  const StreamLimit limit(server_->clock, finish_time_max, stream_);
  idle_ = true;
  co_await stream_.finish();
  stream_.close();
}

void HttpServer::Impl::left(HttpConnection* connection) {
  connections.erase(connection);
  if (stopping && connections.empty()) drained.set();
}

void HttpServer::Impl::close_listener() {
  error_code ignored;  // a listener that cannot be closed is closed with the process
  acceptor.close(ignored);
}

Result<> HttpServer::Impl::listen() {
  error_code ec;
  const asio::ip::address address = asio::ip::make_address(options.address, ec);
  if (ec) return Error{Errc::Invalid, "listen address is not an IP address"};
  if (!tls && !address.is_loopback()) return Error{Errc::Invalid, "plain HTTP is served on a loopback address only"};
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) return ok();
  close_listener();
  if (ec == asio::error::address_in_use) return Error{Errc::Conflict, "the port is in use"};
  if (ec == asio::error::access_denied) return Error{Errc::Denied, "the port may not be used"};
  return Error{Errc::Invalid, "cannot listen: " + ec.message()};
}

Awaitable<> HttpServer::Impl::accept(std::shared_ptr<Impl> self) {
  while (!self->stopping) {
    error_code ec;
    tcp::socket socket(self->executor);
    co_await self->acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, ec));
    if (self->stopping) co_return;
    if (ec) {
      co_await self->clock.sleep_for(accept_retry_interval);
      continue;
    }
    if (self->connections.size() >= self->options.connections_max) continue;  // closes it: better refused than kept waiting
    error_code ignored;                                                       // a matter of speed only
    socket.set_option(tcp::no_delay(true), ignored);
    auto connection = std::make_shared<HttpConnection>(self, std::move(socket));
    self->tasks.spawn("http connection", [connection] { return connection->run(); });
  }
}

HttpServer::HttpServer(asio::any_io_executor executor, Clock& clock, HttpServerOptions options, std::shared_ptr<asio::ssl::context> tls,
                       HttpHandler handler)
    : impl_(std::make_shared<Impl>(std::move(executor), clock, std::move(options), std::move(tls), std::move(handler))) {}

HttpServer::~HttpServer() {
  impl_->stopping = true;
  impl_->close_listener();
  for (HttpConnection* connection : impl_->connections) connection->close();
  impl_->tasks.request_stop();
}

Result<> HttpServer::start() {
  if (auto listening = impl_->listen(); !listening) return listening;
  impl_->tasks.spawn("http listener", [self = impl_] { return Impl::accept(self); });
  return ok();
}

std::uint16_t HttpServer::port() const noexcept {
  error_code ec;
  return impl_->acceptor.local_endpoint(ec).port();
}

Awaitable<> HttpServer::stop(Duration grace) {
  const auto self = impl_;
  self->stopping = true;
  self->close_listener();
  for (HttpConnection* connection : self->connections) connection->hurry();
  if (self->connections.empty()) self->drained.set();
  co_await self->drained.wait(self->clock, grace);
  for (HttpConnection* connection : self->connections) connection->close();
  const std::size_t left = co_await self->tasks.stop(self->clock, stop_time_max);
  if (left != 0) log::warn("http handlers did not stop", {{"count", left}});
}

}  // namespace keyturn::net
