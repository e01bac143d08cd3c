#include "controller/embedded/object_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::embedded {
namespace {

bool lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool alphanumeric(char c) { return lower_alphanumeric(c) || (c >= 'A' && c <= 'Z'); }

bool is_dns_label(std::string_view text) {
  return !text.empty() && lower_alphanumeric(text.front()) && lower_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return lower_alphanumeric(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_label_text(std::string_view text) {
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

std::string too_long(std::size_t limit) { return fmt::format("must be no more than {} characters", limit); }

constexpr std::string_view subdomain_rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view label_rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view name_part_rule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
    "'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view value_rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

}  // namespace

std::vector<std::string> dns_subdomain_errors(std::string_view name) {
  std::vector<std::string> errors;
  if (name.size() > 253) errors.push_back(too_long(253));
  if (!is_dns_subdomain(name)) errors.emplace_back(subdomain_rule);
  return errors;
}

std::vector<std::string> dns_label_errors(std::string_view name) {
  std::vector<std::string> errors;
  if (name.size() > 63) errors.push_back(too_long(63));
  if (!is_dns_label(name)) errors.emplace_back(label_rule);
  return errors;
}

std::vector<std::string> qualified_name_errors(std::string_view key) {
  std::vector<std::string> errors;
  const std::size_t slash = key.find('/');
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  if (slash != std::string_view::npos && !is_dns_subdomain(key.substr(0, slash)))
    errors.push_back(fmt::format("prefix part {}", subdomain_rule));
  if (name.empty()) errors.emplace_back("name part must be non-empty");
  if (name.size() > 63) errors.push_back("name part " + too_long(63));
  if (!is_label_text(name)) errors.emplace_back(name_part_rule);
  return errors;
}

std::vector<std::string> label_value_errors(std::string_view value) {
  std::vector<std::string> errors;
  if (value.size() > 63) errors.push_back(too_long(63));
  if (!value.empty() && !is_label_text(value)) errors.emplace_back(value_rule);
  return errors;
}

}  // namespace keyturn::embedded
