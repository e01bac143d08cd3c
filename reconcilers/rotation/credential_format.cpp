#include "reconcilers/rotation/credential_format.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/secret_memory.h"
#include "reconcilers/rotation/key_set.h"

namespace keyturn {
namespace {

// A piece of the rendered text, by position.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

// Where a format keeps its login.
struct Places {
  std::optional<Span> user;
  Span password;
};

std::string_view at(std::string_view text, Span span) { return text.substr(span.begin, span.size()); }

Error invalid(const char* message) { return {Errc::Invalid, message}; }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return std::nullopt;
}

// ---- URL: scheme://user:password@host/... (RFC 3986 section 3.2.1) ---------------------------------------------------------------

Result<Places> find_in_url(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) return invalid("the value is not a URL");
  const std::size_t begin = scheme_end + 3;
  const std::size_t authority_end = std::min(text.find_first_of("/?#", begin), text.size());
  const std::size_t at_sign = text.substr(0, authority_end).rfind('@');
  if (at_sign == std::string_view::npos || at_sign < begin) return invalid("the URL has no user information");
  const std::size_t colon = text.substr(0, at_sign).find(':', begin);
  if (colon == std::string_view::npos) return invalid("the URL has no password");
  return Places{Span{begin, colon}, Span{colon + 1, at_sign}};
}

Result<Secret> decode_percent(std::string_view text) {
  SecretBuffer out(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low) return invalid("the URL has a broken percent-encoding");
    out.push_back(static_cast<char>(*high << 4 | *low));
    i += 2;
  }
  return std::move(out).finish();
}

void encode_percent(SecretBuffer& out, std::string_view text) {
  static constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  static constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (unreserved.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(hex[byte >> 4]);
      out.push_back(hex[byte & 15]);
    }
  }
}

// ---- ADO.NET connection strings: key=value;... -----------------------------------------------------------------------------------
// Rules of DbConnectionStringBuilder and SqlConnection.ConnectionString (learn.microsoft.com): keys without regard to case, "==" in a key
// is one "=", blanks around keys and values do not count, a value may stand in single or double quotes with the quote doubled inside,
// and of several equal keys the last one wins. What repeats a key that matters here is refused instead.

struct Entry {
  std::string key;  // lower case, "==" undone
  Span value;       // with its quotes, without blanks around it
};

class AdoNetReader {
 public:
  explicit AdoNetReader(std::string_view text) : text_(text) {}

  Result<std::vector<Entry>> read() {
    std::vector<Entry> entries;
    for (;;) {
      while (position_ < text_.size() && (is_space(text_[position_]) || text_[position_] == ';')) ++position_;
      if (position_ == text_.size()) return entries;
      Entry entry;
      if (!read_key(entry.key) || !read_value(entry.value)) return invalid("the connection string does not parse");
      entries.push_back(std::move(entry));
    }
  }

 private:
  bool read_key(std::string& key) {
    for (; position_ < text_.size(); ++position_) {
      const char c = text_[position_];
      if (c == ';' || is_control(c)) return false;
      if (c == '=') {
        ++position_;
        if (position_ == text_.size() || text_[position_] != '=') break;
      }
      key.push_back(lower(c));
      if (position_ + 1 == text_.size()) return false;  // a key without "="
    }
    while (!key.empty() && key.back() == ' ') key.pop_back();
    return !key.empty();
  }

  bool read_value(Span& value) {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
    value.begin = position_;
    const bool quoted = position_ < text_.size() && (text_[position_] == '"' || text_[position_] == '\'');
    return quoted ? read_quoted(value) : read_plain(value);
  }

  bool read_quoted(Span& value) {
    const char quote = text_[position_];
    for (++position_; position_ < text_.size(); ++position_) {
      if (text_[position_] == '\0') return false;
      if (text_[position_] != quote) continue;
      if (position_ + 1 == text_.size() || text_[position_ + 1] != quote) break;
      ++position_;
    }
    if (position_ == text_.size()) return false;  // no closing quote
    value.end = ++position_;
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
    return position_ == text_.size() || text_[position_] == ';';
  }

