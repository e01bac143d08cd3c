// The texts that requests are made of: paths, queries, JSON, YAML, JSONPath, Accept headers.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "controller/embedded/json_path.h"
#include "controller/embedded/negotiation.h"
#include "controller/embedded/routing.h"
#include "controller/embedded/strict_json.h"
#include "controller/embedded/yaml_json.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

TEST(StrictJson, ReadsWhatAnOrdinaryReaderReads) {
  for (const std::string text : {R"({"a":[1,-2.5,1e3,true,false,null,"x\n\u00e4"],"b":{}})", "[]", "12", "\"\"", " { } "})
    EXPECT_EQ(read_strict_json(text).value, json::parse(text)) << text;
}

TEST(StrictJson, NamesEveryDuplicateByItsPath) {
  const StrictJson read = read_strict_json(R"({"spec":{"revision":"a","list":[{"x":1,"x":2}],"revision":"b"}})");
  EXPECT_EQ(read.duplicates, (std::vector<std::string>{"spec.list[0].x", "spec.revision"}));
  EXPECT_EQ(read.value.at("spec").at("revision"), "b");
}

TEST(StrictJson, ComplainsAsGoDoes) {
  const std::pair<const char*, const char*> cases[] = {{"", "unexpected end of JSON input"},
                                                       {"{", "unexpected end of JSON input"},
                                                       {"{bad", "invalid character 'b' looking for beginning of object key string"},
                                                       {R"({"a" 1})", "invalid character '1' after object key"},
                                                       {R"({"a":1 "b"})", "invalid character '\"' after object key:value pair"},
                                                       {"[1 2]", "invalid character '2' after array element"},
                                                       {"nope", "invalid character 'o' in literal null (expecting 'u')"},
                                                       {"{} x", "invalid character 'x' after top-level value"},
                                                       {"-x", "invalid character 'x' in numeric literal"},
                                                       {"1.x", "invalid character 'x' after decimal point in numeric literal"},
                                                       {"1ex", "invalid character 'x' in exponent of numeric literal"},
                                                       {"\"a\nb\"", "invalid character '\\x0a' in string literal"},
                                                       {"?", "invalid character '?' looking for beginning of value"},
                                                       {"'", "invalid character '\\'' looking for beginning of value"}};
  for (const auto& [text, error] : cases) EXPECT_EQ(read_strict_json(text).error, error) << text;
  EXPECT_EQ(read_strict_json(std::string(1000, '[')).error, "exceeded max depth");
  EXPECT_FALSE(read_strict_json("\"\\").error.empty());
  EXPECT_FALSE(read_strict_json("\"\\q\"").error.empty());
}

TEST(Yaml, FollowsTheOldRulesForPlainWords) {
  const std::pair<const char*, const char*> cases[] = {{"a: y", R"({"a":true})"},
                                                       {"a: 'y'", R"({"a":"y"})"},
                                                       {"a: off", R"({"a":false})"},
                                                       {"a: 0x10", R"({"a":16})"},
                                                       {"a: 010", R"({"a":8})"},
                                                       {"a: 1e3", R"({"a":1000})"},
                                                       {"a: 1_000", R"({"a":1000})"},
                                                       {"a: -5", R"({"a":-5})"},
                                                       {"a: 1.5", R"({"a":1.5})"},
                                                       {"a: ~", R"({"a":null})"},
                                                       {"a: 2026-q4", R"({"a":"2026-q4"})"},
                                                       {"a: [x, 1]", R"({"a":["x",1]})"},
                                                       {"a: &x {b: 1}\nc: *x", R"({"a":{"b":1},"c":{"b":1}})"},
                                                       {"{\"a\": 1}", R"({"a":1})"}};
  for (const auto& [text, expected] : cases) {
    const Answer<json::value> read = read_yaml(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, json::parse(expected)) << text;
  }
}

