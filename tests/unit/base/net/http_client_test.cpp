#include "base/net/http_client.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <set>

#include "tests/support/run_loop.h"
#include "tests/unit/base/net/echo_server.h"
#include "tests/unit/base/net/raw_peer.h"

namespace keyturn::net {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Then = RawServer::Script::Then;

std::shared_ptr<const Secret> shared_secret(std::string_view text) { return std::make_shared<const Secret>(Secret::copy_of(text)); }

std::string text_of(const Secret& secret) {
  return secret.expose([](std::string_view bytes) { return std::string(bytes); });
}

HttpRequest get(std::string target) { return {.method = "GET", .target = std::move(target)}; }
HttpRequest post(std::string target, std::string body) { return {.method = "POST", .target = std::move(target), .body = std::move(body)}; }

// Time stands still unless a test moves it; sockets run in real time beside it.
class HttpClients : public testing::Test {
 protected:
  HttpClients() { static_cast<void>(server_.start().value()); }
  ~HttpClients() override {
    client_.close_idle();
    SystemClock real(io_.get_executor());
    auto stopped = start(io_, server_.server().stop(0ms));
    run_until_passing(io_, clock_, 1s, [&] { return stopped.done(); });
  }

  Result<HttpReply> send(HttpRequest request) { return run(io_, client_.send(context_, server_.origin(), std::move(request))); }
  Result<HttpReply> send_to(const RawServer& server, HttpRequest request) {
    return run(io_, client_.send(context_, server.origin(), std::move(request)));
  }

  asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  Context context_{clock_, "test"};
  EchoServer server_{io_, clock_, {}, test_server_context()};
  HttpClient client_{io_.get_executor(), test_client_context()};
};

std::string reply_with(std::string_view head, std::string_view body = "") { return std::string(head) + "\r\n\r\n" + std::string(body); }
const std::string plain_reply = reply_with("HTTP/1.1 200 OK\r\nContent-Length: 5", "hello");

TEST_F(HttpClients, SendARequestAndReadTheReply) {
  HttpRequest request = post("/echo", "some text");
  request.headers.add("X-Custom", "1");
  const auto reply = send(std::move(request));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "some text");
  EXPECT_EQ(reply->headers.find("x-method"), "POST");
  ASSERT_EQ(server_.requests.size(), 1U);
  EXPECT_EQ(server_.requests[0].headers.find("X-Custom"), "1");
  EXPECT_EQ(server_.requests[0].headers.find("Host"), server_.origin().authority());
  EXPECT_EQ(server_.requests[0].headers.find("Content-Length"), "9");
}

TEST_F(HttpClients, KeepTheConnection) {
  RawServer server(io_, {{.pieces = {plain_reply}}, {.pieces = {plain_reply}}, {.pieces = {plain_reply}}});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send_to(server, get("/")));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(client_.idle_connections(), 1U);
}

TEST_F(HttpClients, OpenAnotherConnectionForASecondRequestAtTheSameTime) {
  auto first = start(io_, client_.send(context_, server_.origin(), get("/wait")));
  auto second = start(io_, client_.send(context_, server_.origin(), get("/wait")));
  run_until(io_, [&] { return server_.requests.size() == 2; });
  server_.release();
  run_until(io_, [&] { return first.done() && second.done(); });
  EXPECT_TRUE(first.take());
  EXPECT_TRUE(second.take());
  EXPECT_EQ(client_.idle_connections(), 2U);
  client_.close_idle();
  EXPECT_EQ(client_.idle_connections(), 0U);
}

TEST_F(HttpClients, KeepNoMoreIdleConnectionsThanTheLimit) {
  std::vector<Started<Result<HttpReply>>> started;
  const std::size_t count = HttpClient::idle_connections_max + 3;
  for (std::size_t i = 0; i < count; ++i) started.push_back(start(io_, client_.send(context_, server_.origin(), get("/wait"))));
  run_until(io_, [&] { return server_.requests.size() == count; });
  server_.release();
  for (auto& one : started) run_until(io_, [&] { return one.done(); });
  EXPECT_EQ(client_.idle_connections(), HttpClient::idle_connections_max);
}

