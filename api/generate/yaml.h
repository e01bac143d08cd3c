// Writes JSON as YAML for the generated manifests: the same value always gives the same text, and any YAML 1.1 or 1.2 parser reads it
// back as the same value.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace keyturn::generate {

// Block style, two spaces, members in the order they have.
std::string to_yaml(const boost::json::value& value);

}  // namespace keyturn::generate
