// Reading a string out of a JSON object that may not have it.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace keyturn::sim {

// Empty when the member is absent or no string.
inline std::string text_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* member = object.if_contains(name);
  return member && member->is_string() ? std::string(member->get_string()) : std::string();
}

}  // namespace keyturn::sim
