#include "reconcilers/postgresql/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/hash.h"

namespace keyturn::postgresql {
namespace {

std::string_view view_of(const Sha256& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

// The keys that follow from a password. Wiped: ClientKey is as good as the password, and the others follow from SaltedPassword.
struct Keys {
  Sha256 salted{};
  Sha256 client{};
  Sha256 stored{};
  Sha256 server{};
  ~Keys() { OPENSSL_cleanse(this, sizeof *this); }
};

bool derive(const Secret& password, std::string_view salt, int iterations, Keys& keys) {
  const int done = password.expose([&](std::string_view bytes) {
    return PKCS5_PBKDF2_HMAC(bytes.data(), static_cast<int>(bytes.size()), reinterpret_cast<const unsigned char*>(salt.data()),
                             static_cast<int>(salt.size()), iterations, EVP_sha256(), static_cast<int>(keys.salted.size()),
                             keys.salted.data());
  });
  if (done != 1) return false;
  keys.client = hmac_sha256(view_of(keys.salted), "Client Key");
  keys.stored = sha256(view_of(keys.client));
  keys.server = hmac_sha256(view_of(keys.salted), "Server Key");
  return true;
}

// "r=...,s=...,i=..." in this order (RFC 5802 section 7); anything after it is an extension that we would have to understand.
struct Challenge {
  std::string_view nonce;
  std::string salt;
  int iterations = 0;
};

std::optional<std::string_view> take_attribute(std::string_view& text, char name) {
  if (text.size() < 2 || text[0] != name || text[1] != '=') return std::nullopt;
  const std::size_t end = std::min(text.find(','), text.size());
  const std::string_view value = text.substr(2, end - 2);
  text.remove_prefix(std::min(end + 1, text.size()));
  return value;
}

std::optional<Challenge> parse_challenge(std::string_view text) {
  const auto nonce = take_attribute(text, 'r');
  const auto salt_text = nonce ? take_attribute(text, 's') : std::nullopt;
  const auto count = salt_text ? take_attribute(text, 'i') : std::nullopt;
  if (!count || !text.empty()) return std::nullopt;
  const auto salt = from_base64(*salt_text);
  int iterations = 0;
  const auto [end, ec] = std::from_chars(count->data(), count->data() + count->size(), iterations);
  if (!salt || salt->empty() || ec != std::errc() || end != count->data() + count->size()) return std::nullopt;
  if (iterations < 1 || iterations > scram_iterations_max) return std::nullopt;
  return Challenge{*nonce, *salt, iterations};
}

constexpr std::string_view gs2_header = "n,,";  // no channel binding, no other identity: the user's name is in the startup message

}  // namespace

Result<> check_password(const Secret& password) {
  const bool printable = password.expose([](std::string_view bytes) {
    return !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  });
  if (!printable) return Error{Errc::Invalid, "the password is empty or has characters other than printable ASCII"};
  return ok();
}

Result<std::string> scram_verifier(const Secret& password, std::string_view salt, int iterations) {
  if (const auto fine = check_password(password); !fine) return fine.error();
  Keys keys;
  if (!derive(password, salt, iterations, keys)) return Error{Errc::Internal, "the verifier cannot be computed"};
  return "SCRAM-SHA-256$" + std::to_string(iterations) + ":" + to_base64(salt) + "$" + to_base64(view_of(keys.stored)) + ":" +
         to_base64(view_of(keys.server));
}

ScramClient::ScramClient(Random& random) {
  std::array<unsigned char, 18> bytes{};
  random.fill(bytes);
  nonce_ = to_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string ScramClient::first() const { return std::string(gs2_header) + "n=,r=" + nonce_; }

Result<std::string> ScramClient::final(std::string_view challenge, const Secret& password) {
  if (const auto fine = check_password(password); !fine) return fine.error();
  const auto parsed = parse_challenge(challenge);
  // The server's nonce must begin with ours and add to it, else an old answer could be played back.
  if (!parsed || !parsed->nonce.starts_with(nonce_) || parsed->nonce.size() == nonce_.size())
    return Error{Errc::Invalid, "the server's challenge is malformed"};
  Keys keys;
  if (!derive(password, parsed->salt, parsed->iterations, keys)) return Error{Errc::Internal, "the proof cannot be computed"};

  const std::string without_proof = "c=" + to_base64(gs2_header) + ",r=" + std::string(parsed->nonce);
  const std::string signed_text = first().substr(gs2_header.size()) + "," + std::string(challenge) + "," + without_proof;
  Sha256 proof = hmac_sha256(view_of(keys.stored), signed_text);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= keys.client[i];
  expected_signature_ = to_base64(view_of(hmac_sha256(view_of(keys.server), signed_text)));
  return without_proof + ",p=" + to_base64(view_of(proof));
}

bool ScramClient::verify(std::string_view server_final) const {
  const std::string expected = "v=" + expected_signature_;
  return !expected_signature_.empty() && server_final.size() == expected.size() &&
         CRYPTO_memcmp(server_final.data(), expected.data(), expected.size()) == 0;
}

}  // namespace keyturn::postgresql
