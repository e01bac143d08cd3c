// What the API server does to an object before it validates it: drop what it does not know, fill in what is constant.
#include <vector>

#include "api/validate.h"

namespace keyturn::api {

namespace json = boost::json;

namespace {

void default_value_in(const Schema& schema, json::value& value);

// A null where no null can be is as good as absent: it takes the default, or goes.
void default_members(const Schema& schema, json::object& object) {
  for (const auto& property : schema.properties) {
    auto* member = object.if_contains(property.name);
    const bool absent = member == nullptr || member->is_null();
    const bool has_default = !property.schema.default_value.is_null();
    if (absent && has_default) {
      member = &(object[property.name] = property.schema.default_value);
    } else if (absent) {
      object.stable_erase(property.name);
      continue;
    }
    default_value_in(property.schema, *member);
  }
  if (schema.additional != nullptr) {
    for (auto& member : object) {
      default_value_in(*schema.additional, member.value());
    }
  }
}

void default_value_in(const Schema& schema, json::value& value) {
  if (auto* object = value.if_object(); object != nullptr && schema.type == Schema::Type::Object) {
    default_members(schema, *object);
  }
  if (auto* list = value.if_array(); list != nullptr && schema.items != nullptr) {
    for (auto& item : *list) {
      default_value_in(*schema.items, item);
    }
  }
}

class Pruning {
 public:
  std::vector<std::string> removed;

  void prune(const Schema& schema, json::value& value, const std::string& field) {
    if (auto* object = value.if_object(); object != nullptr && schema.type == Schema::Type::Object) {
      members(schema, *object, field);
    }
    if (auto* list = value.if_array(); list != nullptr && schema.items != nullptr) {
      for (std::size_t index = 0; index < list->size(); ++index) {
        prune(*schema.items, (*list)[index], field + "[" + std::to_string(index) + "]");
      }
    }
  }

 private:
  void members(const Schema& schema, json::object& object, const std::string& field) {
    std::vector<std::string> unknown;
    for (auto& member : object) {
      const std::string name = member.key();
      const Schema* declared = schema.find(name);
      const Schema* known = declared != nullptr ? declared : schema.additional.get();
      if (known == nullptr) {
        unknown.push_back(name);
      } else {
        prune(*known, member.value(), field + "." + name);
      }
    }
    for (const auto& name : unknown) {
      object.stable_erase(name);
      removed.push_back(field + "." + name);
    }
  }
};

}  // namespace

void apply_defaults(const KindSchema& kind, json::object& object) {
  Schema root;
  root.properties = {{"spec", kind.spec}, {"status", kind.status}};
  default_members(root, object);
}

std::vector<std::string> prune_unknown(const KindSchema& kind, json::object& object) {
  Pruning pruning;
  std::vector<std::string> unknown;
  for (auto& member : object) {
    const std::string_view name = member.key();
    if (name == "spec") {
      pruning.prune(kind.spec, member.value(), "spec");
    } else if (name == "status") {
      pruning.prune(kind.status, member.value(), "status");
    } else if (name != "apiVersion" && name != "kind" && name != "metadata") {
      unknown.emplace_back(name);
    }
  }
  for (const auto& name : unknown) {
    object.stable_erase(name);
    pruning.removed.push_back(name);
  }
  return std::move(pruning.removed);
}

}  // namespace keyturn::api
