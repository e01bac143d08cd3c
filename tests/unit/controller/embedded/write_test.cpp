// Create, replace and patch: what the server sets, what it refuses, what counts as a change.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

json::object metadata_of(const TestReply& reply) { return reply.json().at("metadata").as_object(); }

TEST(Create, SetsWhatBelongsToTheServerAndDropsWhatTheClientClaims) {
  ApiServerHarness api;
  json::object sent = rotation("db");
  sent["metadata"].as_object()["uid"] = "mine";
  sent["metadata"].as_object()["generation"] = 77;
  sent["status"] = json::object{{"observedGeneration", 5}};
  const TestReply reply = api.post(collection, sent);
  ASSERT_EQ(reply.status, 201) << reply.body;
  const json::object metadata = metadata_of(reply);
  EXPECT_EQ(metadata.at("generation"), 1);
  EXPECT_NE(metadata.at("uid"), "mine");
  EXPECT_EQ(metadata.at("uid").as_string().size(), 36u);
  EXPECT_EQ(metadata.at("creationTimestamp").as_string(), format_seconds(api.clock.now()));
  EXPECT_EQ(reply.json().at("status").as_object().at("observedGeneration"), -1);
  EXPECT_FALSE(reply.header("Audit-Id").empty());
}

TEST(Create, MakesDifferentNamesFromOnePrefix) {
  ApiServerHarness api;
  std::set<std::string> names;
  for (int i = 0; i < 20; ++i) {
    json::object sent = rotation("x");
    sent["metadata"].as_object().erase("name");
    sent["metadata"].as_object()["generateName"] = "db-";
    const TestReply reply = api.post(collection, sent);
    ASSERT_EQ(reply.status, 201);
    names.emplace(metadata_of(reply).at("name").as_string());
  }
  EXPECT_EQ(names.size(), 20u);
  for (const std::string& name : names) EXPECT_EQ(name.size(), 8u);
}

TEST(Create, TellsApartEveryWayToBeRefused) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection, rotation("db")).status, 201);
  const TestReply twice = api.post(collection, rotation("db"));
  EXPECT_EQ(twice.status, 409);
  EXPECT_EQ(twice.reason(), "AlreadyExists");
  EXPECT_EQ(twice.message(), "secretrotations.keyturn.dev \"db\" already exists");
  EXPECT_EQ(twice.json().at("details").as_object().at("kind"), "secretrotations");

  const TestReply nowhere = api.post("/apis/keyturn.dev/v1alpha1/namespaces/nope/secretrotations", [] {
    json::object sent = rotation("db");
    sent["metadata"].as_object()["namespace"] = "nope";
    return sent;
  }());
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_EQ(nowhere.message(), "namespaces \"nope\" not found");

  json::object other_namespace = rotation("x");
  other_namespace["metadata"].as_object()["namespace"] = "else";
  EXPECT_EQ(api.post(collection, other_namespace).message(),
            "the namespace of the provided object does not match the namespace sent on the request");

  json::object versioned = rotation("x");
  versioned["metadata"].as_object()["resourceVersion"] = "5";
  EXPECT_EQ(api.post(collection, versioned).message(), "resourceVersion should not be set on objects to be created");

  json::object nameless = rotation("x");
  nameless["metadata"].as_object().erase("name");
  const TestReply unnamed = api.post(collection, nameless);
  EXPECT_EQ(unnamed.status, 422);
  EXPECT_NE(unnamed.message().find("metadata.name: Required value: name or generateName is required"), std::string::npos);

  json::object wrong_version = rotation("x");
  wrong_version["apiVersion"] = "keyturn.dev/v9";
  EXPECT_EQ(api.post(collection, wrong_version).message(),
            "the API version in the data (keyturn.dev/v9) does not match the expected API version (keyturn.dev/v1alpha1)");
  json::object wrong_kind = rotation("a");
  wrong_kind["kind"] = "Foo";
  const TestReply kind = api.post(collection, wrong_kind);
  EXPECT_EQ(kind.status, 422);
  EXPECT_EQ(kind.message(), "Foo.keyturn.dev \"a\" is invalid: kind: Invalid value: \"Foo\": must be SecretRotation");
}

TEST(Create, WordsUnreadableBodiesAsGenuineServersDo) {
  ApiServerHarness api;
  EXPECT_EQ(api.call("POST", collection, "{bad", {{"Content-Type", "application/json"}}).message(),
            "the object provided is unrecognized (must be of type SecretRotation): couldn't get version/kind; json parse error: invalid "
            "character 'b' looking for beginning of object key string ({bad)");
  EXPECT_EQ(
      api.call("POST", collection, "").message(),
      "the object provided is unrecognized (must be of type SecretRotation): couldn't get version/kind; json parse error: unexpected end "
      "of JSON input (<empty>)");
  EXPECT_EQ(api.call("POST", collection, "x", {{"Content-Type", "text/csv"}}).status, 415);
  EXPECT_EQ(api.call("POST", collection, "x", {{"Content-Type", "application/vnd.kubernetes.protobuf"}}).status, 415);
}