TEST(Yaml, RefusesWhatIsNoSingleDocument) {
  EXPECT_EQ(read_yaml("a: 1\n---\nb: 2\n").error().code, 400);
  EXPECT_EQ(read_yaml("a: [1").error().message.find("error decoding YAML: error converting YAML to JSON: yaml: line "), 0u);
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 8; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ",*a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_EQ(read_yaml(bomb).error().code, 400);
}

TEST(Yaml, WritesWhatItReads) {
  const json::value value = json::parse(R"({"a":["y","1","x",1,2.5,true,null,[],{}],"b":"two\nlines","c":{"d":"0x1"}})");
  const Answer<json::value> again = read_yaml(write_yaml(value));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, value) << write_yaml(value);
}

TEST(JsonPath, FindsWhatColumnsAskFor) {
  const json::object object =
      json::parse(
          R"({"metadata":{"labels":{"a.b":"dotted"}},"status":{"current":{"name":"r.1"},"conditions":[{"type":"Ready","status":"True"},{"type":"X)]","status":"odd"}]}})")
          .as_object();
  const std::pair<const char*, const char*> cases[] = {{".status.current.name", "r.1"},
                                                       {R"(.status.conditions[?(@.type=="Ready")].status)", "True"},
                                                       {R"(.status.conditions[0].type)", "Ready"},
                                                       {R"(.metadata.labels.a\.b)", "dotted"}};
  for (const auto& [path, expected] : cases) {
    const json::value* found = evaluate_json_path(object, path);
    ASSERT_NE(found, nullptr) << path;
    EXPECT_EQ(*found, expected);
  }
  for (const char* missing : {".status.nope", R"(.status.conditions[?(@.type=="Stalled")].status)", ".status.conditions[9]",
                              ".status.conditions[", ".status.current[0]", ".metadata.labels.a.b"})
    EXPECT_EQ(evaluate_json_path(object, missing), nullptr) << missing;
}

TEST(Routing, TakesPathsApart) {
  const Route one = *parse_route("/apis/keyturn.dev/v1alpha1/namespaces/a/secretrotations/db/status?x=1+2&y=%3D&x=3");
  EXPECT_TRUE(one.resource);
  EXPECT_EQ(one.group, "keyturn.dev");
  EXPECT_EQ(one.ns, "a");
  EXPECT_EQ(one.plural, "secretrotations");
  EXPECT_EQ(one.name, "db");
  EXPECT_EQ(one.subresource, "status");
  EXPECT_EQ(one.query.get("x"), "1 2");
  EXPECT_EQ(one.query.get("y"), "=");
  EXPECT_EQ(one.query.all("x").size(), 2u);
  const Route ns = *parse_route("/api/v1/namespaces/a");
  EXPECT_EQ(ns.plural, "namespaces");
  EXPECT_EQ(ns.name, "a");
  EXPECT_EQ(ns.ns, "");
  EXPECT_EQ(parse_route("/api/v1/namespaces/a/status")->subresource, "status");
  EXPECT_FALSE(parse_route("/apis/keyturn.dev/v1alpha1")->resource);
  EXPECT_TRUE(parse_route("/api/v1/a/b/c/d")->trailing);
  EXPECT_FALSE(parse_route("nope"));
  EXPECT_FALSE(parse_route("/a%zz"));
  EXPECT_FALSE(parse_route("/a%0ab"));
}

TEST(Negotiation, TakesTheFirstFormItCanServe) {
  EXPECT_EQ(accepted_form(std::nullopt), Form::Json);
  EXPECT_EQ(accepted_form("*/*"), Form::Json);
  EXPECT_EQ(accepted_form("application/vnd.kubernetes.protobuf,application/json"), Form::Json);
  EXPECT_EQ(accepted_form("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"), Form::Table);
  EXPECT_EQ(accepted_form("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"), Form::PartialMetadata);
  EXPECT_EQ(accepted_form("application/yaml"), Form::Yaml);
  EXPECT_EQ(accepted_form("text/html"), std::nullopt);
  EXPECT_TRUE(accepts_aggregated_discovery("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"));
  EXPECT_FALSE(accepts_aggregated_discovery("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"));
}

}  // namespace
}  // namespace keyturn::embedded
