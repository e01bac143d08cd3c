// Server-side apply: ownership, conflicts, release, order of lists.
#include <gtest/gtest.h>

#include "controller/embedded/server_side_apply.h"
#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

std::string stated(std::string_view name, const std::string& spec, const std::string& metadata = {}) {
  return R"({"apiVersion":"keyturn.dev/v1alpha1","kind":"SecretRotation","metadata":{"name":")" + std::string(name) + "\"" + metadata +
         R"(},"spec":)" + spec + "}";
}

std::string full(std::string_view name) { return json::serialize(rotation(name)); }

json::object managed_by(const json::object& object, std::string_view manager, std::string_view operation) {
  const json::value* list = object.at("metadata").as_object().if_contains("managedFields");
  if (!list) return {};
  for (const json::value& entry : list->as_array())
    if (entry.at("manager").as_string() == manager && entry.at("operation").as_string() == operation) return entry.as_object();
  return {};
}

TestReply apply(ApiServerHarness& api, std::string_view manager, const std::string& body, std::string_view more = {}) {
  return api.patch(item("db") + "?fieldManager=" + std::string(manager) + std::string(more), "apply", body);
}

TEST(Apply, CreatesThenUpdatesThenChangesNothing) {
  ApiServerHarness api;
  const TestReply made = apply(api, "git", full("db"));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json().at("status").as_object().at("observedGeneration"), -1);
  api.clock.advance(Duration{60'000});
  const TestReply again = apply(api, "git", full("db"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(version_of(again.json()), version_of(made.json()));
  const json::object entry = managed_by(again.json(), "git", "Apply");
  EXPECT_TRUE(entry.at("fieldsV1").as_object().at("f:spec").as_object().at("f:consumers").as_object().contains(R"(k:{"name":"app"})"));
}

TEST(Apply, OfAnotherValueConflictsUntilForced) {
  ApiServerHarness api;
  ASSERT_EQ(apply(api, "git", full("db")).status, 201);
  const std::string other = stated("db", R"({"revision":"r2"})");
  const TestReply refused = apply(api, "human", other);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.message(), "Apply failed with 1 conflict: conflict with \"git\": .spec.revision");
  EXPECT_EQ(refused.json().at("details"),
            json::parse(R"({"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"git\"","field":".spec.revision"}]})"));
  const TestReply forced = apply(api, "human", other, "&force=true");
  ASSERT_EQ(forced.status, 200);
  EXPECT_FALSE(managed_by(forced.json(), "git", "Apply").at("fieldsV1").as_object().at("f:spec").as_object().contains("f:revision"));
  EXPECT_EQ(apply(api, "git", full("db")).status, 409);
}

TEST(Apply, ConflictsWithUpdatesNameTheirVersion) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection + "?fieldManager=kubectl-edit", rotation("db")).status, 201);
  EXPECT_EQ(apply(api, "git", stated("db", R"({"revision":"r2"})")).message(),
            "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using keyturn.dev/v1alpha1: .spec.revision");
}

TEST(Apply, OfTheSameValueSharesAndTheLastOwnerRemoves) {
  ApiServerHarness api;
  ASSERT_EQ(apply(api, "one", full("db")).status, 201);
  ASSERT_EQ(apply(api, "two", stated("db", R"({"incident":"INC-1"})")).status, 200);
  ASSERT_EQ(apply(api, "three", stated("db", R"({"incident":"INC-1"})")).status, 200);
  const TestReply released = apply(api, "two", stated("db", "{}"));
  EXPECT_EQ(released.json().at("spec").as_object().at("incident"), "INC-1");
  const TestReply gone = apply(api, "three", stated("db", "{}"));
  EXPECT_FALSE(gone.json().at("spec").as_object().contains("incident"));
}

