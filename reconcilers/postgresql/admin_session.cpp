#include "reconcilers/postgresql/admin_session.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace keyturn::postgresql {
namespace {

constexpr Duration session_time_max = std::chrono::seconds(10);

// Keywords and values for PQconnectStartParams, which knows no other way to take them than as C strings.
class Parameters {
 public:
  void add(const char* keyword, std::string value) {
    texts_.push_back(std::make_unique<std::string>(std::move(value)));
    add_raw(keyword, texts_.back()->c_str());
  }
  void add_raw(const char* keyword, const char* value) {
    keywords_.push_back(keyword);
    values_.push_back(value);
  }
  PGconn* connect() {
    add_raw(nullptr, nullptr);
    return PQconnectStartParams(keywords_.data(), values_.data(), 0);
  }

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<const char*> keywords_;
  std::vector<const char*> values_;
};

// libpq takes lists for several addresses of one server, one host name for each.
std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ",") + part;
  return out;
}

PGconn* start(const AdminLogin& login) {
  // libpq wants the password to end with a zero byte. This copy is wiped with its Secret; libpq's own lives until PQfinish.
  SecretBuffer terminated(login.password.size() + 1);
  terminated.append(login.password).push_back('\0');
  const Secret password = std::move(terminated).finish();

  Parameters parameters;
  parameters.add("host", joined(std::vector<std::string>(login.addresses.size(), login.host)));
  parameters.add("hostaddr", joined(login.addresses));
  parameters.add("port", std::to_string(login.port));
  parameters.add("dbname", login.database);
  parameters.add("user", login.user);
  parameters.add_raw("password", password.expose([](std::string_view bytes) { return bytes.data(); }));
  parameters.add("application_name", "keyturn");
  parameters.add("client_encoding", "UTF8");
  parameters.add("gssencmode", "disable");
  // A standby would refuse every change anyway; this way the reason is seen before anything is tried.
  parameters.add("target_session_attrs", "read-write");
  const bool verify = login.tls == api::TlsMode::Verify;
  parameters.add("sslmode", verify ? "verify-full" : "disable");
  if (verify) parameters.add("sslrootcert", login.ca_file);
  if (verify) parameters.add("ssl_min_protocol_version", "TLSv1.2");
  return parameters.connect();
}

// With PQERRORS_SQLSTATE the text of a failed login is the severity and the code, whatever language the server speaks. libpq has no
// other way to tell the code of a failed login.
std::string sqlstate_in(std::string_view text) {
  for (const std::string_view code : {"28P01", "28000", "3D000", "42501"})
    if (text.find(code) != std::string_view::npos) return std::string(code);
  return {};
}

void drop_notice(void*, const PGresult*) {}

}  // namespace

Error refusal_of(std::string_view sqlstate) {
  const std::string_view kind = sqlstate.substr(0, 2);
  if (kind == "28") return {Errc::Denied, "the server refuses the administrator's login"};
  if (sqlstate == "42501" || kind == "0L" || kind == "0P") return {Errc::Denied, "the administrator lacks a permission at the server"};
  if (kind == "3D") return {Errc::Invalid, "the administrator's database does not exist"};
  if (kind == "22" || kind == "23" || kind == "42" || kind == "P0") return {Errc::Invalid, "the server does not accept the statement"};
  // Too many connections, shutting down, read-only, cancelled by a time limit, deadlock: all of them pass.
  return {Errc::Unavailable, "the server is not ready"};
}

Result<std::unique_ptr<AdminSession>> AdminSession::open(const AdminLogin& login, Context context) {
  const Context bounded = context.with_timeout(session_time_max);
  if (!bounded.may_send()) return Error{Errc::Unavailable, "the time to send has passed"};
  Connection connection(start(login));
  if (!connection) return Error{Errc::Unavailable, "out of memory"};
  PQsetErrorVerbosity(connection.get(), PQERRORS_SQLSTATE);
  PQsetNoticeReceiver(connection.get(), drop_notice, nullptr);
  std::unique_ptr<AdminSession> session(new AdminSession(std::move(connection), bounded));
  if (auto done = session->complete_login(); !done) return done.error();
  return session;
}

