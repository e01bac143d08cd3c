#include "controller/embedded/sqlite/object_cipher.h"

#include <openssl/evp.h>

#include <memory>

#include "base/hash.h"

namespace keyturn {

namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
CipherContext new_context() { return {EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free}; }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(char* text) { return reinterpret_cast<unsigned char*>(text); }
int length_of(std::string_view text) { return static_cast<int>(text.size()); }

bool encrypt(std::string_view key, std::string_view clear, std::string_view place, std::string& out) {
  const CipherContext context = new_context();
  char* const body = out.data() + nonce_bytes;
  int length = 0;
  return context && EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(out)) == 1 &&
         EVP_EncryptUpdate(context.get(), nullptr, &length, bytes_of(place), length_of(place)) == 1 &&
         EVP_EncryptUpdate(context.get(), bytes_of(body), &length, bytes_of(clear), length_of(clear)) == 1 &&
         EVP_EncryptFinal_ex(context.get(), bytes_of(body) + length, &length) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, body + clear.size()) == 1;
}

bool decrypt(std::string_view key, std::string_view sealed, std::string_view place, std::span<char> out) {
  const CipherContext context = new_context();
  const std::string_view body = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
  std::string tag(sealed.substr(sealed.size() - tag_bytes));
  int length = 0;
  return context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(sealed)) == 1 &&
         EVP_DecryptUpdate(context.get(), nullptr, &length, bytes_of(place), length_of(place)) == 1 &&
         EVP_DecryptUpdate(context.get(), bytes_of(out.data()), &length, bytes_of(body), length_of(body)) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
         EVP_DecryptFinal_ex(context.get(), bytes_of(out.data()) + length, &length) == 1;
}

}  // namespace

Result<ObjectCipher> ObjectCipher::with_key(Secret key) {
  if (key.size() != key_bytes) return Error{Errc::Invalid, "the key of the store has the wrong length"};
  return ObjectCipher(std::move(key));
}

Result<std::string> ObjectCipher::seal(std::string_view clear, std::string_view place, Random& random) const {
  std::string sealed(nonce_bytes + clear.size() + tag_bytes, '\0');
  random.fill({bytes_of(sealed.data()), nonce_bytes});
  const bool done = key_.expose([&](std::string_view key) { return encrypt(key, clear, place, sealed); });
  if (!done) return Error{Errc::Internal, "an object could not be encrypted"};
  return sealed;
}

Result<WipedBytes> ObjectCipher::open(std::string_view sealed, std::string_view place) const {
  const Error refused{Errc::Invalid, "a stored object cannot be decrypted: it was changed, or the key is another"};
  if (sealed.size() < nonce_bytes + tag_bytes) return refused;
  WipedBytes clear(sealed.size() - nonce_bytes - tag_bytes);
  const bool done = key_.expose([&](std::string_view key) { return decrypt(key, sealed, place, clear.writable()); });
  if (!done) return refused;
  return clear;
}

std::string ObjectCipher::fingerprint() const {
  const Sha256 digest = key_.expose([](std::string_view key) { return hmac_sha256(key, "keyturn store key"); });
  return to_hex(digest).substr(0, 16);
}

}  // namespace keyturn
