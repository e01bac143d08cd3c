#include <gtest/gtest.h>

#include "tests/unit/sim/simulated_cloud.h"

namespace keyturn::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class VaultServiceTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(sim_.seed(plain_seed), ""); }
  Reply put(const std::string& name, const std::string& value) {
    return sim_.vault("PUT", "/secrets/" + name + "?api-version=7.4", R"({"value":")" + value + R"("})");
  }
  SimulatedCloud sim_;
};

TEST_F(VaultServiceTest, EchoesTheValueOfASetInTheShapeOfTheSpecification) {  // KV-S4, SIM-6
  const Reply reply = sim_.vault("PUT", "/secrets/crpsecret?api-version=7.4",
                                 R"({"value":"a\"b","tags":{"t":"1"},"contentType":"text/plain","attributes":{"exp":1800000000}})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text_at("/value"), "a\"b");
  EXPECT_TRUE(reply.text_at("/id").starts_with("https://main.vault.azure.net/secrets/crpsecret/"));
  EXPECT_EQ(reply.text_at("/contentType"), "text/plain");
  EXPECT_EQ(reply.text_at("/tags/t"), "1");
  EXPECT_EQ(reply.at("/attributes/enabled").as_bool(), true);
  EXPECT_EQ(reply.at("/attributes/exp").as_int64(), 1800000000);
  EXPECT_EQ(reply.text_at("/attributes/recoveryLevel"), "Recoverable+Purgeable");
}

TEST_F(VaultServiceTest, ReadsWithATrailingSlashAndByVersion) {
  const Reply latest = sim_.vault("GET", "/secrets/redis/?api-version=7.4");
  EXPECT_EQ(latest.text_at("/value"), "first");
  EXPECT_EQ(sim_.vault("GET", "/secrets/redis/" + version_of(latest) + "?api-version=7.4").text_at("/value"), "first");
}

TEST_F(VaultServiceTest, ShowsNoValueInAPatchAListingOrADeletion) {
  for (const Reply& reply :
       {sim_.vault("PATCH", "/secrets/redis?api-version=7.4", R"({"tags":{"a":"b"}})"), sim_.vault("GET", "/secrets?api-version=7.4"),
        sim_.vault("GET", "/secrets/redis/versions?api-version=7.4"), sim_.vault("DELETE", "/secrets/redis?api-version=7.4")}) {
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.text.find("first"), std::string::npos);
  }
}

TEST_F(VaultServiceTest, LinksPagesWithAPortAndAnUnescapedToken) {  // KV-S2
  for (int i = 0; i < 30; ++i) put("redis", "v");
  Reply page = sim_.vault("GET", "/secrets/redis/versions?api-version=7.4");
  EXPECT_EQ(page.at("/value").as_array().size(), 25U);
  const std::string link = page.text_at("/nextLink");
  EXPECT_TRUE(link.starts_with("https://main.vault.azure.net:443/secrets/redis/versions?api-version=7.4&$skiptoken=")) << link;
  page = sim_.vault("GET", link.substr(link.find("/secrets")));
  EXPECT_EQ(page.at("/value").as_array().size(), 6U);
  EXPECT_TRUE(page.at("/nextLink").is_null());
}

TEST_F(VaultServiceTest, LinksToThePortTheCallerUsed) {  // KV-S2
  put("redis", "second");
  const Reply page = sim_.send("GET", "main.vault.azure.net:9443", "/secrets/redis/versions?api-version=7.4&maxresults=1", "",
                               sim_.token("https://vault.azure.net"));
  EXPECT_TRUE(page.text_at("/nextLink").starts_with("https://main.vault.azure.net:9443/")) << page.text;
  EXPECT_TRUE(page.text_at("/nextLink").ends_with("&maxresults=1"));
}

TEST_F(VaultServiceTest, RefusesPageSizesOutside1To25) {  // KV-S2
  for (const char* size : {"0", "26", "-1", "many", ""}) {
    const Reply reply = sim_.vault("GET", std::string("/secrets?api-version=7.4&maxresults=") + size);
    EXPECT_EQ(reply.status, 400) << size;
    EXPECT_EQ(reply.error_code(), "BadParameter");
  }
  EXPECT_EQ(sim_.vault("GET", "/secrets?api-version=7.4&$skiptoken=garbage").status, 400);
}

