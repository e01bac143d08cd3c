#include "controller/embedded/selectors.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

const json::object object =
    json::parse(R"({"metadata":{"name":"db","namespace":"team","labels":{"a":"1","b":"2","example.com/c":""}},"spec":{"revision":"r1"}})")
        .as_object();

TEST(LabelSelector, MatchesByItsGrammar) {
  const std::pair<const char*, bool> cases[] = {{"", true},
                                                {"a=1", true},
                                                {"a==1", true},
                                                {"a=2", false},
                                                {"a!=2", true},
                                                {"z!=2", true},
                                                {"a=1,b=2", true},
                                                {"b=2,a=1", true},
                                                {"a=1,b=3", false},
                                                {"a in (1,9)", true},
                                                {"a in (9)", false},
                                                {"a in ()", false},
                                                {"example.com/c in ()", true},
                                                {"z notin (1)", true},
                                                {"a notin (1)", false},
                                                {"a", true},
                                                {"z", false},
                                                {"!a", false},
                                                {"!z", true},
                                                {"example.com/c", true},
                                                {"example.com/c=", true},
                                                {" a = 1 , b in ( 2 , 3 ) ", true}};
  for (const auto& [text, expected] : cases) {
    const Answer<LabelSelector> selector = LabelSelector::parse(text);
    ASSERT_TRUE(selector) << text;
    EXPECT_EQ(selector->matches(object), expected) << text;
  }
}

TEST(LabelSelector, RefusesWhatIsNoSelector) {
  for (const char* text : {"=1", "a=1=2", "a in 1", "a in (1", "a,,b", "a,", "a=1 b", "a in (1 2)", "a=-x", "/a=1", "!(", "a ! b", "a=("})
    EXPECT_FALSE(LabelSelector::parse(text)) << text;
  EXPECT_NE(LabelSelector::parse("==1").error().message.find("found '==', expected: !, identifier, or 'end of string'"), std::string::npos);
}

TEST(FieldSelector, KnowsTheDeclaredFieldsOnly) {
  const ResourceType& type = *find_type("keyturn.dev", "v1alpha1", "secretrotations");
  const std::pair<const char*, bool> cases[] = {{"", true},
                                                {"metadata.name=db", true},
                                                {"metadata.name==x", false},
                                                {"metadata.name!=x", true},
                                                {"metadata.namespace=team,spec.revision=r1", true},
                                                {"spec.revision!=r1", false}};
  for (const auto& [text, expected] : cases) {
    const Answer<FieldSelector> selector = FieldSelector::parse(text, type);
    ASSERT_TRUE(selector) << text;
    EXPECT_EQ(selector->matches(object), expected) << text;
  }
  EXPECT_EQ(FieldSelector::parse("spec.foo=1", type).error().message, "field label not supported: spec.foo");
  EXPECT_EQ(FieldSelector::parse("a", type).error().message, "invalid selector: 'a'; can't understand 'a'");
}

}  // namespace
}  // namespace keyturn::embedded
