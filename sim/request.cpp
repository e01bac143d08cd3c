#include "sim/request.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "base/hash.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace {

constexpr std::string_view bearer_scheme = "bearer ";

// Authorization never stays in an ordinary header: the token goes to the arena and the header's own bytes are overwritten.
void take_authorization(net::HttpRequest& http, Request& request) {
  if (http.bearer) request.bearer = http.bearer->clone();
  for (const auto& [name, value] : http.headers.fields()) {
    if (!same_word(name, "authorization")) {
      request.headers.add(name, value);
      continue;
    }
    const std::string_view text = value;
    if (text.size() > bearer_scheme.size() && same_word(text.substr(0, bearer_scheme.size()), bearer_scheme)) {
      request.bearer = Secret::copy_of(text.substr(bearer_scheme.size()));
    }
    OPENSSL_cleanse(const_cast<char*>(value.data()), value.size());
  }
  http.headers = net::Headers{};
}

Result<std::vector<std::string>> split_path(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) {
      auto decoded = percent_decode(path.substr(0, slash));
      if (!decoded) return Error{Errc::Invalid, "the path is not well encoded"};
      segments.push_back(std::move(*decoded));
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return segments;
}

}  // namespace

std::string_view Request::query_or(std::string_view name, std::string_view otherwise) const {
  const auto found = query.find(std::string(name));
  return found == query.end() ? otherwise : std::string_view(found->second);
}

std::string_view Request::header_or(std::string_view name, std::string_view otherwise) const {
  return headers.find(name).value_or(otherwise);
}

Result<std::map<std::string, std::string>> split_pairs(std::string_view text, bool plus_is_space) {
  std::map<std::string, std::string> pairs;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string raw(pair.substr(std::min(equals + 1, pair.size())));
    if (plus_is_space) std::ranges::replace(raw, '+', ' ');
    const auto name = percent_decode(pair.substr(0, equals));
    auto value = percent_decode(raw);
    OPENSSL_cleanse(raw.data(), raw.size());
    if (!name || !value) return Error{Errc::Invalid, "the parameters are not well encoded"};
    pairs.insert_or_assign(lower(*name), std::move(*value));
  }
  return pairs;
}

Result<Request> read_request(net::HttpRequest& http) {
  Request request;
  request.method = http.method;
  take_authorization(http, request);
  if (!http.body.empty()) request.body = Secret::copy_of(http.body);
  OPENSSL_cleanse(http.body.data(), http.body.size());
  http.body.clear();
  if (http.secret_body) request.body = http.secret_body->clone();

  const std::string_view target = http.target;
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  auto segments = split_path(request.path);
  if (!segments) return segments.error();
  request.segments = std::move(*segments);
  auto query = split_pairs(target.substr(std::min(mark + 1, target.size())), false);
  if (!query) return query.error();
  request.query = std::move(*query);
  request.host = request.header_or("host", "");
  return request;
}

}  // namespace keyturn::sim