TEST(Create, ReadsYaml) {
  ApiServerHarness api;
  const std::string body =
      "apiVersion: keyturn.dev/v1alpha1\nkind: SecretRotation\nmetadata: {name: db}\nspec: {environmentRef: {name: dev}, revision: r1, "
      "secret: "
      "{vaults: [main], name: P, format: {type: AdoNetConnectionString, passwordField: Password, userField: User Id}}, dependents: "
      "[{system: s, principals: [a, b]}], suspend: n}\n";
  const TestReply reply = api.call("POST", collection, body, {{"Content-Type", "application/yaml"}});
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_EQ(reply.json().at("spec").as_object().at("suspend"), false);
}

TEST(Replace, NeedsTheVersionAndTheRightObject) {
  ApiServerHarness api;
  const json::object made = api.post(collection, rotation("db")).json();
  json::object blind = made;
  blind["metadata"].as_object().erase("resourceVersion");
  const TestReply without = api.put(item("db"), blind);
  EXPECT_EQ(without.status, 422);
  EXPECT_EQ(without.message(),
            "secretrotations.keyturn.dev \"db\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update");

  json::object stale = made;
  stale["metadata"].as_object()["resourceVersion"] = "1";
  const TestReply conflict = api.put(item("db"), stale);
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(
      conflict.message(),
      "Operation cannot be fulfilled on secretrotations.keyturn.dev \"db\": the object has been modified; please apply your changes to "
      "the latest version and try again");

  json::object malformed = made;
  malformed["metadata"].as_object()["resourceVersion"] = "abc";
  EXPECT_EQ(api.put(item("db"), malformed).status, 400);
  json::object foreign = made;
  foreign["metadata"].as_object()["uid"] = "other";
  EXPECT_EQ(api.put(item("db"), foreign).status, 409);
  EXPECT_EQ(api.put(item("else"), made).message(), "the name of the object (db) does not match the name on the URL (else)");
  EXPECT_EQ(api.put(item("nope"),
                    [&] {
                      json::object nope = made;
                      nope["metadata"].as_object()["name"] = "nope";
                      return nope;
                    }())
                .status,
            404);
  EXPECT_EQ(api.put(collection, made).message(), "name must be provided");
}

TEST(Replace, OfTheSameConsumesNoVersion) {
  ApiServerHarness api;
  const json::object made = api.post(collection, rotation("db")).json();
  const TestReply again = api.put(item("db"), made);
  ASSERT_EQ(again.status, 200);
  EXPECT_EQ(version_of(again.json()), version_of(made));
  EXPECT_EQ(version_of(api.patch(item("db"), "merge", R"({"spec":{"revision":"r1"}})").json()), version_of(made));
}

TEST(Replace, OfTheMainResourceLeavesTheStatusAndTheOtherWayRound) {
  ApiServerHarness api;
  json::object made = api.post(collection, rotation("db")).json();
  made["status"] = json::object{{"observedGeneration", 1}};
  json::object changed = made;
  changed["spec"].as_object()["revision"] = "r2";
  changed["metadata"].as_object()["labels"] = json::object{{"a", "b"}};
  const TestReply status = api.put(item("db") + "/status", changed);
  ASSERT_EQ(status.status, 200) << status.body;
  EXPECT_EQ(status.json().at("spec").as_object().at("revision"), "r1");
  EXPECT_EQ(status.json().at("status").as_object().at("observedGeneration"), 1);
  EXPECT_FALSE(metadata_of(status).contains("labels"));
  EXPECT_EQ(generation_of(status.json()), 1);

  json::object main = status.json();
  main["status"].as_object()["observedGeneration"] = 9;
  main["spec"].as_object()["revision"] = "r2";
  const TestReply replaced = api.put(item("db"), main);
  EXPECT_EQ(replaced.json().at("status").as_object().at("observedGeneration"), 1);
  EXPECT_EQ(generation_of(replaced.json()), 2);
}

TEST(Generation, CountsTheSpecAndTheDeletionOnly) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection, rotation("db")).status, 201);
  struct Case {
    std::string_view body;
    bool status;
    std::int64_t generation;
  };
  const Case cases[] = {{R"({"metadata":{"labels":{"a":"b"}}})", false, 1},
                        {R"({"metadata":{"annotations":{"a":"b"}}})", false, 1},
                        {R"({"metadata":{"finalizers":["x.io/y"]}})", false, 1},
                        {R"({"status":{"observedGeneration":1}})", true, 1},
                        {R"({"spec":{"suspend":true}})", false, 2},
                        {R"({"spec":{"suspend":true}})", false, 2}};
  for (const Case& one : cases) {
    const TestReply reply = api.patch(item("db") + (one.status ? "/status" : ""), "merge", std::string(one.body));
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(generation_of(reply.json()), one.generation) << one.body;
  }
  EXPECT_EQ(generation_of(api.call("DELETE", item("db")).json()), 3);
}

