#include "controller/embedded/yaml_json.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <cmath>
#include <optional>

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

constexpr int depth_max = 128;
// Anchors let a short text describe a huge document; this many nodes are more than any manifest has.
constexpr std::size_t nodes_max = 100'000;

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::optional<json::value> integer_of(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != '_') digits += c;
  std::string_view rest = digits;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  int base = 10;
  if (rest.starts_with("0x") || rest.starts_with("0X"))
    base = 16;
  else if (rest.starts_with("0b"))
    base = 2;
  else if (rest.starts_with("0o"))
    base = 8;
  if (base != 10)
    rest.remove_prefix(2);
  else if (rest.size() > 1 && rest[0] == '0')
    base = 8;
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), number, base);
  if (rest.empty() || ec != std::errc{} || end != rest.data() + rest.size()) return std::nullopt;
  return json::value(negative ? -number : number);
}

std::optional<json::value> float_of(std::string_view text) {
  double number = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, ec] = std::from_chars(begin, text.data() + text.size(), number);
  if (ec != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  // The Go reader goes through JSON, where 1e3 and 1000 are the same number.
  if (number == std::floor(number) && std::abs(number) < 9e15) return json::value(static_cast<std::int64_t>(number));
  return json::value(number);
}

json::value plain_scalar(const std::string& text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (one_of(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) return true;
  if (one_of(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) return false;
  const char first = text[0];
  if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') {
    if (std::optional<json::value> number = integer_of(text)) return *number;
    if (std::optional<json::value> number = float_of(text)) return *number;
  }
  return json::string(text);
}

struct TooMuch {};

json::value to_json(const YAML::Node& node, int depth, std::size_t& nodes) {
  if (depth > depth_max || ++nodes > nodes_max) throw TooMuch{};
  if (node.IsSequence()) {
    json::array items;
    for (const YAML::Node& item : node) items.push_back(to_json(item, depth + 1, nodes));
    return items;
  }
  if (node.IsMap()) {
    json::object members;
    for (const auto& member : node) {
      const YAML::Node& value = member.second;
      members[member.first.Scalar()] = to_json(value, depth + 1, nodes);
    }
    return members;
  }
  if (!node.IsScalar()) return nullptr;
  return node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str" ? json::value(json::string(node.Scalar()))
                                                                    : plain_scalar(node.Scalar());
}

void emit(YAML::Emitter& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::object:
      out << YAML::BeginMap;
      for (const auto& [key, member] : value.get_object()) {
        out << YAML::Key << std::string(key) << YAML::Value;
        emit(out, member);
      }
      out << YAML::EndMap;
      break;
    case json::kind::array:
      if (value.get_array().empty()) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const json::value& item : value.get_array()) emit(out, item);
      out << YAML::EndSeq;
      break;
    case json::kind::string: {
      const std::string text(value.get_string());
      // Quoted where a reader would take the plain word for something else.
      if (plain_scalar(text).is_string())
        out << text;
      else
        out << YAML::DoubleQuoted << text;
      break;
    }
    case json::kind::bool_:
      out << (value.get_bool() ? "true" : "false");
      break;
    case json::kind::null:
      out << YAML::Null;
      break;
    case json::kind::int64:
      out << value.get_int64();
      break;
    case json::kind::uint64:
      out << value.get_uint64();
      break;
    case json::kind::double_:
      out << value.get_double();
      break;
  }
}

Failure bad_yaml(std::string_view why) {
  return bad_request(fmt::format("error decoding YAML: error converting YAML to JSON: yaml: {}", why));
}

}  // namespace

Answer<std::vector<json::value>> read_yaml_documents(std::string_view text) {
  try {
    std::vector<json::value> values;
    std::size_t nodes = 0;
    for (const YAML::Node& document : YAML::LoadAll(std::string(text))) values.push_back(to_json(document, 0, nodes));
    return values;
  } catch (const YAML::Exception& error) {
    return bad_yaml(fmt::format("line {}: {}", error.mark.line + 1, error.msg));
  } catch (const TooMuch&) {
    return bad_yaml("document contains excessive aliasing or nesting");
  }
}

Answer<json::value> read_yaml(std::string_view text) {
  Answer<std::vector<json::value>> documents = read_yaml_documents(text);
  if (!documents) return documents.error();
  if (documents->size() > 1) return bad_yaml("the body must be one document");
  return documents->empty() ? json::value(nullptr) : std::move(documents->front());
}

std::string write_yaml(const json::value& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string(out.c_str()) + "\n";
}

}  // namespace keyturn::embedded
