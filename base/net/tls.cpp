#include "base/net/tls.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>

namespace keyturn::net {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::array<unsigned char, 9> alpn_http1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

constexpr long second = 1;
constexpr long day = 24 * 60 * 60 * second;
constexpr long clock_skew = 60 * 60 * second;  // a peer's clock may lag behind the clock of who signs
constexpr long ca_days = 3650;
constexpr long server_days = 397;  // the most that clients which follow the CA/Browser Forum's rule accept

template <class T, auto release>
struct Releaser {
  void operator()(T* p) const noexcept { release(p); }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Releaser<T, release>>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;
using Memory = Owned<BIO, BIO_free_all>;

boost::asio::const_buffer buffer_of(std::string_view text) { return {text.data(), text.size()}; }

// OpenSSL keeps a queue of errors per thread; what stays there would be taken for the error of a later operation.
Error failed(Errc code, const char* message) {
  ERR_clear_error();
  return {code, message};
}

int choose_http1(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, alpn_http1.data(), alpn_http1.size(), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void apply_common_settings(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // CLEANSE_PLAINTEXT: a record's plaintext otherwise stays in OpenSSL's buffer, even after the connection is freed.
  SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

Result<> use_identity(ssl::context& context, std::string_view chain_pem, std::string_view key_pem) {
  error_code ec;
  context.use_certificate_chain(buffer_of(chain_pem), ec);
  if (ec) return failed(Errc::Invalid, "certificate is not valid PEM");
  context.use_private_key(buffer_of(key_pem), ssl::context::pem, ec);
  if (ec) return failed(Errc::Invalid, "private key is not valid PEM or does not belong to the certificate");
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    return failed(Errc::Invalid, "private key does not belong to the certificate");
  return ok();
}

Result<std::string> to_pem(X509* certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  if (!memory || PEM_write_bio_X509(memory.get(), certificate) != 1) return failed(Errc::Internal, "certificate cannot be written");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<std::string> to_pem(EVP_PKEY* key) {
  const Memory memory(BIO_new(BIO_s_secmem()));
  if (!memory || PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed(Errc::Internal, "private key cannot be written");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Certificate certificate_from(std::string_view pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
}

Key key_from(std::string_view pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
}

bool set_random_serial(X509* certificate) {
  const Owned<BIGNUM, BN_free> number(BN_new());
  // 127 bits: positive, and within the 20 bytes that RFC 5280 allows.
  return number && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_common_name(X509_NAME* name, const std::string& text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Version 3, a fresh serial number, and valid from an hour ago. The time is the system's: OpenSSL verifies by it as well.
Certificate new_certificate(EVP_PKEY* key, long days) {
  Certificate made(X509_new());
  const bool done = made && X509_set_version(made.get(), X509_VERSION_3) == 1 && set_random_serial(made.get()) &&
                    X509_gmtime_adj(X509_getm_notBefore(made.get()), -clock_skew) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(made.get()), days * day) != nullptr && X509_set_pubkey(made.get(), key) == 1;
  return done ? std::move(made) : Certificate();
}

// A name goes into a small language of OpenSSL's where a comma would begin another entry, so only what names need is let through.
bool is_plain_name(const std::string& name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:*") == std::string::npos;
}

Result<std::string> alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!is_plain_name(name)) return Error{Errc::Invalid, "certificate name is neither a DNS name nor an address"};
    error_code not_address;
    boost::asio::ip::make_address(name, not_address);
    if (!text.empty()) text += ",";
    text += (not_address ? "DNS:" : "IP:") + name;
  }
  if (text.empty()) return Error{Errc::Invalid, "certificate has no name"};
  return text;
}

Result<TlsIdentity> issue(X509* ca, EVP_PKEY* ca_key, const std::vector<std::string>& names) {
  const auto alternatives = alternative_names(names);
  if (!alternatives) return alternatives.error();
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made = key ? new_certificate(key.get(), server_days) : Certificate();
  const bool done = made && set_common_name(X509_get_subject_name(made.get()), names.front().substr(0, 64)) &&
                    X509_set_issuer_name(made.get(), X509_get_subject_name(ca)) == 1 &&
                    add_extension(made.get(), ca, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(made.get(), ca, NID_key_usage, "critical,digitalSignature") &&
                    add_extension(made.get(), ca, NID_ext_key_usage, "serverAuth") &&
                    add_extension(made.get(), ca, NID_authority_key_identifier, "keyid") &&
                    add_extension(made.get(), ca, NID_subject_alt_name, *alternatives) && X509_sign(made.get(), ca_key, EVP_sha256()) > 0;
  if (!done) return failed(Errc::Internal, "certificate cannot be made");
  auto certificate_pem = to_pem(made.get());
  if (!certificate_pem) return certificate_pem.error();
  auto key_pem = to_pem(key.get());
  if (!key_pem) return key_pem.error();
  return TlsIdentity{.certificate_pem = *std::move(certificate_pem), .key_pem = *std::move(key_pem), .client_ca_pem = {}};
}

}  // namespace

Result<std::shared_ptr<ssl::context>> client_context(const TlsTrust& trust) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  apply_common_settings(context->native_handle());
  error_code ec;
  context->set_verify_mode(ssl::verify_peer, ec);
  if (!ec && trust.ca_pem.empty()) context->set_default_verify_paths(ec);
  if (!ec && !trust.ca_pem.empty()) context->add_certificate_authority(buffer_of(trust.ca_pem), ec);
  if (ec) return failed(Errc::Invalid, "certificate authorities cannot be read");
  // The function returns 0 for success, unlike its siblings.
  if (SSL_CTX_set_alpn_protos(context->native_handle(), alpn_http1.data(), alpn_http1.size()) != 0)
    return failed(Errc::Internal, "TLS cannot be set up");
  if (!trust.client_certificate_pem.empty() && trust.client_key_pem) {
    const auto used =
        trust.client_key_pem->expose([&](std::string_view key) { return use_identity(*context, trust.client_certificate_pem, key); });
    if (!used) return used.error();
  }
  return context;
}

Result<std::shared_ptr<ssl::context>> server_context(const TlsIdentity& identity) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  apply_common_settings(native);
  // Sessions are not resumed: a new handshake costs little here and always verifies the client's certificate.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_alpn_select_cb(native, choose_http1, nullptr);
  const auto used = use_identity(*context, identity.certificate_pem, identity.key_pem);
  if (!used) return used.error();
  if (!identity.client_ca_pem.empty()) {
    error_code ec;
    context->add_certificate_authority(buffer_of(identity.client_ca_pem), ec);
    if (!ec) context->set_verify_mode(ssl::verify_peer, ec);
    if (ec) return failed(Errc::Invalid, "certificate authorities cannot be read");
    const Certificate first = certificate_from(identity.client_ca_pem);
    SSL_CTX_add_client_CA(native, first.get());  // a hint for clients that hold several certificates
  }
  return context;
}

Result<GeneratedTls> generate_tls(const std::string& common_name, const std::vector<std::string>& names) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate ca = key ? new_certificate(key.get(), ca_days) : Certificate();
  const bool done = ca && set_common_name(X509_get_subject_name(ca.get()), common_name) &&
                    X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) == 1 &&
                    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash") &&
                    X509_sign(ca.get(), key.get(), EVP_sha256()) > 0;
  if (!done) return failed(Errc::Internal, "certificate authority cannot be made");
  auto ca_pem = to_pem(ca.get());
  if (!ca_pem) return ca_pem.error();
  auto ca_key_pem = to_pem(key.get());
  if (!ca_key_pem) return ca_key_pem.error();
  auto server = issue(ca.get(), key.get(), names);
  if (!server) return server.error();
  return GeneratedTls{.ca_pem = *std::move(ca_pem), .ca_key_pem = *std::move(ca_key_pem), .server = *std::move(server)};
}

Result<TlsIdentity> issue_server_certificate(const std::string& ca_pem, const std::string& ca_key_pem,
                                             const std::vector<std::string>& names) {
  const Certificate ca = certificate_from(ca_pem);
  const Key key = key_from(ca_key_pem);
  if (!ca || !key || X509_check_private_key(ca.get(), key.get()) != 1)
    return failed(Errc::Invalid, "certificate authority and its key cannot be read");
  return issue(ca.get(), key.get(), names);
}

}  // namespace keyturn::net