Result<> AdminSession::complete_login() {
  PGconn* connection = connection_.get();
  if (PQstatus(connection) == CONNECTION_BAD) return Error{Errc::Unavailable, "no connection to the system"};
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;  // where libpq's documentation says to begin
  while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    const bool ready = wait_for(state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    if (!ready) return Error{Errc::Unavailable, "the server did not complete the login before the deadline"};
    state = PQconnectPoll(connection);
  }
  if (state == PGRES_POLLING_OK) {
    PQsetnonblocking(connection, 1);
    return ok();
  }
  const std::string code = sqlstate_in(PQerrorMessage(connection));
  return code.empty() ? Error{Errc::Unavailable, "no login at the server"} : refusal_of(code);
}

bool AdminSession::wait_for(short events) {
  const Duration left = context_.remaining().value_or(session_time_max);
  pollfd descriptor{PQsocket(connection_.get()), events, 0};
  if (descriptor.fd < 0 || left <= Duration(0)) return false;
  int ready = 0;
  do {
    ready = ::poll(&descriptor, 1, static_cast<int>(left.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

Result<> AdminSession::flush() {
  for (;;) {
    const int state = PQflush(connection_.get());
    if (state == 0) return ok();
    // While sending, what arrives must be read as well, or both sides wait for each other.
    const bool moved = state > 0 && wait_for(POLLIN | POLLOUT) && PQconsumeInput(connection_.get()) == 1;
    if (!moved) return Error{Errc::OutcomeUnknown, "the connection broke while sending"};
  }
}

Result<AdminSession::Answer> AdminSession::last_answer() {
  Answer last;
  for (;;) {
    while (PQisBusy(connection_.get()) == 1) {
      const bool arrived = wait_for(POLLIN) && PQconsumeInput(connection_.get()) == 1;
      if (!arrived) return Error{Errc::OutcomeUnknown, "no answer from the server"};
    }
    Answer next(PQgetResult(connection_.get()));
    if (!next) break;
    last = std::move(next);
  }
  if (!last) return Error{Errc::OutcomeUnknown, "no answer from the server"};
  return last;
}

Result<AdminSession::Answer> AdminSession::run(const std::string& sql, const std::vector<std::string>& parameters) {
  if (!context_.may_send()) return Error{Errc::Unavailable, "the time to send has passed"};
  std::vector<const char*> values;
  for (const std::string& one : parameters) values.push_back(one.c_str());
  const int sent =
      PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0);
  if (sent != 1) return Error{Errc::OutcomeUnknown, "the connection broke while sending"};
  if (auto flushed = flush(); !flushed) return flushed.error();
  auto answer = last_answer();
  if (!answer) return answer.error();
  const ExecStatusType status = PQresultStatus(answer->get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return answer;
  // libpq reports a lost connection as an error without a code of the server, or as one of class 08.
  const char* code = PQresultErrorField(answer->get(), PG_DIAG_SQLSTATE);
  if (code == nullptr || std::string_view(code).starts_with("08"))
    return Error{Errc::OutcomeUnknown, "the connection broke before the answer"};
  return refusal_of(code);
}

Result<Rows> AdminSession::query(const std::string& sql, const std::vector<std::string>& parameters) {
  auto answer = run(sql, parameters);
  if (!answer) return answer.error();
  const PGresult* result = answer->get();
  Rows rows;
  for (int r = 0; r < PQntuples(result); ++r) {
    Row row;
    for (int c = 0; c < PQnfields(result); ++c) {
      if (PQgetisnull(result, r, c) == 1) {
        row.emplace_back(std::nullopt);
      } else {
        row.emplace_back(std::string(PQgetvalue(result, r, c), static_cast<std::size_t>(PQgetlength(result, r, c))));
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::string> AdminSession::execute(const std::string& sql) {
  auto answer = run(sql, {});
  if (!answer) return answer.error();
  return std::string(PQcmdStatus(answer->get()));
}

Result<std::string> AdminSession::quote_identifier(std::string_view name) {
  char* quoted = PQescapeIdentifier(connection_.get(), name.data(), name.size());
  if (quoted == nullptr) return Error{Errc::Invalid, "a name cannot be quoted"};
  std::string out(quoted);
  PQfreemem(quoted);
  return out;
}

Result<std::string> AdminSession::quote_literal(std::string_view text) {
  char* quoted = PQescapeLiteral(connection_.get(), text.data(), text.size());
  if (quoted == nullptr) return Error{Errc::Invalid, "a text cannot be quoted"};
  std::string out(quoted);
  PQfreemem(quoted);
  return out;
}

}  // namespace keyturn::postgresql
