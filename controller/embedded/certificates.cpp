#include "controller/embedded/certificates.h"

#include "controller/embedded/private_file.h"

namespace keyturn::embedded {
namespace {

Result<> keep(const std::string& path, const std::string& pem) { return write_private_file(path, Secret::copy_of(pem)); }

Result<Certificates> make(const std::string& certificate_path, const std::string& key_path, const std::vector<std::string>& names) {
  Result<net::GeneratedTls> made = net::generate_tls("keyturn", names);
  if (!made) return made.error();
  // The key first: a certificate without its key would be taken for a broken authority, a key alone is made anew.
  if (const Result<> kept = keep(key_path, made->ca_key_pem); !kept) return kept.error();
  if (const Result<> kept = keep(certificate_path, made->ca_pem); !kept) return kept.error();
  Certificates certificates{made->ca_pem, made->server};
  certificates.server.client_ca_pem = made->ca_pem;
  return certificates;
}

}  // namespace

Result<Certificates> ensure_certificates(const std::string& directory, const std::vector<std::string>& names) {
  const std::string certificate_path = directory + "/ca.crt";
  const std::string key_path = directory + "/ca.key";
  const Result<std::string> certificate = read_private_file(certificate_path);
  if (!certificate && certificate.error().code == Errc::NotFound) return make(certificate_path, key_path, names);
  if (!certificate) return certificate.error();
  const Result<std::string> key = read_private_file(key_path);
  if (!key)
    return Error{key.error().code == Errc::NotFound ? Errc::Invalid : key.error().code,
                 "the key of the certificate authority cannot be read"};
  Result<net::TlsIdentity> server = net::issue_server_certificate(*certificate, *key, names);
  if (!server) return server.error();
  server->client_ca_pem = *certificate;
  return Certificates{*certificate, std::move(*server)};
}

}  // namespace keyturn::embedded
