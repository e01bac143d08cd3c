// Statements of an administrator, on libpq. Everything here blocks: call it on a thread of the BlockingPool only.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/rotation_environment.h"
#include "base/context.h"
#include "base/error.h"
#include "base/secret.h"

namespace keyturn::postgresql {

struct AdminLogin {
  std::string host;                    // for the certificate
  std::vector<std::string> addresses;  // to connect to, resolved and allowed before
  int port = 5432;
  std::string database;
  api::TlsMode tls = api::TlsMode::Verify;
  std::string ca_file;  // with Verify: PEM bundle
  std::string user;
  Secret password;
};

using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

// One connection, from opening to closing within the Context's deadline. Each call is one statement and one round trip.
class AdminSession {
 public:
  // Errors: Denied (the administrator is refused), Invalid (no such database), Unavailable.
  static Result<std::unique_ptr<AdminSession>> open(const AdminLogin& login, Context context);

  // Errors: by SQLSTATE Denied, Invalid or Unavailable; OutcomeUnknown when the statement was sent and no answer came.
  Result<Rows> query(const std::string& sql, const std::vector<std::string>& parameters = {});
  // As query, for what has no rows; asks `may_send` first. The command tag comes back ("COMMIT").
  Result<std::string> execute(const std::string& sql);

  // Quoted by the connection's own rules. Errors: Invalid (not text in its encoding).
  Result<std::string> quote_identifier(std::string_view name);
  Result<std::string> quote_literal(std::string_view text);

 private:
  struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  using Connection = std::unique_ptr<PGconn, Finish>;
  using Answer = std::unique_ptr<PGresult, Clear>;

  AdminSession(Connection connection, Context context) : connection_(std::move(connection)), context_(std::move(context)) {}
  Result<> complete_login();
  Result<Answer> run(const std::string& sql, const std::vector<std::string>& parameters);
  Result<> flush();
  Result<Answer> last_answer();
  bool wait_for(short events);

  Connection connection_;
  const Context context_;
};

// What a refusal with this code means to us. `message` of the result is ours; the server's text is dropped.
Error refusal_of(std::string_view sqlstate);

}  // namespace keyturn::postgresql
