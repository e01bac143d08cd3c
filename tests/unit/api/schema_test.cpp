#include "api/schema.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <set>
#include <string>

#include "api/structure.h"

namespace keyturn::api {
namespace {

namespace json = boost::json;

struct Place {
  const Schema& schema;
  std::string path;
  bool in_list;
};

void walk(const Schema& schema, const std::string& path, bool in_list, const std::function<void(const Place&)>& visit) {
  visit({schema, path, in_list});
  for (const auto& property : schema.properties) {
    walk(property.schema, path + "." + property.name, in_list, visit);
  }
  if (schema.items != nullptr) {
    walk(*schema.items, path + "[]", true, visit);
  }
}

void every_place(const std::function<void(const Place&)>& visit) {
  for (const auto& kind : kinds()) {
    walk(kind.spec, kind.kind + ".spec", false, visit);
    walk(kind.status, kind.kind + ".status", false, visit);
  }
}

TEST(Schema, EveryFieldIsExplained) {
  every_place([](const Place& place) {
    EXPECT_GE(place.schema.description.size(), 4U) << place.path;
    EXPECT_TRUE(place.schema.description.ends_with('.') || place.schema.description.ends_with(')')) << place.path;
  });
}

TEST(Schema, EverythingHasALimit) {
  every_place([](const Place& place) {
    const Schema& schema = place.schema;
    switch (schema.type) {
      case Schema::Type::String:
        EXPECT_TRUE(schema.max_length || !schema.enumeration.empty() || schema.format == "date-time") << place.path;
        break;
      case Schema::Type::Array:
        EXPECT_TRUE(schema.max_items) << place.path;
        EXPECT_TRUE(schema.items != nullptr) << place.path;
        break;
      case Schema::Type::Integer:
        EXPECT_TRUE(schema.minimum) << place.path;
        EXPECT_TRUE(schema.maximum || schema.format == "int64") << place.path;
        break;
      case Schema::Type::Object:
        EXPECT_FALSE(schema.properties.empty() && schema.additional == nullptr) << place.path;
        break;
      case Schema::Type::Boolean:
        break;
    }
  });
}

TEST(Schema, EveryListSaysHowItIsMerged) {
  every_place([](const Place& place) {
    const Schema& schema = place.schema;
    if (schema.type != Schema::Type::Array) {
      return;
    }
    EXPECT_TRUE(schema.list_type == "atomic" || schema.list_type == "set" || schema.list_type == "map") << place.path;
    EXPECT_EQ(schema.list_type == "map", !schema.list_map_keys.empty()) << place.path;
    for (const auto& key : schema.list_map_keys) {
      EXPECT_NE(schema.items->find(key), nullptr) << place.path;
      EXPECT_TRUE(std::ranges::find(schema.items->required, key) != schema.items->required.end()) << place.path << " " << key;
    }
  });
}

TEST(Schema, NothingInAListHasADefault) {
  every_place([](const Place& place) {
    if (place.in_list) {
      EXPECT_TRUE(place.schema.default_value.is_null()) << place.path;
    }
  });
}

TEST(Schema, EveryDefaultIsValid) {
  every_place([](const Place& place) {
    if (!place.schema.default_value.is_null()) {
      Violations violations;
      check_structure(place.schema, place.schema.default_value, place.path, violations);
      EXPECT_TRUE(violations.empty()) << place.path << ": " << violations.front().message;
    }
  });
}

TEST(Schema, RequiredFieldsAreDeclared) {
  every_place([](const Place& place) {
    std::set<std::string> names;
    for (const auto& property : place.schema.properties) {
      EXPECT_TRUE(names.insert(property.name).second) << place.path << " declares twice " << property.name;
    }
    for (const auto& name : place.schema.required) {
      EXPECT_TRUE(names.contains(name)) << place.path << " requires " << name;
    }
  });
}

const Schema* at(const KindSchema& kind, std::string_view path) {
  const Schema* schema = nullptr;
  while (!path.empty()) {
    const auto dot = path.find('.');
    std::string_view segment = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    const bool of_items = segment.ends_with("[]");
    segment = of_items ? segment.substr(0, segment.size() - 2) : segment;
    schema = schema != nullptr ? schema->find(segment) : segment == "spec" ? &kind.spec : segment == "status" ? &kind.status : nullptr;
    if (schema == nullptr) {
      return nullptr;
    }
    schema = of_items ? schema->items.get() : schema;
  }
  return schema;
}

TEST(Schema, RulesStandOnObjectsAndPointAtTheirFields) {
  for (const auto& kind : kinds()) {
    std::set<std::string> messages;
    for (const auto& rule : kind.rules) {
      const Schema* node = at(kind, rule.path);
      ASSERT_NE(node, nullptr) << rule.path;
      EXPECT_EQ(node->type, Schema::Type::Object) << rule.path;
      if (!rule.field.empty()) {
        EXPECT_EQ(rule.field.front(), '.') << rule.path;
        EXPECT_NE(node->find(rule.field.substr(1)), nullptr) << rule.path << rule.field;
      }
      EXPECT_TRUE(messages.insert(rule.path + rule.field + rule.message).second) << rule.message;
      EXPECT_TRUE(rule.message.find(':') != std::string::npos) << "says what to write instead: " << rule.message;
      EXPECT_EQ(rule.message.find('\n'), std::string::npos);
      EXPECT_NE(rule.holds, nullptr);
    }
  }
}

TEST(Schema, SelectableFieldsAreSingleWords) {
  for (const auto& kind : kinds()) {
    for (const auto& field : kind.selectable_fields) {
      const Schema* schema = at(kind, field);
      ASSERT_NE(schema, nullptr) << field;
      EXPECT_EQ(schema->type, Schema::Type::String) << field;
    }
  }
}

TEST(Schema, ColumnsComeFromDeclaredFields) {
  for (const auto& kind : kinds()) {
    for (const auto& column : kind.columns) {
      EXPECT_TRUE(column.type == "string" || column.type == "date") << column.name;
      std::string path = column.json_path.substr(1);
      if (path == "metadata.creationTimestamp") {
        continue;
      }
      if (const auto filter = path.find("[?"); filter != std::string::npos) {
        path = path.substr(0, filter) + "[]" + path.substr(path.find(']') + 1);
      }
      ASSERT_NE(at(kind, path), nullptr) << column.json_path;
      EXPECT_EQ(column.type == "date", at(kind, path)->format == "date-time" && column.name != "Next") << column.name;
    }
  }
}

TEST(Schema, ShowsTheColumnsOfARotationInTheirOrder) {
  std::string narrow;
  std::string wide;
  for (const auto& column : find_kind("secretrotations")->columns) {
    (column.priority == 0 ? narrow : wide) += column.name + " ";
  }
  EXPECT_EQ(narrow, "Ready Reason Wanted Current Rotated Next Age ");
  EXPECT_EQ(wide, "Environment Secret Suspended Message ");
}

TEST(Schema, KindsAreFoundByTheirPlural) {
  EXPECT_EQ(kinds().size(), 3U);
  for (const auto& kind : kinds()) {
    EXPECT_EQ(find_kind(kind.plural), &kind);
  }
  EXPECT_EQ(find_kind("secretrotation"), nullptr);
  EXPECT_EQ(find_kind("secretrotations")->short_name, "srot");
  EXPECT_EQ(find_kind("rotationenvironments")->short_name, "renv");
  EXPECT_FALSE(find_kind("rotationenvironments")->namespaced);
  EXPECT_EQ(find_kind("rotationruns")->short_name, "rrun");
}

TEST(Definition, CarriesNamesSubresourceColumnsAndSelectableFields) {
  const json::object definition = custom_resource_definition(*find_kind("secretrotations"));
  const json::value& spec = definition.at("spec");
  EXPECT_EQ(definition.at("metadata").at("name"), "secretrotations.keyturn.dev");
  EXPECT_EQ(spec.at("group"), "keyturn.dev");
  EXPECT_EQ(spec.at("scope"), "Namespaced");
  EXPECT_EQ(
      json::serialize(spec.at("names")),
      R"({"kind":"SecretRotation","listKind":"SecretRotationList","plural":"secretrotations","singular":"secretrotation","shortNames":["srot"],"categories":["rotation"]})");
  const json::value& served = spec.at("versions").at(0);
  EXPECT_EQ(served.at("name"), "v1alpha1");
  EXPECT_EQ(json::serialize(served.at("subresources")), R"({"status":{}})");
  EXPECT_EQ(json::serialize(served.at("selectableFields")),
            R"([{"jsonPath":".spec.revision"},{"jsonPath":".spec.environmentRef.name"},{"jsonPath":".spec.secret.name"}])");
  EXPECT_EQ(served.at("additionalPrinterColumns").as_array().size(), 11U);
  EXPECT_EQ(custom_resource_definition(*find_kind("rotationenvironments")).at("spec").at("scope"), "Cluster");
}

TEST(Definition, CarriesEveryRule) {
  for (const auto& kind : kinds()) {
    const std::string text = json::serialize(custom_resource_definition(kind));
    for (const auto& rule : kind.rules) {
      EXPECT_NE(text.find(json::serialize(json::value(rule.cel))), std::string::npos) << rule.cel;
      EXPECT_NE(text.find(json::serialize(json::value(rule.message))), std::string::npos) << rule.message;
    }
  }
}

TEST(Definition, KeepsNoUnknownFields) {
  for (const auto& kind : kinds()) {
    EXPECT_EQ(json::serialize(custom_resource_definition(kind)).find("preserve-unknown-fields"), std::string::npos);
  }
}

TEST(OpenApi, SaysAllThatASchemaHolds) {
  Schema schema;
  schema.type = Schema::Type::Array;
  schema.description = "List.";
  schema.min_items = 1;
  schema.max_items = 2;
  schema.list_type = "map";
  schema.list_map_keys = {"name"};
  Schema item;
  item.required = {"name"};
  Schema name;
  name.type = Schema::Type::String;
  name.enumeration = {"a", "b"};
  name.pattern = "^x$";
  name.min_length = 1;
  name.max_length = 3;
  Schema size;
  size.type = Schema::Type::Integer;
  size.format = "int32";
  size.minimum = 0;
  size.maximum = 9;
  size.default_value = 4;
  Schema labels;
  labels.additional = std::make_shared<const Schema>(name);
  item.properties = {{"name", name}, {"size", size}, {"labels", labels}};
  schema.items = std::make_shared<const Schema>(item);
  EXPECT_EQ(open_api(schema), json::parse(R"({"description":"List.","type":"array","minItems":1,"maxItems":2,"x-kubernetes-list-type":"map",
    "x-kubernetes-list-map-keys":["name"],"items":{"type":"object","required":["name"],"properties":{
      "name":{"type":"string","enum":["a","b"],"pattern":"^x$","minLength":1,"maxLength":3},
      "size":{"type":"integer","format":"int32","minimum":0,"maximum":9,"default":4},
      "labels":{"type":"object","additionalProperties":{"type":"string","enum":["a","b"],"pattern":"^x$","minLength":1,"maxLength":3}}}}})"));
}

}  // namespace
}  // namespace keyturn::api
