#include "base/random.h"

#include <openssl/rand.h>

#include <array>
#include <stdexcept>

#include "base/hash.h"

namespace keyturn {

std::uint32_t Random::below(std::uint32_t bound) {
  if (bound == 0) throw std::invalid_argument("the bound of a random number is zero");
  // Numbers below the remainder would be drawn once more often than the others, so they are drawn again.
  const std::uint32_t surplus = (0U - bound) % bound;
  for (;;) {
    std::array<unsigned char, 4> bytes{};
    fill(bytes);
    const std::uint32_t value = static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
                                static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
    if (value >= surplus) return value % bound;
  }
}

std::string Random::hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  fill({reinterpret_cast<unsigned char*>(raw.data()), raw.size()});
  return to_hex(raw);
}

std::string Random::uuid() {
  std::array<unsigned char, 16> bytes{};
  fill(bytes);
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);  // version 4
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);  // the variant of RFC 4122
  std::string text = to_hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  for (const std::size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
  return text;
}

void SystemRandom::fill(std::span<unsigned char> out) {
  // Going on without randomness would make every secret guessable.
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("the system has no randomness");
}

}  // namespace keyturn
