#include "base/net/http_server.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/io_context.hpp>

#include "tests/support/run_loop.h"
#include "tests/unit/base/net/echo_server.h"
#include "tests/unit/base/net/raw_peer.h"

namespace keyturn::net {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++found;
  return found;
}

// Time stands still unless a test moves it; sockets run in real time beside it.
class HttpServers : public testing::Test {
 protected:
  explicit HttpServers(HttpServerOptions options = {.body_bytes_max = 1000, .connections_max = 4},
                       std::shared_ptr<asio::ssl::context> tls = nullptr)
      : echo_(io_, clock_, options, std::move(tls)) {
    static_cast<void>(echo_.start().value());
  }
  ~HttpServers() override { stop_now(); }

  void stop_now() {
    auto stopped = start(io_, echo_.server().stop(0ms));
    run_until_passing(io_, clock_, 1s, [&] { return stopped.done(); });
  }
  std::string talk(std::string bytes) { return run(io_, talk_raw(io_.get_executor(), echo_.port(), std::move(bytes))); }
  std::shared_ptr<Stream> connect() { return run(io_, connect_raw(io_.get_executor(), echo_.port())); }

  asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  EchoServer echo_;
};

const std::string closing = "Host: a\r\nConnection: close\r\n";

TEST_F(HttpServers, AnswerARequest) {
  const std::string answer = talk("POST /echo HTTP/1.1\r\n" + closing + "Content-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello"));
  EXPECT_EQ(echo_.peers[0].address, "127.0.0.1");
  EXPECT_EQ(echo_.peers[0].certificate_common_name, "");
}

TEST_F(HttpServers, AnswerSeveralRequestsOnOneConnectionInOrder) {
  const std::string two = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none";
  const std::string answer = talk(two + "GET /status/404 HTTP/1.1\r\n" + closing + "\r\n");
  EXPECT_LT(answer.find("one"), answer.find("404 Not Found"));
  EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 2U);
}

TEST_F(HttpServers, TakeAChunkedBody) {
  const std::string answer =
      talk("POST /echo HTTP/1.1\r\n" + closing + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\nabcde")) << answer;
}

TEST_F(HttpServers, TakeARequestSplitAnywhere) {
  const std::string text = "POST /echo HTTP/1.1\r\n" + closing + "Content-Length: 5\r\n\r\nhello";
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    const auto stream = connect();
    run(io_, stream->write(std::string_view(text).substr(0, cut)));
    run_ready(io_);
    run(io_, stream->write(std::string_view(text).substr(cut)));
    const std::string answer = run(io_, read_to_end(stream));
    ASSERT_TRUE(answer.ends_with("\r\n\r\nhello")) << cut << answer;
  }
}

TEST_F(HttpServers, RefuseABodyOverTheLimit) {
  const std::string counted = talk("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'));
  EXPECT_TRUE(counted.starts_with("HTTP/1.1 413 ")) << counted;
  const std::string chunked =
      talk("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n");
  EXPECT_TRUE(chunked.starts_with("HTTP/1.1 413 ")) << chunked;
  EXPECT_TRUE(echo_.requests.empty());
  const std::string enough = talk("POST /echo HTTP/1.1\r\n" + closing + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'x'));
  EXPECT_TRUE(enough.starts_with("HTTP/1.1 200 ")) << enough;
}