TEST_F(HttpClients, DoNotKeepAConnectionThatTheServerWillClose) {
  RawServer server(io_, {{.pieces = {reply_with("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0")}}});
  EXPECT_TRUE(send_to(server, get("/")));
  EXPECT_EQ(client_.idle_connections(), 0U);
}

TEST_F(HttpClients, DoNotKeepAConnectionWithBytesThatNobodyAskedFor) {
  RawServer server(io_, {{.pieces = {plain_reply + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"}}});
  EXPECT_TRUE(send_to(server, get("/")));
  EXPECT_EQ(client_.idle_connections(), 0U);
}

TEST_F(HttpClients, DoNotReuseAConnectionThatWasIdleForLong) {
  RawServer server(io_, {{.pieces = {plain_reply}}, {.pieces = {plain_reply}}});
  EXPECT_TRUE(send_to(server, get("/")));
  clock_.advance(31s);
  EXPECT_TRUE(send_to(server, get("/")));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpClients, DoNotReuseAConnectionThatTheServerClosed) {
  RawServer server(io_, {{.pieces = {plain_reply}, .then = Then::Close}, {.pieces = {plain_reply}}});
  EXPECT_TRUE(send_to(server, get("/")));
  run_ready(io_);
  EXPECT_TRUE(send_to(server, post("/", "x")));
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.requests().size(), 2U);
}

// The server closes while the request is on its way, which no check beforehand can notice.
TEST_F(HttpClients, RepeatAGetOnceWhenAKeptConnectionProvesStale) {
  RawServer server(io_, {{.pieces = {plain_reply}}, {.pieces = {}, .then = Then::Close}, {.pieces = {plain_reply}}});
  EXPECT_TRUE(send_to(server, get("/1")));
  const auto reply = send_to(server, get("/2"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body, "hello");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(HttpClients, NeverRepeatAWrite) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    RawServer server(io_, {{.pieces = {plain_reply}}, {.pieces = {}, .then = Then::Close}, {.pieces = {plain_reply}}});
    EXPECT_TRUE(send_to(server, get("/1")));
    const auto reply = send_to(server, {.method = method, .target = "/2"});
    ASSERT_FALSE(reply) << method;
    EXPECT_EQ(reply.error().code, Errc::OutcomeUnknown);
    EXPECT_EQ(server.requests().size(), 2U);
  }
}

TEST_F(HttpClients, DoNotRepeatAGetOnAFreshConnection) {
  RawServer server(io_, {{.pieces = {}, .then = Then::Close}, {.pieces = {plain_reply}}});
  const auto reply = send_to(server, get("/"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClients, DoNotRepeatAGetWhoseReplyHadBegun) {
  RawServer server(io_, {{.pieces = {plain_reply}}, {.pieces = {"HTTP/1.1 "}, .then = Then::Close}, {.pieces = {plain_reply}}});
  EXPECT_TRUE(send_to(server, get("/1")));
  const auto reply = send_to(server, get("/2"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::OutcomeUnknown);
}

TEST_F(HttpClients, SendCredentials) {
  HttpRequest request = get("/echo");
  request.bearer = shared_secret("tok.en");
  EXPECT_TRUE(send(std::move(request)));
  EXPECT_EQ(server_.requests[0].headers.find("Authorization"), "Bearer tok.en");
  request = get("/echo");
  request.basic = shared_secret("Aladdin:open sesame");  // RFC 7617, section 2
  EXPECT_TRUE(send(std::move(request)));
  EXPECT_EQ(server_.requests[1].headers.find("Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST_F(HttpClients, SendASecretBodyAndReadASecretReply) {
  HttpRequest request = post("/echo", "");
  request.secret_body = shared_secret("s3cret");
  request.secret_reply = true;
  const auto reply = send(std::move(request));
  ASSERT_TRUE(reply);
  EXPECT_EQ(server_.requests[0].body, "s3cret");
  EXPECT_EQ(text_of(reply->secret_body), "s3cret");
  EXPECT_TRUE(reply->body.empty());
}

TEST_F(HttpClients, SayThatNothingWasSentWhenNobodyListens) {
  tcp::acceptor closed(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const Origin origin{.scheme = "https", .host = "127.0.0.1", .port = closed.local_endpoint().port()};
  closed.close();
  const auto reply = run(io_, client_.send(context_, origin, post("/", "x")));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::Unavailable);
  EXPECT_EQ(reply.error().message, "cannot connect: Connection refused");
}

TEST_F(HttpClients, SayThatNothingWasSentWhenTheNameDoesNotExist) {
  const Origin origin{.scheme = "https", .host = "nowhere.invalid", .port = 443};
  const auto reply = run(io_, client_.send(context_, origin, post("/", "x")));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::Unavailable);
}

TEST_F(HttpClients, FindTheServerByName) {
  Origin origin = server_.origin();
  origin.host = "localhost";
  const auto reply = run(io_, client_.send(context_, origin, get("/echo")));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(server_.requests[0].headers.find("Host"), origin.authority());
}

TEST_F(HttpClients, RefuseAServerOfAnotherAuthority) {
  const auto other = generate_tls("Somebody else", {"127.0.0.1"}).value();
  HttpClient stranger(io_.get_executor(), client_context({.ca_pem = other.ca_pem}).value());
  const auto reply = run(io_, stranger.send(context_, server_.origin(), post("/echo", "x")));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::Unavailable);
  EXPECT_TRUE(reply.error().message.starts_with("server certificate is not trusted: ")) << reply.error().message;
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(HttpClients, RefuseACertificateForAnotherName) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto identity = issue_server_certificate(test_tls().ca_pem, test_tls().ca_key_pem, {"other.example.com", "10.0.0.1"}).value();
    RawServer server(io_, {{.pieces = {plain_reply}}}, server_context(identity).value());
    Origin origin = server.origin();
    origin.host = host;
    const auto reply = run(io_, client_.send(context_, origin, post("/", "x")));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::Unavailable);
    EXPECT_NE(reply.error().message.find("mismatch"), std::string::npos) << reply.error().message;
    EXPECT_TRUE(server.requests().empty());
  }
}

TEST_F(HttpClients, SayWhenThePeerDoesNotSpeakTls) {
  RawServer server(io_, {{.pieces = {"220 mail ready\r\n"}}});
  Origin origin = server.origin();
  origin.scheme = "https";
  auto pending = start(io_, client_.send(context_.with_timeout(5s), origin, post("/", "x")));
  run_until(io_, [&] { return server.connections() == 1; });
  run_ready(io_);
  clock_.advance(5s);
  run_until(io_, [&] { return pending.done(); });
  const auto reply = pending.take();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::Unavailable);
}

TEST_F(HttpClients, DoNotKnowTheOutcomeWhenNoReplyComesInTime) {
  auto pending = start(io_, client_.send(context_.with_timeout(10s), server_.origin(), post("/silent", "x")));
  run_until(io_, [&] { return server_.requests.size() == 1; });
  clock_.advance(9999ms);
  run_ready(io_);
  EXPECT_FALSE(pending.done());
  clock_.advance(1ms);
  run_until(io_, [&] { return pending.done(); });
  const auto reply = pending.take();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(reply.error().message, "no complete reply in time");
  EXPECT_EQ(client_.idle_connections(), 0U);
}

TEST_F(HttpClients, DoNotRepeatAGetThatTimedOut) {
  RawServer server(io_, {{.pieces = {plain_reply}}});
  EXPECT_TRUE(send_to(server, get("/1")));
  auto pending = start(io_, client_.send(context_.with_timeout(10s), server.origin(), get("/2")));
  run_until(io_, [&] { return server.requests().size() == 2; });
  clock_.advance(10s);
  run_until(io_, [&] { return pending.done(); });
  EXPECT_EQ(pending.take().error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClients, SendNothingAfterTheDeadline) {
  const auto reply = run(io_, client_.send(context_.with_timeout(0s), server_.origin(), post("/echo", "x")));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::Unavailable);
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(HttpClients, SendNoByteAfterTheSendDeadline) {
  RawServer server(io_, {{.pieces = {plain_reply}}, {.pieces = {plain_reply}}});
  EXPECT_TRUE(send_to(server, get("/before")));
  const Context late = context_.sending_within(5s);
  clock_.advance(5s);
  for (const bool fresh : {false, true}) {
    if (fresh) client_.close_idle();
    const auto reply = run(io_, client_.send(late, server.origin(), post("/late", "x")));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::Unavailable);
    EXPECT_EQ(reply.error().message, "the send deadline passed");
  }
  // The connection is as good as before; the next request on it shows that nothing of the refused ones was written.
  EXPECT_TRUE(send_to(server, get("/after")));
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_TRUE(server.requests()[1].starts_with("GET /after "));
}

TEST_F(HttpClients, RefuseReplyBodiesOverTheLimit) {
  const std::string chunked = reply_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
  const std::string to_end = reply_with("HTTP/1.1 200 OK", "hello!");
  const std::string counted = reply_with("HTTP/1.1 200 OK\r\nContent-Length: 6", "hello!");
  for (const std::string& text : {chunked, to_end, counted}) {
    for (const bool secret : {false, true}) {
      RawServer server(io_, {{.pieces = {text}, .then = Then::Close}, {.pieces = {text}, .then = Then::Close}});
      HttpRequest request = get("/");
      request.secret_reply = secret;
      request.reply_bytes_max = 6;
      const auto enough = send_to(server, request);
      ASSERT_TRUE(enough) << enough.error().message;
      EXPECT_EQ(secret ? text_of(enough->secret_body) : enough->body, "hello!");
      request.reply_bytes_max = 5;
      const auto over = send_to(server, request);
      ASSERT_FALSE(over);
      EXPECT_EQ(over.error().code, Errc::Invalid);
      EXPECT_EQ(over.error().message, "reply is too large");
    }
  }
}

TEST_F(HttpClients, RefuseAHeadOverTheLimit) {
  RawServer server(io_, {{.pieces = {"HTTP/1.1 200 OK\r\nX-Long: " + std::string(200'000, 'x') + "\r\n\r\n"}}});
  const auto reply = send_to(server, get("/"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::Invalid);
}

TEST_F(HttpClients, TakeALargeHeadWithinTheLimit) {
  RawServer server(io_, {{.pieces = {"HTTP/1.1 200 OK\r\nX-Long: " + std::string(40'000, 'x') + "\r\nContent-Length: 2\r\n\r\nok"}}});
  const auto reply = send_to(server, get("/"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->headers.find("X-Long")->size(), 40'000U);
}

TEST_F(HttpClients, ReadAReplySplitAnywhere) {
  const std::string text = reply_with("HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked",
                                      "5\r\nhello\r\n2;x=y\r\n, \r\n5\r\nworld\r\n0\r\nX-T: 1\r\n\r\n");
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    RawServer server(io_, {{.pieces = {text.substr(0, cut), text.substr(cut)}}});
    const auto reply = send_to(server, get("/"));
    ASSERT_TRUE(reply) << cut << ": " << reply.error().message;
    ASSERT_EQ(reply->body, "hello, world") << cut;
    ASSERT_EQ(reply->headers.fields().size(), 2U) << cut;  // trailers are dropped
  }
}

TEST_F(HttpClients, ReadALargeReply) {
  const std::string body(3'000'000, 'x');
  const auto reply = send(post("/echo", body));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body, body);
}

TEST_F(HttpClients, NeverFollowARedirect) {
  const auto reply = send(get("/status/302"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 302);
  EXPECT_EQ(server_.requests.size(), 1U);
}

TEST_F(HttpClients, TakeAnyStatusAsAReply) {
  for (const int status : {200, 204, 304, 400, 404, 429, 500, 503}) {
    const auto reply = send(get("/status/" + std::to_string(status)));
    ASSERT_TRUE(reply) << status;
    EXPECT_EQ(reply->status, status);
  }
  EXPECT_EQ(client_.idle_connections(), 1U);
}

TEST_F(HttpClients, ReadNoBodyAfterHead) {
  HttpRequest request = get("/echo");
  request.method = "HEAD";
  for (int i = 0; i < 2; ++i) {
    const auto reply = send(request);
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->body.empty());
  }
  EXPECT_EQ(client_.idle_connections(), 1U);
}

TEST_F(HttpClients, PassOverInterimReplies) {
  RawServer server(io_, {{.pieces = {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", plain_reply}}});
  const auto reply = send_to(server, post("/", "x"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->headers.find("Link"), std::nullopt);
}

TEST_F(HttpClients, RefuseInterimRepliesWithoutEndAndOtherProtocols) {
  std::string many;
  for (int i = 0; i < 20; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  for (const std::string& text : {many, std::string("HTTP/1.1 101 Switching Protocols\r\n\r\n")}) {
    RawServer server(io_, {{.pieces = {text}}});
    const auto reply = send_to(server, get("/"));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::Invalid);
  }
}

TEST_F(HttpClients, RefuseWhatIsNotHttp) {
  for (const char* text :
       {"SSH-2.0-x\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    RawServer server(io_, {{.pieces = {text}}});
    const auto reply = send_to(server, post("/", "x"));
    ASSERT_FALSE(reply) << text;
    EXPECT_EQ(reply.error().code, Errc::Invalid) << text;
    EXPECT_EQ(client_.idle_connections(), 0U);
  }
}

TEST_F(HttpClients, DoNotKnowTheOutcomeOfATruncatedReply) {
  for (const char* text : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 200 OK\r\nX-A: ", "H", ""}) {
    RawServer server(io_, {{.pieces = {text}, .then = Then::Close}});
    const auto reply = send_to(server, get("/"));
    ASSERT_FALSE(reply) << text;
    EXPECT_EQ(reply.error().code, Errc::OutcomeUnknown) << text;
  }
}

// Over TLS an end that the server did not announce may be an attacker's.
TEST_F(HttpClients, DoNotTakeACutConnectionForTheEndOfABody) {
  RawServer server(io_, {{.pieces = {"HTTP/1.1 200 OK\r\n\r\nhalf of it"}, .then = Then::Close}}, test_server_context());
  const auto reply = send_to(server, get("/"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::OutcomeUnknown);
}

TEST_F(HttpClients, SendNothingMalformed) {
  HttpRequest request = get("/a\r\nX: y");
  EXPECT_EQ(send(request).error().code, Errc::Invalid);
  request = get("/");
  request.headers.add("X-Bad", "a\r\nb: c");
  EXPECT_EQ(send(request).error().code, Errc::Invalid);
  request = get("/");
  request.bearer = shared_secret("a\r\nX: y");
  EXPECT_EQ(send(request).error().code, Errc::Invalid);
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(HttpClients, IgnoreFramingHeadersOfTheCaller) {
  HttpRequest request = post("/echo", "body");
  request.headers.add("Content-Length", "1");
  request.headers.add("Transfer-Encoding", "chunked");
  request.headers.add("Connection", "close");
  const auto reply = send(request);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "body");
}

TEST_F(HttpClients, SpeakPlainHttpToLoopbackOnly) {
  const auto reply = run(io_, client_.send(context_, {.scheme = "http", .host = "10.0.0.1", .port = 80}, get("/")));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::Denied);
  const auto other = run(io_, client_.send(context_, {.scheme = "ftp", .host = "127.0.0.1", .port = 21}, get("/")));
  EXPECT_EQ(other.error().code, Errc::Invalid);
}

TEST_F(HttpClients, NeverSpeakPlainTextToAnHttpsOrigin) {
  RawServer server(io_, {{.pieces = {plain_reply}}});
  HttpClient plain(io_.get_executor(), nullptr);
  EXPECT_TRUE(run(io_, plain.send(context_, server.origin(), get("/"))));
  Origin secure = server.origin();
  secure.scheme = "https";
  const auto reply = run(io_, plain.send(context_, secure, post("/", "x")));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::Invalid);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpClients, AskForPermissionBeforeConnecting) {
  RawServer server(io_, {{.pieces = {plain_reply}}, {.pieces = {plain_reply}}});
  std::vector<std::string> asked;
  bool allow = false;
  client_.set_address_filter([&](std::string_view address) {
    asked.emplace_back(address);
    return allow;
  });
  const auto refused = send_to(server, get("/"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Denied);
  EXPECT_EQ(asked, (std::vector<std::string>{"127.0.0.1"}));
  EXPECT_EQ(server.connections(), 0);
  allow = true;
  EXPECT_TRUE(send_to(server, get("/")));
  // A connection made while it was allowed is not used once it is not.
  allow = false;
  EXPECT_EQ(send_to(server, get("/")).error().code, Errc::Denied);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpClients, ShowAnIpv4AddressInsideAnIpv6OneAsWhatItIs) {
  std::string asked;
  client_.set_address_filter([&](std::string_view address) {
    asked = address;
    return false;
  });
  const Origin origin{.scheme = "https", .host = "::ffff:169.254.169.254", .port = 443};
  EXPECT_EQ(run(io_, client_.send(context_, origin, get("/"))).error().code, Errc::Denied);
  EXPECT_EQ(asked, "169.254.169.254");
}

struct Outcome {
  bool ended = false;
  Errc code = Errc::Internal;
};

Awaitable<> send_and_note(HttpClient& client, Context context, Origin origin, HttpRequest request, Outcome& outcome) {
  const Result<HttpReply> reply = co_await client.send(std::move(context), std::move(origin), std::move(request));
  outcome.ended = true;
  if (!reply) outcome.code = reply.error().code;
}

TEST_F(HttpClients, DoNotKnowTheOutcomeOfWhatWasCancelledOnTheWay) {
  asio::cancellation_signal signal;
  Outcome outcome;
  asio::co_spawn(io_, send_and_note(client_, context_, server_.origin(), post("/silent", "x"), outcome),
                 asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
  run_until(io_, [&] { return server_.requests.size() == 1; });
  signal.emit(asio::cancellation_type::terminal);
  run_until(io_, [&] { return outcome.ended; });
  EXPECT_EQ(outcome.code, Errc::OutcomeUnknown);
  EXPECT_EQ(client_.idle_connections(), 0U);
}

TEST_F(HttpClients, SayThatNothingWasSentWhenCancelledWhileConnecting) {
  RawServer server(io_, {});
  Origin origin = server.origin();
  origin.scheme = "https";  // the server never answers the handshake
  asio::cancellation_signal signal;
  Outcome outcome;
  asio::co_spawn(io_, send_and_note(client_, context_, origin, post("/", "x"), outcome),
                 asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
  run_until(io_, [&] { return server.connections() == 1; });
  signal.emit(asio::cancellation_type::terminal);
  run_until(io_, [&] { return outcome.ended; });
  EXPECT_EQ(outcome.code, Errc::Cancelled);
}

TEST_F(HttpClients, ReportAFullArenaAsAnError) {
  std::vector<Secret> held;
  HttpRequest request = post("/echo", "");
  request.secret_body = shared_secret("x");
  request.secret_reply = true;
  try {
    for (;;) held.push_back(Secret::copy_of(std::string(4096, 'x')));
  } catch (const std::bad_alloc&) {
  }
  const auto reply = send(request);
  held.clear();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().message, "memory for secrets is exhausted");
  EXPECT_TRUE(send(request));
}

class HttpStreams : public HttpClients {
 protected:
  Result<HttpReply> stream(const Origin& origin, std::string target) {
    return run(io_, client_.stream(context_, origin, get(std::move(target)), 60s, [this](std::string_view bytes) { return take(bytes); }));
  }
  bool take(std::string_view bytes) {
    seen_ += bytes;
    return seen_.size() < stop_at_;
  }
  std::string seen_;
  std::size_t stop_at_ = SIZE_MAX;
};

TEST_F(HttpStreams, HandOverTheBodyAsItComes) {
  const auto reply = stream(server_.origin(), "/stream/3");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(seen_, "chunk 0\nchunk 1\nchunk 2\n");
  EXPECT_TRUE(reply->body.empty());
  EXPECT_EQ(reply->headers.find("X-Kind"), "stream");
  EXPECT_EQ(client_.idle_connections(), 1U);
}

TEST_F(HttpStreams, HaveNoLimitOfSize) {
  HttpRequest request = get("/stream/3");
  request.reply_bytes_max = 5;
  const auto reply =
      run(io_, client_.stream(context_, server_.origin(), std::move(request), 60s, [this](std::string_view bytes) { return take(bytes); }));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(seen_, "chunk 0\nchunk 1\nchunk 2\n");
}

TEST_F(HttpStreams, EndWhenTheReceiverHasEnough) {
  stop_at_ = 10;
  auto pending =
      start(io_, client_.stream(context_, server_.origin(), get("/open"), 60s, [this](std::string_view bytes) { return take(bytes); }));
  run_until_passing(io_, clock_, 1ms, [&] { return pending.done() && server_.noticed_leaving == 1; });
  const auto reply = pending.take();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(client_.idle_connections(), 0U);
}

TEST_F(HttpStreams, GiveTheBodyOfARefusalInTheReply) {
  RawServer server(io_, {{.pieces = {reply_with("HTTP/1.1 410 Gone\r\nContent-Length: 7", "expired")}}});
  const auto reply = stream(server.origin(), "/");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 410);
  EXPECT_EQ(reply->body, "expired");
  EXPECT_EQ(seen_, "");
}

TEST_F(HttpStreams, EndWhenTheServerFallsSilent) {
  RawServer server(io_, {{.pieces = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}}});
  auto pending =
      start(io_, client_.stream(context_, server.origin(), get("/"), 60s, [this](std::string_view bytes) { return take(bytes); }));
  run_until(io_, [&] { return seen_ == "hello"; });
  clock_.advance(59s);
  run_ready(io_);
  EXPECT_FALSE(pending.done());
  clock_.advance(1s);
  run_until(io_, [&] { return pending.done(); });
  EXPECT_EQ(pending.take().error().code, Errc::OutcomeUnknown);
}

TEST_F(HttpStreams, PassOnWhatTheReceiverThrows) {
  auto broken = client_.stream(context_, server_.origin(), get("/stream/3"), 60s,
                               [](std::string_view) -> bool { throw std::runtime_error("receiver failed"); });
  EXPECT_THROW(static_cast<void>(run(io_, std::move(broken))), std::runtime_error);
}

TEST_F(HttpStreams, SayWhenTheConnectionBreaks) {
  RawServer server(io_, {{.pieces = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}, .then = Then::Close}});
  const auto reply = stream(server.origin(), "/");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(seen_, "hello");
}

}  // namespace
}  // namespace keyturn::net
