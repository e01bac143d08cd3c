// Health, version, discovery and OpenAPI.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

constexpr const char* aggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as="
    "APIGroupDiscoveryList,application/json";

TEST(Discovery, IsAggregatedWhereTheClientAsksForIt) {
  ApiServerHarness api;
  const TestReply reply = api.get("/apis", aggregated);
  EXPECT_EQ(reply.header("Content-Type"), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  EXPECT_EQ(reply.header("Vary"), "Accept");
  const json::object list = reply.json();
  EXPECT_EQ(list.at("kind"), "APIGroupDiscoveryList");
  std::set<std::string> groups;
  for (const json::value& group : list.at("items").as_array()) groups.emplace(group.at("metadata").at("name").as_string());
  EXPECT_TRUE(groups.contains("keyturn.dev"));
  EXPECT_TRUE(groups.contains("authorization.k8s.io"));
  EXPECT_TRUE(api.get("/api", aggregated).json().at("items").as_array()[0].at("metadata").as_object().empty());

  const TestReply same = api.call("GET", "/apis", {}, {{"Accept", aggregated}, {"If-None-Match", reply.header("ETag")}});
  EXPECT_EQ(same.status, 304);
  EXPECT_TRUE(same.body.empty());
  EXPECT_NE(api.get("/apis").header("ETag"), reply.header("ETag"));
}

TEST(Discovery, FallsBackToTheOlderLists) {
  ApiServerHarness api;
  EXPECT_EQ(
      api.get("/apis", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json").json().at("kind"),
      "APIGroupList");
  EXPECT_EQ(api.get("/api").json().at("kind"), "APIVersions");
  EXPECT_EQ(api.get("/apis/keyturn.dev").json().at("preferredVersion").as_object().at("groupVersion"), "keyturn.dev/v1alpha1");
  const json::object list = api.get("/apis/keyturn.dev/v1alpha1").json();
  std::set<std::string> names;
  for (const json::value& resource : list.at("resources").as_array()) names.emplace(resource.at("name").as_string());
  EXPECT_EQ(names, (std::set<std::string>{"secretrotations", "secretrotations/status", "rotationenvironments",
                                          "rotationenvironments/status", "rotationruns", "rotationruns/status"}));
  EXPECT_EQ(api.get("/api/v1").json().at("groupVersion"), "v1");
  EXPECT_EQ(api.get("/apis/nope").status, 404);
  EXPECT_EQ(api.get("/apis/keyturn.dev/v9").status, 404);
  EXPECT_EQ(api.call("POST", "/apis").status, 405);
}

TEST(OpenApi, OfEveryGroupVersionSaysWhatKubectlLooksFor) {
  ApiServerHarness api;
  const json::object paths = api.get("/openapi/v3").json().at("paths").as_object();
  EXPECT_TRUE(paths.contains("api/v1"));
  for (const auto& [path, entry] : paths) {
    const std::string url(entry.at("serverRelativeURL").as_string());
    const TestReply document = api.get(url);
    ASSERT_EQ(document.status, 200) << url;
    EXPECT_EQ(document.header("Cache-Control"), "public, immutable");
    for (const auto& [at, item] : document.json().at("paths").as_object()) {
      const json::value* patch = item.as_object().if_contains("patch");
      if (!patch) continue;
      std::set<std::string> parameters;
      for (const json::value& parameter : patch->at("parameters").as_array()) parameters.emplace(parameter.at("name").as_string());
      EXPECT_EQ(parameters, (std::set<std::string>{"dryRun", "fieldManager", "fieldValidation", "force"})) << std::string_view(at);
      EXPECT_TRUE(patch->as_object().contains("x-kubernetes-group-version-kind"));
    }
  }
}

TEST(OpenApi, RedirectsFromAHashThatIsNoLongerRight) {
  ApiServerHarness api;
  const TestReply reply = api.get("/openapi/v3/apis/keyturn.dev/v1alpha1?hash=OLD");
  EXPECT_EQ(reply.status, 301);
  EXPECT_EQ(api.get(reply.header("Location")).status, 200);
  EXPECT_EQ(api.get("/openapi/v3/apis/keyturn.dev/v1alpha1").status, 200);
  EXPECT_EQ(api.get("/openapi/v3/apis/nope/v1").status, 404);
}

// Every $ref of every document leads to a schema of the same document.
TEST(OpenApi, HasNoDanglingReference) {
  ApiServerHarness api;
  for (const char* url : {"/openapi/v2", "/openapi/v3/apis/keyturn.dev/v1alpha1", "/openapi/v3/api/v1"}) {
    const TestReply reply = api.get(url);
    const json::object document = reply.json();
    const bool v2 = std::string_view(url) == "/openapi/v2";
    const json::object& schemas =
        v2 ? document.at("definitions").as_object() : document.at("components").as_object().at("schemas").as_object();
    const std::string mark = v2 ? "#/definitions/" : "#/components/schemas/";
    for (std::size_t at = reply.body.find(mark); at != std::string::npos; at = reply.body.find(mark, at + 1)) {
      const std::size_t end = reply.body.find('"', at);
      EXPECT_TRUE(schemas.contains(reply.body.substr(at + mark.size(), end - at - mark.size())));
    }
  }
}

TEST(OpenApi, V2ComesInProtobufToo) {
  ApiServerHarness api;
  const TestReply reply = api.get("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
  EXPECT_EQ(reply.header("Content-Type"), "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  EXPECT_EQ(reply.body.substr(0, 5), std::string("\x0a\x03"
                                                 "2.0"));
}

TEST(Version, IsSemantic) {
  ApiServerHarness api;
  EXPECT_EQ(api.get("/version?timeout=5s").json().at("gitVersion"), "v1.36.0+keyturn.1");
}

TEST(Health, SaysNotReadyBeforeAndAfterItsTime) {
  bool ready = false;
  ApiServerOptions options;
  options.ready = [&ready] { return ready; };
  ApiServerHarness api(std::move(options));
  EXPECT_EQ(api.get("/readyz").status, 500);
  EXPECT_EQ(api.get("/livez").body, "ok");
  ready = true;
  EXPECT_EQ(api.get("/readyz").body, "ok");
  EXPECT_EQ(api.get("/readyz?verbose").body, "[+]ping ok\n[+]store ok\n[+]startup ok\n[+]shutdown ok\nreadyz check passed\n");
}

TEST(Health, IsNotAliveOnceTheStoreTakesNoMoreWrites) {
  bool live = true;
  ApiServerOptions options;
  options.live = [&live] { return live; };
  ApiServerHarness api(std::move(options));
  api.token.clear();
  EXPECT_EQ(api.get("/livez").body, "ok");
  EXPECT_EQ(api.get("/livez?verbose").body, "[+]ping ok\n[+]store ok\nlivez check passed\n");
  live = false;
  for (const char* probe : {"/livez", "/healthz", "/readyz"}) {
    EXPECT_EQ(api.get(probe).status, 500) << probe;
    EXPECT_NE(api.get(probe).body.find("[-]store failed: "), std::string::npos) << probe;
  }
  EXPECT_EQ(api.get("/livez?verbose").body, "[+]ping ok\n[-]store failed: it takes no writes until a restart\nlivez check failed\n");
}

TEST(Health, IsAliveWhileItIsNotReady) {
  ApiServerOptions options;
  options.ready = [] { return false; };
  ApiServerHarness api(std::move(options));
  EXPECT_EQ(api.get("/readyz").body, "[+]ping ok\n[+]store ok\n[-]startup failed: not ready\n[+]shutdown ok\nreadyz check failed\n");
  EXPECT_EQ(api.get("/livez").status, 200);
}

Awaitable<> answer_with_a_word(net::HttpRequest request, net::Peer, net::ReplyWriter& out) {
  net::HttpReply reply{.status = 200, .body = request.target};
  co_await out.send(std::move(reply));
}

TEST(Mounts, TakeEverythingBelowTheirPrefixUnauthenticated) {
  ApiServerOptions options;
  options.mounts["/v1alpha1/"] = &answer_with_a_word;
  ApiServerHarness api(std::move(options));
  api.token.clear();
  EXPECT_EQ(api.get("/v1alpha1/rotations?x=y").body, "/v1alpha1/rotations?x=y");
}

TEST(Mounts, EndWhereANameEnds) {
  ApiServerOptions options;
  options.mounts["/metrics"] = &answer_with_a_word;
  options.mounts["/v1alpha1/"] = &answer_with_a_word;
  ApiServerHarness api(std::move(options));
  for (const char* mounted : {"/metrics", "/metrics?x=y", "/metrics/x"}) EXPECT_EQ(api.get(mounted).body, mounted);
  for (const char* other : {"/metricsfoo", "/metricsfoo/x", "/metric", "/v1alpha1", "/v1alpha12/x", "/x?/metrics"})
    EXPECT_EQ(api.get(other).status, 404) << other;
}

constexpr const char* browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

TEST(Page, IsForBrowsersThatAskForTheRoot) {
  ApiServerOptions options;
  options.page = &answer_with_a_word;
  ApiServerHarness api(std::move(options));
  EXPECT_TRUE(api.get("/", "application/json, */*").json().contains("paths"));
  EXPECT_TRUE(api.get("/").json().contains("paths"));
  EXPECT_TRUE(api.get("/version", browser).json().contains("gitVersion"));
  EXPECT_EQ(api.call("POST", "/", {}, {{"Accept", browser}}).status, 405);
  api.token.clear();
  EXPECT_EQ(api.get("/", browser).body, "/");
  EXPECT_EQ(api.get("/?namespace=a", "application/json, text/html;q=0.5").body, "/?namespace=a");
}

TEST(Page, IsTheListOfPathsWhereThereIsNone) {
  ApiServerHarness api;
  EXPECT_TRUE(api.get("/", browser).json().contains("paths"));
}

}  // namespace
}  // namespace keyturn::embedded