  bool read_plain(Span& value) {
    while (position_ < text_.size() && text_[position_] != ';') {
      if (is_control(text_[position_]) && !is_space(text_[position_])) return false;
      ++position_;
    }
    value.end = position_;
    while (value.end > value.begin && is_space(text_[value.end - 1])) --value.end;
    const char last = value.size() == 0 ? 'x' : text_[value.end - 1];
    return last != '"' && last != '\'';
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

// Different spellings of one field, in SqlClient, Npgsql and MySqlConnector.
constexpr std::array<std::string_view, 2> password_keys{"password", "pwd"};
constexpr std::array<std::string_view, 6> user_keys{"user id", "uid", "user", "username", "user name", "userid"};

template <std::size_t n>
std::vector<std::string> spellings(const std::string& field, const std::array<std::string_view, n>& group) {
  std::string key;
  for (const char c : field) key.push_back(lower(c));
  if (std::find(group.begin(), group.end(), key) == group.end()) return {key};
  return {group.begin(), group.end()};
}

// The one entry under any of these keys. Nothing = none; more than one = an error, as it depends on the driver which one counts.
Result<std::optional<Span>> only_entry(const std::vector<Entry>& entries, const std::vector<std::string>& keys) {
  std::optional<Span> found;
  for (const Entry& entry : entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) continue;
    if (found) return invalid("the connection string has the field twice");
    found = entry.value;
  }
  return found;
}

Result<Places> find_in_ado_net(const api::SecretFormat& format, std::string_view text) {
  const auto entries = AdoNetReader(text).read();
  if (!entries) return entries.error();
  const std::string password_field = format.password_field.empty() ? "password" : format.password_field;
  const auto password = only_entry(*entries, spellings(password_field, password_keys));
  if (!password) return password.error();
  if (!*password) return invalid("the connection string has no password");
  Places places{std::nullopt, **password};
  if (format.user_field.empty()) return places;
  const auto user = only_entry(*entries, spellings(format.user_field, user_keys));
  if (!user) return user.error();
  if (!*user) return invalid("the connection string has no user");
  places.user = **user;
  return places;
}

Secret decode_ado_net(std::string_view raw) {
  SecretBuffer out(raw.size() + 1);
  const bool quoted = raw.size() >= 2 && (raw.front() == '"' || raw.front() == '\'');
  if (!quoted) return Secret::copy_of(raw);
  const char quote = raw.front();
  for (std::size_t i = 1; i + 1 < raw.size(); ++i) {
    out.push_back(raw[i]);
    if (raw[i] == quote) ++i;  // doubled
  }
  return std::move(out).finish();
}

Result<> encode_ado_net(SecretBuffer& out, std::string_view value) {
  if (std::any_of(value.begin(), value.end(), is_control)) return invalid("a connection string cannot hold a control character");
  const bool plain = !value.empty() && value.find_first_of(" ;=\"'{}") == std::string_view::npos;
  if (plain) {
    out.append(value);
    return ok();
  }
  out.push_back('"');
  for (const char c : value) {
    out.push_back(c);
    if (c == '"') out.push_back(c);
  }
  out.push_back('"');
  return ok();
}

// ---- JSON: two string members by pointer (RFC 8259, RFC 6901) ---------------------------------------------------------------------

// Walks the text without building anything, so that the rest of the document stays byte for byte, and no parser keeps copies.
class JsonWalker {
 public:
  static constexpr int depth_max = 32;

  JsonWalker(std::string_view text, std::vector<std::string> path) : text_(text), path_(std::move(path)) {}

  // The string at the path, with its quotes.
  Result<Span> find() {
    if (!value(0, true)) return invalid("the value is not valid JSON");
    skip_blanks();
    if (position_ != text_.size()) return invalid("the value is not valid JSON");
    if (twice_) return invalid("the JSON document has the member twice");
    if (!found_) return invalid("the JSON document has no such string");
    return *found_;
  }

 private:
  void skip_blanks() {
    while (position_ < text_.size() && std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) ++position_;
  }
  bool take(char c) {
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(position_, word.size()) != word) return false;
    position_ += word.size();
    return true;
  }

  // `depth` is how many steps of the path lie behind this value when `on_path`.
  bool value(int depth, bool on_path) {
    if (depth > depth_max) return false;
    skip_blanks();
    if (position_ >= text_.size()) return false;
    const bool here = on_path && static_cast<std::size_t>(depth) == path_.size();
    switch (text_[position_]) {
      case '{':
        return object(depth, on_path && !here);
      case '[':
        return array(depth, on_path && !here);
      case '"': {
        Span span{position_, 0};
        if (!string(nullptr)) return false;
        span.end = position_;
        if (here) remember(span);
        return true;
      }
      case 't':
        return take_word("true");
      case 'f':
        return take_word("false");
      case 'n':
        return take_word("null");
      default:
        return number();
    }
  }

