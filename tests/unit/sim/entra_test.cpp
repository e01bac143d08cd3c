#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

#include "base/hash.h"
#include "tests/unit/sim/simulated_cloud.h"

namespace keyturn::sim {
namespace {

using std::chrono::seconds;

constexpr std::string_view token_path = "/10000000-0000-4000-8000-000000000001/oauth2/v2.0/token";

class EntraTest : public testing::Test {
 protected:
  Reply ask(const std::string& form) { return sim_.send("POST", "localhost:8443", std::string(token_path), form, ""); }
  Reply ask_with_secret(const std::string& client, const std::string& secret) {
    return ask("grant_type=client_credentials&client_id=" + client + "&client_secret=" + secret +
               "&scope=https%3A%2F%2Fvault.azure.net%2F.default");
  }
  Reply ask_with_assertion(const std::string& client, const std::string& assertion) {
    return ask("grant_type=client_credentials&client_id=" + client +
               "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=" + assertion +
               "&scope=https%3A%2F%2Fvault.azure.net%2F.default");
  }
  std::int64_t unix_now() { return std::chrono::floor<seconds>(sim_.now()).time_since_epoch().count(); }

  SimulatedCloud sim_;
};

// A key and a self-made certificate for client assertions.
class SigningKey {
 public:
  SigningKey() : key_(EVP_RSA_gen(2048)), certificate_(X509_new()) {
    X509_set_version(certificate_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
    X509_set_pubkey(certificate_, key_);
    X509_sign(certificate_, key_, EVP_sha256());
  }
  ~SigningKey() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  std::string pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate_);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }
  std::string thumbprint() const {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    X509_digest(certificate_, EVP_sha256(), digest, &size);
    return to_base64url(std::string_view(reinterpret_cast<char*>(digest), size));
  }
  std::string sign(const boost::json::object& claims, const std::string& algorithm = "PS256") const {
    const std::string header = boost::json::serialize(boost::json::object{{"alg", algorithm}, {"typ", "JWT"}, {"x5t#S256", thumbprint()}});
    const std::string text = to_base64url(header) + "." + to_base64url(boost::json::serialize(claims));
    EVP_MD_CTX* digest = EVP_MD_CTX_new();
    EVP_PKEY_CTX* padding = nullptr;
    EVP_DigestSignInit(digest, &padding, EVP_sha256(), nullptr, key_);
    EVP_PKEY_CTX_set_rsa_padding(padding, algorithm == "PS256" ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
    std::size_t size = 512;
    std::string signature(size, '\0');
    EVP_DigestSign(digest, reinterpret_cast<unsigned char*>(signature.data()), &size, reinterpret_cast<const unsigned char*>(text.data()),
                   text.size());
    EVP_MD_CTX_free(digest);
    return text + "." + to_base64url(signature.substr(0, size));
  }

 private:
  EVP_PKEY* key_;
  X509* certificate_;
};

TEST_F(EntraTest, BindsATokenToItsAudienceTenantPrincipalAndTime) {  // AU-S1
  Tokens& tokens = sim_.cloud().tokens;
  const Secret token = tokens.issue("t", "keyturn", "https://vault.azure.net", sim_.now(), seconds(60));
  const auto check = [&](std::string_view tenant, std::string_view audience) { return tokens.check(token, tenant, audience, sim_.now()); };
  EXPECT_EQ(check("t", "https://vault.azure.net").verdict, Tokens::Verdict::Accepted);
  EXPECT_EQ(check("t", "https://vault.azure.net").principal, "keyturn");
  EXPECT_EQ(check("u", "https://vault.azure.net").verdict, Tokens::Verdict::WrongTenant);
  EXPECT_EQ(check("t", "https://management.azure.com").verdict, Tokens::Verdict::WrongAudience);
  EXPECT_EQ(tokens.check(Secret{}, "t", "", sim_.now()).verdict, Tokens::Verdict::Missing);
  EXPECT_EQ(tokens.check(Secret::copy_of("x"), "t", "", sim_.now()).verdict, Tokens::Verdict::Unknown);
  sim_.advance(seconds(60));
  EXPECT_EQ(check("t", "https://vault.azure.net").verdict, Tokens::Verdict::Expired);
}

TEST_F(EntraTest, RefusesAVaultTokenAtArmAndTheReverse) {  // AU-S1
  ASSERT_EQ(sim_.seed(plain_seed), "");
  const std::string url = SimulatedCloud::apps_path() + "/orders?api-version=2025-01-01";
  EXPECT_EQ(sim_.send("GET", "localhost:8443", url, "", sim_.token("https://vault.azure.net")).status, 401);
  EXPECT_EQ(
      sim_.send("GET", "main.vault.azure.net", "/secrets/redis?api-version=7.4", "", sim_.token("https://management.azure.com")).status,
      401);
}

TEST_F(EntraTest, SendsRefreshInOnlyWhenAskedToAndHonoursTheLifetime) {  // AU-S2
  const Reply usual = ask_with_secret("a", "s");
  EXPECT_EQ(usual.at("/expires_in").as_int64(), 3599);
  EXPECT_FALSE(usual.body.as_object().contains("refresh_in"));
  ASSERT_EQ(sim_.seed(R"({"tokenLifetimeSeconds":30,"tokenRefreshInSeconds":10})"), "");
  const Reply brief = ask_with_secret("a", "s");
  EXPECT_EQ(brief.at("/expires_in").as_int64(), 30);
  EXPECT_EQ(brief.at("/refresh_in").as_int64(), 10);
}

TEST_F(EntraTest, RefusesUnknownClientsAndWrongSecretsOnceSomebodyIsKnown) {  // AU-S3
  EXPECT_EQ(ask_with_secret("anybody", "s").status, 200);
  ASSERT_EQ(sim_.seed(R"({"principals":[{"clientId":"Keyturn","clientSecret":"right+one"}]})"), "");
  EXPECT_EQ(ask_with_secret("keyturn", "right%2Bone").status, 200);
  const Reply wrong = ask_with_secret("keyturn", "wrong");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.text_at("/error"), "invalid_client");
  EXPECT_EQ(wrong.at("/error_codes/0").as_int64(), 7000215);
  EXPECT_TRUE(wrong.text_at("/error_description").starts_with("AADSTS7000215:"));
  EXPECT_EQ(wrong.text.find("wrong"), std::string::npos);
  EXPECT_EQ(ask_with_secret("anybody", "s").text_at("/error"), "unauthorized_client");
}

TEST_F(EntraTest, RefusesRequestsThatLackSomething) {  // AU-S3
  EXPECT_EQ(ask("client_id=a&client_secret=s&scope=https://vault.azure.net/.default").text_at("/error"), "unsupported_grant_type");
  EXPECT_EQ(ask("grant_type=client_credentials&client_secret=s&scope=https://vault.azure.net/.default").text_at("/error"),
            "invalid_request");
  EXPECT_EQ(ask("grant_type=client_credentials&client_id=a&client_secret=s&scope=https://vault.azure.net").text_at("/error"),
            "invalid_scope");
  EXPECT_EQ(ask("grant_type=client_credentials&client_id=a&scope=https://vault.azure.net/.default").text_at("/error"), "invalid_client");
  EXPECT_EQ(ask("grant_type=%zz").text_at("/error"), "invalid_request");
}

TEST_F(EntraTest, ServesInstanceMetadataOnlyWithItsHeader) {  // AU-S4
  const std::string target = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=id-1";
  EXPECT_EQ(sim_.admin("GET", target).status, 400);
  const Reply reply = sim_.admin("GET", target, "", {{"Metadata", "true"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text_at("/expires_on"), std::to_string(unix_now() + 3599));
  EXPECT_EQ(sim_.cloud()
                .tokens.check(Secret::copy_of(reply.text_at("/access_token")), default_tenant, "https://vault.azure.net", sim_.now())
                .principal,
            "id-1");
  EXPECT_EQ(sim_.admin("GET", "/metadata/identity/oauth2/token?api-version=2018-02-01", "", {{"Metadata", "true"}}).status, 400);
}

TEST_F(EntraTest, NeedsAnIdentityIdAtThePlatformEndpoint) {  // AU-S4
  const std::string target = "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net";
  EXPECT_EQ(sim_.admin("GET", target + "&client_id=id-1").status, 401);
  const Reply without = sim_.admin("GET", target, "", {{"X-IDENTITY-HEADER", "keyturn-sim"}});
  EXPECT_EQ(without.status, 400);
  EXPECT_EQ(without.text_at("/error_description"), "Unable to load the proper Managed Identity.");
  EXPECT_EQ(sim_.admin("GET", target + "&client_id=id-1", "", {{"X-IDENTITY-HEADER", "keyturn-sim"}}).status, 200);
}

TEST_F(EntraTest, AcceptsAnAssertionOfTheRightCertificateOnly) {  // AU-S6
  const SigningKey key;
  const SigningKey other;
  boost::json::object seed{{"principals", boost::json::array{boost::json::object{{"clientId", "by-cert"}, {"certificatePem", key.pem()}}}}};
  ASSERT_EQ(sim_.seed(boost::json::serialize(seed)), "");
  const auto claims = [&](const std::string& audience, std::int64_t life) {
    return boost::json::object{{"aud", audience}, {"iss", "by-cert"},  {"sub", "by-cert"},
                               {"jti", "j"},      {"nbf", unix_now()}, {"exp", unix_now() + life}};
  };
  const std::string audience = "https://localhost:8443" + std::string(token_path);
  EXPECT_EQ(ask_with_assertion("by-cert", key.sign(claims(audience, 300))).status, 200);
  EXPECT_EQ(ask_with_assertion("by-cert", other.sign(claims(audience, 300))).at("/error_codes/0").as_int64(), 700027);
  EXPECT_EQ(ask_with_assertion("by-cert", key.sign(claims(audience, 300), "RS256")).at("/error_codes/0").as_int64(), 700027);
  EXPECT_EQ(ask_with_assertion("by-cert", key.sign(claims("https://elsewhere", 300))).at("/error_codes/0").as_int64(), 700027);
  EXPECT_EQ(ask_with_assertion("by-cert", key.sign(claims(audience, -1))).at("/error_codes/0").as_int64(), 700024);
  EXPECT_EQ(ask_with_assertion("by-cert", key.sign(claims(audience, 3600))).at("/error_codes/0").as_int64(), 700024);
  std::string tampered = key.sign(claims(audience, 300));
  tampered[tampered.size() - 8] = tampered[tampered.size() - 8] == 'A' ? 'B' : 'A';
  EXPECT_EQ(ask_with_assertion("by-cert", tampered).status, 400);
  EXPECT_EQ(ask_with_assertion("by-cert", "not.a-jwt").status, 400);
}

TEST_F(EntraTest, AcceptsTheFederatedSubjectOnly) {  // AU-S3, AU-S5
  ASSERT_EQ(sim_.seed(R"({"principals":[{"clientId":"w","federatedSubject":"system:serviceaccount:keyturn:controller"}]})"), "");
  const SigningKey issuer;
  const auto claims = [&](const std::string& subject, const std::string& audience) {
    return boost::json::object{{"aud", audience}, {"iss", "https://issuer"}, {"sub", subject}, {"exp", unix_now() + 3600}};
  };
  const std::string audience = "api://AzureADTokenExchange";
  EXPECT_EQ(ask_with_assertion("w", issuer.sign(claims("system:serviceaccount:keyturn:controller", audience))).status, 200);
  EXPECT_EQ(
      ask_with_assertion("w", issuer.sign(claims("system:serviceaccount:other:controller", audience))).at("/error_codes/0").as_int64(),
      70021);
  EXPECT_EQ(ask_with_assertion("w", issuer.sign(claims("system:serviceaccount:keyturn:controller", "api://other")))
                .at("/error_codes/0")
                .as_int64(),
            70021);
  EXPECT_EQ(ask_with_secret("w", "s").text_at("/error"), "invalid_client");
}

TEST_F(EntraTest, DescribesItsEndpoints) {
  const Reply reply = sim_.send("GET", "localhost:8443", "/t/v2.0/.well-known/openid-configuration", "", "");
  EXPECT_EQ(reply.text_at("/token_endpoint"), "https://localhost:8443/t/oauth2/v2.0/token");
  EXPECT_EQ(sim_.send("GET", "localhost:8443", "/common/discovery/instance?api-version=1.1", "", "").status, 200);
}

}  // namespace
}  // namespace keyturn::sim
