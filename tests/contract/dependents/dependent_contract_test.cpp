#include "tests/contract/dependents/dependent_contract.h"

#include "base/random.h"
#include "reconcilers/postgresql/postgresql.h"
#include "reconcilers/redis/redis_acl.h"
#include "tests/contract/dependents/known_credential.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

namespace keyturn {
namespace {

// One user on two nodes.
class RedisWorld {
 public:
  static constexpr bool holds_two = true;

  std::string first() const { return "app"; }
  std::string second() const { return "app"; }
  std::shared_ptr<Dependent> dependent() { return with_admin_password(RedisServer::admin_password); }
  std::shared_ptr<Dependent> with_admin_password(std::string password) {
    api::RedisAclSystem settings;
    settings.nodes = {a_.node(), b_.node()};
    settings.tls = api::TlsMode::LoopbackPlain;
    settings.principals = {"app"};
    settings.admin.user = RedisServer::admin_user;
    return *RedisAcl::make(std::move(settings), nullptr, known_credential(std::move(password)));
  }
  void stop() {
    a_.stop();
    b_.stop();
  }
  void start() {
    a_.start();
    b_.start();
  }
  void freeze() { a_.freeze(); }
  void thaw() { a_.thaw(); }
  std::string log() const { return a_.log() + a_.files() + b_.log() + b_.files(); }

 private:
  RedisServer a_{"user app on ~* +@all -@admin\n"};
  RedisServer b_{"user app on ~* +@all -@admin\n", RedisServer::Persistence::ConfigFile};
};

// One server for all tests, as making one takes a second; the roles are made anew for each.
PostgresServer& shared_postgres() {
  static PostgresServer server;
  return server;
}

class PostgresWorld {
 public:
  explicit PostgresWorld() : server_(shared_postgres()) {
    for (const std::string role : {"app_a", "app_b"}) {
      server_.sql("DROP ROLE IF EXISTS " + role);
      server_.sql("CREATE ROLE " + role + " LOGIN");
    }
  }
  ~PostgresWorld() { server_.thaw(); }

  std::shared_ptr<Dependent> dependent() { return with_admin_password(PostgresServer::admin_password); }
  std::shared_ptr<Dependent> with_admin_password(std::string password) {
    api::PostgreSqlSystem settings;
    settings.host = "127.0.0.1";
    settings.port = server_.port();
    settings.tls = api::TlsMode::LoopbackPlain;
    settings.principals = {"app_a", "app_b"};
    settings.admin.user = PostgresServer::admin_user;
    return *PostgreSql::make(std::move(settings), nullptr, known_credential(std::move(password)), pool_, random_);
  }
  void stop() { server_.stop(); }
  void start() { server_.start(); }
  void freeze() { server_.freeze(); }
  void thaw() { server_.thaw(); }
  std::string log() const { return server_.log(); }

 private:
  PostgresServer& server_;
  BlockingPool pool_{2};
  SystemRandom random_;
};

class PostgresOneRoleWorld : public PostgresWorld {
 public:
  static constexpr bool holds_two = false;
  std::string first() const { return "app_a"; }
  std::string second() const { return "app_a"; }
};

class PostgresTwoRolesWorld : public PostgresWorld {
 public:
  static constexpr bool holds_two = true;
  std::string first() const { return "app_a"; }
  std::string second() const { return "app_b"; }
};

INSTANTIATE_TYPED_TEST_SUITE_P(RedisAcl, DependentContract, RedisWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(PostgreSqlOneRole, DependentContract, PostgresOneRoleWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(PostgreSqlTwoRoles, DependentContract, PostgresTwoRolesWorld);

}  // namespace
}  // namespace keyturn
