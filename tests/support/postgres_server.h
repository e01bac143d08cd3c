// A real PostgreSQL server of the system's package, on a loopback port of its own, for contract tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace keyturn {

class PostgresServer {
 public:
  enum class Transport { Plain, Tls };

  static constexpr const char* admin_user = "keyturn_admin";
  static constexpr const char* admin_password = "admin-test-value-93d2";

  // Everybody logs in by SCRAM-SHA-256, except as lines of pg_hba.conf in `access` say. Every statement is logged.
  explicit PostgresServer(Transport transport = Transport::Plain, const std::string& access = "");
  ~PostgresServer();

  int port() const noexcept { return port_; }
  std::string log() const;
  const std::string& ca_pem() const noexcept { return ca_pem_; }
  std::string ca_file() const { return (directory_.path() / "ca.pem").string(); }

  void start();  // after stop; on the same port
  void stop();   // at once, as in a crash: the next start recovers
  void freeze() const;
  void thaw() const;

  // Runs statements as the administrator; the first column of the rows. Throws std::runtime_error.
  std::vector<std::string> sql(const std::string& statements, const std::string& database = "postgres") const;

  // Runs statements as the administrator on a connection that stays open as long as the handle, with whatever they began.
  std::shared_ptr<void> hold(const std::string& statements) const;

  // A connection that stays open as long as the handle. Throws when the login fails.
  std::shared_ptr<void> log_in(const std::string& user, const std::string& password, const std::string& database = "postgres") const;

 private:
  void initialize(const std::string& access);
  bool try_start();

  TemporaryDirectory directory_;
  std::optional<RunAs> run_as_;
  std::string programs_;
  const Transport transport_;
  std::string ca_pem_;
  int port_ = 0;
  std::string earlier_log_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace keyturn
