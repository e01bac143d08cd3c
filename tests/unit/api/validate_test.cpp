#include "api/validate.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/api/yaml_document.h"

namespace keyturn::api {
namespace {

namespace json = boost::json;

struct Case {
  std::string name;
  const KindSchema* kind;
  json::object object;
  std::vector<std::string> violations;  // "reason field: message", in their order
};

std::string text_of(const Violation& violation) { return violation.reason + " " + violation.field + ": " + violation.message; }

// The table that holds the C++ rules; the CEL rules of the CRDs are held to the same files by a genuine API server.
std::vector<Case> cases_of(const std::string& file) {
  const json::value document = test::parse_yaml(test::read_file(test::source_path("tests/unit/api/cases/" + file)));
  std::string plural = document.at("kind").as_string().c_str();
  plural = plural == "SecretRotation" ? "secretrotations" : "rotationenvironments";
  std::vector<Case> cases;
  for (const auto& entry : document.at("cases").as_array()) {
    Case c{entry.at("name").as_string().c_str(), find_kind(plural), {}, {}};
    json::value spec = document.at("base");
    if (const auto* change = entry.as_object().if_contains("spec")) {
      test::merge_patch(spec, *change);
    }
    c.object = {{"apiVersion", "keyturn.dev/v1alpha1"}, {"kind", document.at("kind")}, {"metadata", {{"name", "a"}}}, {"spec", spec}};
    if (const auto* status = entry.as_object().if_contains("status")) {
      c.object["status"] = *status;
    }
    if (const auto* violations = entry.as_object().if_contains("violations")) {
      for (const auto& violation : violations->as_array()) {
        c.violations.push_back(text_of({violation.at("reason").as_string().c_str(), violation.at("field").as_string().c_str(),
                                        violation.at("message").as_string().c_str()}));
      }
    }
    cases.push_back(std::move(c));
  }
  return cases;
}

std::vector<Case> all_cases() {
  auto cases = cases_of("secretrotation.yaml");
  for (auto& c : cases_of("rotationenvironment.yaml")) {
    cases.push_back(std::move(c));
  }
  return cases;
}

std::vector<std::string> violations_of(const Case& c) {
  json::object object = c.object;
  apply_defaults(*c.kind, object);
  std::vector<std::string> texts;
  for (const auto& violation : validate(*c.kind, object)) {
    texts.push_back(text_of(violation));
  }
  return texts;
}

TEST(Validate, GivesExactlyTheViolationsOfTheTable) {
  const auto cases = all_cases();
  EXPECT_GE(cases.size(), 90U);
  for (const auto& c : cases) {
    EXPECT_EQ(violations_of(c), c.violations) << c.name;
  }
}

TEST(Validate, EveryRuleIsBrokenBySomeCase) {
  const auto cases = all_cases();
  for (const auto& kind : kinds()) {
    for (const auto& rule : kind.rules) {
      const auto breaks = [&](const Case& c) {
        return c.kind == &kind && std::ranges::any_of(c.violations, [&](const std::string& text) {
                 return text.ends_with(": Invalid value: " + rule.message);
               });
      };
      EXPECT_TRUE(std::ranges::any_of(cases, breaks)) << rule.path << rule.field << ": " << rule.message;
    }
  }
}

TEST(Validate, AsksForASpec) {
  const Violations violations = validate(*find_kind("rotationruns"), json::object{});
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(text_of(violations.front()), "FieldValueRequired spec: Required value");
}

TEST(Validate, CountsCharactersAndNotBytes) {
  const auto* kind = find_kind("secretrotations");
  const auto with_incident = [&](const std::string& incident) {
    json::object object{{"spec",
                         {{"environmentRef", {{"name", "dev"}}},
                          {"revision", "r"},
                          {"incident", incident},
                          {"secret", {{"vaults", json::array{"main"}}, {"name", "n"}}}}}};
    return validate(*kind, object);
  };
  std::string umlauts;
  for (int i = 0; i < 512; ++i) {
    umlauts += "\xc3\xa4";
  }
  EXPECT_TRUE(with_incident(umlauts).empty());
  ASSERT_EQ(with_incident(umlauts + "a").size(), 2U);
  EXPECT_EQ(with_incident(umlauts + "a").front().message, "Too long: may not be more than 512 bytes");
}

TEST(Validate, ANullIsOfNoType) {
  const auto violations = validate(*find_kind("rotationruns"), json::object{{"spec", nullptr}});
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations.front().message, "Invalid value: \"null\": spec in body must be of type object: \"null\"");
}

TEST(Defaults, FillInWhatIsAbsentAndDropNulls) {
  json::object object = json::parse(R"({"spec":{"environmentRef":{"name":"dev"},"revision":"r","incident":null,"suspend":null,
    "strategy":{"waves":{},"overlap":"1h"},"consumers":[{"name":"a"}],"secret":{"vaults":["main"],"name":"n"}}})")
                            .as_object();
  apply_defaults(*find_kind("secretrotations"), object);
  EXPECT_EQ(object,
            json::parse(R"({"spec":{"environmentRef":{"name":"dev"},"revision":"r","reason":"Routine","suspend":false,"class":"Credential",
    "deletionPolicy":"Retain","consumers":[{"name":"a"}],"secret":{"vaults":["main"],"name":"n"},
    "strategy":{"type":"Auto","acknowledgeOutage":false,"overlap":"1h","waves":{"maxUnavailable":1,"bake":"0s"},"minReplicas":2,
      "progressDeadline":"1h","onFailure":"Rollback","driftPolicy":"Report","revokeOld":false,"sharedKey":"AcceptSet","rollbackHold":"24h"}},
    "status":{"observedGeneration":-1}})"));
}

TEST(Defaults, AreTheSameWhenAppliedTwice) {
  for (const auto& c : all_cases()) {
    json::object once = c.object;
    apply_defaults(*c.kind, once);
    json::object twice = once;
    apply_defaults(*c.kind, twice);
    EXPECT_EQ(once, twice) << c.name;
  }
}

TEST(Pruning, RemovesWhatIsUnknownAndSaysWhere) {
  json::object object = json::parse(R"({"apiVersion":"v","kind":"k","metadata":{"any":1},"extra":1,
    "spec":{"typo":1,"revision":"r","secret":{"name":"n","vault":"x"},"consumers":[{"name":"a"},{"name":"b","relod":"Poll"}],"strategy":7},
    "status":{"phase":"x"}})")
                            .as_object();
  const auto removed = prune_unknown(*find_kind("secretrotations"), object);
  EXPECT_EQ(std::set<std::string>(removed.begin(), removed.end()),
            (std::set<std::string>{"extra", "spec.typo", "spec.secret.vault", "spec.consumers[1].relod", "status.phase"}));
  EXPECT_EQ(object, json::parse(R"({"apiVersion":"v","kind":"k","metadata":{"any":1},
    "spec":{"revision":"r","secret":{"name":"n"},"consumers":[{"name":"a"},{"name":"b"}],"strategy":7},"status":{}})"));
  EXPECT_TRUE(prune_unknown(*find_kind("secretrotations"), object).empty());
}

}  // namespace
}  // namespace keyturn::api
