#include "api/generate/yaml.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

#include "api/schema.h"
#include "tests/unit/api/yaml_document.h"

namespace keyturn::generate {
namespace {

namespace json = boost::json;

TEST(Yaml, IsReadBackAsTheSameValue) {
  const json::value value = {
      {"plain", "text"},
      {"number", 3},
      {"negative", -1},
      {"switch", true},
      {"nothing", nullptr},
      {"emptyText", ""},
      {"emptyList", json::array{}},
      {"emptyObject", json::object{}},
      {"looksLikeANumber", "20"},
      {"looksLikeASwitch", "yes"},
      {"looksLikeAnotherSwitch", "True"},
      {"looksLikeNull", "null"},
      {"time", "2026-11-22T18:00:00Z"},
      {"signs", "a: b # c - 'd' \"e\" \\ {f} [g] | > & * ! % @ `"},
      {"lines", "one\ntwo\n"},
      {"list", {"a", 1, false, {{"name", "x"}, {"inner", {"y"}}}, json::array{1, 2}}},
      {"a key with: signs", {{"deep", {{"deeper", "end"}}}}},
  };
  EXPECT_EQ(test::parse_yaml(to_yaml(value)), value) << to_yaml(value);
}

TEST(Yaml, IsWrittenInBlocks) {
  const json::value value = {
      {"spec", {{"items", json::array{json::object{{"name", "a"}, {"size", 1}}}}, {"words", json::array{"x", "no"}}}}};
  EXPECT_EQ(to_yaml(value),
            "spec:\n"
            "  items:\n"
            "    - name: a\n"
            "      size: 1\n"
            "  words:\n"
            "    - x\n"
            "    - \"no\"\n");
}

TEST(Yaml, CarriesEveryDefinitionUnchanged) {
  for (const auto& kind : api::kinds()) {
    const json::value definition = api::custom_resource_definition(kind);
    EXPECT_EQ(test::parse_yaml(to_yaml(definition)), definition) << kind.kind;
    EXPECT_EQ(test::parse_yaml(test::read_file(test::source_path("manifests/crd/keyturn.dev_" + kind.plural + ".yaml"))), definition);
  }
}

}  // namespace
}  // namespace keyturn::generate