TEST(DryRun, AnswersAsIfDoneAndWritesNothing) {
  ApiServerHarness api;
  const json::object made = api.post(collection, rotation("db")).json();
  TestWatch watch = api.watch(collection + "?watch=true&resourceVersion=" + version_of(made));
  const ResourceVersion before = api.store.version();
  EXPECT_EQ(api.post(collection + "?dryRun=All", rotation("new")).status, 201);
  EXPECT_EQ(api.post(collection + "?dryRun=All", rotation("db")).status, 409);
  const TestReply patched = api.patch(item("db") + "?dryRun=All", "merge", R"({"spec":{"revision":"r2"}})");
  EXPECT_EQ(generation_of(patched.json()), 2);
  EXPECT_EQ(api.call("DELETE", item("db") + "?dryRun=All").status, 200);
  EXPECT_EQ(api.call("DELETE", item("db"), R"({"dryRun":["All"]})").status, 200);
  EXPECT_EQ(api.store.version(), before);
  run_ready(api.io);
  EXPECT_TRUE(watch.frames().empty());
  const TestReply bad = api.post(collection + "?dryRun=Some", rotation("x"));
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(bad.message(), "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \"Some\": supported values: \"All\"");
  watch.leave();
  run_for(api.io, api.clock, Duration{10'000});
}

TEST(Patch, WithAStaleVersionIsRefusedAndWithoutOneLands) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection, rotation("db")).status, 201);
  EXPECT_EQ(api.patch(item("db"), "merge", R"({"metadata":{"resourceVersion":"1"},"spec":{"suspend":true}})").status, 409);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(api.patch(item("db"), "merge", R"({"metadata":{"labels":{"n":")" + std::to_string(i) + R"("}}})").status, 200);
  EXPECT_EQ(api.patch(item("nope"), "merge", "{}").status, 404);
}

TEST(Patch, NamesTheFormsItTakes) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection, rotation("db")).status, 201);
  const TestReply reply = api.patch(item("db"), "strategic-merge", "{}");
  EXPECT_EQ(reply.status, 415);
  EXPECT_EQ(reply.message(),
            "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
            "application/merge-patch+json, application/apply-patch+yaml");
  EXPECT_EQ(api.patch(item("db"), "merge", "nope").message(),
            "error decoding patch: invalid character 'o' in literal null (expecting 'u')");
  EXPECT_EQ(api.patch(item("db"), "json", R"([{"op":"test","path":"/spec/revision","value":"x"}])").message(),
            "the server rejected our request due to an error in our request");
  EXPECT_EQ(api.patch("/api/v1/namespaces/default", "strategic-merge", R"({"metadata":{"labels":{"a":"b"}}})").status, 200);
}

TEST(Patch, CannotChangeTheIdentity) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection, rotation("db")).status, 201);
  const TestReply reply = api.patch(item("db"), "merge", R"({"metadata":{"uid":"other"}})");
  EXPECT_EQ(reply.status, 422);
  EXPECT_NE(reply.message().find("metadata.uid: Invalid value: \"other\": field is immutable"), std::string::npos);
  EXPECT_EQ(reply.json().at("details").as_object().at("causes").as_array().size(), 2u);
}

TEST(Methods, ThatMakeNoSenseAreTold) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection, rotation("db")).status, 201);
  EXPECT_EQ(api.post(item("db"), rotation("db")).status, 405);
  EXPECT_EQ(api.post(item("db") + "/status", rotation("db")).message(),
            "create is not supported on resources of kind \"secretrotations.keyturn.dev\"");
  EXPECT_EQ(api.call("DELETE", item("db") + "/status").message(),
            "delete is not supported on resources of kind \"secretrotations.keyturn.dev\"");
  EXPECT_EQ(api.call("OPTIONS", item("db")).message(), " is not supported on resources of kind \"secretrotations.keyturn.dev\"");
  EXPECT_EQ(api.patch(item("db") + "/scale", "merge", "{}").status, 404);
  const TestReply unknown = api.get("/apis/keyturn.dev/v1alpha1/namespaces/default/things");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, "404 page not found\n");
  EXPECT_EQ(api.call("DELETE", "/apis/keyturn.dev/v1alpha1/secretrotations").status, 404);
  EXPECT_EQ(api.call("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/secretrotations.keyturn.dev").status, 405);
}

TEST(Definitions, AreAppliedUnchangedAndNeverChanged) {
  ApiServerHarness api;
  const std::string path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/secretrotations.keyturn.dev";
  const json::object definition = api.get(path).json();
  EXPECT_EQ(definition.at("status").as_object().at("conditions").as_array()[1].as_object().at("type"), "Established");
  const TestReply touched = api.patch(path, "merge", R"({"metadata":{"annotations":{"a":"b"}}})");
  EXPECT_EQ(touched.status, 200) << touched.body;
  EXPECT_EQ(api.patch(path, "merge", R"({"spec":{"group":"other"}})").status, 422);
}

}  // namespace
}  // namespace keyturn::embedded
