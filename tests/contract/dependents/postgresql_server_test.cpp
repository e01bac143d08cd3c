// What only PostgreSQL can show: probes by kind of role, authority, sessions, TLS.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/net/tls.h"
#include "reconcilers/postgresql/postgresql.h"
#include "tests/contract/dependents/known_credential.h"
#include "tests/support/postgres_server.h"
#include "tests/support/run_loop.h"

namespace keyturn {
namespace {

constexpr const char* access_rules =
    "host trusting all 127.0.0.1/32 trust\n"
    "host cleartext all 127.0.0.1/32 password\n"
    "host closed all 127.0.0.1/32 reject\n";

PostgresServer& server() {
  static PostgresServer only(PostgresServer::Transport::Plain, access_rules);
  return only;
}

class PostgresServerTest : public testing::Test {
 protected:
  PostgresServerTest() {
    server().sql("DROP OWNED BY " + existing("app_a") + "; DROP OWNED BY " + existing("app_b"));
    for (const std::string role : {"app_a", "app_b"}) {
      server().sql("DROP ROLE IF EXISTS " + role);
      server().sql("CREATE ROLE " + role + " LOGIN");
    }
  }
  // DROP OWNED has no IF EXISTS.
  static std::string existing(const std::string& role) {
    if (server().sql("SELECT 1 FROM pg_roles WHERE rolname = '" + role + "'").empty()) server().sql("CREATE ROLE " + role);
    return role;
  }

  api::PostgreSqlSystem settings() const {
    api::PostgreSqlSystem out;
    out.host = "127.0.0.1";
    out.port = server().port();
    out.tls = api::TlsMode::LoopbackPlain;
    out.principals = {"app_a", "app_b", "not_there"};
    out.admin.user = PostgresServer::admin_user;
    return out;
  }
  std::shared_ptr<PostgreSql> adapter(api::PostgreSqlSystem with, std::string password = PostgresServer::admin_password) {
    return *PostgreSql::make(std::move(with), nullptr, known_credential(std::move(password)), pool_, random_);
  }
  std::shared_ptr<PostgreSql> adapter() { return adapter(settings()); }
  Context context() { return Context(clock_, "test"); }
  Result<> install(PostgreSql& postgres, std::string role = "app_a") {
    return run(io_, postgres.install(context(), std::move(role), value_));
  }
  ProbeResult probe(PostgreSql& postgres, std::string role = "app_a") {
    return *run(io_, postgres.probe(context(), std::move(role), value_));
  }
  std::vector<std::string> differences() {
    const auto compared = run(io_, adapter()->equal_authority(context(), "app_a", "app_b"));
    EXPECT_TRUE(compared);
    return compared ? compared->differences : std::vector<std::string>{"error"};
  }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  BlockingPool pool_{2};
  SystemRandom random_;
  const Secret value_ = Secret::copy_of("Value-one_1");
};

TEST_F(PostgresServerTest, StoresAVerifierAndAllowsTheLogin) {
  server().sql("ALTER ROLE app_a NOLOGIN");
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  EXPECT_TRUE(server().sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app_a'").front().starts_with("SCRAM-SHA-256$4096:"));
  EXPECT_EQ(probe(*postgres), ProbeResult::Accepted);
  EXPECT_NO_THROW(server().log_in("app_a", "Value-one_1"));
}

TEST_F(PostgresServerTest, AWithdrawnRoleHasAVerifierOfNobody) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  const auto before = server().sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app_a'").front();
  EXPECT_TRUE(run(io_, postgres->withdraw(context(), "app_a", value_)));
  const auto after = server().sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app_a'").front();
  EXPECT_TRUE(after.starts_with("SCRAM-SHA-256$4096:"));
  EXPECT_NE(before, after);
  EXPECT_EQ(probe(*postgres), ProbeResult::Rejected);
}

TEST_F(PostgresServerTest, ARoleThatMayNotLogInIsLockedForWhoKnowsThePassword) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  server().sql("ALTER ROLE app_a NOLOGIN");
  EXPECT_EQ(probe(*postgres), ProbeResult::Locked);
  const Secret wrong = Secret::copy_of("wrong");
  EXPECT_EQ(*run(io_, postgres->probe(context(), "app_a", wrong)), ProbeResult::Rejected);
}

TEST_F(PostgresServerTest, ARoleWithoutAccessToTheDatabaseHasLoggedIn) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  server().sql("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC");
  EXPECT_EQ(probe(*postgres), ProbeResult::Accepted);
  server().sql("GRANT CONNECT ON DATABASE postgres TO PUBLIC");
  api::PostgreSqlSystem elsewhere = settings();
  elsewhere.database = "no_such_database";
  EXPECT_EQ(probe(*adapter(elsewhere)), ProbeResult::Accepted);
  EXPECT_EQ(install(*adapter(elsewhere)).error().code, Errc::Invalid);
}

