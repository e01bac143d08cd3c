// A request as the simulated services read it: path and query taken apart, everything that may hold a secret in the arena.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/net/http_message.h"
#include "base/secret.h"

namespace keyturn::sim {

struct Request {
  std::string method;
  std::string path;                          // as sent, without the query
  std::vector<std::string> segments;         // decoded; a trailing slash adds none
  std::map<std::string, std::string> query;  // names in lower case, values decoded ('+' stays '+': continuation tokens hold it)
  std::string host;                          // the Host header as sent
  net::Headers headers;                      // without Authorization
  Secret bearer;                             // empty = no bearer token was sent
  Secret body;

  std::string_view query_or(std::string_view name, std::string_view otherwise) const;
  std::string_view header_or(std::string_view name, std::string_view otherwise) const;
};

// Moves what is secret out of `http` and wipes it there. Errors: Invalid (a target that cannot be taken apart).
Result<Request> read_request(net::HttpRequest& http);

// Splits "a=1&b=2", as in a query or a form. `plus_is_space` for forms. Errors: Invalid.
Result<std::map<std::string, std::string>> split_pairs(std::string_view text, bool plus_is_space);

}  // namespace keyturn::sim
