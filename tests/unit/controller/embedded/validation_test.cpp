// What an object may hold: unknown and duplicate fields, names, labels, the schema's rules, ratcheting, admission, roles.
#include <gtest/gtest.h>

#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

std::string with_typo() {
  std::string text = json::serialize(rotation("db"));
  const std::string spec = R"("spec":{)";
  text.replace(text.find(spec), spec.size(), R"("spec":{"typo":1,"revision":"r0",)");
  return text;
}

TEST(Strictness, OfAWholeObjectRefusesWarnsOrIgnores) {
  ApiServerHarness api;
  const TestReply strict = api.call("POST", collection + "?fieldValidation=Strict", with_typo());
  EXPECT_EQ(strict.status, 400);
  EXPECT_EQ(strict.message(),
            "SecretRotation in version \"v1alpha1\" cannot be handled as a SecretRotation: strict decoding error: duplicate field "
            "\"spec.revision\", unknown field \"spec.typo\"");
  const TestReply ignore = api.call("POST", collection + "?fieldValidation=Ignore&dryRun=All", with_typo());
  EXPECT_EQ(ignore.status, 201);
  EXPECT_EQ(ignore.header("Warning"), "");
  const TestReply warn = api.call("POST", collection, with_typo());
  ASSERT_EQ(warn.status, 201);
  EXPECT_EQ(warn.header("Warning"), R"(299 - "duplicate field \"spec.revision\"")");
  EXPECT_FALSE(warn.json().at("spec").as_object().contains("typo"));
  EXPECT_EQ(warn.json().at("spec").as_object().at("revision"), "r1");
  EXPECT_EQ(api.post(collection + "?fieldValidation=Loud", rotation("x")).status, 422);
}

TEST(Strictness, OfAPatchDoesNotEchoTheObject) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection, rotation("db")).status, 201);
  const TestReply strict = api.patch(item("db") + "?fieldValidation=Strict", "merge", R"({"spec":{"typo":1}})");
  EXPECT_EQ(strict.status, 422);
  EXPECT_EQ(strict.message(), " \"\" is invalid: patch: Invalid value: strict decoding error: unknown field \"spec.typo\"");
  const TestReply warn = api.patch(item("db"), "merge", R"({"spec":{"typo":1}})");
  EXPECT_EQ(warn.status, 200);
  EXPECT_EQ(warn.header("Warning"), R"(299 - "unknown field \"spec.typo\"")");
}

TEST(Validation, NamesTheKindAndEveryCause) {
  ApiServerHarness api;
  json::object sent = rotation("db");
  sent["spec"].as_object()["generator"] = json::object{{"type", "Password"}, {"length", 3}};
  const TestReply reply = api.post(collection, sent);
  EXPECT_EQ(reply.status, 422);
  EXPECT_NE(reply.message().find("SecretRotation.keyturn.dev \"db\" is invalid: "), std::string::npos);
  EXPECT_NE(
      reply.message().find("spec.generator.length: Invalid value: 3: spec.generator.length in body should be greater than or equal to 16"),
      std::string::npos)
      << reply.message();
  EXPECT_EQ(reply.json().at("details").as_object().at("kind"), "SecretRotation");
}