// The refusal must arrive although the peer has sent more than was read.
TEST_F(HttpServers, RefuseALargeBodyBeforeReadingItAll) {
  const std::string answer = talk("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + std::string(3'000'000, 'x'));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
}

TEST_F(HttpServers, RefuseAHeadOverTheLimit) {
  const std::string answer = talk("GET /echo HTTP/1.1\r\nHost: a\r\nX-Long: " + std::string(200'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
}

TEST_F(HttpServers, RefuseWhatIsAmbiguousOrNotHttp) {
  for (const char* text : {"garbage\r\n\r\n", "GET /echo HTTP/3.0\r\nHost: a\r\n\r\n", "GET /echo HTTP/1.1\r\n\r\n",
                           "GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET http://a/echo HTTP/1.1\r\nHost: a\r\n\r\n",
                           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
                           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "GET /echo HTTP/1.1\r\nHost : a\r\n\r\n",
                           "GET /e cho HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    const std::string answer = talk(text);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << text << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  }
  EXPECT_TRUE(echo_.requests.empty());
}

TEST_F(HttpServers, AskForTheBodyWhenTheClientWaitsForThat) {
  const auto stream = connect();
  run(io_, stream->write("POST /echo HTTP/1.1\r\n" + closing + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_EQ(run(io_, read_to_mark(stream, "\r\n\r\n")), "HTTP/1.1 100 Continue\r\n\r\n");
  run(io_, stream->write("hello"));
  EXPECT_TRUE(run(io_, read_to_end(stream)).ends_with("\r\n\r\nhello"));
}

TEST_F(HttpServers, RefuseALargeBodyBeforeItIsSent) {
  const std::string answer = talk("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
}

TEST_F(HttpServers, SendNoBodyForHead) {
  const std::string answer = talk("HEAD /stream/2 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /status/404 HTTP/1.1\r\n" + closing + "\r\n");
  EXPECT_EQ(count_of(answer, "\r\n\r\n"), 2U) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServers, SendNoBodyWhereTheStatusHasNone) {
  const std::string answer = talk("POST /status/204 HTTP/1.1\r\n" + closing + "Content-Length: 2\r\n\r\nhi");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 204 ")) << answer;
  EXPECT_EQ(answer.find("Content-Length"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServers, StreamInChunks) {
  const std::string answer = talk("GET /stream/2 HTTP/1.1\r\n" + closing + "\r\n");
  EXPECT_NE(answer.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n8\r\nchunk 0\n\r\n8\r\nchunk 1\n\r\n0\r\n\r\n")) << answer;
}

TEST_F(HttpServers, StreamToAnOldClientUntilTheEndOfTheConnection) {
  const std::string answer = talk("GET /stream/2 HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.find("Transfer-Encoding"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nchunk 0\nchunk 1\n")) << answer;
}

TEST_F(HttpServers, AnswerForAHandlerThatDoesNot) {
  EXPECT_TRUE(talk("GET /nothing HTTP/1.1\r\n" + closing + "\r\n").starts_with("HTTP/1.1 500 "));
}

TEST_F(HttpServers, AnswerForAHandlerThatFails) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(talk("GET /throw HTTP/1.1\r\n" + closing + "\r\n").starts_with("HTTP/1.1 500 "));
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_NE(logged.find("an HTTP handler failed"), std::string::npos);
  EXPECT_EQ(logged.find("might hold anything"), std::string::npos);
}

TEST_F(HttpServers, LeaveAReplyVisiblyIncompleteWhenItsHandlerFails) {
  testing::internal::CaptureStderr();
  const std::string answer = talk("GET /throw-late HTTP/1.1\r\nHost: a\r\n\r\n");
  static_cast<void>(testing::internal::GetCapturedStderr());
  EXPECT_TRUE(answer.ends_with("4\r\nhalf\r\n")) << answer;
}

TEST_F(HttpServers, NeverSendAMalformedHeader) {
  testing::internal::CaptureStderr();
  const std::string answer = talk("GET /malformed HTTP/1.1\r\n" + closing + "\r\n");
  static_cast<void>(testing::internal::GetCapturedStderr());
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
  EXPECT_EQ(answer.find("b: c"), std::string::npos);
}

TEST_F(HttpServers, DropAConnectionWithoutAReply) { EXPECT_EQ(talk("GET /drop HTTP/1.1\r\nHost: a\r\n\r\n"), ""); }

TEST_F(HttpServers, TellAHandlerThatItsPeerIsGone) {
  auto stream = connect();
  run(io_, stream->write("GET /open HTTP/1.1\r\nHost: a\r\n\r\n"));
  run(io_, read_to_mark(stream, "tick"));
  EXPECT_EQ(echo_.noticed_leaving, 0);
  stream->close();
  run_until_passing(io_, clock_, 1ms, [&] { return echo_.noticed_leaving == 1; });
}

TEST_F(HttpServers, GiveUpOnAPeerThatTakesNothing) {
  auto stream = connect();
  // Sends more than the socket buffers hold, and nobody reads.
  run(io_, stream->write("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n"));
  run_until_passing(io_, clock_, 1s, [&] { return echo_.finished == 1; });
  EXPECT_EQ(echo_.refused_writes, 1);
}

TEST_F(HttpServers, RefuseConnectionsOverTheLimit) {
  std::vector<std::shared_ptr<Stream>> open;
  for (int i = 0; i < 4; ++i) {
    open.push_back(connect());
    run(io_, open.back()->write("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  run_until(io_, [&] { return echo_.requests.size() == 4; });
  EXPECT_EQ(talk("GET /echo HTTP/1.1\r\n" + closing + "\r\n"), "");
  open.pop_back();
  run_until(io_, [&] {
    // The place is free once the server has noticed.
    echo_.release();
    return talk("GET /echo HTTP/1.1\r\n" + closing + "\r\n").starts_with("HTTP/1.1 200 ");
  });
}

TEST_F(HttpServers, CloseAConnectionWhoseRequestDoesNotEnd) {
  auto stream = connect();
  run(io_, stream->write("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhal"));
  auto reading = start(io_, read_to_end(stream));
  run_until_passing(io_, clock_, 1s, [&] { return reading.done(); });
  EXPECT_EQ(reading.take(), "");
  EXPECT_TRUE(echo_.requests.empty());
}

TEST_F(HttpServers, CloseAConnectionOnWhichNothingIsAsked) {
  auto reading = start(io_, read_to_end(connect()));
  const BootInstant begin = clock_.boot_now();
  run_until_passing(io_, clock_, 1s, [&] { return reading.done(); });
  EXPECT_GE(clock_.boot_now() - begin, 10s);
  EXPECT_EQ(reading.take(), "");
}

TEST_F(HttpServers, CloseAnIdleConnectionLater) {
  auto stream = connect();
  run(io_, stream->write("GET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n"));
  run(io_, read_to_mark(stream, "\r\n\r\n"));
  auto reading = start(io_, read_to_end(stream));
  const BootInstant begin = clock_.boot_now();
  run_until_passing(io_, clock_, 1s, [&] { return reading.done(); });
  EXPECT_GE(clock_.boot_now() - begin, 300s);
}

TEST_F(HttpServers, StopAtOnceWhenNothingIsInFlight) {
  auto idle = connect();
  run_ready(io_);
  auto stopped = start(io_, echo_.server().stop(1h));
  run_until(io_, [&] { return stopped.done(); });
  EXPECT_EQ(run(io_, read_to_end(idle)), "");
}

TEST_F(HttpServers, FinishWhatIsInFlightBeforeStopping) {
  auto talking = start(io_, talk_raw(io_.get_executor(), echo_.port(), "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
  run_until(io_, [&] { return echo_.requests.size() == 1; });
  auto stopped = start(io_, echo_.server().stop(1h));
  run_ready(io_);
  EXPECT_FALSE(stopped.done());
  echo_.release();
  run_until(io_, [&] { return stopped.done() && talking.done(); });
  const std::string answer = talking.take();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(HttpServers, CancelWhatIsStillInFlightAfterTheGrace) {
  auto talking = start(io_, talk_raw(io_.get_executor(), echo_.port(), "GET /silent HTTP/1.1\r\nHost: a\r\n\r\n"));
  run_until(io_, [&] { return echo_.requests.size() == 1; });
  auto stopped = start(io_, echo_.server().stop(30s));
  run_ready(io_);
  clock_.advance(29s);
  run_ready(io_);
  EXPECT_FALSE(stopped.done());
  clock_.advance(1s);
  run_until(io_, [&] { return stopped.done() && talking.done(); });
  EXPECT_EQ(talking.take(), "");
}

TEST_F(HttpServers, TellLongRepliesThatTheServerStops) {
  auto stream = connect();
  run(io_, stream->write("GET /open HTTP/1.1\r\nHost: a\r\n\r\n"));
  run(io_, read_to_mark(stream, "tick"));
  auto stopped = start(io_, echo_.server().stop(1h));
  run_until_passing(io_, clock_, 1ms, [&] { return echo_.noticed_leaving == 1; });
  EXPECT_TRUE(run(io_, read_to_end(stream)).ends_with("0\r\n\r\n"));
  stream->close();
  run_until(io_, [&] { return stopped.done(); });
}

TEST_F(HttpServers, RefuseToStartWhereTheyCannot) {
  const auto start_with = [this](HttpServerOptions options, std::shared_ptr<asio::ssl::context> tls) {
    EchoServer other(io_, clock_, options, std::move(tls));
    const Result<> started = other.start();
    run(io_, other.server().stop(0ms));
    return started ? Errc::Internal : started.error().code;
  };
  EXPECT_EQ(start_with({.port = echo_.port()}, nullptr), Errc::Conflict);
  EXPECT_EQ(start_with({.address = "nowhere"}, nullptr), Errc::Invalid);
  EXPECT_EQ(start_with({.address = "0.0.0.0"}, nullptr), Errc::Invalid);
  EXPECT_EQ(start_with({.address = "192.0.2.1"}, test_server_context()), Errc::Invalid);
}

// An authority for clients, and a certificate by it made for the name and the groups given.
struct ClientIdentity {
  std::string ca_pem;
  std::string certificate_pem;
  std::shared_ptr<const Secret> key_pem;
};

std::string pem_of(X509* certificate) {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(memory);
  return pem;
}

// Self-signed, so that it is its own authority.
ClientIdentity client_identity(const std::string& name, const std::vector<std::string>& groups) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto add = [&](const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  };
  add("CN", name);
  for (const std::string& group : groups) add("O", group);
  X509_set_issuer_name(certificate, subject);
  X509_sign(certificate, key, EVP_sha256());
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  ClientIdentity made{pem_of(certificate), pem_of(certificate),
                      std::make_shared<const Secret>(Secret::copy_of(std::string_view(text, static_cast<std::size_t>(size))))};
  BIO_free(memory);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

const ClientIdentity& known_client() {
  static const ClientIdentity only = client_identity("alice", {"erp-admins", "system:masters"});
  return only;
}

TlsIdentity identity_that_asks() {
  TlsIdentity identity = test_tls().server;
  identity.client_ca_pem = known_client().ca_pem;
  return identity;
}

class TlsServers : public HttpServers {
 protected:
  TlsServers() : HttpServers({}, server_context(identity_that_asks()).value()) {}

  std::shared_ptr<asio::ssl::context> client(const ClientIdentity* identity) {
    TlsTrust trust{.ca_pem = test_tls().ca_pem};
    if (identity != nullptr) {
      trust.client_certificate_pem = identity->certificate_pem;
      trust.client_key_pem = identity->key_pem;
    }
    return client_context(trust).value();
  }
  std::string ask(std::shared_ptr<asio::ssl::context> context) {
    const auto stream = run(io_, connect_raw(io_.get_executor(), echo_.port(), std::move(context)));
    if (!stream->is_open()) return "";
    run(io_, stream->write("GET /echo HTTP/1.1\r\n" + closing + "\r\n"));
    return run(io_, read_to_end(stream));
  }
};

TEST_F(TlsServers, KnowAClientByItsCertificate) {
  EXPECT_TRUE(ask(client(&known_client())).starts_with("HTTP/1.1 200 "));
  ASSERT_EQ(echo_.peers.size(), 1U);
  EXPECT_EQ(echo_.peers[0].certificate_common_name, "alice");
  EXPECT_EQ(echo_.peers[0].certificate_organizations, (std::vector<std::string>{"erp-admins", "system:masters"}));
}

TEST_F(TlsServers, ServeAClientWithoutACertificateAsUnknown) {
  EXPECT_TRUE(ask(client(nullptr)).starts_with("HTTP/1.1 200 "));
  ASSERT_EQ(echo_.peers.size(), 1U);
  EXPECT_EQ(echo_.peers[0].certificate_common_name, "");
  EXPECT_TRUE(echo_.peers[0].certificate_organizations.empty());
}

TEST_F(TlsServers, RefuseACertificateOfAnotherAuthority) {
  const ClientIdentity forged = client_identity("alice", {"system:masters"});
  EXPECT_EQ(ask(client(&forged)), "");
  EXPECT_TRUE(echo_.requests.empty());
}

TEST_F(TlsServers, RefuseOldProtocols) {
  const auto context = client(nullptr);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context->native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_security_level(context->native_handle(), 0);
  EXPECT_EQ(ask(context), "");
}

TEST_F(TlsServers, ChooseHttp1WhenAClientOffersMore) {
  const auto context = client(nullptr);
  const std::array<unsigned char, 12> offered{2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context->native_handle(), offered.data(), offered.size());
  const auto stream = run(io_, connect_raw(io_.get_executor(), echo_.port(), context));
  ASSERT_TRUE(stream->is_open());
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(stream->ssl(), &chosen, &size);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(chosen), size), "http/1.1");
}

TEST_F(TlsServers, SurviveAPeerThatDoesNotSpeakTls) {
  EXPECT_EQ(count_of(talk("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1"), 0U);
  EXPECT_TRUE(ask(client(nullptr)).starts_with("HTTP/1.1 200 "));
}

TEST_F(TlsServers, AnnounceTheEndOfAConnection) {
  const auto stream = run(io_, connect_raw(io_.get_executor(), echo_.port(), client(nullptr)));
  run(io_, stream->write("GET /echo HTTP/1.1\r\n" + closing + "\r\n"));
  static_cast<void>(run(io_, read_to_end(stream)));
  EXPECT_NE(SSL_get_shutdown(stream->ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
}

}  // namespace
}  // namespace keyturn::net