TEST_F(PostgresServerTest, AFullServerIsUnknown) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  server().sql("ALTER ROLE app_a CONNECTION LIMIT 0");
  EXPECT_EQ(probe(*postgres), ProbeResult::Unknown);
}

TEST_F(PostgresServerTest, AServerThatDoesNotAskForAProofProvesNothing) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  for (const std::string database : {"trusting", "cleartext"}) {
    api::PostgreSqlSystem elsewhere = settings();
    elsewhere.database = database;
    EXPECT_EQ(probe(*adapter(elsewhere)), ProbeResult::Unknown) << database;
  }
  EXPECT_EQ(server().log().find("Value-one_1"), std::string::npos);
}

TEST_F(PostgresServerTest, AnEntryThatRejectsEverybodyRejects) {
  api::PostgreSqlSystem closed = settings();
  closed.database = "closed";
  EXPECT_EQ(probe(*adapter(closed)), ProbeResult::Rejected);
  EXPECT_EQ(install(*adapter(closed)).error().code, Errc::Denied);
}

TEST_F(PostgresServerTest, ARoleThatIsNotThereIsInvalidToInstallAndDoneToWithdraw) {
  const auto postgres = adapter();
  EXPECT_EQ(install(*postgres, "not_there").error().code, Errc::Invalid);
  EXPECT_TRUE(run(io_, postgres->withdraw(context(), "not_there", value_)));
  EXPECT_EQ(probe(*postgres, "not_there"), ProbeResult::Rejected);
}

TEST_F(PostgresServerTest, ARoleWhoseTimeIsOverIsInvalidToInstall) {
  server().sql("ALTER ROLE app_a VALID UNTIL '2001-01-01'");
  EXPECT_EQ(install(*adapter()).error().code, Errc::Invalid);
  EXPECT_TRUE(run(io_, adapter()->withdraw(context(), "app_a", value_)));
}

TEST_F(PostgresServerTest, AnAdministratorWithoutTheRightIsDenied) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres, "app_b"));
  api::PostgreSqlSystem as_b = settings();
  as_b.admin.user = "app_b";
  EXPECT_EQ(install(*adapter(as_b, "Value-one_1")).error().code, Errc::Denied);
}

TEST_F(PostgresServerTest, GivesUpWhileSomebodyElseHoldsTheRole) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  // Another session alters the role and does not commit.
  const auto other = server().hold("BEGIN; ALTER ROLE app_a CONNECTION LIMIT 5");
  const auto done = run(io_, postgres->install(context().with_timeout(std::chrono::milliseconds(700)), "app_a", value_));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::Unavailable);
  EXPECT_EQ(probe(*postgres), ProbeResult::Accepted);
}

TEST_F(PostgresServerTest, ListsTheConnectionsOfOneRole) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  const auto session = server().log_in("app_a", "Value-one_1");
  const auto all = run(io_, postgres->sessions(context(), "app_a", std::nullopt));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->count, 1);
  EXPECT_EQ(all->clients, std::vector<std::string>{"127.0.0.1 fixture"});
  EXPECT_EQ(run(io_, postgres->sessions(context(), "app_a", clock_.now() - std::chrono::hours(1)))->count, 0);
  EXPECT_EQ(run(io_, postgres->sessions(context(), "app_a", clock_.now() + std::chrono::seconds(2)))->count, 1);
  EXPECT_EQ(run(io_, postgres->sessions(context(), "app_b", std::nullopt))->count, 0);
}

TEST_F(PostgresServerTest, ConnectionsThatMayNotBeLookedIntoCountAsOlder) {
  const auto postgres = adapter();
  EXPECT_TRUE(install(*postgres));
  EXPECT_TRUE(install(*postgres, "app_b"));
  const auto session = server().log_in("app_a", "Value-one_1");
  api::PostgreSqlSystem as_b = settings();
  as_b.admin.user = "app_b";
  const auto seen = run(io_, adapter(as_b, "Value-one_1")->sessions(context(), "app_a", clock_.now() - std::chrono::hours(1)));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->count, 1);
}

