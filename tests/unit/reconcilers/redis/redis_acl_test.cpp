// The adapter against answers that no healthy server gives. What real servers do is in tests/contract/dependents.
#include "reconcilers/redis/redis_acl.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/hash.h"
#include "tests/support/run_loop.h"
#include "tests/support/scripted_server.h"

namespace keyturn {
namespace {

class KnownCredential final : public AdminCredential {
 public:
  Task<Secret> read(Context) override {
    if (refused) co_return Error{Errc::Denied, "the credential may not be read"};
    co_return Secret::copy_of("admin-value");
  }
  bool refused = false;
};

const std::string healthy_user = "*4\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n$9\r\npasswords\r\n*0\r\n";

class RedisAclTest : public testing::Test {
 protected:
  std::shared_ptr<RedisAcl> adapter(std::vector<std::string> nodes) {
    api::RedisAclSystem settings;
    settings.nodes = std::move(nodes);
    settings.tls = api::TlsMode::LoopbackPlain;
    settings.principals = {"app"};
    settings.admin.user = "admin";
    return *RedisAcl::make(std::move(settings), nullptr, admin_);
  }
  static std::string node(const ScriptedServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }
  Context context() { return Context(clock_, "test"); }

  // The code of what became of an install on one scripted server.
  Errc install_code(std::vector<std::string> answers, ScriptedServer::AtEnd at_end = ScriptedServer::AtEnd::Close) {
    ScriptedServer server(io_, std::move(answers), at_end);
    const auto redis = adapter({node(server)});
    const Secret password = Secret::copy_of("new-value");
    const auto done = run(io_, redis->install(context().with_timeout(std::chrono::milliseconds(300)), "app", password));
    EXPECT_EQ(server.received().find("new-value"), std::string::npos);
    return done ? Errc::Internal : done.error().code;
  }
  ProbeResult probe_result(std::vector<std::string> answers) {
    ScriptedServer server(io_, std::move(answers));
    const auto redis = adapter({node(server)});
    const Secret password = Secret::copy_of("new-value");
    return *run(io_, redis->probe(context(), "app", password));
  }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  std::shared_ptr<KnownCredential> admin_ = std::make_shared<KnownCredential>();
};

TEST_F(RedisAclTest, SendsTheHashAndNothingElseOfThePassword) {
  ScriptedServer server(io_, {"+OK\r\n", healthy_user, "+OK\r\n", healthy_user, "+OK\r\n", "+OK\r\n"});
  const auto redis = adapter({node(server)});
  const Secret password = Secret::copy_of("new-value");
  EXPECT_TRUE(run(io_, redis->install(context(), "app", password)));
  EXPECT_NE(server.received().find("#" + to_hex(sha256("new-value"))), std::string::npos);
  EXPECT_NE(server.received().find("$4\r\nSAVE\r\n"), std::string::npos);
  EXPECT_EQ(server.received().find("new-value"), std::string::npos);
}

TEST_F(RedisAclTest, CallsALostAnswerToAWriteUnknownAndToAReadUnavailable) {
  EXPECT_EQ(install_code({}), Errc::Unavailable);
  EXPECT_EQ(install_code({"+OK\r\n"}), Errc::Unavailable);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, "+OK\r\n", healthy_user, ""}), Errc::OutcomeUnknown);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, "+OK\r\n", healthy_user, ""}, ScriptedServer::AtEnd::StaySilent), Errc::OutcomeUnknown);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, "+OK\r\n", healthy_user, "+OK\r\n", ""}), Errc::OutcomeUnknown);
}

