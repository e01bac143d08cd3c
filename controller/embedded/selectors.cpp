#include "controller/embedded/selectors.h"

#include <fmt/format.h>

#include <algorithm>

#include "controller/embedded/json_path.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

bool is_special(char c) { return c == '=' || c == '!' || c == '(' || c == ')' || c == ',' || c == '<' || c == '>'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}
bool alphanumeric(char c) { return word_char(c) && c != '-' && c != '_' && c != '.'; }

bool valid_value(std::string_view text) {
  return text.empty() ||
         (text.size() <= 63 && std::all_of(text.begin(), text.end(), word_char) && alphanumeric(text.front()) && alphanumeric(text.back()));
}

bool valid_key(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  if (slash == 0 || name.empty() || !valid_value(name)) return false;
  const std::string_view prefix = slash == std::string_view::npos ? std::string_view{} : key.substr(0, slash);
  return prefix.size() <= 253 && std::all_of(prefix.begin(), prefix.end(), word_char);
}

// The value of a selectable field. "source" of an event is its component, as genuine servers have it.
std::string field_value(const json::object& object, std::string_view field) {
  const json::value* value = find_path(object, field == "source" ? "source.component" : field);
  if (value == nullptr) return {};
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_bool()) return value->get_bool() ? "true" : "false";
  if (value->is_int64()) return std::to_string(value->get_int64());
  return {};
}

}  // namespace

// A hand-written reader of the selector grammar, in the shape of the genuine one so that its complaints are the same.
class LabelParser {
 public:
  explicit LabelParser(std::string_view text) : text_(text) { next(); }

  Answer<LabelSelector> parse() {
    LabelSelector selector;
    if (token_.empty()) return selector;
    while (true) {
      Answer<LabelSelector::Requirement> requirement = parse_requirement();
      if (!requirement) return requirement.error();
      selector.requirements_.push_back(std::move(*requirement));
      if (token_.empty()) return selector;
      if (token_ != ",") return found("',' or 'end of string'");
      next();
      if (token_.empty()) return found("identifier after ','");
    }
  }

 private:
  using Operator = LabelSelector::Operator;

  void next() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    const std::size_t start = at_;
    if (at_ >= text_.size()) {
      token_ = {};
      return;
    }
    if (is_special(text_[at_])) {
      ++at_;
      const std::string_view two = text_.substr(start, 2);
      if (two == "==" || two == "!=") ++at_;
    } else {
      while (at_ < text_.size() && !is_special(text_[at_]) && !is_space(text_[at_])) ++at_;
    }
    token_ = text_.substr(start, at_ - start);
  }

  bool identifier() const { return !token_.empty() && !is_special(token_.front()); }
  Failure found(std::string_view expected) const {
    return bad_request(fmt::format("unable to parse requirement: found '{}', expected: {}", token_, expected));
  }

  Answer<LabelSelector::Requirement> parse_requirement() {
    LabelSelector::Requirement requirement;
    const bool absent = token_ == "!";
    if (absent) next();
    if (!identifier()) {
      return bad_request(fmt::format("unable to parse requirement: found '{}', expected: {}", token_,
                                     absent ? "identifier" : "!, identifier, or 'end of string'"));
    }
    requirement.key = std::string(token_);
    if (!valid_key(requirement.key))
      return bad_request(
          fmt::format("unable to parse requirement: <nil>: Invalid value: \"{}\": name part must be a valid label key", requirement.key));
    next();
    if (absent) {
      requirement.op = Operator::Absent;
      return requirement;
    }
    if (token_.empty() || token_ == ",") return requirement;
    return parse_operator(std::move(requirement));
  }

  Answer<LabelSelector::Requirement> parse_operator(LabelSelector::Requirement requirement) {
    if (token_ == "in" || token_ == "notin") {
      requirement.op = token_ == "in" ? Operator::In : Operator::NotIn;
      next();
      return parse_set(std::move(requirement));
    }
    if (token_ != "=" && token_ != "==" && token_ != "!=") return found("in, notin, =, ==, !=, gt, lt");
    requirement.op = token_ == "!=" ? Operator::NotIn : Operator::In;
    next();
    if (!token_.empty() && token_ != "," && !identifier()) return found("identifier");
    requirement.values.emplace_back(identifier() ? token_ : std::string_view{});
    if (identifier()) next();
    return checked(std::move(requirement));
  }

  Answer<LabelSelector::Requirement> parse_set(LabelSelector::Requirement requirement) {
    if (token_ != "(") return found("'('");
    next();
    while (token_ != ")") {
      if (identifier()) {
        requirement.values.emplace_back(token_);
        next();
        if (token_ != "," && token_ != ")") return found("',' or ')'");
      } else if (token_ == ",") {
        next();
        if (token_ == "," || token_ == ")") requirement.values.emplace_back();
      } else {
        return found("',', ')' or identifier");
      }
    }
    if (requirement.values.empty()) requirement.values.emplace_back();
    next();
    return checked(std::move(requirement));
  }

  Answer<LabelSelector::Requirement> checked(LabelSelector::Requirement requirement) {
    for (const std::string& value : requirement.values)
      if (!valid_value(value))
        return bad_request(
            fmt::format("unable to parse requirement: values[0][{}]: Invalid value: \"{}\": a valid label must be an empty string or "
                        "consist of alphanumeric characters, '-', '_' or '.'",
                        requirement.key, value));
    return requirement;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view token_;
};

Answer<LabelSelector> LabelSelector::parse(std::string_view text) { return LabelParser(text).parse(); }

bool LabelSelector::matches(const json::object& object) const {
  const json::value* labels = find_path(object, "metadata.labels");
  for (const Requirement& requirement : requirements_) {
    const json::value* label = labels && labels->is_object() ? labels->get_object().if_contains(requirement.key) : nullptr;
    const bool listed =
        label && label->is_string() &&
        std::find(requirement.values.begin(), requirement.values.end(), std::string_view(label->get_string())) != requirement.values.end();
    bool holds = false;
    switch (requirement.op) {
      case Operator::In:
        holds = listed;
        break;
      case Operator::NotIn:
        holds = !listed;
        break;
      case Operator::Exists:
        holds = label != nullptr;
        break;
      case Operator::Absent:
        holds = label == nullptr;
        break;
    }
    if (!holds) return false;
  }
  return true;
}

Answer<FieldSelector> FieldSelector::parse(std::string_view text, const ResourceType& type) {
  FieldSelector selector;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return bad_request(fmt::format("invalid selector: '{}'; can't understand '{}'", part, part));
    Term term;
    term.equal = part[equals - 1] != '!';
    term.field = std::string(part.substr(0, term.equal ? equals : equals - 1));
    term.value = std::string(part.substr(equals + (part.substr(equals).starts_with("==") ? 2 : 1)));
    const bool known = term.field == "metadata.name" || (type.namespaced && term.field == "metadata.namespace") ||
                       std::find(type.selectable_fields.begin(), type.selectable_fields.end(), term.field) != type.selectable_fields.end();
    if (!known) return bad_request(fmt::format("field label not supported: {}", term.field));
    selector.terms_.push_back(std::move(term));
  }
  return selector;
}

bool FieldSelector::matches(const json::object& object) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return (field_value(object, term.field) == term.value) == term.equal; });
}

}  // namespace keyturn::embedded
