#include "api/patterns.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace keyturn::api::pattern {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
template <char... Extra>
constexpr bool alnum_or(char c) {
  return is_alnum(c) || ((c == Extra) || ...);
}
template <char... Extra>
constexpr bool lower_alnum_or(char c) {
  return is_lower(c) || is_digit(c) || ((c == Extra) || ...);
}

using CharSet = bool (*)(char);

bool all(std::string_view text, CharSet set) { return !text.empty() && std::ranges::all_of(text, set); }

// First and last characters of `edge`, the rest of `inner`.
bool edged(std::string_view text, CharSet edge, CharSet inner) {
  return !text.empty() && edge(text.front()) && edge(text.back()) && std::ranges::all_of(text, inner);
}

// Consumes a text from its front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  bool literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) {
      return false;
    }
    rest_.remove_prefix(expected.size());
    return true;
  }
  // As many characters of the set as there are, at most `max`; how many they were.
  std::size_t run(CharSet set, std::size_t max = std::string_view::npos) {
    std::size_t length = 0;
    while (length < rest_.size() && length < max && set(rest_[length])) {
      ++length;
    }
    rest_.remove_prefix(length);
    return length;
  }
  bool exactly(std::size_t count, CharSet set) { return run(set, count) == count; }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool is_label(std::string_view text) { return edged(text, lower_alnum_or<>, lower_alnum_or<'-'>); }
bool is_subdomain(std::string_view text) { return edged(text, lower_alnum_or<>, lower_alnum_or<'-', '.'>); }
bool is_revision(std::string_view text) { return edged(text, is_alnum, alnum_or<'-', '_'>); }
bool is_vault_secret(std::string_view text) { return all(text, alnum_or<'-'>); }
bool is_vault(std::string_view text) {
  return text.size() >= 3 && text.size() <= 24 && is_alpha(text.front()) && is_alnum(text.back()) && all(text, alnum_or<'-'>);
}
bool is_principal(std::string_view text) { return all(text, alnum_or<'_', '.', '@', '$', '#', '-'>); }
bool is_glob(std::string_view text) { return all(text, alnum_or<'*', '.', '_', '-'>); }
bool is_duration(std::string_view text) {
  Cursor cursor(text);
  do {
    if (cursor.run(is_digit) == 0 || (cursor.literal(".") && cursor.run(is_digit) == 0)) {
      return false;
    }
    if (!cursor.literal("ms") && !cursor.literal("h") && !cursor.literal("m") && !cursor.literal("s")) {
      return false;
    }
  } while (!cursor.done());
  return true;
}
bool is_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':' || !is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[3]) || !is_digit(text[4])) {
    return false;
  }
  return text.substr(0, 2) <= "23" && text[3] <= '5';
}
bool is_time_zone(std::string_view text) { return all(text, alnum_or<'_', '+', '/', '-'>) && is_alpha(text.front()); }
bool is_sha256(std::string_view text) {
  Cursor cursor(text);
  return cursor.literal("sha256:") && cursor.exactly(64, is_lower_hex) && cursor.done();
}
bool is_uuid(std::string_view text) {
  Cursor cursor(text);
  if (!cursor.exactly(8, is_hex)) {
    return false;
  }
  for (const std::size_t length : {4, 4, 4, 12}) {
    if (!cursor.literal("-") || !cursor.exactly(length, is_hex)) {
      return false;
    }
  }
  return cursor.done();
}