  void remember(Span span) {
    twice_ = twice_ || found_.has_value();
    found_ = span;
  }

  bool object(int depth, bool on_path) {
    take('{');
    skip_blanks();
    if (take('}')) return true;
    do {
      skip_blanks();
      std::string key;
      if (!string(&key)) return false;
      skip_blanks();
      if (!take(':')) return false;
      if (!value(depth + 1, on_path && key == path_[static_cast<std::size_t>(depth)])) return false;
      skip_blanks();
    } while (take(','));
    return take('}');
  }

  bool array(int depth, bool on_path) {
    take('[');
    skip_blanks();
    if (take(']')) return true;
    std::size_t index = 0;
    do {
      if (!value(depth + 1, on_path && std::to_string(index) == path_[static_cast<std::size_t>(depth)])) return false;
      ++index;
      skip_blanks();
    } while (take(','));
    return take(']');
  }

  // Checks a string and, for the name of a member, decodes it. Names are no secrets; `key` is null for everything else.
  bool string(std::string* key) {
    if (!take('"')) return false;
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        if (key != nullptr) key->push_back(c);
        continue;
      }
      if (!escape(key)) return false;
    }
    return false;
  }

  bool escape(std::string* key) {
    if (position_ >= text_.size()) return false;
    const char c = text_[position_++];
    static constexpr std::string_view letters = "\"\\/bfnrt";
    static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t known = letters.find(c);
    if (known != std::string_view::npos) {
      if (key != nullptr) key->push_back(meanings[known]);
      return true;
    }
    if (c != 'u' || position_ + 4 > text_.size()) return false;
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      const auto digit = hex_digit(text_[position_++]);
      if (!digit) return false;
      code = code << 4 | static_cast<unsigned>(*digit);
    }
    // Names that are written with escapes beyond ASCII are never the ones looked for; a mark keeps them different from all others.
    if (key != nullptr) key->push_back(code < 0x80 ? static_cast<char>(code) : '\xFF');
    return true;
  }

  bool digits() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') ++position_;
    return position_ > begin;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    return true;
  }

  std::string_view text_;
  const std::vector<std::string> path_;
  std::size_t position_ = 0;
  std::optional<Span> found_;
  bool twice_ = false;
};

std::optional<std::vector<std::string>> split_pointer(std::string_view pointer) {
  if (pointer.empty() || pointer.front() != '/') return std::nullopt;
  std::vector<std::string> path;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      path.emplace_back();
    } else if (pointer[i] == '~') {
      const char next = i + 1 < pointer.size() ? pointer[++i] : 'x';
      if (next != '0' && next != '1') return std::nullopt;
      path.back().push_back(next == '0' ? '~' : '/');
    } else {
      path.back().push_back(pointer[i]);
    }
  }
  return path;
}

Result<Span> find_member(std::string_view text, std::string_view pointer) {
  auto path = split_pointer(pointer);
  if (!path) return invalid("a field of the format is not a JSON pointer");
  return JsonWalker(text, *std::move(path)).find();
}

Result<Places> find_in_json(const api::SecretFormat& format, std::string_view text) {
  const auto password = find_member(text, format.password_field);
  if (!password) return password.error();
  Places places{std::nullopt, *password};
  if (format.user_field.empty()) return places;
  const auto user = find_member(text, format.user_field);
  if (!user) return user.error();
  if (*user == *password) return invalid("the user and the password are the same member");
  places.user = *user;
  return places;
}

void append_utf8(SecretBuffer& out, std::uint32_t code) {
  const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | (code >> shift & 0x3F))); };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::optional<std::uint32_t> read_code_unit(std::string_view text, std::size_t& i) {
  if (i + 6 > text.size() || text[i] != '\\' || text[i + 1] != 'u') return std::nullopt;
  std::uint32_t code = 0;
  for (std::size_t k = i + 2; k < i + 6; ++k) {
    const auto digit = hex_digit(text[k]);
    if (!digit) return std::nullopt;
    code = code << 4 | static_cast<std::uint32_t>(*digit);
  }
  i += 6;
  return code;
}

