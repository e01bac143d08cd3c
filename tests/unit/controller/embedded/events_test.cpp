// Events: two APIs over one store.
#include <gtest/gtest.h>

#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

const std::string new_events = "/apis/events.k8s.io/v1/namespaces/default/events";
const std::string core_events = "/api/v1/namespaces/default/events";

json::object new_event(std::string_view name) {
  return json::parse(R"({"metadata":{"name":")" + std::string(name) +
                     R"("},"eventTime":"2024-10-04T00:00:00.000000Z","action":"Rotate","reason":"RotationStarted",
    "type":"Normal","note":"go","reportingController":"keyturn","reportingInstance":"k-0",
    "regarding":{"kind":"SecretRotation","name":"db","namespace":"default","uid":"u1"},"deprecatedCount":3})")
      .as_object();
}

TEST(Events, WrittenInOneFormAreReadInBoth) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(new_events, new_event("a")).status, 201);
  const json::object core = api.get(core_events + "/a").json();
  EXPECT_EQ(core.at("apiVersion"), "v1");
  EXPECT_EQ(core.at("involvedObject").as_object().at("name"), "db");
  EXPECT_EQ(core.at("message"), "go");
  EXPECT_EQ(core.at("count"), 3);
  EXPECT_FALSE(core.contains("note"));
  ASSERT_EQ(api.patch(core_events + "/a", "merge", R"({"count":4})").status, 200);
  const json::object renamed = api.get(new_events + "/a").json();
  EXPECT_EQ(renamed.at("apiVersion"), "events.k8s.io/v1");
  EXPECT_EQ(renamed.at("deprecatedCount"), 4);
}

TEST(Events, AreFoundByTheObjectTheyAreAboutInAnyOrder) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(new_events, new_event("a")).status, 201);
  json::object other = new_event("b");
  other["regarding"].as_object()["uid"] = "u2";
  ASSERT_EQ(api.post(new_events, other).status, 201);
  const auto count = [&api](const std::string& target) { return api.get(target).json().at("items").as_array().size(); };
  EXPECT_EQ(count(core_events + "?fieldSelector=involvedObject.name%3Ddb%2CinvolvedObject.uid%3Du1"), 1u);
  EXPECT_EQ(count(core_events + "?fieldSelector=involvedObject.uid%3Du1%2CinvolvedObject.kind%3DSecretRotation"), 1u);
  EXPECT_EQ(count(new_events + "?fieldSelector=regarding.name%3Ddb"), 2u);
}

TEST(Events, NeedTimesWithSixDigitsAndTheirFields) {
  ApiServerHarness api;
  json::object coarse = new_event("a");
  coarse["eventTime"] = "2024-10-04T00:00:00Z";
  EXPECT_EQ(api.post(new_events, coarse).status, 400);
  json::object bare = new_event("a");
  bare.erase("action");
  bare["type"] = "Bogus";
  bare["regarding"].as_object()["namespace"] = "other";
  bare["note"] = std::string(1025, 'x');
  const TestReply reply = api.post(new_events, bare);
  EXPECT_EQ(reply.status, 422);
  for (const char* part : {"action: Required value", "type: Invalid value: \"\": has invalid value: Bogus",
                           "does not match event.namespace", "at most 1024 characters"})
    EXPECT_NE(reply.message().find(part), std::string::npos) << part;
}

TEST(Events, ShowAsATable) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(new_events, new_event("a")).status, 201);
  const TestReply reply = api.get(core_events, "application/json;as=Table;v=v1;g=meta.k8s.io");
  const json::array cells = reply.json().at("rows").as_array()[0].at("cells").as_array();
  EXPECT_EQ(cells[1], "Normal");
  EXPECT_EQ(cells[2], "RotationStarted");
  EXPECT_EQ(cells[3], "secretrotation/db");
  EXPECT_EQ(cells[6], "go");
  EXPECT_EQ(cells[8], 3);
}

}  // namespace
}  // namespace keyturn::embedded
