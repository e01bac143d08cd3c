#include "sim/members.h"

#include <algorithm>
#include <boost/json/array.hpp>

namespace keyturn::sim {

namespace json = boost::json;

Members::Members(const json::value& value, std::string where) : where_(std::move(where)) {
  if (value.is_object()) {
    object_ = &value.get_object();
  } else {
    problem("", "must be an object");
  }
}

void Members::problem(std::string_view name, std::string_view what) {
  if (!problem_.empty()) return;
  problem_ = where_;
  if (!problem_.empty() && !name.empty()) problem_ += ".";
  problem_ += name;
  problem_ += problem_.empty() ? "" : " ";
  problem_ += what;
}

const json::value* Members::any(std::string_view name) {
  asked_.emplace(name);
  return object_ ? object_->if_contains(name) : nullptr;
}

std::string Members::text(std::string_view name, std::string_view otherwise) {
  const json::value* member = any(name);
  if (!member) return std::string(otherwise);
  if (member->is_string()) return std::string(member->get_string());
  problem(name, "must be a string");
  return std::string(otherwise);
}

std::string Members::required_text(std::string_view name) {
  std::string value = text(name);
  if (value.empty()) problem(name, "is missing");
  return value;
}

std::optional<std::int64_t> Members::optional_number(std::string_view name, std::int64_t min, std::int64_t max) {
  const json::value* member = any(name);
  if (!member) return std::nullopt;
  if (member->is_int64() && member->get_int64() >= min && member->get_int64() <= max) return member->get_int64();
  problem(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::int64_t Members::number(std::string_view name, std::int64_t otherwise, std::int64_t min, std::int64_t max) {
  return optional_number(name, min, max).value_or(otherwise);
}

bool Members::flag(std::string_view name, bool otherwise) {
  const json::value* member = any(name);
  if (!member) return otherwise;
  if (member->is_bool()) return member->get_bool();
  problem(name, "must be true or false");
  return otherwise;
}

Secret Members::secret(std::string_view name) {
  const json::value* member = any(name);
  if (!member) return {};
  if (member->is_string()) return Secret::copy_of(member->get_string());
  problem(name, "must be a string");
  return {};
}

const json::array* Members::list(std::string_view name) {
  const json::value* member = any(name);
  if (!member) return nullptr;
  if (member->is_array()) return &member->get_array();
  problem(name, "must be a list");
  return nullptr;
}

Actions Members::actions(std::string_view name, const Actions& otherwise, const Actions& known) {
  if (!has(name)) {
    asked_.emplace(name);
    return otherwise;
  }
  Actions out;
  const json::array* items = list(name);
  if (!items) return out;
  for (const json::value& item : *items) {
    if (item.is_string() && known.contains(std::string_view(item.get_string()))) {
      out.emplace(item.get_string());
    } else {
      problem(name, "has an unknown action");
    }
  }
  return out;
}

std::size_t Members::choice(std::string_view name, std::initializer_list<std::string_view> choices) {
  const std::string given = text(name, *choices.begin());
  const auto found = std::ranges::find(choices, given);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  std::string wanted = "must be one of";
  for (const std::string_view choice : choices) wanted += " " + std::string(choice);
  problem(name, wanted);
  return 0;
}

Answer<> Members::done() {
  if (object_) {
    for (const auto& [name, value] : *object_) {
      if (!asked_.contains(std::string_view(name))) problem(name, "is not known");
    }
  }
  if (problem_.empty()) return {};
  return Refusal{400, "BadRequest", problem_};
}

}  // namespace keyturn::sim
