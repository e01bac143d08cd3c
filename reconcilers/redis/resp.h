// The Redis protocol, version 2, as bytes: commands out, replies in. Source: redis.io/docs/reference/protocol-spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace keyturn::redis {

// A command as an array of length-prefixed words: no byte of a word can be taken for syntax, and there is no other way to build one.
class Command {
 public:
  Command(std::initializer_list<std::string_view> words);
  Command& add(std::string_view word);
  Command& add(const Secret& word);
  Secret encode() &&;

 private:
  std::size_t words_ = 0;
  SecretBuffer encoded_;
};

struct Reply {
  enum class Type : std::uint8_t { Simple, Error, Integer, Bulk, Null, Array };
  Type type = Type::Null;
  std::string text;  // Simple, Error, Bulk
  std::int64_t integer = 0;
  std::vector<Reply> items;

  bool is_ok() const { return type == Type::Simple && text == "OK"; }
  // An error reply that begins with this word: "WRONGPASS", "NOPERM".
  bool is_error(std::string_view word) const;
};

struct ReplyLimits {
  std::size_t bytes_max = std::size_t{1} << 20;
  std::size_t items_max = 4096;  // of all arrays together
  int depth_max = 8;
};

// The first reply in `input`. Without `reply` more bytes are needed: at least up to `bytes`, counted from the start of `input`;
// with it, `bytes` is how much it took. Errors: Invalid (malformed, or over a limit, which is seen before the bytes are there).
struct ParsedReply {
  std::optional<Reply> reply;
  std::size_t bytes = 0;
};
Result<ParsedReply> parse_reply(std::string_view input, const ReplyLimits& limits);

}  // namespace keyturn::redis