TEST_F(RedisAclTest, TranslatesRefusals) {
  EXPECT_EQ(install_code({"-WRONGPASS invalid\r\n"}), Errc::Denied);
  EXPECT_EQ(install_code({"-LOADING soon\r\n"}), Errc::Unavailable);
  EXPECT_EQ(install_code({"-ERR unknown command 'AUTH'\r\n"}), Errc::Invalid);
  EXPECT_EQ(install_code({"+OK\r\n", "-NOPERM no\r\n"}), Errc::Denied);
  EXPECT_EQ(install_code({"+OK\r\n", "$-1\r\n"}), Errc::Invalid);
  EXPECT_EQ(install_code({"+OK\r\n", "*2\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n"}), Errc::Invalid);
  EXPECT_EQ(install_code({"+OK\r\n", "*2\r\n$5\r\nflags\r\n*2\r\n$2\r\non\r\n$6\r\nnopass\r\n"}), Errc::Invalid);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, "+OK\r\n", healthy_user, "-NOPERM no\r\n", healthy_user}), Errc::Denied);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, "+OK\r\n", healthy_user, "+OK\r\n", "-NOPERM no\r\n"}), Errc::Denied);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, "-ERR no ACL file\r\n", "-ERR no config file\r\n"}), Errc::Invalid);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, "-NOPERM no\r\n"}), Errc::Denied);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, ""}), Errc::Unavailable);
  EXPECT_EQ(install_code({"+OK\r\n", healthy_user, "+OK\r\n", healthy_user, "+OK\r\n", "-BUSY wait\r\n", "-BUSY wait\r\n"}),
            Errc::OutcomeUnknown);
}

TEST_F(RedisAclTest, NeverTakesNonsenseForAnAnswer) {
  EXPECT_EQ(install_code({"HTTP/1.1 400 Bad Request\r\n\r\n"}), Errc::Unavailable);
  EXPECT_EQ(install_code({"+OK\r\n+OK\r\n"}), Errc::Unavailable);
  EXPECT_EQ(install_code({"*1000000\r\n"}), Errc::Unavailable);
  EXPECT_EQ(install_code({"$99999999999\r\n"}), Errc::Unavailable);
}

TEST_F(RedisAclTest, TellsThreeKindsOfProbes) {
  EXPECT_EQ(probe_result({"+OK\r\n", "+PONG\r\n"}), ProbeResult::Accepted);
  EXPECT_EQ(probe_result({"+OK\r\n", "-NOPERM this user has no permissions\r\n"}), ProbeResult::Accepted);
  EXPECT_EQ(probe_result({"-WRONGPASS invalid\r\n"}), ProbeResult::Rejected);
  EXPECT_EQ(probe_result({"-LOADING soon\r\n"}), ProbeResult::Unknown);
  EXPECT_EQ(probe_result({"+OK\r\n", "-LOADING soon\r\n"}), ProbeResult::Unknown);
  EXPECT_EQ(probe_result({"+OK\r\n"}), ProbeResult::Unknown);
  EXPECT_EQ(probe_result({}), ProbeResult::Unknown);
  EXPECT_EQ(probe_result({"nonsense\r\n"}), ProbeResult::Unknown);
}

TEST_F(RedisAclTest, AProbeOfNodesThatDifferIsUnknown) {
  ScriptedServer yes(io_, {"+OK\r\n", "+PONG\r\n"});
  ScriptedServer no(io_, {"-WRONGPASS invalid\r\n"});
  const Secret password = Secret::copy_of("x");
  EXPECT_EQ(*run(io_, adapter({node(yes), node(no)})->probe(context(), "app", password)), ProbeResult::Unknown);
  EXPECT_EQ(*run(io_, adapter({node(no), node(yes)})->probe(context(), "app", password)), ProbeResult::Unknown);
  EXPECT_EQ(*run(io_, adapter({node(no), node(no)})->probe(context(), "app", password)), ProbeResult::Rejected);
}

TEST_F(RedisAclTest, OneNodeThatFailsMidwayMakesTheOutcomeUnknown) {
  ScriptedServer good(io_, {"+OK\r\n", healthy_user, "+OK\r\n", healthy_user, "+OK\r\n", "+OK\r\n"});
  ScriptedServer gone(io_, {"+OK\r\n", healthy_user, "+OK\r\n"});
  const Secret password = Secret::copy_of("x");
  const auto done = run(io_, adapter({node(good), node(gone)})->install(context(), "app", password));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::OutcomeUnknown);
}

