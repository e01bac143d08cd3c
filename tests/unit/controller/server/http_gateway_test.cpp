#include "controller/server/http_gateway.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/hash.h"
#include "controller/server/dashboard.h"
#include "tests/unit/controller/server/fixtures.h"

namespace keyturn {
namespace {

const ObjectKey redis{"erp-dev", "erp-redis"};

// Keeps what a handler replies.
class KeptReply final : public net::ReplyWriter {
 public:
  Awaitable<bool> send(net::HttpReply reply) override {
    status = reply.status;
    headers = std::move(reply.headers);
    body = std::move(reply.body);
    co_return true;
  }
  Awaitable<bool> begin(int begun_status, net::Headers begun_headers) override {
    status = begun_status;
    headers = std::move(begun_headers);
    co_return true;
  }
  Awaitable<bool> write(std::string_view chunk) override {
    if (!gone) body += chunk;
    co_return !gone;
  }
  bool begun() const noexcept override { return status != 0; }
  bool peer_gone() noexcept override { return gone; }
  void drop() noexcept override { gone = true; }

  std::vector<boost::json::value> lines() const {
    std::vector<boost::json::value> values;
    std::istringstream text(body);
    for (std::string line; std::getline(text, line);)
      if (!line.empty()) values.push_back(boost::json::parse(line));
    return values;
  }

  int status = 0;
  net::Headers headers;
  std::string body;
  bool gone = false;
};

Task<std::string> some_metrics(Context) { co_return std::string("keyturn_rotation_overdue 0\n"); }

struct HttpGatewayTest : testing::Test, StoreFixture {
  FakeTokens tokens;
  HttpGateway gateway{io.get_executor(), clock, queries, tokens, some_metrics, {.watches_max = 1}};

