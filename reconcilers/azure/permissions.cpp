#include "reconcilers/azure/permissions.h"

#include <algorithm>

#include "reconcilers/azure/json_members.h"

namespace keyturn {
namespace {

// Both in lower case. The last "*" that was passed takes one character more whenever the rest does not fit.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return matches(pattern, text); });
}

std::vector<std::string> texts(const boost::json::array& array) {
  std::vector<std::string> out;
  for (const boost::json::value& item : array) {
    if (item.is_string()) out.push_back(lower(std::string_view(item.get_string())));
  }
  return out;
}

}  // namespace

std::optional<Permissions> Permissions::read(const boost::json::value& body) {
  const boost::json::object& list = as_object(body);
  if (!text_at(list, "nextLink").empty()) return std::nullopt;
  Permissions out;
  for (const boost::json::value& item : array_at(list, "value"))
    out.roles_.push_back({texts(array_at(as_object(item), "actions")), texts(array_at(as_object(item), "notActions"))});
  if (out.roles_.empty()) return std::nullopt;
  return out;
}

bool Permissions::allow(std::string_view action) const {
  const std::string wanted = lower(action);
  return std::any_of(roles_.begin(), roles_.end(),
                     [&](const Role& role) { return any_matches(role.actions, wanted) && !any_matches(role.not_actions, wanted); });
}

}  // namespace keyturn
