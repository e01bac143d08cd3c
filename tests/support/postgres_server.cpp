#include "tests/support/postgres_server.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "base/net/tls.h"

namespace keyturn {
namespace {

namespace fs = std::filesystem;

constexpr int starts_max = 10;  // each on another port, should somebody take the one just found

// Debian keeps one directory per major version; any will do.
std::string find_programs() {
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql"))
    if (fs::exists(version.path() / "bin" / "initdb")) return (version.path() / "bin").string();
  throw std::runtime_error("PostgreSQL is not installed");
}

// PostgreSQL refuses to run as root.
std::optional<RunAs> unprivileged_user() {
  if (::geteuid() != 0) return std::nullopt;
  for (const char* name : {"postgres", "nobody"})
    if (const passwd* found = ::getpwnam(name); found != nullptr) return RunAs{found->pw_uid, found->pw_gid};
  throw std::runtime_error("no user to run PostgreSQL as");
}

void give_to(const fs::path& path, const std::optional<RunAs>& owner, mode_t mode) {
  const bool changed = ::chmod(path.c_str(), mode) == 0 && (!owner || ::chown(path.c_str(), owner->user, owner->group) == 0);
  if (!changed) throw std::runtime_error("a file cannot be handed over");
}

std::shared_ptr<PGconn> connect(int port, const std::string& user, const std::string& password, const std::string& database) {
  const std::string port_text = std::to_string(port);
  const char* keywords[] = {"hostaddr", "port", "user", "password", "dbname", "application_name", "connect_timeout", "options", nullptr};
  const char* values[] = {"127.0.0.1",      port_text.c_str(), user.c_str(), password.c_str(),
                          database.c_str(), "fixture",         "30",         "-c client_min_messages=warning",
                          nullptr};
  std::shared_ptr<PGconn> connection(PQconnectdbParams(keywords, values, 0), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  return connection;
}

std::shared_ptr<PGresult> execute(PGconn& connection, const std::string& statements) {
  std::shared_ptr<PGresult> result(PQexec(&connection, statements.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) throw std::runtime_error(PQerrorMessage(&connection));
  return result;
}

}  // namespace

PostgresServer::PostgresServer(Transport transport, const std::string& access)
    : run_as_(unprivileged_user()), programs_(find_programs()), transport_(transport) {
  initialize(access);
  for (int attempt = 0; attempt < starts_max; ++attempt) {
    port_ = unused_port();
    if (try_start()) return;
  }
  throw std::runtime_error("postgres does not start");
}

PostgresServer::~PostgresServer() { stop(); }

void PostgresServer::initialize(const std::string& access) {
  const fs::path place = directory_.path();
  give_to(place, run_as_, 0700);
  write_file(place / "password", admin_password);
  give_to(place / "password", run_as_, 0600);
  ChildProcess initdb({programs_ + "/initdb", "-D", (place / "data").string(), "-U", admin_user, "-A", "scram-sha-256", "--pwfile",
                       (place / "password").string(), "-E", "UTF8", "--locale=C", "--no-sync"},
                      place, run_as_);
  if (initdb.wait() != 0) throw std::runtime_error("initdb failed: " + initdb.output());
  const char* kind = transport_ == Transport::Tls ? "hostssl" : "host";
  write_file(place / "data" / "pg_hba.conf", access + kind + " all all 127.0.0.1/32 scram-sha-256\n");
  if (transport_ == Transport::Plain) return;
  const auto tls = net::generate_tls("postgres under test", {"localhost", "127.0.0.1"});
  if (!tls) throw std::runtime_error("no certificate");
  ca_pem_ = tls->ca_pem;
  write_file(place / "ca.pem", tls->ca_pem);
  write_file(place / "data" / "server.crt", tls->server.certificate_pem);
  write_file(place / "data" / "server.key", tls->server.key_pem);
  give_to(place / "data" / "server.crt", run_as_, 0600);
  give_to(place / "data" / "server.key", run_as_, 0600);
}

bool PostgresServer::try_start() {
  std::vector<std::string> arguments{programs_ + "/postgres",
                                     "-D",
                                     (directory_.path() / "data").string(),
                                     "-p",
                                     std::to_string(port_),
                                     "-c",
                                     "listen_addresses=127.0.0.1",
                                     "-c",
                                     "unix_socket_directories=" + directory_.path().string(),
                                     "-c",
                                     "fsync=off",
                                     "-c",
                                     "log_statement=all",
                                     "-c",
                                     "log_parameter_max_length=-1",
                                     "-c",
                                     "shared_buffers=16MB",
                                     "-c",
                                     "max_connections=30"};
  if (transport_ == Transport::Tls) {
    arguments.push_back("-c");
    arguments.push_back("ssl=on");
  }
  process_ = std::make_unique<ChildProcess>(std::move(arguments), directory_.path(), run_as_);
  return process_->wait_for_output("database system is ready to accept connections");
}

void PostgresServer::start() {
  if (!try_start()) throw std::runtime_error("postgres does not start again");
}

// SIGQUIT is PostgreSQL's immediate shutdown: no checkpoint, the sessions are cut. It cannot be delivered to a frozen process.
void PostgresServer::stop() {
  if (!process_) return;
  thaw();
  process_->signal(SIGQUIT);
  process_->wait();
  earlier_log_ = log();
  process_.reset();
}

void PostgresServer::freeze() const { process_->signal(SIGSTOP); }
void PostgresServer::thaw() const { process_->signal(SIGCONT); }

std::string PostgresServer::log() const { return earlier_log_ + (process_ ? process_->output() : ""); }

std::vector<std::string> PostgresServer::sql(const std::string& statements, const std::string& database) const {
  const auto connection = connect(port_, admin_user, admin_password, database);
  const auto result = execute(*connection, statements);
  std::vector<std::string> column;
  for (int row = 0; row < PQntuples(result.get()); ++row) column.emplace_back(PQgetvalue(result.get(), row, 0));
  return column;
}

std::shared_ptr<void> PostgresServer::hold(const std::string& statements) const {
  auto connection = connect(port_, admin_user, admin_password, "postgres");
  execute(*connection, statements);
  return connection;
}

std::shared_ptr<void> PostgresServer::log_in(const std::string& user, const std::string& password, const std::string& database) const {
  return connect(port_, user, password, database);
}

}  // namespace keyturn