TEST(Apply, RemovesOnlyTheItemsItMade) {
  ApiServerHarness api;
  ASSERT_EQ(apply(api, "one", full("db")).status, 201);
  const TestReply added = apply(api, "two", stated("db", R"({"consumers":[{"name":"job","reload":"Restart"}]})"));
  ASSERT_EQ(added.status, 200) << added.body;
  EXPECT_EQ(added.json().at("spec").as_object().at("consumers").as_array().size(), 3u);
  const TestReply removed = apply(api, "two", stated("db", "{}"));
  EXPECT_EQ(removed.json().at("spec").as_object().at("consumers").as_array().size(), 2u);
}

TEST(Apply, KeepsStatusAndSpecApart) {
  ApiServerHarness api;
  ASSERT_EQ(apply(api, "git", full("db")).status, 201);
  const std::string both =
      R"({"apiVersion":"keyturn.dev/v1alpha1","kind":"SecretRotation","spec":{"revision":"r9"},"status":{"observedGeneration":1}})";
  const TestReply status = api.patch(item("db") + "/status?fieldManager=keyturn", "apply", both);
  ASSERT_EQ(status.status, 200) << status.body;
  EXPECT_EQ(status.json().at("spec").as_object().at("revision"), "r1");
  EXPECT_EQ(status.json().at("status").as_object().at("observedGeneration"), 1);
  EXPECT_EQ(managed_by(status.json(), "keyturn", "Apply").at("subresource"), "status");
  EXPECT_EQ(api.patch(item("nope") + "/status?fieldManager=keyturn", "apply", both).status, 404);
}

