// The login against answers that a healthy server does not give. What real servers answer is in tests/contract/dependents.
#include "reconcilers/postgresql/login_probe.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "base/net/tls.h"
#include "tests/support/run_loop.h"
#include "tests/support/scripted_server.h"
#include "tests/support/seeded_random.h"

namespace keyturn::postgresql {
namespace {

using namespace std::string_literals;

std::string message(char type, const std::string& body) {
  const auto size = static_cast<std::uint32_t>(body.size() + 4);
  std::string out(1, type);
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(size >> shift & 0xFF));
  return out + body;
}
std::string asks(char code, const std::string& data = "") { return message('R', "\0\0\0"s + code + data); }
std::string error(const std::string& code) { return message('E', "SFATAL\0C"s + code + "\0Mtext\0\0"s); }
const std::string sasl = asks(10, "SCRAM-SHA-256\0\0"s);

class LoginProbeTest : public testing::Test {
 protected:
  ProbeResult probe(std::vector<std::string> answers, ScriptedServer::AtEnd at_end = ScriptedServer::AtEnd::Close) {
    ScriptedServer server(io_, std::move(answers), at_end);
    wire::Peer peer{"127.0.0.1", server.port(), api::TlsMode::LoopbackPlain, nullptr};
    const Secret password = Secret::copy_of("the-value");
    SeededRandom random(5);
    const Context context = Context(clock_, "test").with_timeout(std::chrono::milliseconds(300));
    const ProbeResult result = run(io_, probe_login(context, peer, "erp", "app", password, random));
    received_ = server.received();
    EXPECT_EQ(received_.find("the-value"), std::string::npos);
    return result;
  }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  std::string received_;
};

TEST_F(LoginProbeTest, RejectedIsOnlyARefusalOfTheLogin) {
  EXPECT_EQ(probe({error("28P01")}), ProbeResult::Rejected);
  EXPECT_EQ(probe({error("28000")}), ProbeResult::Rejected);
  for (const std::string code : {"53300", "57P03", "3D000", "08P01", "XX000", "", "42501"})
    EXPECT_EQ(probe({error(code)}), ProbeResult::Unknown) << code;
  EXPECT_EQ(probe({sasl, error("28P01")}), ProbeResult::Rejected);
}

TEST_F(LoginProbeTest, NeverSendsThePasswordAsAServerWouldLikeIt) {
  EXPECT_EQ(probe({asks(3)}), ProbeResult::Unknown);          // cleartext
  EXPECT_EQ(probe({asks(5, "salt")}), ProbeResult::Unknown);  // MD5
  EXPECT_EQ(probe({asks(10, "OTHER\0\0"s)}), ProbeResult::Unknown);
}

TEST_F(LoginProbeTest, ALoginWithoutProofProvesNothing) {
  EXPECT_EQ(probe({asks(0) + message('Z', "I")}), ProbeResult::Unknown);
  EXPECT_EQ(probe({sasl, asks(0) + message('Z', "I")}), ProbeResult::Unknown);
  EXPECT_EQ(probe({sasl, asks(12, "v=AAAA")}), ProbeResult::Unknown);
  EXPECT_EQ(probe({sasl, asks(11, "r=other,s=AAAA,i=4096")}), ProbeResult::Unknown);
}

TEST_F(LoginProbeTest, NoiseAndSilenceAreUnknown) {
  EXPECT_EQ(probe({}), ProbeResult::Unknown);
  EXPECT_EQ(probe({"HTTP/1.1 400 Bad Request\r\n\r\n"}), ProbeResult::Unknown);
  EXPECT_EQ(probe({"R\0\0"s}), ProbeResult::Unknown);
  EXPECT_EQ(probe({""}, ScriptedServer::AtEnd::StaySilent), ProbeResult::Unknown);
  EXPECT_EQ(probe({message('?', "x")}), ProbeResult::Unknown);
  std::string endless;
  for (int i = 0; i < 1000; ++i) endless += message('N', "SNOTICE\0\0"s);
  EXPECT_EQ(probe({endless}, ScriptedServer::AtEnd::StaySilent), ProbeResult::Unknown);
}

TEST_F(LoginProbeTest, WantsTlsBeforeItSaysWhoItIs) {
  const auto trust = net::client_context({});
  ASSERT_TRUE(trust);
  for (const std::string answer : {"N", "E", "S-and-not-TLS"}) {
    ScriptedServer server(io_, {answer, "x"});
    wire::Peer peer{"localhost", server.port(), api::TlsMode::Verify, *trust};
    const Secret password = Secret::copy_of("the-value");
    SeededRandom random(5);
    const Context context = Context(clock_, "test").with_timeout(std::chrono::seconds(5));
    EXPECT_EQ(run(io_, probe_login(context, peer, "erp", "app", password, random)), ProbeResult::Unknown);
    EXPECT_EQ(server.received().find("app"), std::string::npos);
  }
}

}  // namespace
}  // namespace keyturn::postgresql