  net::HttpRequest request(const std::string& target, const std::string& token) {
    net::HttpRequest made;
    made.target = target;
    if (!token.empty()) made.headers.set("Authorization", "Bearer " + token);
    return made;
  }
  KeptReply get(const std::string& target, const std::string& token = "token-of-ann", const std::string& method = "GET") {
    KeptReply reply;
    net::HttpRequest made = request(target, token);
    made.method = method;
    wait(gateway.handle(made, {}, reply));
    return reply;
  }
};

TEST_F(HttpGatewayTest, ListsRotationsInProtobufsJson) {
  add(a_rotation(redis));
  const KeptReply reply = get("/v1alpha1/rotations");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.find("Content-Type"), "application/json");
  const boost::json::value list = boost::json::parse(reply.body);
  EXPECT_EQ(list.at("resourceVersion").as_string(), std::to_string(store.version()));
  const boost::json::value& rotation = list.at("rotations").at(0);
  EXPECT_EQ(rotation.at("namespace").as_string(), "erp-dev");
  EXPECT_EQ(rotation.at("wantedRevision").as_string(), "2026-q4");
  EXPECT_EQ(rotation.at("generation").as_string(), "3");  // protobuf's mapping writes 64-bit numbers as text
  EXPECT_EQ(rotation.at("suspended").as_bool(), false);
  EXPECT_EQ(rotation.at("current").at("activatedAt").as_string(), "2026-11-22T10:00:00Z");
  EXPECT_EQ(rotation.at("consumers").at(0).at("using").as_string(), "2026-q4.1");
}

TEST_F(HttpGatewayTest, AListOfAllShowsWhatTheCallerMayRead) {
  add(a_rotation(redis));
  add(a_rotation({"erp-stage", "erp-redis"}));
  EXPECT_EQ(boost::json::parse(get("/v1alpha1/rotations").body).at("rotations").as_array().size(), 2U);
  const KeptReply bobs = get("/v1alpha1/rotations", "token-of-bob");
  EXPECT_EQ(bobs.status, 200);
  EXPECT_EQ(boost::json::parse(bobs.body).at("rotations").as_array().size(), 1U);
}

TEST_F(HttpGatewayTest, ANamespaceCanBeAPathOrAParameter) {
  add(a_rotation(redis));
  add(a_rotation({"erp-stage", "erp-redis"}));
  for (const char* target : {"/v1alpha1/namespaces/erp-stage/rotations", "/v1alpha1/rotations?namespace=erp-stage"}) {
    const boost::json::value list = boost::json::parse(get(target).body);
    ASSERT_EQ(list.at("rotations").as_array().size(), 1U) << target;
    EXPECT_EQ(list.at("rotations").at(0).at("namespace").as_string(), "erp-stage") << target;
  }
}

TEST_F(HttpGatewayTest, AnswersForOneRotation) {
  add(a_rotation(redis));
  add(a_run(redis, 1, noon - std::chrono::hours(2)));
  add(a_run(redis, 2, noon - std::chrono::hours(1)));
  const std::string path = "/v1alpha1/namespaces/erp-dev/rotations/erp-redis";
  EXPECT_EQ(boost::json::parse(get(path).body).at("name").as_string(), "erp-redis");
  const boost::json::value history = boost::json::parse(get(path + "/history").body);
  ASSERT_EQ(history.at("runs").as_array().size(), 2U);
  EXPECT_EQ(history.at("runs").at(0).at("credential").as_string(), "2026-q4.2");
  EXPECT_EQ(boost::json::parse(get(path + "/history?limit=1").body).at("runs").as_array().size(), 1U);
  const boost::json::value plan = boost::json::parse(get(path + "/plan").body);
  EXPECT_EQ(plan.at("decision").as_string(), "Mint");
  EXPECT_EQ(plan.at("unsafeWindow").as_string(), "0.250s");
  EXPECT_EQ(plan.at("hazards").at(0).at("severity").as_string(), "Warning");
}

TEST_F(HttpGatewayTest, VerifiesTheRecordsOfOneRotation) {
  const std::vector<api::RotationRun> runs = a_chain(redis, 3);
  add(a_rotation_that_notes(runs));
  for (const api::RotationRun& run : runs) add(run);
  const std::string path = "/v1alpha1/namespaces/erp-dev/rotations/erp-redis/verify";
  const boost::json::value intact = boost::json::parse(get(path).body);
  EXPECT_TRUE(intact.at("intact").as_bool());
  EXPECT_EQ(intact.at("records").as_string(), "3");
  EXPECT_EQ(intact.at("head").as_string(), runs.back().status.record_hash);
  EXPECT_EQ(intact.at("noted").at("hash").as_string(), runs.back().status.record_hash);
  EXPECT_TRUE(intact.at("findings").as_array().empty());
  const std::string unknown = "sha256:" + std::string(64, '0');
  const boost::json::value found = boost::json::parse(get(path + "?anchor=" + unknown).body);
  EXPECT_FALSE(found.at("intact").as_bool());
  EXPECT_EQ(found.at("findings").at(0).at("kind").as_string(), "Truncated");
}

TEST_F(HttpGatewayTest, AnEmptyListIsAListAndNotNothing) {
  EXPECT_EQ(boost::json::parse(get("/v1alpha1/rotations").body).at("rotations").as_array().size(), 0U);
}

TEST_F(HttpGatewayTest, SaysNoWithTheRightStatusCodeAndWord) {
  struct Case {
    const char* target;
    const char* token;
    int status;
    const char* code;
  };
  const Case cases[] = {
      {"/v1alpha1/rotations", "", 401, "UNAUTHENTICATED"},
      {"/v1alpha1/rotations", "stolen", 401, "UNAUTHENTICATED"},
      {"/v1alpha1/nonsense", "", 401, "UNAUTHENTICATED"},
      {"/metrics", "", 401, "UNAUTHENTICATED"},
      {"/metrics", "token-of-bob", 403, "PERMISSION_DENIED"},
      {"/v1alpha1/namespaces/erp-stage/rotations", "token-of-bob", 403, "PERMISSION_DENIED"},
      {"/v1alpha1/namespaces/erp-stage/rotations:watch", "token-of-bob", 403, "PERMISSION_DENIED"},
      {"/v1alpha1/rotations?namespace=erp-stage", "token-of-bob", 403, "PERMISSION_DENIED"},
      {"/v1alpha1/namespaces/erp-stage/rotations/x", "token-of-bob", 403, "PERMISSION_DENIED"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/plan", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/history", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/verify", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/namespaces/erp-stage/rotations/x/verify", "token-of-bob", 403, "PERMISSION_DENIED"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/verify?anchor=sha256:12", "token-of-ann", 400, "INVALID_ARGUMENT"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/plan?anchor=", "token-of-ann", 400, "INVALID_ARGUMENT"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/y", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/namespaces/erp-dev/rotations/", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/namespaces//rotations/x", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/namespaces/%zz/rotations/x", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/rotations/x", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/", "token-of-ann", 404, "NOT_FOUND"},
      {"/elsewhere", "token-of-ann", 404, "NOT_FOUND"},
      {"/v1alpha1/rotations?nmespace=erp-dev", "token-of-ann", 400, "INVALID_ARGUMENT"},
      {"/v1alpha1/rotations?namespace=%zz", "token-of-ann", 400, "INVALID_ARGUMENT"},
      {"/v1alpha1/namespaces/erp-dev/rotations?namespace=erp-stage", "token-of-ann", 400, "INVALID_ARGUMENT"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/history?limit=-1", "token-of-ann", 400, "INVALID_ARGUMENT"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/history?limit=1x", "token-of-ann", 400, "INVALID_ARGUMENT"},
      {"/v1alpha1/namespaces/erp-dev/rotations/x/history?limit=", "token-of-ann", 400, "INVALID_ARGUMENT"},
  };
  for (const Case& c : cases) {
    const KeptReply reply = get(c.target, c.token);
    EXPECT_EQ(reply.status, c.status) << c.target;
    const boost::json::value body = boost::json::parse(reply.body);
    EXPECT_EQ(body.at("code").as_string(), c.code) << c.target;
    EXPECT_FALSE(body.at("message").as_string().empty()) << c.target;
  }
  EXPECT_EQ(get("/v1alpha1/rotations", "").headers.find("WWW-Authenticate"), "Bearer");
}

TEST_F(HttpGatewayTest, OnlyReads) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "HEAD"}) {
    const KeptReply reply = get("/v1alpha1/rotations", "token-of-ann", method);
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_EQ(reply.headers.find("Allow"), "GET") << method;
  }
}

