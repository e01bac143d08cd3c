// What only Redis can show: nodes, persistence, odd users, sessions, TLS.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/hash.h"
#include "base/net/tls.h"
#include "reconcilers/redis/redis_acl.h"
#include "tests/contract/dependents/known_credential.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_loop.h"

namespace keyturn {
namespace {

class RedisServerTest : public testing::Test {
 protected:
  std::shared_ptr<RedisAcl> adapter(std::vector<std::string> nodes, bool persist = true) {
    api::RedisAclSystem settings;
    settings.nodes = std::move(nodes);
    settings.tls = api::TlsMode::LoopbackPlain;
    settings.principals = {"app"};
    settings.admin.user = RedisServer::admin_user;
    settings.persist = persist;
    return *RedisAcl::make(std::move(settings), nullptr, known_credential(RedisServer::admin_password));
  }
  std::shared_ptr<RedisAcl> tls_adapter(std::string node, std::string ca_pem) {
    const auto trust = net::client_context({.ca_pem = std::move(ca_pem)});
    EXPECT_TRUE(trust);
    api::RedisAclSystem settings;
    settings.nodes = {std::move(node)};
    settings.principals = {"app"};
    settings.admin.user = RedisServer::admin_user;
    return *RedisAcl::make(std::move(settings), *trust, known_credential(RedisServer::admin_password));
  }
  Context context() { return Context(clock_, "test"); }
  Result<> install(RedisAcl& redis) { return run(io_, redis.install(context(), "app", value_)); }
  ProbeResult probe(RedisAcl& redis) { return *run(io_, redis.probe(context(), "app", value_)); }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  const Secret value_ = Secret::copy_of("Value-one_1");
};

TEST_F(RedisServerTest, LooksAtAllNodesBeforeItWritesToAny) {
  RedisServer good("user app on ~* +@all\n");
  RedisServer without("");
  const auto both = adapter({good.node(), without.node()});
  EXPECT_EQ(install(*both).error().code, Errc::Invalid);
  without.stop();
  EXPECT_EQ(install(*both).error().code, Errc::Unavailable);
  EXPECT_EQ(probe(*adapter({good.node()})), ProbeResult::Rejected);
}

TEST_F(RedisServerTest, OneNodeDownMakesAProbeUnknown) {
  RedisServer a("user app on ~* +@all\n");
  RedisServer b("user app on ~* +@all\n");
  const auto both = adapter({a.node(), b.node()});
  EXPECT_TRUE(install(*both));
  EXPECT_EQ(probe(*both), ProbeResult::Accepted);
  b.stop();
  EXPECT_EQ(probe(*both), ProbeResult::Unknown);
  EXPECT_EQ(probe(*adapter({a.node()})), ProbeResult::Accepted);
}

TEST_F(RedisServerTest, RefusesUsersThatAHumanMustLookAtFirst) {
  RedisServer off("user app off ~* +@all\n");
  EXPECT_EQ(install(*adapter({off.node()})).error().code, Errc::Invalid);
  RedisServer open("user app on nopass ~* +@all\n");
  EXPECT_EQ(install(*adapter({open.node()})).error().code, Errc::Invalid);
  EXPECT_EQ(run(io_, adapter({open.node()})->withdraw(context(), "app", value_)).error().code, Errc::Invalid);
  EXPECT_NE(open.files().find("nopass"), std::string::npos);
  RedisServer missing("");
  EXPECT_EQ(install(*adapter({missing.node()})).error().code, Errc::Invalid);
  EXPECT_TRUE(run(io_, adapter({missing.node()})->withdraw(context(), "app", value_)));
  EXPECT_EQ(missing.files().find("user app"), std::string::npos);
}

TEST_F(RedisServerTest, SaysWhenANodeCannotKeepItsUsers) {
  RedisServer server("user app on ~* +@all\n", RedisServer::Persistence::None);
  EXPECT_EQ(install(*adapter({server.node()})).error().code, Errc::Invalid);
  EXPECT_EQ(probe(*adapter({server.node()})), ProbeResult::Rejected);
  EXPECT_TRUE(install(*adapter({server.node()}, false)));
}

TEST_F(RedisServerTest, AUserWithoutTheRightToPingHasLoggedIn) {
  RedisServer server("user app on -@all\n");
  const auto redis = adapter({server.node()});
  EXPECT_TRUE(install(*redis));
  EXPECT_EQ(probe(*redis), ProbeResult::Accepted);
}

TEST_F(RedisServerTest, AnAdministratorWithoutTheRightIsDenied) {
  RedisServer server("user app on ~* +@all\nuser helper on #" + to_hex(sha256("helper-test-value")) + " +@all -acl\n");
  api::RedisAclSystem settings;
  settings.nodes = {server.node()};
  settings.tls = api::TlsMode::LoopbackPlain;
  settings.principals = {"app"};
  settings.admin.user = "helper";
  const auto redis = *RedisAcl::make(std::move(settings), nullptr, known_credential("helper-test-value"));
  EXPECT_EQ(install(*redis).error().code, Errc::Denied);
}

TEST_F(RedisServerTest, ListsTheConnectionsOfOneUser) {
  RedisServer server("user app on ~* +@all\n");
  const auto redis = adapter({server.node()});
  EXPECT_TRUE(install(*redis));
  const Context here = context();
  auto session = run(io_, redis::RespClient::open(here, *wire::parse_peer(server.node(), api::TlsMode::LoopbackPlain, nullptr)));
  ASSERT_TRUE(session);
  redis::Command hello{"AUTH", "app"};
  hello.add(value_);
  ASSERT_TRUE(run(io_, (*session)->call(here, std::move(hello).encode(), redis::Effect::None, {}))->is_ok());
  redis::Command name{"CLIENT", "SETNAME", "apps-portal"};
  ASSERT_TRUE(run(io_, (*session)->call(here, std::move(name).encode(), redis::Effect::None, {}))->is_ok());

  const auto all = run(io_, redis->sessions(here, "app", std::nullopt));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->count, 1);
  EXPECT_EQ(all->clients, std::vector<std::string>{"127.0.0.1 apps-portal"});
  const auto older = run(io_, redis->sessions(here, "app", clock_.now() - std::chrono::hours(1)));
  ASSERT_TRUE(older);
  EXPECT_EQ(older->count, 0);
  const auto recent = run(io_, redis->sessions(here, "app", clock_.now()));
  ASSERT_TRUE(recent);
  EXPECT_EQ(recent->count, 1);
}

TEST_F(RedisServerTest, VerifiesTheCertificate) {
  RedisServer server("user app on ~* +@all\n", RedisServer::Persistence::AclFile, RedisServer::Transport::Tls);
  const auto trusting = tls_adapter(server.node(), server.ca_pem());
  const auto done = install(*trusting);
  EXPECT_TRUE(done) << (done ? "" : done.error().message);
  EXPECT_EQ(probe(*trusting), ProbeResult::Accepted);
  EXPECT_TRUE(install(*tls_adapter("localhost:" + std::to_string(server.port()), server.ca_pem())));

  const auto other = net::generate_tls("somebody else", {"127.0.0.1"});
  ASSERT_TRUE(other);
  const auto doubting = tls_adapter(server.node(), other->ca_pem);
  EXPECT_EQ(install(*doubting).error().code, Errc::Unavailable);
  EXPECT_EQ(probe(*doubting), ProbeResult::Unknown);
}

TEST_F(RedisServerTest, RefusesACertificateForAnotherName) {
  RedisServer server("user app on ~* +@all\n", RedisServer::Persistence::AclFile, RedisServer::Transport::Tls);
  EXPECT_EQ(install(*tls_adapter("127.0.0.2:" + std::to_string(server.port()), server.ca_pem())).error().code, Errc::Unavailable);
}

}  // namespace
}  // namespace keyturn
