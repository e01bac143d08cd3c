#include "controller/embedded/patch.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

struct Vector {
  const char* target;
  const char* patch;
  const char* result;  // null = refused
};

// The examples of RFC 7386, appendix A.
TEST(MergePatch, AgreesWithItsStandard) {
  const Vector vectors[] = {{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                            {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                            {R"({"a":"b"})", R"({"a":null})", R"({})"},
                            {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                            {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                            {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                            {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
                            {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                            {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
                            {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
                            {R"({"a":"foo"})", "null", "null"},
                            {R"({"a":"foo"})", R"("bar")", R"("bar")"},
                            {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                            {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
                            {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}};
  for (const Vector& one : vectors) {
    json::value target = json::parse(one.target);
    merge_patch(target, json::parse(one.patch));
    EXPECT_EQ(target, json::parse(one.result)) << one.target << " + " << one.patch;
  }
}

TEST(JsonPatch, AgreesWithItsStandard) {
  const Vector vectors[] = {
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])", R"({"baz":"qux","foo":"bar"})"},
      {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])", R"({"foo":["bar","qux","baz"]})"},
      {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])", R"({"foo":["bar",["abc","def"]]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
      {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},
      {R"({"baz":"qux"})", R"([{"op":"replace","path":"/baz","value":"boo"}])", R"({"baz":"boo"})"},
      {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{}})", R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"thud":"fred"}})"},
      {R"({"a":[1,2,3]})", R"([{"op":"move","from":"/a/0","path":"/a/2"}])", R"({"a":[2,3,1]})"},
      {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/c"}])", R"({"a":{"b":1},"c":{"b":1}})"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10},{"op":"test","path":"/~1","value":9}])", R"({"/":9,"~1":10})"},
      {R"({"a":"x"})", R"([{"op":"add","path":"","value":{"b":1}}])", R"({"b":1})"},
      {R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])", nullptr},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])", nullptr},
      {R"({"foo":"bar"})", R"([{"op":"remove","path":"/nope"}])", nullptr},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/5","value":1}])", nullptr},
      {R"({"a":[1]})", R"([{"op":"replace","path":"/a/01","value":1}])", nullptr},
      {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/b"}])", nullptr},
      {R"({"a":1})", R"([{"op":"nonsense","path":"/a"}])", nullptr},
      {R"({"a":1})", R"([{"op":"add","path":"a","value":1}])", nullptr},
      {R"({"a":1})", R"([{"op":"add","path":"/~2","value":1}])", nullptr}};
  for (const Vector& one : vectors) {
    json::value target = json::parse(one.target);
    const json::value before = target;
    const Answer<> done = json_patch(target, json::parse(one.patch));
    ASSERT_EQ(done.has_value(), one.result != nullptr) << one.patch;
    EXPECT_EQ(target, one.result ? json::parse(one.result) : before) << one.patch;
    if (!done) EXPECT_EQ(done.error().code, 422);
  }
}

TEST(JsonPatch, HasLimits) {
  json::array many;
  for (int i = 0; i < 10'001; ++i) many.push_back(json::object{{"op", "test"}, {"path", ""}, {"value", nullptr}});
  json::value target = json::object{};
  const Answer<> too_many = json_patch(target, many);
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().message, "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001");
  json::value large = json::object{{"a", std::string(std::size_t{2} << 20, 'x')}};
  const Answer<> copies =
      json_patch(large, json::parse(R"([{"op":"copy","from":"/a","path":"/b"},{"op":"copy","from":"/a","path":"/c"}])"));
  ASSERT_FALSE(copies);
  EXPECT_EQ(copies.error().code, 413);
  const Answer<> no_list = json_patch(large, json::object{});
  EXPECT_EQ(no_list.error().code, 400);
}

TEST(StrategicMergePatch, FollowsTheDirectivesOfBuiltInKinds) {
  const Vector vectors[] = {
      {R"({"metadata":{"finalizers":["a"]}})", R"({"metadata":{"$setElementOrder/finalizers":["a","b"],"finalizers":["b"]}})",
       R"({"metadata":{"finalizers":["a","b"]}})"},
      {R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}})",
       R"({"metadata":{"finalizers":["b"]}})"},
      {R"({"labels":{"a":"1","b":"2"}})", R"({"labels":{"$patch":"replace","c":"3"}})", R"({"labels":{"c":"3"}})"},
      {R"({"labels":{"a":"1"}})", R"({"labels":{"$patch":"delete"}})", R"({"labels":{}})"},
      {R"({"labels":{"a":"1"}})", R"({"labels":{"a":null,"$retainKeys":["b"],"b":"2"}})", R"({"labels":{"b":"2"}})"}};
  for (const Vector& one : vectors) {
    json::value target = json::parse(one.target);
    strategic_merge_patch(target, json::parse(one.patch));
    EXPECT_EQ(target, json::parse(one.result)) << one.patch;
  }
}

}  // namespace
}  // namespace keyturn::embedded
