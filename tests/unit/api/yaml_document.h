// YAML files as the JSON that kubectl would send.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace keyturn::test {

// A path below the source tree, as in "manifests/samples/xapikey.yaml".
std::string source_path(const std::string& relative);
std::string read_file(const std::string& path);

// The first document of a YAML text. Throws on malformed YAML, which fails the test.
boost::json::value parse_yaml(const std::string& text);

// RFC 7396.
void merge_patch(boost::json::value& target, const boost::json::value& patch);

}  // namespace keyturn::test
