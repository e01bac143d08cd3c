#include "tests/simulation/credentials.h"

#include <algorithm>
#include <string_view>

namespace keyturn::simulation {
namespace {

constexpr std::string_view before_principal = R"({"user":")";
constexpr std::string_view before_password = R"(","password":")";
constexpr std::string_view before_sent = R"({"send":")";
constexpr std::string_view before_accepted = R"(","accept":[")";
constexpr std::string_view between_accepted = R"(",")";

// What stands between `from` and the next `end`; moves `from` behind that.
std::string up_to(const std::string& text, std::size_t& from, std::string_view end) {
  const auto found = text.find(end, from);
  if (found == std::string::npos) return {};
  std::string piece = text.substr(from, found - from);
  from = found + end.size();
  return piece;
}

}  // namespace

// The order of members and the escaping are those of the product's own renderers for values without special characters.
std::string render(const Login& login) {
  return std::string(before_principal) + login.principal + std::string(before_password) + login.password + R"("})";
}

Login login_of(const std::string& rendered) {
  if (!rendered.starts_with(before_principal)) return {};
  std::size_t at = before_principal.size();
  std::string principal = up_to(rendered, at, before_password);
  std::string password = up_to(rendered, at, "\"");
  return {std::move(principal), std::move(password)};
}

bool Keys::accepts(const std::string& key) const { return std::find(accept.begin(), accept.end(), key) != accept.end(); }

std::string render(const Keys& keys) {
  std::string text = std::string(before_sent) + keys.send + std::string(before_accepted);
  for (std::size_t i = 0; i < keys.accept.size(); ++i) text += (i == 0 ? "" : std::string(between_accepted)) + keys.accept[i];
  return text + "\"]}";
}

Keys keys_of(const std::string& rendered) {
  if (!rendered.starts_with(before_sent)) return {};
  std::size_t at = before_sent.size();
  Keys keys{.send = up_to(rendered, at, before_accepted), .accept = {}};
  while (rendered.find(between_accepted, at) != std::string::npos) keys.accept.push_back(up_to(rendered, at, between_accepted));
  keys.accept.push_back(up_to(rendered, at, "\"]}"));
  return keys;
}

std::vector<std::string> words_of(const std::string& rendered) {
  if (Login login = login_of(rendered); !login.password.empty()) return {std::move(login.password)};
  return keys_of(rendered).accept;
}

}  // namespace keyturn::simulation
