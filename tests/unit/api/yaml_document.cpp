#include "tests/unit/api/yaml_document.h"

#include <yaml-cpp/yaml.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace keyturn::test {

namespace json = boost::json;

std::string source_path(const std::string& relative) {
  const char* root = std::getenv("KEYTURN_SOURCE_DIR");
  return std::string(root == nullptr ? "." : root) + "/" + relative;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

namespace {

json::value scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") {
    return json::value(text);  // quoted
  }
  if (text == "true" || text == "false") {
    return text == "true";
  }
  json::error_code error;
  auto number = json::parse(text, error);
  return !error && number.is_number() ? number : json::value(text);
}

json::value convert(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      json::object object;
      for (const auto& member : node) {
        object[member.first.Scalar()] = convert(member.second);
      }
      return object;
    }
    case YAML::NodeType::Sequence: {
      json::array list;
      for (const auto& item : node) {
        list.push_back(convert(item));
      }
      return list;
    }
    case YAML::NodeType::Scalar:
      return scalar(node);
    default:
      return nullptr;
  }
}

}  // namespace

json::value parse_yaml(const std::string& text) { return convert(YAML::Load(text)); }

void merge_patch(json::value& target, const json::value& patch) {
  const auto* changes = patch.if_object();
  if (changes == nullptr) {
    target = patch;
    return;
  }
  if (!target.is_object()) {
    target.emplace_object();
  }
  for (const auto& change : *changes) {
    if (change.value().is_null()) {
      target.get_object().erase(change.key());
    } else {
      merge_patch(target.get_object()[change.key()], change.value());
    }
  }
}

}  // namespace keyturn::test