TEST(Apply, ChecksItsBodyAndItsOptions) {
  ApiServerHarness api;
  EXPECT_EQ(api.patch(item("db"), "apply", full("db")).message(),
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
  EXPECT_EQ(api.patch(item("db") + "?force=true", "merge", "{}").message(),
            "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch");
  EXPECT_EQ(apply(api, std::string(129, 'x'), full("db")).status, 422);
  EXPECT_EQ(apply(api, "%07", full("db")).status, 422);
  EXPECT_EQ(apply(api, "git", "{}").message(), "invalid object type: /, Kind=");
  EXPECT_EQ(apply(api, "git", stated("db", "{}", R"(,"managedFields":[])")).message(), "metadata.managedFields must be nil");
  const std::pair<const char*, const char*> typed[] = {
      {R"({"typo":1})", ".spec.typo: field not declared in schema"},
      {R"({"suspend":"yes"})", ".spec.suspend: expected boolean, got &{yes}"},
      {R"({"consumers":[{"reload":"Restart"}]})",
       ".spec.consumers: element 0: associative list with keys has an element that omits all key fields [\"name\"] (and doesn't have "
       "default values for any key fields)"},
      {R"({"consumers":[{"name":"x"},{"name":"x"}]})", ".spec.consumers: duplicate entries for key [name=\"x\"]"}};
  for (const auto& [spec, problem] : typed) {
    const TestReply reply = apply(api, "git", stated("db", spec));
    EXPECT_EQ(reply.status, 422);
    EXPECT_EQ(reply.message(),
              std::string("failed to create typed patch object (default/db; keyturn.dev/v1alpha1, Kind=SecretRotation): ") + problem);
  }
  EXPECT_EQ(apply(api, "git", stated("db", R"({"revision":"r2"})")).status, 422);  // no resurrection: the rest of the spec is missing
  EXPECT_EQ(apply(api, "git", "a: [").status, 400);
}

// The migration from client-side apply: kubectl rewrites the list itself, and `[{}]` forgets everybody.
TEST(ManagedFields, CanBeRewrittenAndForgotten) {
  ApiServerHarness api;
  ASSERT_EQ(api.post(collection + "?fieldManager=kubectl-client-side-apply", rotation("db")).status, 201);
  json::object live = api.get(item("db")).json();
  json::array list = live.at("metadata").as_object().at("managedFields").as_array();
  list[0].as_object()["manager"] = "kubectl";
  list[0].as_object()["operation"] = "Apply";
  const json::array operations{json::object{{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", list}},
                               json::object{{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", version_of(live)}}};
  ASSERT_EQ(api.patch(item("db"), "json", json::serialize(operations)).status, 200);
  const json::object moved = api.get(item("db")).json();
  EXPECT_TRUE(managed_by(moved, "kubectl-client-side-apply", "Update").empty());
  EXPECT_FALSE(managed_by(moved, "kubectl", "Apply").empty());
  ASSERT_EQ(api.patch(item("db"), "json", json::serialize(operations)).status, 409);
  ASSERT_EQ(api.patch(item("db"), "merge", R"({"metadata":{"managedFields":[{}]}})").status, 200);
  const json::object forgotten = api.get(item("db")).json();
  EXPECT_FALSE(forgotten.at("metadata").as_object().contains("managedFields"));
}

TEST(ManagedFields, OfUpdatesAreKeptByManagerAndBounded) {
  ApiServerHarness api;
  ASSERT_EQ(api.call("POST", collection, full("db"), {{"User-Agent", "curl/8"}}).status, 201);
  EXPECT_FALSE(managed_by(api.get(item("db")).json(), "curl", "Update").empty());
  for (int i = 0; i < 15; ++i) {
    api.clock.advance(Duration{1'000});
    const std::string number = std::to_string(i);
    ASSERT_EQ(api.patch(item("db") + "?fieldManager=m" + number, "merge", R"({"metadata":{"labels":{"l)" + number + R"(":"x"}}})").status,
              200);
  }
  const json::object object = api.get(item("db")).json();
  EXPECT_EQ(object.at("metadata").as_object().at("managedFields").as_array().size(), update_entries_max + 1);
  EXPECT_FALSE(managed_by(object, "ancient-changes", "Update").empty());
}

// The order of a list with keys, as recorded from a genuine server: live A,B,C; another manager applies C,A, then X,B, then B,Y.
TEST(Apply, OrdersAListAsGenuineServersDo) {
  const ResourceType& type = *find_type("keyturn.dev", "v1alpha1", "secretrotations");
  const auto object = [](std::string_view names) {
    json::array consumers;
    for (const char name : names) consumers.push_back(json::object{{"name", std::string(1, name)}});
    return json::object{{"spec", json::object{{"consumers", consumers}}}};
  };
  const auto order = [](const json::object& from) {
    std::string names;
    for (const json::value& one : from.at("spec").at("consumers").as_array()) names += one.at("name").as_string();
    return names;
  };
  json::object live = *apply_object(nullptr, object("ABC"), type, {"one", "", "t1"}, false);
  for (const auto& [applied, expected] : {std::pair{"CA", "BCA"}, std::pair{"XB", "XBCA"}, std::pair{"BY", "BCAY"}}) {
    live = *apply_object(&live, object(applied), type, {"two", "", "t2"}, false);
    EXPECT_EQ(order(live), expected);
  }
}

TEST(FieldSet, KeepsItsLawsUnderTheAlgebra) {
  const auto set = [](const char* text) { return read_field_set(json::parse(text).as_object()); };
  const FieldSet left = set(R"({"f:a":{},"f:b":{".":{},"f:c":{}},"f:l":{"k:{\"name\":\"x\"}":{".":{},"f:v":{}}}})");
  const FieldSet right = set(R"({"f:b":{"f:c":{},"f:d":{}},"f:e":{}})");
  EXPECT_EQ(write_field_set(left), json::parse(R"({"f:a":{},"f:b":{".":{},"f:c":{}},"f:l":{"k:{\"name\":\"x\"}":{".":{},"f:v":{}}}})"));
  EXPECT_EQ(unite(left, right), unite(right, left));
  EXPECT_EQ(unite(subtract(left, right), intersect(left, right)), left);
  EXPECT_TRUE(intersect(subtract(left, right), right).empty());
  EXPECT_TRUE(subtract(left, left).empty());
  EXPECT_EQ(paths_of(left), (std::vector<std::string>{".a", ".b", ".b.c", ".l[name=\"x\"]", ".l[name=\"x\"].v"}));
}

}  // namespace
}  // namespace keyturn::embedded
