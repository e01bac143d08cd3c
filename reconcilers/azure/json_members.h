// Reading members of Azure's answers without assumptions: what is missing or has another type is empty.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace keyturn {

const boost::json::object& object_at(const boost::json::object& parent, std::string_view name);
const boost::json::array& array_at(const boost::json::object& parent, std::string_view name);
std::string text_at(const boost::json::object& parent, std::string_view name);
bool flag_at(const boost::json::object& parent, std::string_view name);
// The item as an object, or an empty one.
const boost::json::object& as_object(const boost::json::value& item);

// Azure's names compare without regard to case; only ASCII occurs in them.
std::string lower(std::string_view text);

}  // namespace keyturn
