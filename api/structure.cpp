// The wording is that of the Kubernetes API server, so that people and tools read the same text from both servers.
#include "api/structure.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <set>
#include <tuple>

#include "api/codec_fields.h"
#include "api/patterns.h"
#include "base/time.h"

namespace keyturn::api {

namespace json = boost::json;

Violation invalid(std::string field, const json::value& value, const std::string& detail) {
  return {"FieldValueInvalid", std::move(field), "Invalid value: " + json::serialize(value) + ": " + detail};
}

Violation required(std::string field) { return {"FieldValueRequired", std::move(field), "Required value"}; }

void sort_by_field(Violations& violations) {
  std::ranges::sort(violations, {}, [](const Violation& violation) { return std::tie(violation.field, violation.message); });
}

namespace {

// In messages the path below `status` begins there, as the genuine server has it.
std::string in_body(const std::string& field) {
  constexpr std::string_view status = "status.";
  return (field.starts_with(status) ? field.substr(status.size()) : field) + " in body ";
}

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view type_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "integer";
    case json::kind::double_:
      return "number";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
  }
  return "null";
}

class Check {
 public:
  Check(const Schema& schema, const json::value& value, const std::string& field, Violations& violations)
      : schema_(schema), value_(value), field_(field), violations_(violations) {}

  void run() {
    switch (schema_.type) {
      case Schema::Type::Object:
        return value_.is_object() ? object(value_.get_object()) : wrong_type("object");
      case Schema::Type::Array:
        return value_.is_array() ? array(value_.get_array()) : wrong_type("array");
      case Schema::Type::String:
        return value_.is_string() ? string(std::string_view(value_.get_string())) : wrong_type("string");
      case Schema::Type::Integer:
        return integer();
      case Schema::Type::Boolean:
        return value_.is_bool() ? void() : wrong_type("boolean");
    }
  }

 private:
  void report(const std::string& detail) { violations_.push_back(invalid(field_, value_, in_body(field_) + detail)); }
  void report_count(std::size_t count, const std::string& detail) {
    violations_.push_back(invalid(field_, count, in_body(field_) + detail));
  }

  void wrong_type(std::string_view wanted) { wrong_type(wanted, type_of(value_)); }
  void wrong_type(std::string_view wanted, std::string_view found) {
    const std::string quoted = "\"" + std::string(found) + "\"";
    violations_.push_back({"FieldValueTypeInvalid", field_,
                           "Invalid value: " + quoted + ": " + in_body(field_) + "must be of type " + std::string(wanted) + ": " + quoted});
  }

  void integer() {
    const auto number = codec::whole_number(value_);
    if (!number) {
      return value_.is_double() ? wrong_type(schema_.format.empty() ? "integer" : schema_.format, "float64") : wrong_type("integer");
    }
    if (schema_.minimum && *number < *schema_.minimum) {
      report("should be greater than or equal to " + std::to_string(*schema_.minimum));
    }
    if (schema_.maximum && *number > *schema_.maximum) {
      report("should be less than or equal to " + std::to_string(*schema_.maximum));
    }
  }

  void string(std::string_view text) {
    if (!schema_.enumeration.empty() && std::ranges::find(schema_.enumeration, text) == schema_.enumeration.end()) {
      unsupported();
    }
    if (schema_.format == "date-time" && !parse_rfc3339(text)) {
      const std::string quoted = json::serialize(value_);
      violations_.push_back(
          {"FieldValueTypeInvalid", field_, "Invalid value: " + quoted + ": " + in_body(field_) + "must be of type date-time: " + quoted});
    }
    bounded(text);
  }

  // Of these only the first that is broken is reported.
  void bounded(std::string_view text) {
    const std::size_t length = length_of(text);
    if (schema_.max_length && length > static_cast<std::size_t>(*schema_.max_length)) {
      violations_.push_back(
          {"FieldValueTooLong", field_, "Too long: may not be more than " + std::to_string(*schema_.max_length) + " bytes"});
    } else if (schema_.min_length && length < static_cast<std::size_t>(*schema_.min_length)) {
      report("should be at least " + std::to_string(*schema_.min_length) + " chars long");
    } else if (!schema_.pattern.empty() && !pattern::matches(schema_.pattern, text)) {
      report("should match '" + schema_.pattern + "'");
    }
  }

  void unsupported() {
    std::string supported;
    for (const auto& word : schema_.enumeration) {
      supported += (supported.empty() ? "\"" : ", \"") + word + "\"";
    }
    violations_.push_back(
        {"FieldValueNotSupported", field_, "Unsupported value: " + json::serialize(value_) + ": supported values: " + supported});
  }

  void array(const json::array& list) {
    if (schema_.min_items && list.size() < static_cast<std::size_t>(*schema_.min_items)) {
      report_count(list.size(), "should have at least " + std::to_string(*schema_.min_items) + " items");
    }
    if (schema_.max_items && list.size() > static_cast<std::size_t>(*schema_.max_items)) {
      violations_.push_back(
          {"FieldValueTooMany", field_,
           "Too many: " + std::to_string(list.size()) + ": must have at most " + std::to_string(*schema_.max_items) + " items"});
    }
    std::set<std::string> seen;
    for (std::size_t index = 0; index < list.size(); ++index) {
      const std::string item_field = field_ + "[" + std::to_string(index) + "]";
      if (schema_.items != nullptr) {
        check_structure(*schema_.items, list[index], item_field, violations_);
      }
      const std::string key = key_of(list[index]);
      if (!key.empty() && !seen.insert(key).second) {
        violations_.push_back({"FieldValueDuplicate", item_field, "Duplicate value: " + key});
      }
    }
  }

  // What must be unique in the list, as JSON; empty where nothing must.
  std::string key_of(const json::value& item) const {
    if (schema_.list_type == "set") {
      return json::serialize(item);
    }
    if (schema_.list_type != "map" || !item.is_object()) {
      return {};
    }
    json::object key;
    for (const auto& name : schema_.list_map_keys) {
      if (const auto* part = item.get_object().if_contains(name)) {
        key.emplace(name, *part);
      }
    }
    return key.empty() ? std::string{} : json::serialize(key);
  }

  void object(const json::object& members) {
    for (const auto& name : schema_.required) {
      if (!members.contains(name)) {
        violations_.push_back(required(field_ + "." + name));
      }
    }
    for (const auto& member : members) {
      const std::string_view name = member.key();
      const Schema* declared = schema_.find(name);
      const Schema* schema = declared != nullptr ? declared : schema_.additional.get();
      if (schema != nullptr) {
        check_structure(*schema, member.value(), field_ + "." + std::string(name), violations_);
      }
    }
  }

  const Schema& schema_;
  const json::value& value_;
  const std::string& field_;
  Violations& violations_;
};

}  // namespace

void check_structure(const Schema& schema, const json::value& value, const std::string& field, Violations& violations) {
  Check(schema, value, field, violations).run();
}

}  // namespace keyturn::api
