#include "controller/embedded/routing.h"

#include <algorithm>

#include "base/hash.h"

namespace keyturn::embedded {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string decode_query(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced).value_or(spaced);
}

// /api/v1/... and /apis/G/V/... share everything after the version.
void fill_resource(Route& route, const std::vector<std::string>& rest) {
  std::size_t at = 0;
  // `/namespaces/NS/PLURAL` addresses something in a namespace; `/namespaces/NS` and its subresources the namespace itself.
  if (rest.size() >= 3 && rest[0] == "namespaces" && rest[2] != "status" && rest[2] != "finalize") {
    route.ns = rest[1];
    at = 2;
  }
  route.resource = true;
  route.plural = rest[at];
  if (rest.size() > at + 1) route.name = rest[at + 1];
  if (rest.size() > at + 2) route.subresource = rest[at + 2];
  route.trailing = rest.size() > at + 3;
}

}  // namespace

Query Query::parse(std::string_view text) {
  Query query;
  if (text.empty()) return query;
  for (const std::string_view part : split(text, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    query.fields_.emplace_back(decode_query(part.substr(0, equals)), decode_query(value));
  }
  return query;
}

std::string Query::get(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (key == name) return value;
  return {};
}

bool Query::has(std::string_view name) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const auto& field) { return field.first == name; });
}

bool Query::flag(std::string_view name) const {
  if (!has(name)) return false;
  const std::string value = get(name);
  return value != "false" && value != "0";
}

std::vector<std::string> Query::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields_)
    if (key == name) values.push_back(value);
  return values;
}

std::optional<Route> parse_route(std::string_view target) {
  Route route;
  const std::size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  if (question != std::string_view::npos) route.query = Query::parse(target.substr(question + 1));
  if (path.empty() || path.front() != '/') return std::nullopt;
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);

  std::vector<std::string> segments;
  for (const std::string_view part : split(path.substr(1), '/')) {
    const std::optional<std::string> decoded = percent_decode(part);
    if (!decoded || std::any_of(decoded->begin(), decoded->end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      return std::nullopt;
    segments.push_back(*decoded);
    route.path += "/" + *decoded;
  }
  const std::size_t head = segments[0] == "api" ? 2 : 3;
  if ((segments[0] != "api" && segments[0] != "apis") || segments.size() < head) return route;
  route.group = head == 2 ? "" : segments[1];
  route.version = segments[head - 1];
  if (segments.size() > head) fill_resource(route, {segments.begin() + static_cast<std::ptrdiff_t>(head), segments.end()});
  return route;
}

std::string verb_of(std::string_view method, const Route& route) {
  const bool one = !route.name.empty();
  if (method == "GET" || method == "HEAD") return one ? "get" : route.query.flag("watch") ? "watch" : "list";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return one ? "delete" : "deletecollection";
  return {};
}

}  // namespace keyturn::embedded
