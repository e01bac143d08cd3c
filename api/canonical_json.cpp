#include "api/canonical_json.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <vector>

namespace keyturn::api {
namespace {

namespace json = boost::json;

// RFC 8785 escapes what JSON demands and nothing more.
constexpr bool is_escaped(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

// Whether a text is written as it is; eight bytes at a time, because nearly all of a record is text of this kind.
bool is_plain(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high = ones << 7;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    const std::uint64_t quote = bytes ^ (ones * '"');
    const std::uint64_t backslash = bytes ^ (ones * '\\');
    // The top bit of a byte that is below the number subtracted from it; where an earlier byte borrows it may be set once too often.
    const std::uint64_t special = ((bytes - ones * 0x20) & ~bytes) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    if ((special & high) != 0) return false;
  }
  return std::none_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_escaped);
}

// The letter after the backslash where there is a short form; 0 = there is none.
constexpr char short_form(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

template <class Number>
std::string_view digits_of(Number value, std::array<char, 24>& text) {
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), static_cast<std::size_t>(written.ptr - text.data())};
}

}  // namespace

char* CanonicalText::room_for(std::size_t bytes) {
  if (text_.size() - size_ < bytes) text_.resize(2 * text_.size() + bytes);
  char* room = text_.data() + size_;
  size_ += bytes;
  return room;
}

void CanonicalText::add_raw(std::string_view bytes) { std::memcpy(room_for(bytes.size()), bytes.data(), bytes.size()); }

void CanonicalText::add_string(std::string_view text) {
  if (!is_plain(text)) return add_escaped(text);
  char* room = room_for(text.size() + 2);
  room[0] = '"';
  std::copy(text.begin(), text.end(), room + 1);
  room[text.size() + 1] = '"';
}

void CanonicalText::add_escaped(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  add_raw("\"");
  for (const char c : text) {
    if (!is_escaped(c)) {
      *room_for(1) = c;
    } else if (const char letter = short_form(c); letter != 0) {
      add_raw("\\");
      *room_for(1) = letter;
    } else {
      add_raw("\\u00");
      *room_for(1) = hex[static_cast<unsigned char>(c) >> 4];
      *room_for(1) = hex[static_cast<unsigned char>(c) & 15];
    }
  }
  add_raw("\"");
}

void CanonicalText::add_members(Member* members, std::size_t count) {
  // By insertion: what is ordinary is short, and what comes from kubectl is sorted already.
  for (std::size_t i = 1; i < count; ++i) {
    const Member member = members[i];
    std::size_t at = i;
    for (; at > 0 && member->key() < members[at - 1]->key(); --at) members[at] = members[at - 1];
    members[at] = member;
  }
  add_raw("{");
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) add_raw(",");
    add_string(members[i]->key());
    add_raw(":");
    add(members[i]->value());
  }
  add_raw("}");
}

void CanonicalText::add(const json::object& object, std::string_view except) {
  // Every object of the API fits; one of somebody's making may not, and could have too many keys to sort them by insertion.
  constexpr std::size_t ordinary = 64;
  std::array<Member, ordinary> few;
  std::vector<Member> many;
  if (object.size() > ordinary) many.resize(object.size());
  Member* members = many.empty() ? few.data() : many.data();
  std::size_t count = 0;
  for (const json::key_value_pair& member : object) {
    if (except.empty() || std::string_view(member.key()) != except) members[count++] = &member;
  }
  if (!many.empty()) std::sort(members, members + count, [](Member a, Member b) { return a->key() < b->key(); });
  add_members(members, count);
}

void CanonicalText::add(const json::value& value) {
  std::array<char, 24> digits;
  switch (value.kind()) {
    case json::kind::object:
      return add(value.get_object());
    case json::kind::array: {
      const json::array& list = value.get_array();
      add_raw("[");
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0) add_raw(",");
        add(list[i]);
      }
      return add_raw("]");
    }
    case json::kind::string:
      return add_string(value.get_string());
    case json::kind::bool_:
      return add_raw(value.get_bool() ? "true" : "false");
    case json::kind::int64:
      return add_raw(digits_of(value.get_int64(), digits));
    case json::kind::uint64:
      return add_raw(digits_of(value.get_uint64(), digits));
    case json::kind::double_:
      return add_raw(json::serialize(value));
    case json::kind::null:
      return add_raw("null");
  }
}

}  // namespace keyturn::api
