// The rules for names, labels and annotations of Kubernetes objects (RFC 1123 and the label syntax), with the messages of genuine servers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyturn::embedded {

// Each returns what is wrong; empty = valid.
std::vector<std::string> dns_subdomain_errors(std::string_view name);  // names of objects, at most 253 characters
std::vector<std::string> dns_label_errors(std::string_view name);      // names of namespaces, at most 63
std::vector<std::string> qualified_name_errors(std::string_view key);  // keys of labels and annotations: [prefix/]name
std::vector<std::string> label_value_errors(std::string_view value);

}  // namespace keyturn::embedded
