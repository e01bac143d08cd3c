#include "reconcilers/azure/challenge.h"

#include <algorithm>

#include "base/hash.h"

namespace keyturn {
namespace {

constexpr std::size_t challenge_bytes_max = 8'192;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

void skip_separators(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == ',' || rest.front() == '\t')) rest.remove_prefix(1);
}

// Takes one name="value" or name=value off the front; false at the end or at something else.
bool take_parameter(std::string_view& rest, std::string_view& name, std::string& value) {
  skip_separators(rest);
  const auto equals = rest.find('=');
  if (equals == std::string_view::npos) return false;
  name = rest.substr(0, equals);
  while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
  rest.remove_prefix(equals + 1);
  value.clear();
  if (rest.empty() || rest.front() != '"') {
    const auto end = std::min(rest.find_first_of(", "), rest.size());
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return true;
  }
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    value.push_back(rest.front());
    rest.remove_prefix(1);
  }
  if (rest.empty()) return false;
  rest.remove_prefix(1);
  return true;
}

std::string last_segment(std::string_view url) {
  while (!url.empty() && url.back() == '/') url.remove_suffix(1);
  const auto host = url.find("://");
  const auto slash = url.rfind('/');
  if (slash == std::string_view::npos || (host != std::string_view::npos && slash < host + 3)) return {};
  return std::string(url.substr(slash + 1));
}

}  // namespace

std::optional<BearerChallenge> parse_bearer_challenge(std::string_view header) {
  constexpr std::string_view scheme = "Bearer";
  if (header.size() > challenge_bytes_max || header.size() < scheme.size()) return std::nullopt;
  if (!equal_ignoring_case(header.substr(0, scheme.size()), scheme)) return std::nullopt;
  std::string_view rest = header.substr(scheme.size());
  BearerChallenge out;
  std::string_view name;
  std::string value;
  while (take_parameter(rest, name, value)) {
    if (name == "authorization" || name == "authorization_uri") out.tenant = last_segment(value);
    if (name == "resource") {
      while (!value.empty() && value.back() == '/') value.pop_back();
      out.resource = value;
    }
    if (name == "claims") {
      auto decoded = from_base64(value);
      if (!decoded) decoded = from_base64url(value);
      out.claims = decoded.value_or("");
    }
  }
  return out;
}

std::optional<BearerChallenge> bearer_challenge_of(const net::HttpReply& reply) {
  const auto header = reply.headers.find("WWW-Authenticate");
  if (!header) return std::nullopt;
  return parse_bearer_challenge(*header);
}

}  // namespace keyturn
