#include "api/canonical_json.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <vector>

namespace keyturn::api {
namespace {

namespace json = boost::json;

// Which bytes are written otherwise than they are: RFC 8785 escapes what JSON demands and nothing more.
constexpr std::array<bool, 256> escaped = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) table[byte] = true;
  table['"'] = true;
  table['\\'] = true;
  return table;
}();

void append_escape(std::string& out, char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '\\';
  switch (byte) {
    case '"':
    case '\\':
      out += byte;
      return;
    case '\b':
      out += 'b';
      return;
    case '\f':
      out += 'f';
      return;
    case '\n':
      out += 'n';
      return;
    case '\r':
      out += 'r';
      return;
    case '\t':
      out += 't';
      return;
    default:
      out += "u00";
      out += digits[static_cast<unsigned char>(byte) >> 4];
      out += digits[static_cast<unsigned char>(byte) & 15];
  }
}

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 24> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), written.ptr);
}

}  // namespace

void append_canonical_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!escaped[static_cast<unsigned char>(text[i])]) continue;
    out.append(text, plain, i - plain);
    append_escape(out, text[i]);
    plain = i + 1;
  }
  out.append(text, plain);
  out += '"';
}

void append_canonical(std::string& out, const json::object& object, std::string_view except) {
  std::vector<const json::key_value_pair*> members;
  members.reserve(object.size());
  for (const json::key_value_pair& member : object) {
    if (except.empty() || std::string_view(member.key()) != except) members.push_back(&member);
  }
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key() < b->key(); });
  char separator = '{';
  for (const json::key_value_pair* member : members) {
    out += separator;
    separator = ',';
    append_canonical_string(out, member->key());
    out += ':';
    append_canonical(out, member->value());
  }
  if (members.empty()) out += '{';
  out += '}';
}

void append_canonical(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::object:
      return append_canonical(out, value.get_object());
    case json::kind::array: {
      char separator = '[';
      for (const json::value& item : value.get_array()) {
        out += separator;
        separator = ',';
        append_canonical(out, item);
      }
      if (value.get_array().empty()) out += '[';
      out += ']';
      return;
    }
    case json::kind::string:
      return append_canonical_string(out, value.get_string());
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      return append_number(out, value.get_int64());
    case json::kind::uint64:
      return append_number(out, value.get_uint64());
    case json::kind::double_:
      out += json::serialize(value);
      return;
    case json::kind::null:
      out += "null";
      return;
  }
}

}  // namespace keyturn::api
