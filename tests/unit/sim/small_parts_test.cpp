#include <gtest/gtest.h>

#include "sim/access.h"
#include "sim/agenda.h"
#include "sim/apps/merge_patch.h"
#include "sim/http_date.h"
#include "sim/journal.h"
#include "sim/request.h"
#include "sim/vault/vaults.h"
#include "tests/support/seeded_random.h"
#include "tests/unit/sim/simulated_cloud.h"

namespace keyturn::sim {
namespace {

using std::chrono::seconds;

constexpr Instant start{std::chrono::days(20'000)};

TEST(Agenda, RunsWhatIsDueInOrderAtItsOwnTimeIncludingWhatIsAddedMeanwhile) {
  Agenda agenda;
  std::vector<std::pair<std::string, Instant>> ran;
  agenda.at(start + seconds(2), [&](Instant at) { ran.emplace_back("second", at); });
  agenda.at(start + seconds(1), [&](Instant at) {
    ran.emplace_back("first", at);
    agenda.at(start + seconds(1), [&](Instant added) { ran.emplace_back("added", added); });
  });
  agenda.at(start + seconds(9), [&](Instant at) { ran.emplace_back("later", at); });
  agenda.run_until(start + seconds(5));
  using Ran = std::pair<std::string, Instant>;
  EXPECT_EQ(ran, (std::vector{Ran{"first", start + seconds(1)}, Ran{"added", start + seconds(1)}, Ran{"second", start + seconds(2)}}));
  EXPECT_EQ(agenda.size(), 1U);
}

TEST(MergePatch, MergesObjectsReplacesArraysAndRemovesByNull) {
  boost::json::value target = boost::json::parse(R"({"a":{"b":1,"c":[1,2]},"d":3})");
  apply_merge_patch(target, boost::json::parse(R"({"a":{"c":[9]},"d":null,"e":{"f":null,"g":1}})"));
  EXPECT_EQ(target, boost::json::parse(R"({"a":{"b":1,"c":[9]},"e":{"g":1}})"));
}

TEST(Access, KeepsWhatAPrincipalHadUntilTheNewGrantIsEffective) {
  Access access({"get"});
  EXPECT_TRUE(access.allows("p", "get", start));
  access.grant("p", {"get"}, start, start);
  access.grant("p", {"get", "set"}, start, start + seconds(10));
  EXPECT_TRUE(access.allows("p", "get", start));
  EXPECT_FALSE(access.allows("p", "set", start + seconds(9)));
  EXPECT_TRUE(access.allows("p", "set", start + seconds(10)));
}

TEST(HttpDate, IsWrittenAsRfc9110Wants) { EXPECT_EQ(http_date(Instant(seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT"); }

TEST(ReadRequest, TakesThePathApartAndMovesSecretsOutOfTheMessage) {
  net::HttpRequest http = SimulatedCloud::make_request("PUT", "h", "/secrets/a%20b/?API-Version=7.4&x=a%2Bb+c", "body", "token", {});
  const auto request = read_request(http);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->segments, (std::vector<std::string>{"secrets", "a b"}));
  EXPECT_EQ(request->query_or("api-version", ""), "7.4");
  EXPECT_EQ(request->query_or("x", ""), "a+b+c");
  EXPECT_TRUE(request->bearer.equals(Secret::copy_of("token")));
  EXPECT_TRUE(request->body.equals(Secret::copy_of("body")));
  EXPECT_TRUE(http.body.empty());
  EXPECT_FALSE(http.headers.find("Authorization"));
}

TEST(ReadRequest, RefusesTargetsThatAreNotWellEncoded) {
  for (const char* target : {"/%zz", "/a?b=%g1"}) {
    net::HttpRequest http = SimulatedCloud::make_request("GET", "h", target, "", "", {});
    EXPECT_FALSE(read_request(http)) << target;
  }
}

TEST(Vaults, FindTheVaultOfAReferenceByHostAndByPort) {
  SeededRandom random(1);
  Vaults vaults(random, 1);
  vaults.listens("Main", 8445);
  vaults.ensure("Main").vault.set("s", {.value = Secret::copy_of("v"), .content_type = "", .tags = {}, .attributes = {}}, start);
  EXPECT_EQ(vaults.origin("main"), "https://localhost:8445");
  for (const char* url :
       {"https://main.vault.azure.net/secrets/s", "https://MAIN.vault.azure.net:443/secrets/s/", "https://localhost:8445/secrets/s"}) {
    EXPECT_TRUE(vaults.read(url, "p", start)) << url;
  }
  for (const char* url : {"http://main.vault.azure.net/secrets/s", "https://other.vault.azure.net/secrets/s",
                          "https://localhost:1/secrets/s", "https://example.com:8445/secrets/s", "https://localhost/secrets/s",
                          "https://main.vault.azure.net/keys/s", "https://main.vault.azure.net/secrets/", "main"}) {
    EXPECT_FALSE(vaults.read(url, "p", start)) << url;
  }
}

TEST(Journal, ForgetsTheOldestEntries) {
  Journal journal;
  for (std::size_t i = 0; i <= Journal::entries_max; ++i) journal.add({});
  EXPECT_EQ(journal.entries().size(), Journal::entries_max);
  EXPECT_EQ(journal.entries().front().sequence, 2U);
}

}  // namespace
}  // namespace keyturn::sim
