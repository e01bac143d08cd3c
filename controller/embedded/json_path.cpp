#include "controller/embedded/json_path.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <string>

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

// Takes one name off the front of `path`; a backslash makes the next dot part of it.
std::string take_name(std::string_view& path) {
  std::string name;
  while (!path.empty() && path.front() != '.' && path.front() != '[') {
    if (path.front() == '\\' && path.size() > 1) path.remove_prefix(1);
    name += path.front();
    path.remove_prefix(1);
  }
  return name;
}

const json::value* member(const json::value* value, std::string_view name) {
  return value && value->is_object() ? value->get_object().if_contains(name) : nullptr;
}

const json::value* element(const json::value* value, std::string_view index) {
  std::size_t number = 0;
  const auto [end, ec] = std::from_chars(index.data(), index.data() + index.size(), number);
  if (ec != std::errc{} || end != index.data() + index.size() || !value || !value->is_array()) return nullptr;
  return number < value->get_array().size() ? &value->get_array()[number] : nullptr;
}

// `?(@.type=="Ready")`: the first element whose member equals the literal.
const json::value* filtered(const json::value* value, std::string_view filter) {
  const std::size_t equals = filter.find("==");
  if (!value || !value->is_array() || !filter.starts_with("?(@.") || !filter.ends_with(")") || equals == std::string_view::npos)
    return nullptr;
  const std::string_view name = filter.substr(4, equals - 4);
  std::string_view literal = filter.substr(equals + 2, filter.size() - equals - 3);
  if (literal.size() >= 2 && (literal.front() == '"' || literal.front() == '\'')) literal = literal.substr(1, literal.size() - 2);
  for (const json::value& item : value->get_array()) {
    const json::value* found = member(&item, name);
    if (found && found->is_string() && std::string_view(found->get_string()) == literal) return &item;
  }
  return nullptr;
}

const json::value* bracket(const json::value* value, std::string_view inside) {
  return inside.starts_with("?(") ? filtered(value, inside) : element(value, inside);
}

// A filter's literal may hold a bracket, so its end is where the parenthesis closes.
std::size_t bracket_end(std::string_view path) { return path.starts_with("[?(") ? path.find(")]") + 1 : path.find(']'); }

const json::value* walk(const json::value* at, std::string_view path) {
  while (at && !path.empty()) {
    if (path.front() == '.') {
      path.remove_prefix(1);
    } else if (path.front() == '[') {
      const std::size_t end = bracket_end(path);
      if (end == std::string_view::npos || end == 0) return nullptr;
      at = bracket(at, path.substr(1, end - 1));
      path.remove_prefix(end + 1);
    } else {
      at = member(at, take_name(path));
    }
  }
  return at;
}

}  // namespace

const json::value* find_path(const json::object& object, std::string_view path) {
  const json::value* first = object.if_contains(take_name(path));
  return walk(first, path);
}

const json::value* evaluate_json_path(const json::object& object, std::string_view path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  return find_path(object, path);
}

std::string_view metadata_text(const json::object& object, std::string_view name) {
  const json::value* metadata = object.if_contains("metadata");
  const json::value* value = member(metadata, name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

}  // namespace keyturn::embedded