TEST_F(PostgresServerTest, ComparesTheAuthorityOfTwoRoles) {
  EXPECT_TRUE(differences().empty());
  server().sql("ALTER ROLE app_a CREATEDB");
  EXPECT_EQ(differences(), std::vector<std::string>{"attributes"});
  server().sql("ALTER ROLE app_b CREATEDB; GRANT pg_monitor TO app_a");
  EXPECT_EQ(differences(), std::vector<std::string>{"memberships"});
  server().sql("GRANT pg_monitor TO app_b; ALTER ROLE app_b SET search_path = 'erp'");
  EXPECT_EQ(differences(), std::vector<std::string>{"settings"});
  server().sql("ALTER ROLE app_a SET search_path = 'erp'; CREATE TABLE IF NOT EXISTS stock (n int); GRANT SELECT ON stock TO app_a");
  EXPECT_EQ(differences(), std::vector<std::string>{"grants"});
  server().sql("GRANT SELECT, INSERT ON stock TO app_b");
  EXPECT_EQ(differences(), std::vector<std::string>{"grants"});
  server().sql("GRANT INSERT ON stock TO app_a");
  EXPECT_TRUE(differences().empty());
  server().sql("ALTER TABLE stock OWNER TO app_a");
  const auto owned = differences();
  EXPECT_NE(std::find(owned.begin(), owned.end(), "ownership"), owned.end());
  EXPECT_EQ(run(io_, adapter()->equal_authority(context(), "app_a", "not_there")).error().code, Errc::Invalid);
}

TEST_F(PostgresServerTest, VerifiesTheCertificateForProbesAndStatements) {
  PostgresServer secured(PostgresServer::Transport::Tls);
  secured.sql("CREATE ROLE app_a LOGIN");
  const auto trust = net::client_context({.ca_pem = secured.ca_pem()});
  ASSERT_TRUE(trust);
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    api::PostgreSqlSystem with = settings();
    with.tls = api::TlsMode::Verify;
    with.host = host;
    with.port = secured.port();
    with.ca_file = secured.ca_file();
    const auto postgres = *PostgreSql::make(with, *trust, known_credential(PostgresServer::admin_password), pool_, random_);
    const auto done = install(*postgres);
    EXPECT_TRUE(done) << host << ": " << (done ? "" : done.error().message);
    EXPECT_EQ(probe(*postgres), ProbeResult::Accepted) << host;
  }
  const auto other = net::generate_tls("somebody else", {"127.0.0.1"});
  ASSERT_TRUE(other);
  TemporaryDirectory place;
  write_file(place.path() / "ca.pem", other->ca_pem);
  const auto distrust = net::client_context({.ca_pem = other->ca_pem});
  ASSERT_TRUE(distrust);
  api::PostgreSqlSystem with = settings();
  with.tls = api::TlsMode::Verify;
  with.port = secured.port();
  with.ca_file = (place.path() / "ca.pem").string();
  const auto postgres = *PostgreSql::make(with, *distrust, known_credential(PostgresServer::admin_password), pool_, random_);
  EXPECT_EQ(install(*postgres).error().code, Errc::Unavailable);
  EXPECT_EQ(probe(*postgres), ProbeResult::Unknown);
}

TEST_F(PostgresServerTest, AServerWithoutTlsIsNotTalkedTo) {
  TemporaryDirectory place;
  const auto tls = net::generate_tls("anybody", {"127.0.0.1"});
  ASSERT_TRUE(tls);
  write_file(place.path() / "ca.pem", tls->ca_pem);
  api::PostgreSqlSystem with = settings();
  with.tls = api::TlsMode::Verify;
  with.ca_file = (place.path() / "ca.pem").string();
  const auto postgres = *PostgreSql::make(with, *net::client_context({.ca_pem = tls->ca_pem}),
                                          known_credential(PostgresServer::admin_password), pool_, random_);
  EXPECT_EQ(install(*postgres).error().code, Errc::Unavailable);
  EXPECT_EQ(probe(*postgres), ProbeResult::Unknown);
}

}  // namespace
}  // namespace keyturn