TEST_F(RedisAclTest, RemovingWhatSomebodyElseRemovedIsDone) {
  const std::string hash = to_hex(sha256("x"));
  const std::string with_hash = "*4\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n$9\r\npasswords\r\n*1\r\n$64\r\n" + hash + "\r\n";
  ScriptedServer server(io_,
                        {"+OK\r\n", with_hash, "+OK\r\n", with_hash, "-ERR Error in ACL SETUSER modifier\r\n", healthy_user, "+OK\r\n"});
  const Secret password = Secret::copy_of("x");
  EXPECT_TRUE(run(io_, adapter({node(server)})->withdraw(context(), "app", password)));
  EXPECT_NE(server.received().find("!" + hash), std::string::npos);
}

TEST_F(RedisAclTest, CountsTheSessionsOfOneUser) {
  const std::string list =
      "id=3 addr=10.0.0.7:5001 laddr=10.0.0.1:6379 fd=8 name=apps-portal age=100 idle=0 flags=N user=app library=x\n"
      "id=4 addr=10.0.0.8:5002 name= age=2 user=app\n"
      "id=5 addr=10.0.0.9:5003 name=user=app age=500 user=other\n"
      "id=6 addr=[::1]:5004 name= user=app\n";
  const std::string reply = "$" + std::to_string(list.size()) + "\r\n" + list + "\r\n";
  ScriptedServer server(io_, {"+OK\r\n", reply});
  const auto redis = adapter({node(server)});
  const auto all = run(io_, redis->sessions(context(), "app", std::nullopt));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->count, 3);
  EXPECT_EQ(all->clients, (std::vector<std::string>{"10.0.0.7 apps-portal", "10.0.0.8", "[::1]"}));
  const auto old = run(io_, redis->sessions(context(), "app", clock_.now() - std::chrono::seconds(50)));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->count, 2);  // the last one does not tell its age
}

TEST_F(RedisAclTest, SendsNothingOnceTheTimeToSendHasPassed) {
  ScriptedServer server(io_, {"+OK\r\n"});
  const Secret password = Secret::copy_of("x");
  const auto done = run(io_, adapter({node(server)})->install(context().sending_within(Duration(0)), "app", password));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::Unavailable);
  EXPECT_EQ(server.received(), "");
}

TEST_F(RedisAclTest, RefusesWhoIsNotDeclaredAndPasswordsThatAreEmpty) {
  const auto redis = adapter({"127.0.0.1:1"});
  const Secret password = Secret::copy_of("x");
  EXPECT_EQ(run(io_, redis->install(context(), "other", password)).error().code, Errc::Denied);
  EXPECT_EQ(run(io_, redis->probe(context(), "other", password)).error().code, Errc::Denied);
  EXPECT_EQ(run(io_, redis->sessions(context(), "a b", std::nullopt)).error().code, Errc::Invalid);
  EXPECT_EQ(run(io_, redis->install(context(), "app", Secret())).error().code, Errc::Invalid);
}

TEST_F(RedisAclTest, PassesOnThatTheAdministratorsCredentialCannotBeRead) {
  admin_->refused = true;
  const Secret password = Secret::copy_of("x");
  EXPECT_EQ(run(io_, adapter({"127.0.0.1:1"})->install(context(), "app", password)).error().code, Errc::Denied);
}

TEST_F(RedisAclTest, GoesWithoutTlsToLoopbackOnly) {
  const Secret password = Secret::copy_of("x");
  const auto redis = adapter({"192.0.2.1:6379"});
  EXPECT_EQ(run(io_, redis->install(context(), "app", password)).error().code, Errc::Denied);
  EXPECT_EQ(*run(io_, redis->probe(context(), "app", password)), ProbeResult::Unknown);
}

TEST(RedisAclSettings, RefuseNodesThatAreNotHostAndPort) {
  for (const std::string node :
       {"", "host", ":6379", "host:", "host:0", "host:65536", "host:63x", "::1:6379", "ho st:1", "a@b:1", "[]:1"}) {
    api::RedisAclSystem settings;
    settings.nodes = {node};
    EXPECT_FALSE(RedisAcl::make(settings, nullptr, nullptr)) << node;
  }
  EXPECT_FALSE(RedisAcl::make({}, nullptr, nullptr));
  api::RedisAclSystem settings;
  settings.nodes = {"[::1]:6379", "cache.example:6380"};
  EXPECT_TRUE(RedisAcl::make(settings, nullptr, nullptr));
}

}  // namespace
}  // namespace keyturn