// `raw` is a string that the walker has checked, with its quotes.
Result<Secret> decode_json(std::string_view raw) {
  const std::string_view text = raw.substr(1, raw.size() - 2);
  SecretBuffer out(text.size() + 1);
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out.push_back(text[i++]);
      continue;
    }
    static constexpr std::string_view letters = "\"\\/bfnrt";
    static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t known = letters.find(text[i + 1]);
    if (known != std::string_view::npos) {
      out.push_back(meanings[known]);
      i += 2;
      continue;
    }
    auto code = read_code_unit(text, i);
    if (code && *code >= 0xD800 && *code < 0xDC00) {
      const auto low = read_code_unit(text, i);
      const bool paired = low && *low >= 0xDC00 && *low < 0xE000;
      code = paired ? std::optional<std::uint32_t>(0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00)) : std::nullopt;
    } else if (code && *code >= 0xDC00 && *code < 0xE000) {
      code.reset();
    }
    if (!code) return invalid("the JSON string has half of a surrogate pair");
    append_utf8(out, *code);
  }
  return std::move(out).finish();
}

// JSON text is UTF-8 (RFC 8259 section 8.1), so a value that is not cannot be put into it.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t more = lead < 0x80                   ? 0
                             : lead >= 0xC2 && lead < 0xE0 ? 1
                             : lead >= 0xE0 && lead < 0xF0 ? 2
                             : lead >= 0xF0 && lead < 0xF5 ? 3
                                                           : 4;
    if (more == 4 || i + more >= text.size()) return false;
    std::uint32_t code = more == 0 ? lead : lead & (0x3Fu >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xC0) != 0x80) return false;
      code = code << 6 | (byte & 0x3Fu);
    }
    const bool overlong = (more == 2 && code < 0x800) || (more == 3 && (code < 0x10000 || code > 0x10FFFF));
    if (overlong || (code >= 0xD800 && code < 0xE000)) return false;
    i += more + 1;
  }
  return true;
}

Result<> encode_json(SecretBuffer& out, std::string_view value) {
  if (!is_utf8(value)) return invalid("a JSON document cannot hold a value that is not UTF-8");
  append_json_string(out, value);
  return ok();
}

// ---- all formats -----------------------------------------------------------------------------------------------------------------

Result<Places> find_login(const api::SecretFormat& format, std::string_view text) {
  switch (format.type) {
    case api::FormatType::Url:
      return find_in_url(text);
    case api::FormatType::AdoNetConnectionString:
      return find_in_ado_net(format, text);
    case api::FormatType::Json:
      return find_in_json(format, text);
    case api::FormatType::KeySet:
    case api::FormatType::Opaque:
      break;
  }
  return Places{std::nullopt, Span{0, text.size()}};
}

Result<Secret> decode(api::FormatType type, std::string_view raw) {
  switch (type) {
    case api::FormatType::Url:
      return decode_percent(raw);
    case api::FormatType::AdoNetConnectionString:
      return decode_ado_net(raw);
    case api::FormatType::Json:
      return decode_json(raw);
    case api::FormatType::KeySet:
    case api::FormatType::Opaque:
      break;
  }
  return Secret::copy_of(raw);
}

Result<> encode(api::FormatType type, SecretBuffer& out, std::string_view value) {
  switch (type) {
    case api::FormatType::Url:
      encode_percent(out, value);
      return ok();
    case api::FormatType::AdoNetConnectionString:
      return encode_ado_net(out, value);
    case api::FormatType::Json:
      return encode_json(out, value);
    case api::FormatType::KeySet:
    case api::FormatType::Opaque:
      break;
  }
  out.append(value);
  return ok();
}

Result<Login> extract_from(const api::SecretFormat& format, std::string_view text, std::string_view default_principal) {
  if (text.empty()) return invalid("the value is empty");
  if (text.size() > rendered_bytes_max) return invalid("the value is too large");
  const auto places = find_login(format, text);
  if (!places) return places.error();
  auto password = decode(format.type, at(text, places->password));
  if (!password) return password.error();
  Login login{std::string(default_principal), *std::move(password)};
  if (!places->user) return login;
  const auto user = decode(format.type, at(text, *places->user));
  if (!user) return user.error();
  if (!user->empty()) login.principal = user->expose([](std::string_view bytes) { return std::string(bytes); });
  return login;
}

