#include "reconcilers/azure/json_members.h"

#include <algorithm>

namespace keyturn {

namespace json = boost::json;

const json::object& as_object(const json::value& item) {
  static const json::object none;
  return item.is_object() ? item.get_object() : none;
}

const json::object& object_at(const json::object& parent, std::string_view name) {
  static const json::object none;
  const json::value* value = parent.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

const json::array& array_at(const json::object& parent, std::string_view name) {
  static const json::array none;
  const json::value* value = parent.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::string text_at(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}

bool flag_at(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

}  // namespace keyturn
