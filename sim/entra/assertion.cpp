#include "sim/entra/assertion.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>

#include "base/hash.h"
#include "sim/json_text.h"

namespace keyturn::sim {

namespace json = boost::json;

namespace {

template <auto free_function>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;

std::optional<std::int64_t> number_member(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  if (!member || !member->is_number()) return std::nullopt;
  boost::system::error_code failed;
  const auto number = member->to_number<std::int64_t>(failed);
  return failed ? std::nullopt : std::optional(number);
}

std::optional<json::object> decode_part(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text) return std::nullopt;
  boost::system::error_code failed;
  json::value parsed = json::parse(*text, failed);
  if (failed || !parsed.is_object()) return std::nullopt;
  return std::move(parsed.get_object());
}

Certificate read_certificate(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

std::string thumbprint_of(X509& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest, &size) != 1) return {};
  return to_base64url(std::string_view(reinterpret_cast<const char*>(digest), size));
}

}  // namespace

Result<Assertion> read_assertion(const Secret& jwt) {
  return jwt.expose([](std::string_view text) -> Result<Assertion> {
    const std::size_t first = text.find('.');
    const std::size_t last = text.rfind('.');
    if (first == std::string_view::npos || last == first) return Error{Errc::Invalid, "the assertion is not a compact JWT"};
    const auto header = decode_part(text.substr(0, first));
    const auto claims = decode_part(text.substr(first + 1, last - first - 1));
    const auto signature = from_base64url(text.substr(last + 1));
    if (!header || !claims || !signature) return Error{Errc::Invalid, "the assertion is not well encoded"};
    return Assertion{.algorithm = text_member(*header, "alg"),
                     .thumbprint_sha256 = text_member(*header, "x5t#S256"),
                     .issuer = text_member(*claims, "iss"),
                     .subject = text_member(*claims, "sub"),
                     .audience = text_member(*claims, "aud"),
                     .id = text_member(*claims, "jti"),
                     .not_before = number_member(*claims, "nbf"),
                     .expires = number_member(*claims, "exp"),
                     .signed_part = std::string(text.substr(0, last)),
                     .signature = *signature};
  });
}

bool is_signed_by(const Assertion& assertion, const std::string& certificate_pem) {
  const Certificate certificate = read_certificate(certificate_pem);
  if (!certificate || assertion.algorithm != "PS256" || assertion.thumbprint_sha256 != thumbprint_of(*certificate)) return false;
  const Key key(X509_get_pubkey(certificate.get()));
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;  // owned by `digest`
  if (EVP_DigestVerifyInit(digest.get(), &padding, EVP_sha256(), nullptr, key.get()) != 1) return false;
  if (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) != 1) return false;
  const auto* signature = reinterpret_cast<const unsigned char*>(assertion.signature.data());
  const auto* text = reinterpret_cast<const unsigned char*>(assertion.signed_part.data());
  return EVP_DigestVerify(digest.get(), signature, assertion.signature.size(), text, assertion.signed_part.size()) == 1;
}

}  // namespace keyturn::sim
