// What HTTP leaves of secrets in the memory of the client: nothing. The server runs in a process of its own, so that its copies do not
// count.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <memory>

#include "base/net/http_client.h"
#include "base/secret_memory.h"
#include "tests/support/memory_scan.h"
#include "tests/support/run_loop.h"
#include "tests/unit/base/net/echo_server.h"

namespace keyturn::net {
namespace {

// A child process that echoes bodies over TLS until it is killed.
class ServerProcess {
 public:
  ServerProcess() {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    static_cast<void>(test_tls());  // made once, before the processes part
    child_ = ::fork();
    if (child_ == 0) serve(ends[1]);
    if (::read(ends[0], &port_, sizeof(port_)) != sizeof(port_)) throw std::runtime_error("the server did not start");
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~ServerProcess() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  Origin origin() const { return {.scheme = "https", .host = "127.0.0.1", .port = port_}; }

 private:
  [[noreturn]] static void serve(int announce) {
    boost::asio::io_context io;
    SystemClock clock(io.get_executor());
    EchoServer server(io, clock, {}, test_server_context());
    const Result<> started = server.start();
    const std::uint16_t port = server.port();
    if (!started || ::write(announce, &port, sizeof(port)) != sizeof(port)) ::_exit(1);
    io.run();
    ::_exit(0);
  }
  pid_t child_ = -1;
  std::uint16_t port_ = 0;
};

class SecretTransfer : public testing::Test {
 protected:
  Result<HttpReply> send(HttpRequest request) { return run(io_, client_->send(context_, server_.origin(), std::move(request))); }

  ServerProcess server_;
  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  Context context_{clock_, "test"};
  std::unique_ptr<HttpClient> client_ = std::make_unique<HttpClient>(io_.get_executor(), test_client_context());
  SystemRandom random_;
  Canary canary_{random_};
};

// The control: the scan does find what an ordinary request leaves.
TEST_F(SecretTransfer, AnOrdinaryBodyIsFoundInMemory) {
  HttpRequest request{.method = "POST", .target = "/echo"};
  canary_.reveal().expose([&](std::string_view bytes) { request.body = bytes; });
  const auto reply = send(request);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_GE(canary_.copies(), 2U);
}

TEST_F(SecretTransfer, ASecretBodyLeavesNothing) {
  {
    HttpRequest request{.method = "POST", .target = "/status/204"};
    request.secret_body = std::make_shared<const Secret>(canary_.reveal());
    const auto reply = send(std::move(request));
    ASSERT_TRUE(reply) << reply.error().message;
  }
  EXPECT_EQ(client_->idle_connections(), 1U);
  EXPECT_EQ(canary_.copies(), 0U) << "while the connection is open";
  client_->close_idle();
  EXPECT_EQ(canary_.copies(), 0U) << "after it was closed";
}

TEST_F(SecretTransfer, ABearerTokenLeavesNothing) {
  {
    HttpRequest request{.method = "GET", .target = "/status/204"};
    request.bearer = std::make_shared<const Secret>(canary_.reveal());
    ASSERT_TRUE(send(std::move(request)));
  }
  EXPECT_EQ(canary_.copies(), 0U);
}

TEST_F(SecretTransfer, ASecretReplyLeavesNothing) {
  {
    HttpRequest request{.method = "POST", .target = "/echo", .secret_reply = true};
    request.secret_body = std::make_shared<const Secret>(canary_.reveal());
    const auto reply = send(std::move(request));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_TRUE(reply->secret_body.equals(canary_.reveal()));
    EXPECT_EQ(canary_.copies(), 1U) << "the reply itself";
  }
  EXPECT_EQ(canary_.copies(), 0U) << "while the connection is open";
  client_->close_idle();
  EXPECT_EQ(canary_.copies(), 0U) << "after it was closed";
}

TEST_F(SecretTransfer, ASecretReplyParsedAsJsonLeavesNothing) {
  {
    SecretBuffer body;
    body.append(R"({"id":"x","value":)");
    canary_.reveal().expose([&](std::string_view bytes) { append_json_string(body, bytes); });
    body.append("}");
    HttpRequest request{.method = "POST", .target = "/echo", .secret_reply = true};
    request.secret_body = std::make_shared<const Secret>(std::move(body).finish());
    auto reply = send(std::move(request));
    ASSERT_TRUE(reply) << reply.error().message;
    const auto document = SecretJson::parse(reply->secret_body);
    ASSERT_TRUE(document);
    const auto value = document->secret_at("/value");
    ASSERT_TRUE(value);
    EXPECT_TRUE(value->equals(canary_.reveal()));
  }
  client_.reset();
  EXPECT_EQ(canary_.copies(), 0U);
}

}  // namespace
}  // namespace keyturn::net