// Copies `text` with new contents at up to two places.
Result<Secret> splice(api::FormatType type, std::string_view text, const Places& places, std::string_view principal,
                      std::string_view password) {
  struct Piece {
    Span span;
    std::string_view value;
  };
  std::vector<Piece> pieces{{places.password, password}};
  if (places.user) pieces.push_back({*places.user, principal});
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.span.begin < b.span.begin; });
  SecretBuffer out(text.size() + 3 * (principal.size() + password.size()) + 16);
  std::size_t position = 0;
  for (const Piece& piece : pieces) {
    out.append(text.substr(position, piece.span.begin - position));
    if (auto encoded = encode(type, out, piece.value); !encoded) return encoded.error();
    position = piece.span.end;
  }
  out.append(text.substr(position));
  return std::move(out).finish();
}

// What lies outside the login, in order: equal before and after means that nothing else changed, and that the new text is still
// divided in the same way.
bool same_surroundings(std::string_view a, const Places& in_a, std::string_view b, const Places& in_b) {
  if (in_a.user.has_value() != in_b.user.has_value()) return false;
  const auto around = [](std::string_view text, const Places& places) {
    Span first = places.user.value_or(places.password);
    Span second = places.password;
    if (second.begin < first.begin) std::swap(first, second);
    const std::size_t middle = second.begin >= first.end ? second.begin - first.end : 0;
    return std::array<std::string_view, 3>{text.substr(0, first.begin), text.substr(first.end, middle), text.substr(second.end)};
  };
  return around(a, in_a) == around(b, in_b);
}

bool equal_bytes(const Secret& secret, std::string_view bytes) { return secret.equals(Secret::copy_of(bytes)); }

// Reads the new text as a stranger would: exactly the new login, and around it what was there before.
bool reads_back(const api::SecretFormat& format, std::string_view before, const Places& old_places, std::string_view after,
                std::string_view principal, std::string_view password) {
  const auto new_places = find_login(format, after);
  if (!new_places || !same_surroundings(before, old_places, after, *new_places)) return false;
  const auto read_password = decode(format.type, at(after, new_places->password));
  if (!read_password || !equal_bytes(*read_password, password)) return false;
  if (!new_places->user) return true;
  const auto read_user = decode(format.type, at(after, *new_places->user));
  return read_user && equal_bytes(*read_user, principal);
}

// A URL without a user, as Redis has it for its default user, keeps it that way.
bool stays_without_user(const api::SecretFormat& format, const Places& places, std::string_view principal) {
  return format.type == api::FormatType::Url && places.user && places.user->size() == 0 && (principal.empty() || principal == "default");
}

Result<Secret> render_into(const api::SecretFormat& format, std::string_view current, std::string_view principal,
                           std::string_view password) {
  if (current.empty()) return invalid("there is no current value to edit");
  if (const auto readable = extract_from(format, current, principal); !readable) return readable.error();
  const auto places = find_login(format, current);
  if (!places) return places.error();
  std::string_view user = principal;
  if (stays_without_user(format, *places, principal)) {
    user = "";
  } else if (places->user && principal.empty()) {
    return invalid("the format holds a user, and none is given");
  }
  auto rendered = splice(format.type, current, *places, user, password);
  if (!rendered) return rendered.error();
  const bool same = rendered->expose([&](std::string_view after) { return reads_back(format, current, *places, after, user, password); });
  if (!same) return invalid("the value cannot be edited without changing more than its login");
  if (rendered->size() > rendered_bytes_max) return invalid("the value is too large");
  return rendered;
}

}  // namespace

Result<Login> extract(const api::SecretFormat& format, const Secret& rendered, std::string_view default_principal) {
  if (format.type == api::FormatType::KeySet) {
    auto keys = read_key_set(rendered);
    if (!keys) return keys.error();
    return Login{std::string(default_principal), std::move(keys->send)};
  }
  return rendered.expose([&](std::string_view text) { return extract_from(format, text, default_principal); });
}

Result<Secret> render(const api::SecretFormat& format, const Secret& current, std::string_view principal, const Secret& password) {
  if (password.empty()) return invalid("an empty password is refused");
  if (format.type == api::FormatType::KeySet) {
    KeySet only{password.clone(), {}};
    only.accept.push_back(password.clone());
    return write_key_set(only);
  }
  if (format.type == api::FormatType::Opaque) {
    if (password.size() > rendered_bytes_max) return invalid("the value is too large");
    return password.clone();
  }
  return current.expose([&](std::string_view text) {
    return password.expose([&](std::string_view bytes) { return render_into(format, text, principal, bytes); });
  });
}

}  // namespace keyturn
