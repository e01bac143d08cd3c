// YAML request and reply bodies, as kubectl users and curl send them: YAML 1.1 rules for plain scalars (`y` is a boolean, 0x10 and 1e3
// are numbers), because the Go library behind genuine servers follows them.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {

// 400 when it is no YAML, holds two documents, or nests or expands beyond limits.
// `read_yaml_documents` takes any number of documents, as in a file of manifests.
Answer<boost::json::value> read_yaml(std::string_view text);
Answer<std::vector<boost::json::value>> read_yaml_documents(std::string_view text);
std::string write_yaml(const boost::json::value& value);

}  // namespace keyturn::embedded
