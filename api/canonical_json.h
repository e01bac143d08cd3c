// JSON in the canonical form of RFC 8785, for hashing: keys sorted, no white space, one spelling of every string.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn::api {

// A text that grows by what is added. Sound for what the API's objects hold: text, whole numbers, switches, lists and objects. Keys are
// sorted by their bytes, which is the RFC's order as long as they are in the basic plane; a number with a fraction is written as
// Boost.JSON does.
class CanonicalText {
 public:
  CanonicalText() : text_(bytes_at_first, '\0') {}

  void add(const boost::json::value& value);
  // Without the member `except`; empty = with all.
  void add(const boost::json::object& object, std::string_view except = {});
  void add_string(std::string_view text);
  // As it is: for what holds the values together.
  void add_raw(std::string_view bytes);

  std::string take() && {
    text_.resize(size_);
    return std::move(text_);
  }

 private:
  using Member = const boost::json::key_value_pair*;
  static constexpr std::size_t bytes_at_first = 8192;  // an ordinary record and then some

  char* room_for(std::size_t bytes);
  void add_escaped(std::string_view text);
  void add_members(Member* members, std::size_t count);

  std::string text_;  // longer than what is written: appending byte by byte to a string costs more than the hash of it
  std::size_t size_ = 0;
};

}  // namespace keyturn::api
