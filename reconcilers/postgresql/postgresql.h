// PostgreSQL roles: one live password each. Two roles that alternate make two live credentials.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "api/rotation_environment.h"
#include "base/blocking_pool.h"
#include "base/random.h"
#include "reconcilers/postgresql/authority.h"
#include "reconcilers/rotation/systems.h"
#include "reconcilers/wire/admin_credential.h"
#include "reconcilers/wire/connection.h"

namespace keyturn {

// Passwords are set as SCRAM verifiers computed here, so that no log of the server can hold one (source: notes of ALTER ROLE). Every
// change is one transaction under an advisory lock of its role: nothing is applied unless its COMMIT was sent.
class PostgreSql final : public Dependent {
 public:
  static constexpr std::size_t principal_bytes_max = 63;  // NAMEDATALEN - 1; longer names are cut by the server
  static constexpr std::size_t clients_named_max = 50;    // in Sessions::clients; the count is exact

  // `trust` (for probes) and a CA file (for libpq: the entry's, else the system's) are needed unless TlsMode::LoopbackPlain.
  // Both references must outlive the object. Errors: Invalid (host or port).
  static Result<std::shared_ptr<PostgreSql>> make(api::PostgreSqlSystem settings, std::shared_ptr<boost::asio::ssl::context> trust,
                                                  std::shared_ptr<AdminCredential> admin, BlockingPool& pool, Random& random);

  DependentCapabilities capabilities() const override;
  Task<ProbeResult> probe(Context context, std::string principal, const Secret& password) override;

  // Also makes the role able to log in. Errors besides the port's: Invalid when the role does not exist, is the administrator's own, or
  // its VALID UNTIL has passed, or the password is not printable ASCII.
  Task<> install(Context context, std::string principal, const Secret& password) override;
  // Sets a verifier that belongs to no password at all. A role that does not exist is done.
  Task<> withdraw(Context context, std::string principal, const Secret& password) override;
  // Connections of a role that the administrator may not look into (pg_read_all_stats) count as older.
  Task<Sessions> sessions(Context context, std::string principal, std::optional<Instant> since) override;

  // For two roles that are to alternate, before the first use of the pair. Errors: as install.
  Task<postgresql::AuthorityComparison> equal_authority(Context context, std::string principal_a, std::string principal_b);

 private:
  PostgreSql(api::PostgreSqlSystem settings, wire::Peer peer, std::shared_ptr<AdminCredential> admin, BlockingPool& pool, Random& random)
      : settings_(std::move(settings)), peer_(std::move(peer)), admin_(std::move(admin)), pool_(pool), random_(random) {}

  Result<> check_principal(const std::string& principal) const;
  Task<postgresql::AdminLogin> admin_login(Context context);

  const api::PostgreSqlSystem settings_;
  const wire::Peer peer_;
  const std::shared_ptr<AdminCredential> admin_;
  BlockingPool& pool_;
  Random& random_;
};

}  // namespace keyturn
