#include "controller/runtime/stored_object.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "controller/runtime/wiping_memory.h"
#include "tests/support/test_objects.h"

namespace keyturn {
namespace {

namespace json = boost::json;

json::object object_of(std::string_view text) { return json::parse(text).as_object(); }

TEST(StoredObject, CarriesItsVersionAndUidOutsideTheBodyToo) {
  const StoredPtr object = make_stored(rotations, {"erp", "db"}, object_of(R"({"metadata":{"uid":"u","resourceVersion":"1"}})"), 42);
  EXPECT_EQ(object->version, 42U);
  EXPECT_EQ(object->uid.value, "u");
  EXPECT_EQ(version_in_body(*object), "42");
}

TEST(StoredObject, MetadataOfAWrongTypeIsReplaced) {
  const StoredPtr object = make_stored(rotations, {"erp", "db"}, object_of(R"({"metadata":7})"), 42);
  EXPECT_EQ(version_in_body(*object), "42");
  EXPECT_TRUE(object->uid.empty());
}

TEST(StoredObject, OnlySecretsOfTheCoreGroupLiveInWipedMemory) {
  EXPECT_TRUE(holds_secrets(core_secrets));
  EXPECT_FALSE(holds_secrets(rotations));
  EXPECT_FALSE(holds_secrets({"example.org", "secrets"}));
  EXPECT_FALSE(holds_secrets({"", "configmaps"}));
  const json::object body = object_of(R"({"metadata":{"uid":"u"},"data":{"password":"aHVudGVyMg=="}})");
  EXPECT_EQ(*make_stored(core_secrets, {"erp", "db"}, body, 1)->body.storage(), *wiping_storage());
  EXPECT_NE(*make_stored(rotations, {"erp", "db"}, body, 1)->body.storage(), *wiping_storage());
}

TEST(SameButForVersion, ComparesEverythingElse) {
  struct Case {
    const char* left;
    const char* right;
    bool same;
  };
  const Case cases[] = {
      {R"({"metadata":{"resourceVersion":"1"}})", R"({"metadata":{"resourceVersion":"2"}})", true},
      {R"({"metadata":{"resourceVersion":"1"}})", R"({"metadata":{}})", true},
      {R"({"metadata":{}})", R"({"metadata":{"resourceVersion":"1"}})", true},
      {R"({"metadata":{"name":"a"}})", R"({"metadata":{"resourceVersion":"1"}})", false},
      {R"({"metadata":{"name":"a"}})", R"({"metadata":{"name":"b"}})", false},
      {R"({"metadata":{"name":"a"}})", R"({"metadata":{"name":"a","x":1}})", false},
      {R"({"metadata":{"name":"a","x":1}})", R"({"metadata":{"x":1,"name":"a"}})", true},
      {R"({"metadata":{"name":"a","x":1,"resourceVersion":"1"}})", R"({"metadata":{"name":"a","y":1,"resourceVersion":"1"}})", false},
      {R"({"resourceVersion":"1"})", R"({"resourceVersion":"2"})", false},
      {R"({"a":[1,2]})", R"({"a":[2,1]})", false},
      {R"({"a":1,"b":2})", R"({"b":2,"a":1})", true},
      {R"({"a":1})", R"({"a":1,"b":2})", false},
      {R"({"a":null})", R"({})", false},
      {R"({"metadata":1})", R"({"metadata":1})", true},
      {R"({"metadata":1})", R"({"metadata":{}})", false},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(same_but_for_version(object_of(each.left), object_of(each.right)), each.same) << each.left << " " << each.right;
  }
}

TEST(PageKey, CanBeReadBack) {
  for (const ObjectKey& key : {ObjectKey{"erp", "db"}, ObjectKey{"", "node"}, ObjectKey{"a", ""}}) {
    EXPECT_EQ(parse_page_key(page_key(key)), key);
  }
  EXPECT_EQ(parse_page_key("node"), (ObjectKey{"", "node"}));
}

TEST(ApproximateBytes, GrowWithTheContents) {
  const auto small = make_stored(rotations, {"erp", "db"}, object_of(R"({"a":[1,2]})"), 1);
  json::object big_body{{"a", json::array(100, json::value(1))}, {"b", json::string(10'000, 'x')}};
  const auto big = make_stored(rotations, {"erp", "db"}, std::move(big_body), 1);
  EXPECT_GT(approximate_bytes(*big), approximate_bytes(*small) + 10'000);
}

}  // namespace
}  // namespace keyturn
