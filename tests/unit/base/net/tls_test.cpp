#include "base/net/tls.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace keyturn::net {
namespace {

struct Certificate {
  explicit Certificate(const std::string& pem) {
    BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    x509 = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
    BIO_free(memory);
  }
  ~Certificate() { X509_free(x509); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  X509* x509 = nullptr;
};

TEST(GeneratedTls, NamesWhatItWasAskedFor) {
  const auto made = generate_tls("Keyturn", {"localhost", "*.vault.example.com", "127.0.0.1", "::1"});
  ASSERT_TRUE(made);
  const Certificate server(made->server.certificate_pem);
  ASSERT_NE(server.x509, nullptr);
  EXPECT_EQ(X509_check_host(server.x509, "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(server.x509, "a.vault.example.com", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(server.x509, "example.com", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(server.x509, "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.x509, "::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.x509, "10.0.0.1", 0), 0);
}

TEST(GeneratedTls, IsSignedByItsAuthorityWhichIsOne) {
  const auto made = generate_tls("Keyturn", {"localhost"});
  ASSERT_TRUE(made);
  const Certificate ca(made->ca_pem);
  const Certificate server(made->server.certificate_pem);
  EXPECT_EQ(X509_check_issued(ca.x509, server.x509), X509_V_OK);
  EXPECT_EQ(X509_verify(server.x509, X509_get0_pubkey(ca.x509)), 1);
  EXPECT_GE(X509_check_ca(ca.x509), 1);
  EXPECT_EQ(X509_check_ca(server.x509), 0);
  EXPECT_EQ(X509_cmp_current_time(X509_get0_notBefore(server.x509)), -1);
  EXPECT_EQ(X509_cmp_current_time(X509_get0_notAfter(server.x509)), 1);
}

TEST(GeneratedTls, NeverRepeats) {
  const auto one = generate_tls("Keyturn", {"localhost"});
  const auto two = generate_tls("Keyturn", {"localhost"});
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->server.key_pem, two->server.key_pem);
  EXPECT_NE(one->ca_key_pem, two->ca_key_pem);
}

TEST(GeneratedTls, RefusesNamesThatCouldSmuggleOthers) {
  for (const char* name : {"", "a,DNS:b", "a b", "a\nb", "email:x@y", "a/b"}) {
    const auto made = generate_tls("Keyturn", {name});
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, Errc::Invalid);
  }
  EXPECT_FALSE(generate_tls("Keyturn", {}));
}

TEST(IssuedCertificate, IsBelievedByWhoBelievesTheAuthority) {
  const auto made = generate_tls("Keyturn", {"localhost"});
  ASSERT_TRUE(made);
  const auto again = issue_server_certificate(made->ca_pem, made->ca_key_pem, {"other.example.com"});
  ASSERT_TRUE(again);
  const Certificate ca(made->ca_pem);
  const Certificate server(again->certificate_pem);
  EXPECT_EQ(X509_verify(server.x509, X509_get0_pubkey(ca.x509)), 1);
  EXPECT_TRUE(server_context(*again));
}

TEST(IssuedCertificate, NeedsAnAuthorityAndItsOwnKey) {
  const auto made = generate_tls("Keyturn", {"localhost"});
  const auto other = generate_tls("Keyturn", {"localhost"});
  ASSERT_TRUE(made && other);
  EXPECT_EQ(issue_server_certificate("garbage", made->ca_key_pem, {"a"}).error().code, Errc::Invalid);
  EXPECT_EQ(issue_server_certificate(made->ca_pem, "garbage", {"a"}).error().code, Errc::Invalid);
  EXPECT_EQ(issue_server_certificate(made->ca_pem, other->ca_key_pem, {"a"}).error().code, Errc::Invalid);
}

TEST(TlsContexts, AreMadeFromWhatIsSound) {
  const auto made = generate_tls("Keyturn", {"localhost"});
  ASSERT_TRUE(made);
  EXPECT_TRUE(client_context({.ca_pem = made->ca_pem}));
  EXPECT_TRUE(client_context({}));
  EXPECT_TRUE(server_context(made->server));
  const auto context = client_context({.ca_pem = made->ca_pem});
  EXPECT_EQ(SSL_CTX_get_min_proto_version((*context)->native_handle()), TLS1_2_VERSION);
  EXPECT_EQ(SSL_CTX_get_verify_mode((*context)->native_handle()), SSL_VERIFY_PEER);
  EXPECT_NE(SSL_CTX_get_options((*context)->native_handle()) & SSL_OP_CLEANSE_PLAINTEXT, 0U);
}

TEST(TlsContexts, RefuseWhatIsNot) {
  const auto made = generate_tls("Keyturn", {"localhost"});
  const auto other = generate_tls("Keyturn", {"localhost"});
  ASSERT_TRUE(made && other);
  EXPECT_EQ(client_context({.ca_pem = "garbage"}).error().code, Errc::Invalid);
  TlsIdentity identity = made->server;
  identity.key_pem = other->server.key_pem;
  EXPECT_EQ(server_context(identity).error().code, Errc::Invalid);
  identity = made->server;
  identity.key_pem = "garbage";
  EXPECT_EQ(server_context(identity).error().code, Errc::Invalid);
  identity = made->server;
  identity.certificate_pem = "garbage";
  EXPECT_EQ(server_context(identity).error().code, Errc::Invalid);
  identity = made->server;
  identity.client_ca_pem = "garbage";
  EXPECT_EQ(server_context(identity).error().code, Errc::Invalid);
  const TlsTrust bad_client{.ca_pem = made->ca_pem,
                            .client_certificate_pem = made->server.certificate_pem,
                            .client_key_pem = std::make_shared<const Secret>(Secret::copy_of("x"))};
  EXPECT_EQ(client_context(bad_client).error().code, Errc::Invalid);
}

// What is left there would be reported by the next, innocent operation of the thread.
TEST(TlsContexts, LeaveNoErrorBehind) {
  EXPECT_FALSE(client_context({.ca_pem = "garbage"}));
  EXPECT_EQ(ERR_peek_error(), 0U);
  const auto made = generate_tls("Keyturn", {"localhost"});
  ASSERT_TRUE(made);
  EXPECT_TRUE(client_context({.ca_pem = made->ca_pem}));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace keyturn::net
