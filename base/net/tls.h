// TLS settings of both sides. Verification cannot be turned off; the minimum is TLS 1.2.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace keyturn::net {

// Whom a client believes: the system's authorities, or exactly those in a PEM bundle.
struct TlsTrust {
  std::string ca_pem;  // empty = the system's
  // How the client shows who it is, when the server asks: a certificate chain and its key, both PEM. None by default.
  std::string client_certificate_pem;
  std::shared_ptr<const Secret> client_key_pem;
};
Result<std::shared_ptr<boost::asio::ssl::context>> client_context(const TlsTrust& trust);

// A server's certificate chain and key, in PEM; `client_ca_pem` given = client certificates are asked for and verified when sent.
struct TlsIdentity {
  std::string certificate_pem;
  std::string key_pem;
  std::string client_ca_pem;
};
Result<std::shared_ptr<boost::asio::ssl::context>> server_context(const TlsIdentity& identity);

// A self-made authority and a server certificate by it (ECDSA P-256), for the embedded API and keyturn-sim.
// `names` are DNS names or IP addresses for the subjectAltName.
struct GeneratedTls {
  std::string ca_pem;
  std::string ca_key_pem;
  TlsIdentity server;
};
Result<GeneratedTls> generate_tls(const std::string& common_name, const std::vector<std::string>& names);
// A server certificate by an authority made before, so that a restart keeps the CA that users trust already.
Result<TlsIdentity> issue_server_certificate(const std::string& ca_pem, const std::string& ca_key_pem,
                                             const std::vector<std::string>& names);

}  // namespace keyturn::net