TEST_F(VaultServiceTest, CanBeginAListingWithAnEmptyPageThatHasALink) {  // KV-S2
  ASSERT_EQ(sim_.seed(R"({"vaults":[{"name":"odd","emptyFirstPage":true,"idsWithPort":true,"secrets":[{"name":"a","value":"x"}]}]})"), "");
  const std::string token = sim_.token("https://vault.azure.net");
  const Reply first = sim_.send("GET", "odd.vault.azure.net", "/secrets?api-version=7.4", "", token);
  EXPECT_TRUE(first.at("/value").as_array().empty());
  const std::string link = first.text_at("/nextLink");
  const Reply second = sim_.send("GET", "odd.vault.azure.net", link.substr(link.find("/secrets")), "", token);
  ASSERT_EQ(second.at("/value").as_array().size(), 1U);
  EXPECT_EQ(second.text_at("/value/0/id"), "https://odd.vault.azure.net:443/secrets/a");  // KV-S3
}

TEST_F(VaultServiceTest, ChallengesARequestWithoutToken) {  // KV-S5
  const Reply reply = sim_.send("GET", "main.vault.azure.net", "/secrets/redis?api-version=7.4", "", "");
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.error_code(), "Unauthorized");
  EXPECT_EQ(reply.header("WWW-Authenticate"), "Bearer authorization=\"https://login.microsoftonline.com/" + std::string(default_tenant) +
                                                  "\", resource=\"https://vault.azure.net\"");
}

TEST_F(VaultServiceTest, RefusesTokensThatAreUnknownExpiredForeignOrForArm) {  // KV-S5
  const auto status = [&](const std::string& token) {
    return sim_.send("GET", "main.vault.azure.net", "/secrets/redis?api-version=7.4", "", token).status;
  };
  const std::string good = sim_.token("https://vault.azure.net");
  EXPECT_EQ(status(good), 200);
  EXPECT_EQ(status("garbage"), 401);
  EXPECT_EQ(status(sim_.token("https://management.azure.com")), 401);
  EXPECT_EQ(status(sim_.token("https://vault.azure.net", "keyturn", "another-tenant")), 401);
  sim_.advance(seconds(3599));
  EXPECT_EQ(status(good), 401);
}

TEST_F(VaultServiceTest, AsksForNewClaimsOnceSessionsWereRevoked) {  // KV-S5
  const std::string token = sim_.token("https://vault.azure.net");
  EXPECT_EQ(sim_.admin("POST", "/admin/principals/keyturn/revoke").status, 200);
  const Reply reply = sim_.send("GET", "main.vault.azure.net", "/secrets/redis?api-version=7.4", "", token);
  EXPECT_EQ(reply.status, 401);
  EXPECT_NE(reply.header("WWW-Authenticate").find("error=\"insufficient_claims\", claims=\""), std::string::npos);
  sim_.advance(seconds(1));
  EXPECT_EQ(sim_.vault("GET", "/secrets/redis?api-version=7.4").status, 200);
}

TEST_F(VaultServiceTest, ThrottlesSetsByTheBudgetOfTenSecondsWithoutCountingRefusedCalls) {  // KV-S6
  ASSERT_EQ(sim_.seed(R"({"vaults":[{"name":"small","createsPer10Seconds":2,"retryAfterSeconds":7}]})"), "");
  const std::string token = sim_.token("https://vault.azure.net");
  const auto set = [&] { return sim_.send("PUT", "small.vault.azure.net", "/secrets/a?api-version=7.4", R"({"value":"x"})", token); };
  EXPECT_EQ(set().status, 200);
  sim_.advance(seconds(9));
  EXPECT_EQ(set().status, 200);
  const Reply refused = set();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "7");
  EXPECT_EQ(sim_.send("GET", "small.vault.azure.net", "/secrets/a?api-version=7.4", "", token).status, 200);
  sim_.advance(seconds(1));
  EXPECT_EQ(set().status, 200);
  EXPECT_EQ(set().status, 429);
}

