// How objects go: at once, through finalizers, by collection, with their namespace.
#include <gtest/gtest.h>

#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

TEST(Delete, WithoutFinalizersRemovesAtOnceAndAnswersWithAStatus) {
  ApiServerHarness api;
  const json::object made = api.post(collection, rotation("db")).json();
  const TestReply reply = api.call("DELETE", item("db"), R"({"propagationPolicy":"Foreground"})");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(reply.json().at("status"), "Success");
  const json::object details = reply.json().at("details").as_object();
  EXPECT_EQ(details.at("kind"), "secretrotations");
  EXPECT_EQ(details.at("uid"), made.at("metadata").as_object().at("uid"));
  EXPECT_EQ(api.call("DELETE", item("db")).message(), "secretrotations.keyturn.dev \"db\" not found");
}

TEST(Delete, WithFinalizersMarksOnceAndTheLastFinalizerRemoves) {
  ApiServerHarness api;
  json::object sent = rotation("db");
  sent["metadata"].as_object()["finalizers"] = json::array{"keyturn.dev/cleanup"};
  ASSERT_EQ(api.post(collection, sent).status, 201);
  const TestReply first = api.call("DELETE", item("db"));
  const json::object metadata = first.json().at("metadata").as_object();
  EXPECT_EQ(metadata.at("deletionTimestamp").as_string(), format_seconds(api.clock.now()));
  EXPECT_EQ(metadata.at("deletionGracePeriodSeconds"), 0);
  EXPECT_EQ(generation_of(first.json()), 2);
  api.clock.advance(Duration{5'000});
  const TestReply second = api.call("DELETE", item("db"));
  EXPECT_EQ(version_of(second.json()), version_of(first.json()));

  const TestReply more = api.patch(item("db"), "merge", R"({"metadata":{"finalizers":["keyturn.dev/cleanup","x.io/new"]}})");
  EXPECT_EQ(more.status, 422);
  EXPECT_EQ(
      more.message(),
      "SecretRotation.keyturn.dev \"db\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
      "deleted, found new finalizers []string{\"x.io/new\"}");
  EXPECT_EQ(more.json().at("details").as_object().at("causes").as_array().size(), 2u);

  TestWatch watch = api.watch(collection + "?watch=true&resourceVersion=" + version_of(first.json()));
  const TestReply last = api.patch(item("db"), "merge", R"({"metadata":{"finalizers":null}})");
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.json().at("kind"), "SecretRotation");
  run_ready(api.io);
  EXPECT_EQ(watch.told(), std::vector<std::string>{"DELETED db"});
  EXPECT_EQ(api.get(item("db")).status, 404);
  watch.leave();
  run_for(api.io, api.clock, Duration{10'000});
}

TEST(Delete, ChecksItsPreconditions) {
  ApiServerHarness api;
  const json::object made = api.post(collection, rotation("db")).json();
  const std::string uid(made.at("metadata").as_object().at("uid").as_string());
  const TestReply wrong_uid = api.call("DELETE", item("db"), R"({"preconditions":{"uid":"123"}})");
  EXPECT_EQ(wrong_uid.status, 409);
  EXPECT_EQ(wrong_uid.message(),
            "Operation cannot be fulfilled on SecretRotation.keyturn.dev \"db\": the UID in the precondition (123) does not match the UID "
            "in record (" +
                uid + "). The object might have been deleted and then recreated");
  EXPECT_EQ(api.call("DELETE", item("db"), R"({"preconditions":{"resourceVersion":"1"}})").status, 409);
  EXPECT_EQ(api.call("DELETE", item("db"), R"({"preconditions":{"resourceVersion":"x"}})").status, 400);
  EXPECT_EQ(api.call("DELETE", item("db"), R"({"propagationPolicy":"Bogus"})").message(),
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Bogus\": supported values: \"Foreground\", "
            "\"Background\", \"Orphan\", \"nil\"");
  EXPECT_EQ(api.call("DELETE", item("db"), "{bad").status, 400);
  EXPECT_EQ(api.call("DELETE", item("db"), R"({"preconditions":{"uid":")" + uid + "\"}}").status, 200);
}

TEST(Delete, OfACollectionFollowsTheSelector) {
  ApiServerHarness api;
  for (const std::string_view name : {"a", "b", "c"}) {
    json::object sent = rotation(name);
    sent["metadata"].as_object()["labels"] = json::object{{"go", name == "b" ? "no" : "yes"}};
    ASSERT_EQ(api.post(collection, sent).status, 201);
  }
  const TestReply reply = api.call("DELETE", collection + "?labelSelector=go%3Dyes");
  EXPECT_EQ(reply.json().at("items").as_array().size(), 2u);
  const json::object left = api.get(collection).json();
  ASSERT_EQ(left.at("items").as_array().size(), 1u);
}

TEST(NamespaceDeletion, TakesWhatIsInsideAndWaitsForFinalizers) {
  ApiServerHarness api;
  ASSERT_EQ(api.post("/api/v1/namespaces", json::parse(R"({"metadata":{"name":"team"}})")).status, 201);
  const std::string inside = "/apis/keyturn.dev/v1alpha1/namespaces/team/secretrotations";
  for (const bool held : {false, true}) {
    json::object sent = rotation(held ? "held" : "free");
    sent["metadata"].as_object()["namespace"] = "team";
    if (held) sent["metadata"].as_object()["finalizers"] = json::array{"keyturn.dev/cleanup"};
    ASSERT_EQ(api.post(inside, sent).status, 201);
  }
  const TestReply going = api.call("DELETE", "/api/v1/namespaces/team");
  EXPECT_EQ(going.json().at("status").as_object().at("phase"), "Terminating");
  EXPECT_EQ(api.get(inside + "/free").status, 404);
  EXPECT_EQ(api.get(inside + "/held").status, 200);
  json::object late = rotation("late");
  late["metadata"].as_object()["namespace"] = "team";
  const TestReply refused = api.post(inside, late);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(
      refused.message(),
      "secretrotations.keyturn.dev \"late\" is forbidden: unable to create new content in namespace team because it is being terminated");
  EXPECT_EQ(api.patch(inside + "/held", "merge", R"({"metadata":{"finalizers":null}})").status, 200);
  EXPECT_EQ(api.get("/api/v1/namespaces/team").status, 404);
  EXPECT_EQ(api.call("DELETE", "/api/v1/namespaces/default").status, 403);
}

}  // namespace
}  // namespace keyturn::embedded
