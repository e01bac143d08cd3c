#include "reconcilers/azure/key_vault.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/unit/reconcilers/azure/scripted_azure.h"

namespace keyturn {
namespace {

const VersionId v1{"11111111111111111111111111111111"};
const VersionId v2{"22222222222222222222222222222222"};
const VersionId v3{"33333333333333333333333333333333"};

std::string id_of(const VersionId& version, const std::string& host = "https://main.vault.azure.net:443") {
  return host + "/secrets/redis/" + version.value;
}
std::string bundle(const VersionId& version, const std::string& value, const std::string& more = "") {
  return R"({"value":")" + value + R"(","id":")" + id_of(version) + R"(","attributes":{"enabled":true,"created":1493938459})" + more + "}";
}
std::string item(const VersionId& version, bool enabled = true, const std::string& tags = "{}") {
  return R"({"id":")" + id_of(version) + R"(","attributes":{"enabled":)" + (enabled ? "true" : "false") + R"(,"created":1},"tags":)" +
         tags + "}";
}
std::string error(const std::string& code, const std::string& inner = "") {
  return R"({"error":{"code":")" + code + R"(","message":"m","innererror":{"code":")" + inner + R"("}}})";
}
constexpr const char* not_found = R"({"error":{"code":"SecretNotFound","message":"m"}})";

class KeyVault : public ::testing::Test {
 protected:
  Result<SecretVault::Latest> latest() { return azure.run_task(vault.read_latest(azure.context(), "redis")); }
  Result<Secret> read() { return azure.run_task(vault.read(azure.context(), "redis", v1)); }
  Result<std::vector<VaultVersion>> versions() { return azure.run_task(vault.versions(azure.context(), "redis")); }
  Result<VaultVersion> append(const std::string& text = "new", VersionTags tags = {"run-1", 3, "owner-1", {"2026-q1", 2}}) {
    const Secret value = Secret::copy_of(text);
    return azure.run_task(vault.append(azure.context(), "redis", value, std::move(tags)));
  }
  Result<> set_enabled(const VersionId& version, bool enabled) {
    return azure.run_task(vault.set_enabled(azure.context(), "redis", version, enabled));
  }
  // What an append answers when only the write is scripted.
  Result<VaultVersion> append_answered(int status, const std::string& body, net::Headers headers = {}) {
    azure.then(200, bundle(v1, "old"));
    azure.then(status, body, std::move(headers));
    return append();
  }
  ScriptedAzure azure;
  std::shared_ptr<NumberedTokens> issuer = std::make_shared<NumberedTokens>();
  AzureKeyVault vault{azure.http, std::make_shared<TokenSource>(issuer), {azure.origin(), "https://vault.azure.net", "tenant-1"}};
};

TEST_F(KeyVault, TakesTheNewestVersionFromTheAnswerToAVersionlessRead) {
  azure.then(
      200,
      bundle(
          v2, "the value",
          R"(,"tags":{"keyturn-run":"r","keyturn-generation":"7","keyturn-owner":"o","keyturn-revision":"q","keyturn-serial":"4","team":"erp"})"));
  const auto seen = latest();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->facts.latest->id, v2);
  EXPECT_EQ(seen->facts.latest->tags, (VersionTags{"r", 7, "o", {"q", 4}}));
  EXPECT_EQ(seen->facts.refusal, VaultRefusal::None);
  EXPECT_EQ(text_of(seen->value), "the value");
  EXPECT_EQ(azure.seen[0].target, "/secrets/redis?api-version=7.4");
}

TEST_F(KeyVault, ReportsEveryRefusalAsAFact) {
  struct Row {
    int status;
    std::string body;
    VaultRefusal refusal;
  };
  const Row rows[] = {
      {403, error("Forbidden", "SecretDisabled"), VaultRefusal::Disabled},
      {403, R"({"error":{"code":"Forbidden","message":"Operation get is not allowed on a disabled secret."}})", VaultRefusal::Disabled},
      {403, error("Forbidden", "ForbiddenByRbac"), VaultRefusal::Permission},
      {403, error("Forbidden", "AccessDenied"), VaultRefusal::Permission},
      {403, error("Forbidden", "ForbiddenByFirewall"), VaultRefusal::Firewall},
      {403, error("Forbidden", "ForbiddenByConnection"), VaultRefusal::Firewall},
      {403, "<html>", VaultRefusal::Permission},
      {200, bundle(v1, "x", R"(,"managed":true)"), VaultRefusal::Managed},
      {200, bundle(v1, "x", R"(,"kid":"https://main.vault.azure.net/keys/redis/1")"), VaultRefusal::Managed},
  };
  for (const Row& row : rows) {
    azure.then(row.status, row.body);
    const auto seen = latest();
    ASSERT_TRUE(seen) << row.body;
    EXPECT_EQ(seen->facts.refusal, row.refusal) << row.body;
    EXPECT_TRUE(seen->value.empty());
  }
}

TEST_F(KeyVault, TellsASoftDeletedNameFromAMissingOne) {
  azure.then(404, not_found);
  azure.then(200, "{}");
  EXPECT_EQ(latest()->facts.refusal, VaultRefusal::SoftDeleted);
  EXPECT_EQ(azure.seen[1].target, "/deletedsecrets/redis?api-version=7.4");
  azure.then(404, not_found);
  azure.then(404, not_found);
  EXPECT_EQ(latest()->facts.refusal, VaultRefusal::Missing);
  azure.then(404, not_found);
  azure.then(403, error("Forbidden", "ForbiddenByRbac"));
  EXPECT_EQ(latest()->facts.refusal, VaultRefusal::Missing);
}

TEST_F(KeyVault, ReportsFailuresToReadAsErrors) {
  struct Row {
    int status;
    std::string body;
    Errc code;
  };
  const Row rows[] = {{429, "", Errc::Throttled},
                      {500, "", Errc::Unavailable},
                      {503, "<html>", Errc::Unavailable},
                      {404, "<html>", Errc::Unavailable},
                      {200, "<html>", Errc::Unavailable},
                      {200, "{}", Errc::Unavailable},
                      {200, R"({"id":"nonsense","value":"x"})", Errc::Unavailable},
                      {302, "", Errc::Invalid}};
  for (const Row& row : rows) {
    azure.then(row.status, row.body);
    EXPECT_EQ(latest().error().code, row.code) << row.status << row.body;
  }
  azure.otherwise([](const SeenRequest&) { return ScriptedAzure::Answer(); });
  EXPECT_EQ(latest().error().code, Errc::Unavailable);
}

TEST_F(KeyVault, SucceedsAfterOne401AndIsDeniedAfterTwo) {
  azure.then(401, "");
  azure.then(200, bundle(v1, "x"));
  EXPECT_TRUE(latest());
  azure.then(401, "");
  azure.then(401, "");
  EXPECT_EQ(latest().error().code, Errc::Denied);
}

TEST_F(KeyVault, ReadsOneVersion) {
  azure.then(200, bundle(v1, "earlier"));
  EXPECT_EQ(text_of(read().value()), "earlier");
  EXPECT_EQ(azure.seen[0].target, "/secrets/redis/" + v1.value + "?api-version=7.4");
  azure.then(404, not_found);
  EXPECT_EQ(read().error().code, Errc::NotFound);
  azure.then(403, error("Forbidden", "SecretDisabled"));
  EXPECT_EQ(read().error().message, "the secret's version is disabled");
}

TEST_F(KeyVault, RefusesTheValueOfAnotherVersion) {
  azure.then(200, bundle(v2, "other"));
  EXPECT_EQ(read().error().code, Errc::Unavailable);
}

TEST_F(KeyVault, FollowsEveryPageVerbatimAndKeepsTheOrderMeaningless) {
  const std::string next = azure.url("/secrets/redis/versions?api-version=7.4&$skiptoken=eyJ0/+a==&maxresults=25");
  azure.then(200, R"({"value":[],"nextLink":")" + next + "\"}");
  azure.then(200, R"({"value":[)" + item(v1) + "," + item(v2, false) + R"(],"nextLink":")" + next + "2\"}");
  azure.then(200, R"({"value":[)" + item(v3, true, R"({"keyturn-owner":"o","keyturn-generation":"nonsense"})") + R"(],"nextLink":null})");
  const auto all = versions();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_FALSE((*all)[1].enabled);
  EXPECT_EQ((*all)[2].tags.owner, "o");
  EXPECT_EQ((*all)[2].tags.generation, 0);
  EXPECT_EQ(azure.seen[1].target, "/secrets/redis/versions?api-version=7.4&$skiptoken=eyJ0/+a==&maxresults=25");
  EXPECT_EQ(azure.seen[2].authorization, "Bearer token-1");
}

TEST_F(KeyVault, SendsNoTokenToTheHostOfAForeignNextPage) {
  ScriptedAzure foreign;
  azure.then(200, R"({"value":[],"nextLink":")" + foreign.url("/secrets/redis/versions?api-version=7.4") + "\"}");
  EXPECT_EQ(versions().error().code, Errc::Invalid);
  EXPECT_TRUE(foreign.seen.empty());
  azure.then(200, R"({"value":[],"nextLink":"ftp://nowhere"})");
  EXPECT_EQ(versions().error().code, Errc::Invalid);
}

TEST_F(KeyVault, EndsAPagingThatNeverEnds) {
  azure.otherwise([this](const SeenRequest&) { return azure.reply(200, R"({"value":[],"nextLink":")" + azure.url("/again") + "\"}"); });
  EXPECT_EQ(versions().error().code, Errc::Invalid);
  EXPECT_EQ(azure.seen.size(), AzureKeyVault::pages_max);
}