TEST_F(VaultServiceTest, DoesNotPromiseRetryAfter) {  // KV-S6
  ASSERT_EQ(sim_.seed(R"({"vaults":[{"name":"small","othersPer10Seconds":0}]})"), "");
  const Reply refused = sim_.send("GET", "small.vault.azure.net", "/secrets?api-version=7.4", "", sim_.token("https://vault.azure.net"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "");
}

TEST_F(VaultServiceTest, DeletesRecoversAndPurgesOverItsRoutes) {  // KV-S8
  const Reply deleted = sim_.vault("DELETE", "/secrets/redis?api-version=7.4");
  EXPECT_EQ(deleted.status, 200);
  EXPECT_EQ(deleted.text_at("/recoveryId"), "https://main.vault.azure.net/deletedsecrets/redis");
  EXPECT_EQ(sim_.vault("GET", "/deletedsecrets/redis?api-version=7.4").status, 404);
  EXPECT_EQ(sim_.vault("GET", "/secrets/redis?api-version=7.4").error_code(), "SecretNotFound");
  EXPECT_EQ(put("redis", "x").status, 409);
  sim_.advance(seconds(5));
  EXPECT_EQ(sim_.vault("GET", "/deletedsecrets/redis?api-version=7.4").status, 200);
  EXPECT_EQ(sim_.vault("GET", "/deletedsecrets?api-version=7.4").at("/value").as_array().size(), 1U);
  EXPECT_EQ(sim_.vault("POST", "/deletedsecrets/redis/recover?api-version=7.4").status, 200);
  sim_.advance(seconds(5));
  EXPECT_EQ(sim_.vault("GET", "/secrets/redis?api-version=7.4").status, 200);
  sim_.vault("DELETE", "/secrets/redis?api-version=7.4");
  sim_.advance(seconds(5));
  EXPECT_EQ(sim_.vault("DELETE", "/deletedsecrets/redis?api-version=7.4").status, 204);
}

TEST_F(VaultServiceTest, SaysWhyAccessIsForbiddenBySubCode) {  // KV-S9
  ASSERT_EQ(
      sim_.seed(R"({"vaults":[{"name":"rbac","defaultActions":[]},{"name":"policy","defaultActions":[],"authorization":"AccessPolicy"},
                                    {"name":"walled","network":"Firewall"},{"name":"private","network":"Connection"}]})"),
      "");
  const auto inner = [&](const std::string& vault) {
    return sim_.send("GET", vault + ".vault.azure.net", "/secrets/a?api-version=7.4", "", sim_.token("https://vault.azure.net"))
        .inner_code();
  };
  EXPECT_EQ(inner("rbac"), "ForbiddenByRbac");
  EXPECT_EQ(inner("policy"), "AccessDenied");
  EXPECT_EQ(inner("walled"), "ForbiddenByFirewall");
  EXPECT_EQ(inner("private"), "ForbiddenByConnection");
}

TEST_F(VaultServiceTest, LetsAGrantTakeEffectLaterAndARevocationAtOnce) {  // KV-S9
  const std::string token = sim_.token("https://vault.azure.net");
  const auto status = [&] { return sim_.send("GET", "main.vault.azure.net", "/secrets/redis?api-version=7.4", "", token).status; };
  EXPECT_EQ(sim_.admin("POST", "/admin/grants", R"({"principal":"keyturn","vault":"main","actions":[]})").status, 200);
  EXPECT_EQ(status(), 403);
  EXPECT_EQ(
      sim_.admin("POST", "/admin/grants", R"({"principal":"keyturn","vault":"main","actions":["get"],"effectiveAfterSeconds":84})").status,
      200);
  sim_.advance(seconds(83));
  EXPECT_EQ(status(), 403);
  sim_.advance(seconds(1));
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(
      sim_.admin("POST", "/admin/grants", R"({"principal":"keyturn","vault":"main","actions":["get","set"],"effectiveAfterSeconds":84})")
          .status,
      200);
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(sim_.admin("POST", "/admin/grants", R"({"principal":"keyturn","vault":"main","actions":["set"]})").status, 200);
  EXPECT_EQ(status(), 403);
}

TEST_F(VaultServiceTest, NeedsSetForAPatch) {  // KV-S9
  sim_.admin("POST", "/admin/grants", R"({"principal":"keyturn","vault":"main","actions":["get","list"]})");
  EXPECT_EQ(sim_.vault("PATCH", "/secrets/redis?api-version=7.4", R"({"tags":{}})").status, 403);
}

TEST_F(VaultServiceTest, DemandsAnApiVersion) {  // KV-S10, SIM-3
  const Reply reply = sim_.vault("GET", "/secrets/redis");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.error_code(), "BadParameter");
}

TEST_F(VaultServiceTest, RefusesBodiesItCannotUse) {  // SIM-3
  for (const char* body : {"", "{", "[]", "{}", R"({"value":1})", R"({"value":"x","tags":[]})", R"({"value":"x","tags":{"a":1}})",
                           R"({"value":"x","attributes":3})", R"({"value":"x","attributes":{"enabled":"yes"}})",
                           R"({"value":"x","attributes":{"exp":"soon"}})", R"({"value":"x","contentType":1})"}) {
    EXPECT_EQ(sim_.vault("PUT", "/secrets/redis?api-version=7.4", body).status, 400) << body;
  }
  EXPECT_EQ(sim_.vault("GET", "/secrets/redis/versions?api-version=7.4").at("/value").as_array().size(), 1U);
}

TEST_F(VaultServiceTest, AnswersNotFoundForRoutesAndVaultsItDoesNotHave) {
  EXPECT_EQ(sim_.vault("POST", "/secrets/redis?api-version=7.4").status, 404);
  EXPECT_EQ(sim_.vault("GET", "/keys/redis?api-version=7.4").status, 404);
  EXPECT_EQ(sim_.send("GET", "other.vault.azure.net", "/secrets/a?api-version=7.4", "", sim_.token("https://vault.azure.net")).status, 404);
}

}  // namespace
}  // namespace keyturn::sim
