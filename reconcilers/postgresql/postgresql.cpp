#include "reconcilers/postgresql/postgresql.h"

#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "reconcilers/postgresql/admin_session.h"
#include "reconcilers/postgresql/login_probe.h"
#include "reconcilers/postgresql/scram.h"
#include "reconcilers/wire/principal_name.h"

namespace keyturn {
namespace {

using postgresql::AdminLogin;
using postgresql::AdminSession;

constexpr Duration statement_time_max = std::chrono::seconds(5);
constexpr std::size_t client_text_max = 80;

// libpq 15 wants the system's authorities by the name of a file. These are where OpenSSL, Debian and Red Hat keep them.
std::string system_ca_file() {
  const char* named = std::getenv(X509_get_default_cert_file_env());
  for (const char* path : {named, X509_get_default_cert_file(), "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"})
    if (path != nullptr && ::access(path, R_OK) == 0) return path;
  return {};
}

// The advisory lock of a role: 63 bits of a hash, because the server's locks are numbers.
std::string lock_number(const std::string& principal) {
  const Sha256 digest = sha256("keyturn role " + principal);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return std::to_string(number >> 1);
}

std::string random_bytes(Random& random, std::size_t count) {
  std::string bytes(count, '\0');
  random.fill({reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
  return bytes;
}

// Keys drawn at random belong to no password, so there is nothing that anybody could know.
std::string verifier_of_nobody(Random& random) {
  constexpr std::size_t key_bytes = 32;
  return "SCRAM-SHA-256$" + std::to_string(postgresql::scram_iterations_default) + ":" +
         to_base64(random_bytes(random, postgresql::scram_salt_bytes)) + "$" + to_base64(random_bytes(random, key_bytes)) + ":" +
         to_base64(random_bytes(random, key_bytes));
}

// ALTER ROLE in a transaction, on a thread of the pool.
struct AlterRole {
  enum class Kind : std::uint8_t { Install, Withdraw };
  Kind kind;
  AdminLogin login;
  Context context;
  std::string principal;
  std::string verifier;

  Result<> operator()() {
    auto opened = AdminSession::open(login, context);
    if (!opened) return opened.error();
    AdminSession& session = **opened;
    bool exists = false;
    if (auto prepared = prepare(session, exists); !prepared) return not_applied(prepared.error());
    if (!exists) return kind == Kind::Withdraw ? ok() : Result<>(Error{Errc::Invalid, "the principal does not exist"});
    if (auto altered = alter(session); !altered) return not_applied(altered.error());
    auto committed = session.execute("COMMIT");
    if (!committed) return committed.error();
    if (*committed != "COMMIT") return Error{Errc::Unavailable, "the server rolled the change back"};
    return ok();
  }

  // Before COMMIT was sent a lost connection means that the server rolls back.
  static Error not_applied(Error error) {
    if (error.code == Errc::OutcomeUnknown) error.code = Errc::Unavailable;
    return error;
  }

  Result<> prepare(AdminSession& session, bool& exists) {
    const Duration left = std::min(statement_time_max, context.remaining().value_or(statement_time_max));
    const std::string limit = std::to_string(std::max<Duration::rep>(1, left.count()));
    // A commit that the server acknowledges before it is on its disk could be lost by a crash.
    for (const std::string& sql : {std::string("BEGIN"), "SET LOCAL statement_timeout = " + limit, "SET LOCAL lock_timeout = " + limit,
                                   std::string("SET LOCAL synchronous_commit = on")}) {
      if (auto done = session.execute(sql); !done) return done.error();
    }
    if (auto locked = session.query("SELECT pg_advisory_xact_lock($1::bigint)", {lock_number(principal)}); !locked) return locked.error();
    auto rows = session.query("SELECT coalesce(rolvaliduntil <= now(), false) FROM pg_roles WHERE rolname = $1", {principal});
    if (!rows) return rows.error();
    exists = !rows->empty();
    const bool expired = exists && rows->front()[0] == "t";
    if (expired && kind == Kind::Install) return Error{Errc::Invalid, "the role's VALID UNTIL has passed"};
    return ok();
  }

  Result<> alter(AdminSession& session) {
    const auto name = session.quote_identifier(principal);
    if (!name) return name.error();
    const auto value = session.quote_literal(verifier);
    if (!value) return value.error();
    const std::string login_word = kind == Kind::Install ? " LOGIN" : "";
    const auto altered = session.execute("ALTER ROLE " + *name + login_word + " PASSWORD " + *value);
    if (!altered) return altered.error();
    return ok();
  }
};

// Reading changes nothing, so a lost answer is no mystery.
Error unread(Error error) {
  if (error.code == Errc::OutcomeUnknown) error.code = Errc::Unavailable;
  return error;
}

// Names that clients give themselves: shown to people, so without control characters and not endless.
std::string printable(std::string text) {
  std::erase_if(text, [](char c) { return c < 0x20 || c > 0x7E; });
  text.resize(std::min(text.size(), client_text_max));
  return text;
}

struct ListSessions {
  AdminLogin login;
  Context context;
  std::string principal;
  std::optional<Duration> older_than;

  Result<Sessions> operator()() {
    auto opened = AdminSession::open(login, context);
    if (!opened) return opened.error();
    // The age is taken by the server's clock alone; null where the administrator may not see it.
    auto rows = (*opened)->query(
        "SELECT coalesce(host(client_addr), 'local'), coalesce(application_name, ''), "
        "(extract(epoch FROM clock_timestamp() - backend_start) * 1000)::bigint "
        "FROM pg_stat_activity WHERE usename = $1 AND coalesce(backend_type, '') <> 'parallel worker'",
        {principal});
    if (!rows) return unread(rows.error());
    Sessions found;
    for (const postgresql::Row& row : *rows) {
      if (older_than && row[2] && !may_be_older(*row[2])) continue;
      ++found.count;
      if (found.clients.size() < PostgreSql::clients_named_max)
        found.clients.push_back(printable(row[0].value_or("local") + " " + row[1].value_or("")));
    }
    return found;
  }

  bool may_be_older(const std::string& age_text) const {
    std::int64_t age = 0;
    std::from_chars(age_text.data(), age_text.data() + age_text.size(), age);
    return Duration(age) > *older_than - std::chrono::seconds(1);  // the question and the answer took time, too
  }
};

struct CompareAuthority {
  AdminLogin login;
  Context context;
  std::string principal_a;
  std::string principal_b;

  Result<postgresql::AuthorityComparison> operator()() {
    auto opened = AdminSession::open(login, context);
    if (!opened) return opened.error();
    auto compared = postgresql::compare_authority(**opened, principal_a, principal_b);
    if (!compared) return unread(compared.error());
    return compared;
  }
};

}  // namespace

Result<std::shared_ptr<PostgreSql>> PostgreSql::make(api::PostgreSqlSystem settings, std::shared_ptr<boost::asio::ssl::context> trust,
                                                     std::shared_ptr<AdminCredential> admin, BlockingPool& pool, Random& random) {
  // A comma would name several hosts for libpq, a leading slash a socket in the file system.
  const bool host_fine = !settings.host.empty() && settings.host.find_first_of(",/@ \t\r\n") == std::string::npos;
  if (!host_fine || settings.port < 1 || settings.port > 65'535) return Error{Errc::Invalid, "the server's host or port is not valid"};
  if (settings.tls == api::TlsMode::Verify && settings.ca_file.empty()) settings.ca_file = system_ca_file();
  wire::Peer peer{settings.host, static_cast<std::uint16_t>(settings.port), settings.tls, std::move(trust)};
  return std::shared_ptr<PostgreSql>(new PostgreSql(std::move(settings), std::move(peer), std::move(admin), pool, random));
}

DependentCapabilities PostgreSql::capabilities() const { return {.live_values_per_principal = 1, .tells_sessions = true}; }

Result<> PostgreSql::check_principal(const std::string& principal) const {
  if (!is_plain_principal(principal, principal_bytes_max))
    return Error{Errc::Invalid, "the principal's name has characters that are refused"};
  const auto& declared = settings_.principals;
  if (std::find(declared.begin(), declared.end(), principal) == declared.end())
    return Error{Errc::Denied, "the principal is not declared for this system"};
  if (principal == settings_.admin.user) return Error{Errc::Invalid, "the administrator's own role is not rotated by itself"};
  return ok();
}

Task<AdminLogin> PostgreSql::admin_login(Context context) {
  const auto addresses = co_await wire::addresses_of(context, peer_);
  if (!addresses) co_return addresses.error();
  auto password = co_await admin_->read(context);
  if (!password) co_return password.error();
  AdminLogin login;
  for (const auto& one : *addresses) login.addresses.push_back(one.address().to_string());
  login.host = settings_.host;
  login.port = settings_.port;
  login.database = settings_.database;
  login.tls = settings_.tls;
  login.ca_file = settings_.ca_file;
  login.user = settings_.admin.user;
  login.password = *std::move(password);
  co_return std::move(login);
}

Task<ProbeResult> PostgreSql::probe(Context context, std::string principal, const Secret& password) {
  const auto allowed = check_principal(principal);
  if (!allowed) co_return allowed.error();
  const ProbeResult result = co_await postgresql::probe_login(context.named("postgresql probe"), peer_, settings_.database,
                                                              std::move(principal), password, random_);
  co_return result;
}

Task<> PostgreSql::install(Context context, std::string principal, const Secret& password) {
  const auto allowed = check_principal(principal);
  if (!allowed) co_return allowed.error();
  auto verifier = postgresql::scram_verifier(password, random_bytes(random_, postgresql::scram_salt_bytes));
  if (!verifier) co_return verifier.error();
  const Context here = context.named("postgresql install");
  auto login = co_await admin_login(here);
  if (!login) co_return login.error();
  AlterRole work{AlterRole::Kind::Install, *std::move(login), here, std::move(principal), *std::move(verifier)};
  co_return co_await pool_.run(std::move(work));
}

Task<> PostgreSql::withdraw(Context context, std::string principal, const Secret&) {
  const auto allowed = check_principal(principal);
  if (!allowed) co_return allowed.error();
  const Context here = context.named("postgresql withdraw");
  auto login = co_await admin_login(here);
  if (!login) co_return login.error();
  AlterRole work{AlterRole::Kind::Withdraw, *std::move(login), here, std::move(principal), verifier_of_nobody(random_)};
  co_return co_await pool_.run(std::move(work));
}

Task<Sessions> PostgreSql::sessions(Context context, std::string principal, std::optional<Instant> since) {
  const auto allowed = check_principal(principal);
  if (!allowed) co_return allowed.error();
  const Context here = context.named("postgresql sessions");
  auto login = co_await admin_login(here);
  if (!login) co_return login.error();
  std::optional<Duration> older_than;
  if (since) older_than = here.clock().now() - *since;
  ListSessions work{*std::move(login), here, std::move(principal), older_than};
  co_return co_await pool_.run(std::move(work));
}

Task<postgresql::AuthorityComparison> PostgreSql::equal_authority(Context context, std::string principal_a, std::string principal_b) {
  for (const std::string& one : {principal_a, principal_b})
    if (const auto allowed = check_principal(one); !allowed) co_return allowed.error();
  const Context here = context.named("postgresql compare");
  auto login = co_await admin_login(here);
  if (!login) co_return login.error();
  CompareAuthority work{*std::move(login), here, std::move(principal_a), std::move(principal_b)};
  co_return co_await pool_.run(std::move(work));
}

}  // namespace keyturn