TEST_F(KeyVault, HasNoVersionsOfANameThatDoesNotExist) {
  azure.then(404, not_found);
  EXPECT_TRUE(versions()->empty());
}

TEST_F(KeyVault, AppendsWithOurTagsAndTheForeignOnesOfTheNewest) {
  azure.then(200, bundle(v1, "old", R"(,"contentType":"text/plain","tags":{"team":"erp","keyturn-run":"earlier","keyturn-old":"x"})"));
  azure.then(200, bundle(v2, "new"));
  const auto written = append("a \"quoted\"\nvalue");
  ASSERT_TRUE(written);
  EXPECT_EQ(written->id, v2);
  EXPECT_EQ(written->tags, (VersionTags{"run-1", 3, "owner-1", {"2026-q1", 2}}));
  EXPECT_EQ(azure.seen[1].method, "PUT");
  EXPECT_EQ(azure.seen[1].target, "/secrets/redis?api-version=7.4");
  EXPECT_EQ(boost::json::parse(azure.seen[1].body), boost::json::parse(R"({"value":"a \"quoted\"\nvalue","contentType":"text/plain",
      "tags":{"team":"erp","keyturn-run":"run-1","keyturn-generation":"3","keyturn-owner":"owner-1","keyturn-revision":"2026-q1","keyturn-serial":"2"},
      "attributes":{"enabled":true}})"));
}