constexpr bool is_ipv6_char(char c) { return is_hex(c) || c == ':'; }
// A name, an IPv4 address or an IPv6 address in brackets.
bool authority_host(Cursor& cursor) {
  if (cursor.literal("[")) {
    return cursor.run(is_ipv6_char) > 0 && cursor.literal("]");
  }
  return cursor.run(alnum_or<'.', '-'>) > 0;
}
bool optional_port(Cursor& cursor) { return !cursor.literal(":") || cursor.run(is_digit, 5) > 0; }
bool is_https_origin(std::string_view text) {
  Cursor cursor(text);
  return cursor.literal("https://") && authority_host(cursor) && optional_port(cursor) && cursor.done();
}
bool is_url(std::string_view text) {
  Cursor cursor(text);
  if ((!cursor.literal("https://") && !cursor.literal("http://")) || !authority_host(cursor) || !optional_port(cursor)) {
    return false;
  }
  if (cursor.literal("/")) {
    cursor.run(alnum_or<'.', '_', '~', '/', '?', '&', '=', '%', '+', '-'>);
  }
  return cursor.done();
}
bool is_host(std::string_view text) { return all(text, alnum_or<'.', '-'>) || all(text, is_ipv6_char); }
bool is_host_and_port(std::string_view text) {
  Cursor cursor(text);
  return authority_host(cursor) && cursor.literal(":") && cursor.run(is_digit, 5) > 0 && cursor.done();
}
bool is_absolute_path(std::string_view text) {
  Cursor cursor(text);
  do {
    if (!cursor.literal("/")) {
      return false;
    }
    cursor.literal(".");
    if (!cursor.exactly(1, alnum_or<'_', '@', '-'>)) {
      return false;
    }
    cursor.run(alnum_or<'.', '_', '@', '-'>);
  } while (!cursor.done());
  return true;
}
bool is_variable(std::string_view text) { return all(text, alnum_or<'_'>) && !is_digit(text.front()); }
bool is_ssh_host_key(std::string_view text) {
  Cursor cursor(text);
  const auto one_of = [&cursor](auto... words) { return (cursor.literal(words) || ...); };
  if (!one_of("ssh-ed25519 ", "ssh-rsa ", "ecdsa-sha2-nistp256 ", "ecdsa-sha2-nistp384 ", "ecdsa-sha2-nistp521 ")) {
    return false;
  }
  const auto is_padding = [](char c) { return c == '='; };
  if (cursor.run(alnum_or<'+', '/'>) == 0) {
    return false;
  }
  cursor.run(is_padding, 2);
  return cursor.done();
}
bool is_azure_name(std::string_view text) { return all(text, alnum_or<'_', '(', ')', '.', '-'>); }
bool is_field_name(std::string_view text) { return all(text, alnum_or<' ', '.', '_', '~', '/', '-'>); }
bool is_json_pointer(std::string_view text) {
  Cursor cursor(text);
  do {
    if (!cursor.literal("/") || cursor.run(alnum_or<'.', '_', '~', '-'>) == 0) {
      return false;
    }
  } while (!cursor.done());
  return true;
}
bool is_condition_type(std::string_view text) { return all(text, is_alnum) && is_alpha(text.front()); }
bool is_condition_reason(std::string_view text) {
  return all(text, alnum_or<'_', ',', ':'>) && is_alpha(text.front()) && alnum_or<'_'>(text.back());
}

struct Matcher {
  std::string_view pattern;
  bool (*matches)(std::string_view);
};
constexpr std::array matchers{
    Matcher{label, is_label},
    Matcher{subdomain, is_subdomain},
    Matcher{revision, is_revision},
    Matcher{vault_secret, is_vault_secret},
    Matcher{vault, is_vault},
    Matcher{principal, is_principal},
    Matcher{glob, is_glob},
    Matcher{duration, is_duration},
    Matcher{time_of_day, is_time_of_day},
    Matcher{time_zone, is_time_zone},
    Matcher{sha256, is_sha256},
    Matcher{uuid, is_uuid},
    Matcher{https_origin, is_https_origin},
    Matcher{url, is_url},
    Matcher{host, is_host},
    Matcher{host_and_port, is_host_and_port},
    Matcher{absolute_path, is_absolute_path},
    Matcher{variable, is_variable},
    Matcher{ssh_host_key, is_ssh_host_key},
    Matcher{azure_name, is_azure_name},
    Matcher{field_name, is_field_name},
    Matcher{json_pointer, is_json_pointer},
    Matcher{condition_type, is_condition_type},
    Matcher{condition_reason, is_condition_reason},
};

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  const auto* found = std::ranges::find(matchers, pattern, &Matcher::pattern);
  return found != matchers.end() && found->matches(text);
}

bool known(std::string_view pattern) { return std::ranges::find(matchers, pattern, &Matcher::pattern) != matchers.end(); }

}  // namespace keyturn::api::pattern
