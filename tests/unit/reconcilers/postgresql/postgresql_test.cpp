// What the adapter refuses before it talks to anybody. The rest is in tests/contract/dependents.
#include "reconcilers/postgresql/postgresql.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "base/clock.h"
#include "reconcilers/postgresql/admin_session.h"
#include "tests/support/run_loop.h"
#include "tests/support/scripted_server.h"
#include "tests/support/seeded_random.h"

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

class PostgreSqlTest : public testing::Test {
 protected:
  api::PostgreSqlSystem settings(int port = 1) {
    api::PostgreSqlSystem out;
    out.host = "127.0.0.1";
    out.port = port;
    out.tls = api::TlsMode::LoopbackPlain;
    out.principals = {"app", "admin"};
    out.admin.user = "admin";
    return out;
  }
  std::shared_ptr<PostgreSql> adapter(api::PostgreSqlSystem with) {
    return *PostgreSql::make(std::move(with), nullptr, admin_, pool_, random_);
  }
  Context context() { return Context(clock_, "test").with_timeout(std::chrono::milliseconds(300)); }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  BlockingPool pool_{2};
  SeededRandom random_{1};
  std::shared_ptr<KnownCredential> admin_ = std::make_shared<KnownCredential>();
  const Secret password_ = Secret::copy_of("the-value");
};

TEST_F(PostgreSqlTest, RefusesHostsThatMeanSomethingElseToTheLibrary) {
  for (const std::string host : {"", "a,b", "/var/run/postgresql", "@abstract", "a b"}) {
    api::PostgreSqlSystem with = settings();
    with.host = host;
    EXPECT_FALSE(PostgreSql::make(with, nullptr, admin_, pool_, random_)) << host;
  }
  for (const int port : {0, -1, 65'536}) EXPECT_FALSE(PostgreSql::make(settings(port), nullptr, admin_, pool_, random_)) << port;
}

TEST_F(PostgreSqlTest, RefusesPrincipalsItMayNotTouch) {
  const auto postgres = adapter(settings());
  EXPECT_EQ(run(io_, postgres->install(context(), "other", password_)).error().code, Errc::Denied);
  EXPECT_EQ(run(io_, postgres->withdraw(context(), "other", password_)).error().code, Errc::Denied);
  EXPECT_EQ(run(io_, postgres->probe(context(), "other", password_)).error().code, Errc::Denied);
  EXPECT_EQ(run(io_, postgres->sessions(context(), "other", std::nullopt)).error().code, Errc::Denied);
  EXPECT_EQ(run(io_, postgres->equal_authority(context(), "app", "other")).error().code, Errc::Denied);
  EXPECT_EQ(run(io_, postgres->install(context(), "admin", password_)).error().code, Errc::Invalid);
  EXPECT_EQ(run(io_, postgres->install(context(), "a\"b", password_)).error().code, Errc::Invalid);
}

TEST_F(PostgreSqlTest, RefusesPasswordsThatAreNotAscii) {
  const Secret umlaut = Secret::copy_of("p\xC3\xA4ss");
  EXPECT_EQ(run(io_, adapter(settings())->install(context(), "app", umlaut)).error().code, Errc::Invalid);
}

TEST_F(PostgreSqlTest, GoesWithoutTlsToLoopbackOnly) {
  api::PostgreSqlSystem with = settings();
  with.host = "192.0.2.1";
  const auto postgres = adapter(with);
  EXPECT_EQ(run(io_, postgres->install(context(), "app", password_)).error().code, Errc::Denied);
  EXPECT_EQ(*run(io_, postgres->probe(context(), "app", password_)), ProbeResult::Unknown);
}

TEST_F(PostgreSqlTest, PassesOnThatTheAdministratorsCredentialCannotBeRead) {
  admin_->refused = true;
  EXPECT_EQ(run(io_, adapter(settings())->install(context(), "app", password_)).error().code, Errc::Denied);
}

TEST_F(PostgreSqlTest, AServerThatIsSilentOrTalksNonsenseIsUnavailable) {
  ScriptedServer silent(io_, {""}, ScriptedServer::AtEnd::StaySilent);
  EXPECT_EQ(run(io_, adapter(settings(silent.port()))->install(context(), "app", password_)).error().code, Errc::Unavailable);
  ScriptedServer noise(io_, {"HTTP/1.1 400 Bad Request\r\n\r\n"});
  EXPECT_EQ(run(io_, adapter(settings(noise.port()))->withdraw(context(), "app", password_)).error().code, Errc::Unavailable);
}

TEST(SqlStates, MeanWhatSomebodyHasToDo) {
  EXPECT_EQ(postgresql::refusal_of("28P01").code, Errc::Denied);
  EXPECT_EQ(postgresql::refusal_of("42501").code, Errc::Denied);
  EXPECT_EQ(postgresql::refusal_of("3D000").code, Errc::Invalid);
  EXPECT_EQ(postgresql::refusal_of("22023").code, Errc::Invalid);
  EXPECT_EQ(postgresql::refusal_of("42704").code, Errc::Invalid);
  EXPECT_EQ(postgresql::refusal_of("P0001").code, Errc::Invalid);
  for (const std::string passing : {"53300", "57P03", "57014", "55P03", "40P01", "25006"})
    EXPECT_EQ(postgresql::refusal_of(passing).code, Errc::Unavailable) << passing;
}

}  // namespace
}  // namespace keyturn
