// JSON in the canonical form of RFC 8785, for hashing: keys sorted, no white space, one spelling of every string.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace keyturn::api {

// Appends `value` to `out`. Sound for what the API's objects hold: text, whole numbers, switches, lists and objects. Keys are sorted by
// their bytes, which is the RFC's order as long as they are in the basic plane; a number with a fraction is written as Boost.JSON does.
void append_canonical(std::string& out, const boost::json::value& value);
void append_canonical_string(std::string& out, std::string_view text);

// An object without the member `except` (empty = with all).
void append_canonical(std::string& out, const boost::json::object& object, std::string_view except = {});

}  // namespace keyturn::api