TEST(Validation, OfNamesAndLabels) {
  ApiServerHarness api;
  struct Case {
    std::string name;
    bool good;
  };
  const Case names[] = {{"a", true},
                        {"a.b-c", true},
                        {std::string(253, 'a'), true},
                        {std::string(254, 'a'), false},
                        {"A", false},
                        {"a_b", false},
                        {".a", false},
                        {"a.", false},
                        {"a..b", false},
                        {"-a", false},
                        {"a b", false}};
  for (const Case& one : names)
    EXPECT_EQ(api.post(collection + "?dryRun=All", rotation(one.name)).status, one.good ? 201 : 422) << one.name;

  const auto with = [](std::string_view where, std::string key, std::string value) {
    json::object sent = rotation("db");
    sent["metadata"].as_object()[where] = json::object{{key, value}};
    return sent;
  };
  EXPECT_EQ(api.post(collection + "?dryRun=All", with("labels", "example.com/a", "b.c_d-e")).status, 201);
  EXPECT_EQ(api.post(collection + "?dryRun=All", with("labels", "/a", "b")).status, 422);
  EXPECT_EQ(api.post(collection + "?dryRun=All", with("labels", "a", "-b")).status, 422);
  EXPECT_EQ(api.post(collection + "?dryRun=All", with("labels", "a", std::string(64, 'b'))).status, 422);
  EXPECT_EQ(api.post(collection + "?dryRun=All", with("annotations", "a", std::string(262'143, 'b'))).status, 201);
  const TestReply large = api.post(collection + "?dryRun=All", with("annotations", "a", std::string(262'144, 'b')));
  EXPECT_NE(large.message().find("metadata.annotations: Too long: may not be more than 262144 bytes"), std::string::npos);
  json::object numeric = rotation("db");
  numeric["metadata"].as_object()["labels"] = json::object{{"a", 1}};
  EXPECT_EQ(api.post(collection, numeric).status, 400);
}

TEST(Validation, AcceptsWholeFloatsWhereIntegersAreMeant) {
  ApiServerHarness api;
  std::string text = json::serialize(rotation("db"));
  text.replace(text.find("\"length\":32"), 11, "\"length\":20.0");
  const TestReply reply = api.call("POST", collection, text);
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_EQ(reply.json().at("spec").as_object().at("generator").as_object().at("length"), 20);
}

// A schema that became stricter must not strand what was stored before: only what is touched is checked.
TEST(Ratcheting, LetsUnrelatedEditsAndStatusPassOnAnInvalidSpec) {
  ApiServerHarness api;
  json::object old = api.post(collection, rotation("db")).json();
  old["spec"].as_object()["generator"].as_object()["length"] = 3;
  const auto stored = run(api.io, api.clock,
                          api.store.update(api.context(), {"keyturn.dev", "secretrotations"}, {"default", "db"}, old, api.store.version()));
  ASSERT_TRUE(stored);
  EXPECT_EQ(api.patch(item("db"), "merge", R"({"metadata":{"labels":{"a":"b"}}})").status, 200);
  EXPECT_EQ(api.patch(item("db") + "/status", "merge", R"({"status":{"observedGeneration":1}})").status, 200);
  EXPECT_EQ(api.patch(item("db"), "merge", R"({"spec":{"generator":{"length":4}}})").status, 422);
}

Task<AdmissionVerdict> refuse_unknown_environment(Context, AdmissionReview review) {
  AdmissionVerdict verdict;
  const json::object& spec = review.object.at("spec").as_object();
  if (spec.at("environmentRef").as_object().at("name") != "dev")
    verdict.violations.push_back({"FieldValueNotFound", "spec.environmentRef.name", "Not found: \"nope\""});
  else
    verdict.warnings.emplace_back("the environment is not ready yet");
  co_return verdict;
}

TEST(Admission, RefusesAndWarnsAndIsNotAskedAboutLabels) {
  ApiServerOptions options;
  options.admission = &refuse_unknown_environment;
  ApiServerHarness api(std::move(options));
  json::object wrong = rotation("db");
  wrong["spec"].as_object()["environmentRef"].as_object()["name"] = "nope";
  const TestReply refused = api.post(collection, wrong);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.message(), "SecretRotation.keyturn.dev \"db\" is invalid: spec.environmentRef.name: Not found: \"nope\"");
  const TestReply created = api.post(collection, rotation("db"));
  EXPECT_EQ(created.header("Warning"), "299 - \"the environment is not ready yet\"");
  EXPECT_EQ(api.patch(item("db"), "merge", R"({"metadata":{"labels":{"a":"b"}}})").header("Warning"), "");
}

Task<AdmissionVerdict> cannot_decide(Context, AdmissionReview) { co_return Error{Errc::Unavailable, "no environment"}; }

TEST(Admission, ThatCannotDecideRefusesForNow) {
  ApiServerOptions options;
  options.admission = &cannot_decide;
  ApiServerHarness api(std::move(options));
  const TestReply reply = api.post(collection, rotation("db"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("Retry-After"), "1");
}

TEST(Roles, TheControllerMayNotChangeWhatPeopleWant) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection, rotation("db")).status, 201);
  api.token = "token-controller";
  EXPECT_EQ(api.patch(item("db"), "merge", R"({"spec":{"suspend":true}})").status, 403);
  EXPECT_EQ(api.patch(item("db"), "merge", R"({"metadata":{"finalizers":["keyturn.dev/cleanup"]}})").status, 200);
  EXPECT_EQ(api.patch(item("db") + "/status", "merge", R"({"status":{"observedGeneration":1}})").status, 200);
  EXPECT_EQ(api.post(collection, rotation("other")).status, 403);
}

}  // namespace
}  // namespace keyturn::embedded