TEST_F(HttpGatewayTest, TakesATokenThatTheServerKeptOutOfTheHeaders) {
  KeptReply reply;
  net::HttpRequest made = request("/v1alpha1/rotations", "");
  made.bearer = std::make_shared<const Secret>(Secret::copy_of("token-of-ann"));
  wait(gateway.handle(made, {}, reply));
  EXPECT_EQ(reply.status, 200);
}

TEST_F(HttpGatewayTest, ServesMetricsAsText) {
  const KeptReply reply = get("/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.find("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(reply.body, "keyturn_rotation_overdue 0\n");
}

TEST_F(HttpGatewayTest, AWatchWritesWhatThereIsAndThenEachChange) {
  add(a_rotation(redis));
  KeptReply reply;
  auto watching = start(io, gateway.handle(request("/v1alpha1/rotations:watch", "token-of-ann"), {}, reply));
  run_ready(io);
  EXPECT_EQ(reply.status, 200);
  ASSERT_EQ(reply.lines().size(), 1U);
  EXPECT_EQ(reply.lines()[0].at("type").as_string(), "ADDED");
  EXPECT_EQ(reply.lines()[0].at("rotation").at("name").as_string(), "erp-redis");

  add(a_rotation({"erp-stage", "erp-redis"}));
  run_ready(io);
  ASSERT_EQ(reply.lines().size(), 2U);
  EXPECT_EQ(reply.lines()[1].at("rotation").at("namespace").as_string(), "erp-stage");

  reply.gone = true;
  run_until(io, clock, [&watching] { return watching.done(); });
}

TEST_F(HttpGatewayTest, AWatchOfAllIsSilentAboutWhatTheCallerMayNotRead) {
  add(a_rotation({"erp-stage", "erp-redis"}));
  add(a_rotation(redis));
  KeptReply reply;
  auto watching = start(io, gateway.handle(request("/v1alpha1/rotations:watch", "token-of-bob"), {}, reply));
  run_ready(io);
  ASSERT_EQ(reply.lines().size(), 1U);
  EXPECT_EQ(reply.lines()[0].at("rotation").at("namespace").as_string(), "erp-dev");
  reply.gone = true;
  run_until(io, clock, [&watching] { return watching.done(); });
}

TEST_F(HttpGatewayTest, AnIdleWatchSaysFromTimeToTimeThatItIsThere) {
  KeptReply reply;
  auto watching = start(io, gateway.handle(request("/v1alpha1/rotations:watch", "token-of-ann"), {}, reply));
  run_for(io, clock, std::chrono::minutes(2));
  EXPECT_FALSE(watching.done());
  EXPECT_GE(reply.body.size(), 3U);
  EXPECT_EQ(reply.body.find_first_not_of('\n'), std::string::npos);
  reply.gone = true;
  run_until(io, clock, [&watching] { return watching.done(); });
}

TEST_F(HttpGatewayTest, AWatchEndsWithItsStore) {
  KeptReply reply;
  auto watching = start(io, gateway.handle(request("/v1alpha1/rotations:watch", "token-of-ann"), {}, reply));
  run_ready(io);
  store.close_watches();
  run_ready(io);
  EXPECT_TRUE(watching.done());
}

TEST_F(HttpGatewayTest, WatchesAreCountedAndOneTooManyIsRefused) {
  KeptReply first;
  auto watching = start(io, gateway.handle(request("/v1alpha1/rotations:watch", "token-of-ann"), {}, first));
  run_ready(io);
  const KeptReply second = get("/v1alpha1/rotations:watch");
  EXPECT_EQ(second.status, 429);
  EXPECT_EQ(second.headers.find("Retry-After"), "1");
  first.gone = true;
  run_until(io, clock, [&watching] { return watching.done(); });
  KeptReply third;
  auto again = start(io, gateway.handle(request("/v1alpha1/rotations:watch", "token-of-ann"), {}, third));
  run_ready(io);
  EXPECT_EQ(third.status, 200);
  third.gone = true;
  run_until(io, clock, [&again] { return again.done(); });
}

TEST_F(HttpGatewayTest, KnowsItsPaths) {
  for (const char* target : {"/", "/metrics", "/v1alpha1/rotations", "/v1alpha1/rotations?namespace=x"})
    EXPECT_TRUE(HttpGateway::serves(target)) << target;
  for (const char* target : {"/apis", "/metrics/x", "/v1alpha11/rotations", "/v1alpha1"})
    EXPECT_FALSE(HttpGateway::serves(target)) << target;
}

TEST_F(HttpGatewayTest, ThePageHoldsNoDataAndRunsNothingButItsOwnScript) {
  add(a_rotation(redis));
  const KeptReply reply = get("/", "");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body.find("erp-redis"), std::string::npos);
  EXPECT_EQ(reply.body.find("http://"), std::string::npos);
  EXPECT_EQ(reply.body.find("https://"), std::string::npos);
  EXPECT_EQ(reply.body.find("innerHTML"), std::string::npos);
  const std::string policy(reply.headers.find("Content-Security-Policy").value_or(""));
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  // The policy names exactly the script and the style that the page has.
  for (const auto& [open, close] : {std::pair<std::string, std::string>{"<script>", "</script>"}, {"<style>", "</style>"}}) {
    const std::size_t begin = reply.body.find(open) + open.size();
    const Sha256 digest = sha256(std::string_view(reply.body).substr(begin, reply.body.find(close) - begin));
    const std::string source = "'sha256-" + to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "'";
    EXPECT_NE(policy.find(source), std::string::npos) << open;
  }
}

}  // namespace
}  // namespace keyturn
