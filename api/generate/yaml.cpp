#include "api/generate/yaml.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>

namespace keyturn::generate {
namespace {

namespace json = boost::json;

// Only what no parser can take for something else stays bare: words of letters, digits and a few signs that begin with a letter and
// are neither a switch nor a null in YAML 1.1.
bool is_plain(std::string_view text) {
  static constexpr std::string_view special[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (text.empty() || std::ranges::find(special, lower) != std::end(special)) {
    return false;
  }
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/'; };
  return is_letter(text.front()) && std::ranges::all_of(text, is_inner);
}

std::string scalar(const json::value& value) {
  if (const auto* text = value.if_string(); text != nullptr && is_plain(std::string_view(*text))) {
    return std::string(std::string_view(*text));
  }
  return json::serialize(value);  // JSON's scalars are YAML's
}

void write(const json::value& value, std::size_t indent, std::string& out);

void write_object(const json::object& object, std::size_t indent, bool first_inline, std::string& out) {
  for (const auto& member : object) {
    if (!first_inline) {
      out.append(indent, ' ');
    }
    first_inline = false;
    out += scalar(json::value(std::string_view(member.key()))) + ":";
    write(member.value(), indent + 2, out);
  }
}

void write_array(const json::array& list, std::size_t indent, std::string& out) {
  for (const auto& item : list) {
    out.append(indent, ' ');
    out += "- ";
    if (const auto* object = item.if_object(); object != nullptr && !object->empty()) {
      write_object(*object, indent + 2, true, out);
    } else {
      out += scalar(item) + "\n";
    }
  }
}

// What follows a key: " scalar", or an indented block on the next lines.
void write(const json::value& value, std::size_t indent, std::string& out) {
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += "\n";
    write_object(*object, indent, false, out);
  } else if (const auto* list = value.if_array(); list != nullptr && !list->empty()) {
    out += "\n";
    write_array(*list, indent, out);
  } else {
    out += " " + scalar(value) + "\n";
  }
}

}  // namespace

std::string to_yaml(const json::value& value) {
  std::string out;
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    write_object(*object, 0, false, out);
  } else if (const auto* list = value.if_array(); list != nullptr && !list->empty()) {
    write_array(*list, 0, out);
  } else {
    out = scalar(value) + "\n";
  }
  return out;
}

}  // namespace keyturn::generate
