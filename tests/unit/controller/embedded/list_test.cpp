// Lists: selectors, pages, versions, tables, partial metadata.
#include <gtest/gtest.h>

#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

constexpr const char* table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

std::vector<std::string> names_of(const TestReply& reply) {
  std::vector<std::string> names;
  for (const json::value& one : reply.json().at("items").as_array()) names.emplace_back(one.at("metadata").at("name").as_string());
  return names;
}
std::string next_of(const TestReply& reply) {
  const json::object list = reply.json();
  const json::value* token = list.at("metadata").as_object().if_contains("continue");
  return token ? std::string(token->as_string()) : std::string{};
}

class Lists : public testing::Test {
 protected:
  Lists() {
    for (const std::string_view name : {"a", "b", "c", "d", "e"}) {
      json::object sent = rotation(name);
      sent["metadata"].as_object()["labels"] = json::object{{"odd", name == "a" || name == "c" || name == "e" ? "yes" : "no"}};
      api.post(collection, sent);
    }
  }
  ApiServerHarness api;
};

TEST_F(Lists, AreInOrderOfTheKeyWithTheirVersion) {
  const TestReply reply = api.get("/apis/keyturn.dev/v1alpha1/secretrotations");
  EXPECT_EQ(reply.json().at("kind"), "SecretRotationList");
  EXPECT_EQ(names_of(reply), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(version_of(reply.json()), std::to_string(api.store.version()));
  EXPECT_EQ(names_of(api.get(collection + "?labelSelector=odd%3Dyes")), (std::vector<std::string>{"a", "c", "e"}));
  EXPECT_EQ(names_of(api.get(collection + "?fieldSelector=metadata.name%3Db")), (std::vector<std::string>{"b"}));
  EXPECT_TRUE(names_of(api.get("/apis/keyturn.dev/v1alpha1/namespaces/nope/secretrotations")).empty());
}

TEST_F(Lists, ComeInPagesOfOneState) {
  const TestReply first = api.get(collection + "?limit=2");
  EXPECT_EQ(names_of(first), (std::vector<std::string>{"a", "b"}));
  api.call("DELETE", item("c"));
  api.post(collection, rotation("bb"));
  const TestReply second = api.get(collection + "?limit=2&continue=" + next_of(first));
  EXPECT_EQ(names_of(second), (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(version_of(second.json()), version_of(first.json()));
  const TestReply third = api.get(collection + "?limit=2&continue=" + next_of(second));
  EXPECT_EQ(names_of(third), (std::vector<std::string>{"e"}));
  EXPECT_EQ(next_of(third), "");
}

TEST_F(Lists, FillAPageUnderASelector) {
  const TestReply first = api.get(collection + "?limit=2&labelSelector=odd%3Dyes");
  EXPECT_EQ(names_of(first), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(names_of(api.get(collection + "?limit=2&labelSelector=odd%3Dyes&continue=" + next_of(first))), (std::vector<std::string>{"e"}));
}

TEST_F(Lists, OfferAnInconsistentRestWhenAPageExpired) {
  const TestReply first = api.get(collection + "?limit=2");
  api.call("DELETE", item("c"));
  api.store.compact(api.store.version());
  const TestReply expired = api.get(collection + "?limit=2&continue=" + next_of(first));
  EXPECT_EQ(expired.status, 410);
  EXPECT_EQ(expired.reason(), "Expired");
  EXPECT_NE(expired.message().find("too old to display a consistent list result"), std::string::npos);
  EXPECT_EQ(names_of(api.get(collection + "?limit=2&continue=" + next_of(expired))), (std::vector<std::string>{"d", "e"}));
}

TEST_F(Lists, CheckTheirOptions) {
  const std::pair<const char*, const char*> cases[] = {
      {"?resourceVersion=abc",
       "invalid resource version: resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"},
      {"?limit=x", "strconv.ParseInt: parsing \"x\": invalid syntax"},
      {"?resourceVersionMatch=Exact",
       "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"},
      {"?resourceVersionMatch=Exact&resourceVersion=0",
       "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""},
      {"?resourceVersionMatch=Foo&resourceVersion=1",
       "resourceVersionMatch: Unsupported value: \"Foo\": supported values: \"Exact\", \"NotOlderThan\", \"\""},
      {"?sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"},
      {"?watch=true&sendInitialEvents=true",
       "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"},
      {"?watch=true&resourceVersionMatch=NotOlderThan",
       "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"},
      {"?continue=***", "invalid continue token: continue key is not valid: illegal base64 data at input byte 4"},
      {"?fieldSelector=spec.foo%3D1", "field label not supported: spec.foo"}};
  for (const auto& [query, message] : cases) {
    const TestReply reply = api.get(collection + query);
    EXPECT_TRUE(reply.status == 400 || reply.status == 422) << query;
    EXPECT_NE(reply.message().find(message), std::string::npos) << query << ": " << reply.message();
  }
  const TestReply with_both = api.get(collection + "?resourceVersion=5&continue=" + next_of(api.get(collection + "?limit=1")));
  EXPECT_EQ(with_both.message(), "specifying resource version is not allowed when using continue");
}

TEST_F(Lists, DoNotWaitForTheFuture) {
  const TestReply reply = api.get(collection + "?resourceVersion=999999");
  EXPECT_EQ(reply.status, 504);
  EXPECT_EQ(reply.reason(), "Timeout");
  EXPECT_EQ(reply.header("Retry-After"), "1");
  EXPECT_EQ(reply.message(), "Timeout: Too large resource version: 999999, current: " + std::to_string(api.store.version()));
  EXPECT_EQ(api.get(collection + "?resourceVersion=0").status, 200);
  EXPECT_EQ(api.get(collection + "?resourceVersionMatch=Exact&resourceVersion=" + std::to_string(api.store.version())).status, 200);
}

TEST_F(Lists, ShowAsATable) {
  api.clock.advance(Duration{313'000});
  const json::object reply = api.get(collection, table).json();
  EXPECT_EQ(reply.at("kind"), "Table");
  EXPECT_EQ(reply.at("columnDefinitions").as_array()[0].at("format"), "name");
  const json::value row = reply.at("rows").as_array()[0];
  EXPECT_EQ(row.at("cells").as_array()[0], "a");
  EXPECT_EQ(row.at("cells").as_array()[1], nullptr);
  EXPECT_EQ(row.at("cells").as_array()[7], "5m13s");
  EXPECT_EQ(row.at("object").at("kind"), "PartialObjectMetadata");
  EXPECT_EQ(api.get(collection + "?includeObject=None", table).json().at("rows").as_array()[0].at("object"), nullptr);
  EXPECT_EQ(api.get(collection + "?includeObject=Object", table).json().at("rows").as_array()[0].at("object").at("kind"), "SecretRotation");
  EXPECT_EQ(api.get(item("b"), table).json().at("rows").as_array().size(), 1u);
  EXPECT_EQ(api.get(item("nope"), table).json().at("kind"), "Status");
  EXPECT_TRUE(api.get(collection + "?labelSelector=x", table).json().at("rows").as_array().empty());
}

TEST_F(Lists, ShowATimeAheadAsInvalid) {
  api.clock.set_wall_clock(api.clock.now() - std::chrono::hours(1));
  EXPECT_EQ(api.get(item("a"), table).json().at("rows").as_array()[0].at("cells").as_array()[7], "<invalid>");
}

TEST_F(Lists, ComeAsPartialMetadataAndYaml) {
  const json::object partial = api.get(collection, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").json();
  EXPECT_EQ(partial.at("kind"), "PartialObjectMetadataList");
  EXPECT_FALSE(partial.at("items").as_array()[0].as_object().contains("spec"));
  const TestReply yaml = api.get(item("a"), "application/yaml");
  EXPECT_EQ(yaml.header("Content-Type"), "application/yaml");
  EXPECT_NE(yaml.body.find("kind: SecretRotation\n"), std::string::npos);
  EXPECT_EQ(api.get(collection, "text/html").status, 406);
}

TEST(Text, EscapesWhatABrowserWouldMistake) {
  ApiServerHarness api;
  json::object sent = rotation("db");
  sent["metadata"].as_object()["annotations"] = json::object{{"a", "<b>&"}};
  const TestReply reply = api.post(collection, sent);
  EXPECT_NE(reply.body.find(R"(\u003cb\u003e\u0026)"), std::string::npos);
  EXPECT_EQ(reply.body.back(), '\n');
}

}  // namespace
}  // namespace keyturn::embedded