TEST_F(KeyVault, AppendsToANameThatDoesNotExistYet) {
  azure.then(404, not_found);
  azure.then(404, not_found);
  azure.then(200, bundle(v1, "new"));
  EXPECT_TRUE(append());
}

TEST_F(KeyVault, AppendsWhenTheNewestIsDisabled) {
  azure.then(403, error("Forbidden", "SecretDisabled"));
  azure.then(200, bundle(v2, "new"));
  EXPECT_TRUE(append());
}

TEST_F(KeyVault, TellsWhatCertainlyWasNotWrittenFromWhatMayBe) {
  EXPECT_EQ(append_answered(400, error("BadParameter")).error().code, Errc::Invalid);
  EXPECT_EQ(append_answered(403, error("Forbidden", "ForbiddenByRbac")).error().code, Errc::Denied);
  EXPECT_EQ(append_answered(403, error("Forbidden", "ForbiddenByFirewall")).error().message,
            "the vault's firewall refuses this controller");
  EXPECT_EQ(append_answered(409, error("Conflict", "ObjectIsDeletedButRecoverable")).error().code, Errc::Conflict);
  EXPECT_EQ(append_answered(429, "", {{"Retry-After", "5"}}).error().retry_after, Duration{5'000});
  for (const int status : {408, 500, 502, 503, 504}) EXPECT_EQ(append_answered(status, "").error().code, Errc::OutcomeUnknown) << status;
  for (const char* body : {"", "{}", "<html>", R"({"id":"https://x/secrets/redis"})"})
    EXPECT_EQ(append_answered(200, body).error().code, Errc::OutcomeUnknown) << body;
  azure.then(200, bundle(v1, "old"));
  azure.then_close();
  EXPECT_EQ(append().error().code, Errc::OutcomeUnknown);
}

TEST_F(KeyVault, HasNotWrittenWhenTheReadBeforeTheWriteFails) {
  for (const int status : {500, 503}) {
    azure.then(status, "");
    EXPECT_EQ(append().error().code, Errc::Unavailable);
  }
  azure.then(429, "");
  EXPECT_EQ(append().error().code, Errc::Throttled);
  for (const SeenRequest& request : azure.seen) EXPECT_EQ(request.method, "GET");
}

TEST_F(KeyVault, NeverWritesASecretThatBelongsToACertificate) {
  azure.then(200, bundle(v1, "x", R"(,"managed":true)"));
  EXPECT_EQ(append().error().code, Errc::Invalid);
  EXPECT_EQ(azure.seen.size(), 1u);
}

TEST_F(KeyVault, NeverWritesToADeletedName) {
  azure.then(404, not_found);
  azure.then(200, "{}");
  EXPECT_EQ(append().error().code, Errc::Conflict);
  EXPECT_EQ(azure.seen.size(), 2u);
}

TEST_F(KeyVault, KeepsToTheLimitsOfTagsAndValues) {
  std::string foreign;
  for (int i = 0; i < 11; ++i) foreign += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\":\"x\"";
  azure.then(200, bundle(v1, "x", ",\"tags\":{" + foreign + "}"));
  EXPECT_EQ(append().error().code, Errc::Invalid);
  azure.then(200, bundle(v1, "x"));
  EXPECT_EQ(append("v", {std::string(257, 'r'), 1, "o", {}}).error().code, Errc::Invalid);
  EXPECT_EQ(append(std::string(26'000, 'v')).error().code, Errc::Invalid);
}

TEST_F(KeyVault, RefusesNamesThatWouldBeAnotherPath) {
  for (const char* name : {"", "a/b", "a b", "a?x", "../x", "a%2Fb"}) {
    EXPECT_EQ(azure.run_task(vault.read_latest(azure.context(), name)).error().code, Errc::Invalid) << name;
    EXPECT_EQ(azure.run_task(vault.versions(azure.context(), name)).error().code, Errc::Invalid) << name;
    EXPECT_EQ(azure.run_task(vault.read(azure.context(), "redis", VersionId{name})).error().code, Errc::Invalid) << name;
    EXPECT_EQ(azure.run_task(vault.set_enabled(azure.context(), "redis", VersionId{name}, true)).error().code, Errc::Invalid) << name;
  }
  EXPECT_TRUE(azure.seen.empty());
}

TEST_F(KeyVault, AdoptsAVersionOnce) {
  const VersionTags tags{"r", 1, "o", {"q", 1}};
  azure.then(200, R"({"value":[)" + item(v1, true, R"({"team":"erp"})") + "]}");
  azure.then(200, "{}");
  ASSERT_TRUE(azure.run_task(vault.tag(azure.context(), "redis", v1, tags)));
  EXPECT_EQ(azure.seen[1].method, "PATCH");
  EXPECT_EQ(
      boost::json::parse(azure.seen[1].body),
      boost::json::parse(
          R"({"tags":{"team":"erp","keyturn-run":"r","keyturn-generation":"1","keyturn-owner":"o","keyturn-revision":"q","keyturn-serial":"1"}})"));
  azure.then(
      200,
      R"({"value":[)" +
          item(
              v1, true,
              R"({"team":"erp","keyturn-run":"r","keyturn-generation":"1","keyturn-owner":"o","keyturn-revision":"q","keyturn-serial":"1"})") +
          "]}");
  ASSERT_TRUE(azure.run_task(vault.tag(azure.context(), "redis", v1, tags)));
  EXPECT_EQ(azure.seen.size(), 3u);
  azure.then(200, R"({"value":[]})");
  EXPECT_EQ(azure.run_task(vault.tag(azure.context(), "redis", v1, tags)).error().code, Errc::NotFound);
}

TEST_F(KeyVault, NeverDisablesTheNewestVersion) {
  azure.then(200, R"({"value":[)" + item(v1) + "," + item(v2) + "]}");
  azure.then(200, bundle(v2, "x"));
  EXPECT_EQ(set_enabled(v2, false).error().code, Errc::Invalid);
  EXPECT_EQ(azure.seen.size(), 2u);
}

TEST_F(KeyVault, DisablesAnOlderVersion) {
  azure.then(200, R"({"value":[)" + item(v1) + "," + item(v2) + "]}");
  azure.then(200, bundle(v2, "x"));
  azure.then(200, "{}");
  ASSERT_TRUE(set_enabled(v1, false));
  EXPECT_EQ(azure.seen[2].target, "/secrets/redis/" + v1.value + "?api-version=7.4");
  EXPECT_EQ(azure.seen[2].body, R"({"attributes":{"enabled":false}})");
}

TEST_F(KeyVault, DisablesAnOlderVersionWhileTheNewestIsDisabledItself) {
  azure.then(200, R"({"value":[)" + item(v1) + "," + item(v2, false) + "]}");
  azure.then(403, error("Forbidden", "SecretDisabled"));
  azure.then(200, "{}");
  EXPECT_TRUE(set_enabled(v1, false));
}

TEST_F(KeyVault, DisablesNothingWhenTheNewestCannotBeTold) {
  azure.then(200, R"({"value":[)" + item(v1) + "]}");
  azure.then(403, error("Forbidden", "ForbiddenByRbac"));
  EXPECT_EQ(set_enabled(v1, false).error().code, Errc::Denied);
}

TEST_F(KeyVault, WritesNothingWhenAVersionIsAlreadyAsWanted) {
  azure.then(200, R"({"value":[)" + item(v1, false) + "]}");
  EXPECT_TRUE(set_enabled(v1, false));
  EXPECT_EQ(azure.seen.size(), 1u);
  azure.then(200, R"({"value":[)" + item(v1, false) + "]}");
  azure.then(200, "{}");
  EXPECT_TRUE(set_enabled(v1, true));
  EXPECT_EQ(azure.seen[2].body, R"({"attributes":{"enabled":true}})");
}

TEST_F(KeyVault, PutsNoValueIntoErrors) {
  const auto refused = append_answered(400, R"({"error":{"code":"BadParameter","message":"bad value: new"}})");
  EXPECT_EQ(refused.error().message.find("new"), std::string::npos);
}

}  // namespace
}  // namespace keyturn
