#include "base/net/http_message.h"

#include <algorithm>

namespace keyturn::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || marks.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

}  // namespace

void Headers::set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
  fields_.emplace_back(std::string(name), std::move(value));
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (same_name(key, name)) return value;
  }
  return std::nullopt;
}

bool Headers::well_formed() const {
  return std::ranges::all_of(fields_, [](const auto& field) { return is_token(field.first) && is_field_value(field.second); });
}

bool is_well_formed(const HttpRequest& request) {
  const bool target_ok = !request.target.empty() && (request.target.front() == '/' || request.target == "*") &&
                         std::ranges::all_of(request.target, [](char c) { return c > 0x20 && c < 0x7F; });
  return is_token(request.method) && target_ok && request.headers.well_formed();
}

bool is_framing_header(std::string_view name) {
  return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding") || same_name(name, "Connection");
}

}  // namespace keyturn::net
