#include "controller/embedded/strict_json.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>
#include <cctype>

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

std::string quoted(char c) {
  if (c == '\'') return R"('\'')";
  if (c == '"') return R"('"')";
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x7f ? fmt::format("'\\x{:02x}'", byte) : fmt::format("'{}'", c);
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  StrictJson read() {
    StrictJson result;
    skip_space();
    read_value(result.value, "", 0);
    skip_space();
    if (error_.empty() && at_ < text_.size()) fail_at("after top-level value");
    result.duplicates = std::move(duplicates_);
    result.error = std::move(error_);
    return result;
  }

 private:
  bool failed() const { return !error_.empty(); }
  bool end() const { return at_ >= text_.size(); }
  void skip_space() {
    while (!end() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  void fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }
  void fail_at(std::string_view where) {
    fail(end() ? "unexpected end of JSON input" : fmt::format("invalid character {} {}", quoted(text_[at_]), where));
  }

  void read_value(json::value& out, const std::string& path, int depth) {
    if (depth > StrictJson::depth_max) return fail("exceeded max depth");
    if (end()) return fail_at("");
    switch (text_[at_]) {
      case '{':
        return read_object(out, path, depth);
      case '[':
        return read_array(out, path, depth);
      case '"':
        return read_string(out);
      case 't':
        return read_word(out, "true", true);
      case 'f':
        return read_word(out, "false", false);
      case 'n':
        return read_word(out, "null", nullptr);
      default:
        return read_number(out);
    }
  }

  void read_word(json::value& out, std::string_view word, json::value value) {
    for (std::size_t i = 0; i < word.size(); ++i, ++at_) {
      if (!end() && text_[at_] == word[i]) continue;
      return fail_at(fmt::format("in literal {} (expecting {})", word, quoted(word[i])));
    }
    out = std::move(value);
  }

  void read_number(json::value& out) {
    const std::size_t start = at_;
    const auto digit = [this] { return !end() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0; };
    if (text_[at_] == '-') {
      ++at_;
      if (!digit()) return fail_at("in numeric literal");
    }
    if (!digit()) return fail_at("looking for beginning of value");
    if (text_[at_] == '0')
      ++at_;
    else
      while (digit()) ++at_;
    if (!end() && text_[at_] == '.') {
      ++at_;
      if (!digit()) return fail_at("after decimal point in numeric literal");
      while (digit()) ++at_;
    }
    if (!end() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (!end() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digit()) return fail_at("in exponent of numeric literal");
      while (digit()) ++at_;
    }
    boost::system::error_code ec;
    out = json::parse(json::string_view(text_.data() + start, at_ - start), ec);
    if (ec) fail("number out of range");
  }

  // Finds the end of the literal here, so that the library's own reader needs only to turn its escapes into characters.
  void read_string(json::value& out) {
    const std::size_t start = at_++;
    while (!end() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return fail_at("in string literal");
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (end()) return fail("unexpected end of JSON input");
    ++at_;
    boost::system::error_code ec;
    out = json::parse(json::string_view(text_.data() + start, at_ - start), ec);
    if (ec) fail("invalid string literal");
  }

  void read_array(json::value& out, const std::string& path, int depth) {
    json::array& items = out.emplace_array();
    ++at_;
    skip_space();
    if (!end() && text_[at_] == ']') {
      ++at_;
      return;
    }
    while (!failed()) {
      skip_space();
      json::value item;
      read_value(item, fmt::format("{}[{}]", path, items.size()), depth + 1);
      if (failed()) return;
      items.push_back(std::move(item));
      skip_space();
      if (end() || (text_[at_] != ',' && text_[at_] != ']')) return fail_at("after array element");
      if (text_[at_++] == ']') return;
    }
  }

  void read_object(json::value& out, const std::string& path, int depth) {
    json::object& members = out.emplace_object();
    ++at_;
    skip_space();
    if (!end() && text_[at_] == '}') {
      ++at_;
      return;
    }
    while (!failed()) {
      skip_space();
      if (end() || text_[at_] != '"') return fail_at("looking for beginning of object key string");
      json::value key;
      read_string(key);
      skip_space();
      if (failed()) return;
      if (end() || text_[at_] != ':') return fail_at("after object key");
      ++at_;
      skip_space();
      read_member(members, std::string(key.as_string()), path, depth);
      skip_space();
      if (failed()) return;
      if (end() || (text_[at_] != ',' && text_[at_] != '}')) return fail_at("after object key:value pair");
      if (text_[at_++] == '}') return;
    }
  }

  void read_member(json::object& members, const std::string& key, const std::string& path, int depth) {
    const std::string field = join_path(path, key);
    if (members.contains(key)) duplicates_.push_back(field);
    json::value value;
    read_value(value, field, depth + 1);
    if (!failed()) members[key] = std::move(value);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> duplicates_;
  std::string error_;
};

}  // namespace

StrictJson read_strict_json(std::string_view text) { return Reader(text).read(); }

std::string join_path(std::string_view parent, std::string_view name) {
  return parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
}

}  // namespace keyturn::embedded
