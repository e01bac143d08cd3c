#include "reconcilers/rotation/generator.h"

#include <openssl/crypto.h>

#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace keyturn {
namespace {

constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";
constexpr std::string_view marks = "-_.~";  // unreserved in a URL (RFC 3986), plain in shells, SQL, JSON and connection strings
constexpr std::string_view ends = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64url_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char pick(std::string_view alphabet, Random& random) { return alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))]; }

// One character of each class at a random place, the rest from the whole alphabet: every value of the required shape is possible, and
// no value has to be thrown away. The ends stay letters or digits, because a leading "-" looks like an option, and a trailing "." or "~"
// is lost when somebody copies the value out of a sentence.
Secret password(std::size_t length, Random& random) {
  SecretBuffer buffer(length);
  std::span<char> out = buffer.prepare(length);
  for (std::size_t i = 0; i < length; ++i) out[i] = pick(i == 0 || i == length - 1 ? ends : all, random);
  // Four different inner places, drawn without repetition.
  std::array<std::size_t, 4> places{};
  for (std::size_t drawn = 0; drawn < places.size();) {
    places[drawn] = 1 + random.below(static_cast<std::uint32_t>(length - 2));
    bool fresh = true;
    for (std::size_t earlier = 0; earlier < drawn; ++earlier) fresh = fresh && places[earlier] != places[drawn];
    if (fresh) ++drawn;
  }
  const std::array<std::string_view, 4> classes{upper, lower, digits, marks};
  for (std::size_t i = 0; i < classes.size(); ++i) out[places[i]] = pick(classes[i], random);
  buffer.commit(length);
  return std::move(buffer).finish();
}

// Random bytes in the arena.
SecretBuffer random_bytes(std::size_t count, Random& random) {
  SecretBuffer buffer(count);
  const std::span<char> out = buffer.prepare(count);
  random.fill({reinterpret_cast<unsigned char*>(out.data()), out.size()});
  buffer.commit(count);
  return buffer;
}

void append_hex(SecretBuffer& out, std::span<const char> bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(hex_digits[byte >> 4]);
    out.push_back(hex_digits[byte & 15]);
  }
}

Secret hex(std::size_t count, Random& random) {
  SecretBuffer bytes = random_bytes(count, random);
  SecretBuffer out(2 * count);
  append_hex(out, bytes.writable());
  return std::move(out).finish();
}

Secret base64url(std::size_t count, Random& random) {
  SecretBuffer bytes = random_bytes(count, random);
  SecretBuffer out((count * 4 + 2) / 3);
  std::uint32_t pending = 0;
  int bits = 0;
  for (const char c : bytes.writable()) {
    pending = (pending << 8 | static_cast<unsigned char>(c)) & 0xFFFF;
    for (bits += 8; bits >= 6; bits -= 6) out.push_back(base64url_digits[pending >> (bits - 6) & 63]);
  }
  if (bits > 0) out.push_back(base64url_digits[pending << (6 - bits) & 63]);
  OPENSSL_cleanse(&pending, sizeof pending);
  return std::move(out).finish();
}

// RFC 9562, version 4: 122 random bits.
Secret uuid(Random& random) {
  SecretBuffer bytes = random_bytes(16, random);
  const std::span<char> raw = bytes.writable();
  raw[6] = static_cast<char>((raw[6] & 0x0F) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3F) | 0x80);
  SecretBuffer out(36);
  const std::array<std::pair<std::size_t, std::size_t>, 5> groups{{{0, 4}, {4, 2}, {6, 2}, {8, 2}, {10, 6}}};
  for (const auto& [begin, size] : groups) {
    if (begin != 0) out.push_back('-');
    append_hex(out, raw.subspan(begin, size));
  }
  return std::move(out).finish();
}

Result<std::size_t> length_within(int length, int min, int max) {
  if (length < min || length > max) return Error{Errc::Invalid, "the generator's length is out of range"};
  return static_cast<std::size_t>(length);
}

}  // namespace

Result<Secret> generate(const api::Generator& generator, const api::SecretFormat&, Random& random) {
  switch (generator.type) {
    case api::GeneratorType::Password: {
      const auto length = length_within(generator.length, password_length_min, password_length_max);
      if (!length) return length.error();
      return password(*length, random);
    }
    case api::GeneratorType::Hex: {
      const auto count = length_within(generator.length, random_bytes_min, random_bytes_max);
      if (!count) return count.error();
      return hex(*count, random);
    }
    case api::GeneratorType::Base64: {
      const auto count = length_within(generator.length, random_bytes_min, random_bytes_max);
      if (!count) return count.error();
      return base64url(*count, random);
    }
    case api::GeneratorType::Uuid:
      return uuid(random);
    case api::GeneratorType::ProviderMinted:
      break;
  }
  return Error{Errc::Invalid, "this generator's values are made by the provider"};
}

std::string_view alphabet_of(api::GeneratorType type) noexcept {
  switch (type) {
    case api::GeneratorType::Password:
      return all;
    case api::GeneratorType::Hex:
      return hex_digits;
    case api::GeneratorType::Uuid:
      return "0123456789abcdef-";
    case api::GeneratorType::Base64:
      return base64url_digits;
    case api::GeneratorType::ProviderMinted:
      return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  }
  return all;
}

}  // namespace keyturn
