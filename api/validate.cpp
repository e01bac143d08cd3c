#include "api/validate.h"

#include <string_view>

#include "api/structure.h"

namespace keyturn::api {

namespace json = boost::json;

namespace {

// Every object that a rule is carried on, with its place: "spec.systems[]" gives "spec.systems[0]", "spec.systems[1]", ...
template <class Visit>
void visit_at(const json::object& object, std::string_view path, const std::string& field, const Visit& visit) {
  if (path.empty()) {
    visit(object, field);
    return;
  }
  const auto dot = path.find('.');
  std::string_view segment = path.substr(0, dot);
  const std::string_view rest = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  const bool of_items = segment.ends_with("[]");
  segment = of_items ? segment.substr(0, segment.size() - 2) : segment;
  const std::string member_field = field.empty() ? std::string(segment) : field + "." + std::string(segment);
  const auto* member = object.if_contains(segment);
  if (member == nullptr) {
    return;
  }
  if (!of_items) {
    visit_at(member->as_object(), rest, member_field, visit);
    return;
  }
  const auto& items = member->as_array();
  for (std::size_t index = 0; index < items.size(); ++index) {
    visit_at(items[index].as_object(), rest, member_field + "[" + std::to_string(index) + "]", visit);
  }
}

void check_rules(const KindSchema& kind, const json::object& object, Violations& violations) {
  for (const auto& rule : kind.rules) {
    visit_at(object, rule.path, "", [&rule, &violations](const json::object& at, const std::string& field) {
      if (!rule.holds(at)) {
        violations.push_back({"FieldValueInvalid", field + rule.field, "Invalid value: " + rule.message});
      }
    });
  }
}

}  // namespace

Violations validate(const KindSchema& kind, const json::object& object) {
  Violations violations;
  const auto* spec = object.if_contains("spec");
  if (spec == nullptr) {
    violations.push_back(required("spec"));
  } else {
    check_structure(kind.spec, *spec, "spec", violations);
  }
  if (const auto* status = object.if_contains("status")) {
    check_structure(kind.status, *status, "status", violations);
  }
  const bool structure_holds = violations.empty();
  if (structure_holds) {
    check_rules(kind, object, violations);
  }
  sort_by_field(violations);
  if (!structure_holds && !kind.rules.empty()) {
    // Not a field of the object, so it stands after all of them.
    violations.push_back(invalid("<nil>", nullptr,
                                 "some validation rules were not checked because the object was invalid; correct the existing errors to "
                                 "complete validation"));
  }
  return violations;
}

}  // namespace keyturn::api
