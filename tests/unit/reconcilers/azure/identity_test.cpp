#include "reconcilers/azure/identity.h"

#include <gtest/gtest.h>

#include <fstream>

#include "reconcilers/azure/secret_file.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/reconcilers/azure/scripted_azure.h"

namespace keyturn {
namespace {

constexpr const char* vault = "https://vault.azure.net";
constexpr const char* arm = "https://management.azure.com";

class Tokens : public ::testing::Test {
 protected:
  std::string get(const std::string& resource, Duration life_min = Duration{0}) {
    const auto token = azure.run_task(source.token(azure.context(), resource, life_min));
    return token ? text_of(**token) : "error: " + std::string(name_of(token.error().code));
  }
  std::shared_ptr<const Secret> pointer(const std::string& resource) {
    return azure.run_task(source.token(azure.context(), resource, Duration{0})).value();
  }
  ScriptedAzure azure;
  std::shared_ptr<NumberedTokens> issuer = std::make_shared<NumberedTokens>();
  TokenSource source{issuer};
};

TEST_F(Tokens, AreKeptPerResource) {
  EXPECT_EQ(get(vault), "token-1");
  EXPECT_EQ(get(arm), "token-2");
  EXPECT_EQ(get(vault), "token-1");
  EXPECT_EQ(issuer->asked[0].first, vault);
  EXPECT_EQ(issuer->asked[1].first, arm);
}

TEST_F(Tokens, AreRefreshedFiveMinutesBeforeTheEnd) {
  get(vault);
  azure.clock.advance(Duration{3'299'000});
  EXPECT_EQ(get(vault), "token-1");
  azure.clock.advance(Duration{2'000});
  EXPECT_EQ(get(vault), "token-2");
}

TEST_F(Tokens, AreRefreshedWhenTheIssuerWishes) {
  issuer->refresh_in = Duration{60'000};
  get(vault);
  azure.clock.advance(Duration{60'000});
  EXPECT_EQ(get(vault), "token-2");
}

TEST_F(Tokens, OfAShortLifeAreRefreshedAtHalfOfIt) {
  issuer->lifetime = Duration{60'000};
  get(vault);
  azure.clock.advance(Duration{29'000});
  EXPECT_EQ(get(vault), "token-1");
  azure.clock.advance(Duration{2'000});
  EXPECT_EQ(get(vault), "token-2");
}

TEST_F(Tokens, AreServedWhileTheRefreshFailsUntilTheyExpire) {
  get(vault);
  issuer->failure = Error{Errc::Unavailable, "down"};
  azure.clock.advance(Duration{3'400'000});
  EXPECT_EQ(get(vault), "token-1");
  azure.clock.advance(Duration{300'000});
  EXPECT_EQ(get(vault), "error: Unavailable");
}

TEST_F(Tokens, AreNotAskedForAgainAtOnceAfterAFailure) {
  issuer->failure = Error{Errc::Throttled, "slow down", Duration{7'000}};
  EXPECT_EQ(get(vault), "error: Throttled");
  EXPECT_EQ(get(vault), "error: Throttled");
  EXPECT_EQ(issuer->asked.size(), 1u);
  issuer->failure.reset();
  azure.clock.advance(Duration{7'000});
  EXPECT_EQ(get(vault), "token-2");
}

TEST_F(Tokens, WithTooLittleLifeLeftAreReplacedBeforeAWrite) {
  issuer->lifetime = Duration{100'000};
  get(vault);
  azure.clock.advance(Duration{45'000});
  EXPECT_EQ(get(vault, Duration{60'000}), "token-2");
}

TEST_F(Tokens, ThatAreAlwaysTooShortAreUsedAllTheSame) {
  issuer->lifetime = Duration{30'000};
  EXPECT_EQ(get(vault, Duration{60'000}), "token-1");
}

TEST_F(Tokens, AreDroppedOnlyByWhoHoldsTheCurrentOne) {
  const auto first = pointer(vault);
  source.drop(vault, first, R"({"claims":1})");
  const auto second = pointer(vault);
  EXPECT_EQ(issuer->asked[1].second, R"({"claims":1})");
  source.drop(vault, first, "");
  EXPECT_EQ(pointer(vault), second);
}

// Holds every request until it is let go.
class SlowIssuer final : public TokenIssuer {
 public:
  explicit SlowIssuer(boost::asio::any_io_executor executor) : gate(std::move(executor)) {}
  Task<IssuedToken> issue(Context context, std::string, std::string) override {
    ++asked;
    co_await gate.wait(context.clock(), Duration{9'000});
    IssuedToken token;
    token.value = Secret::copy_of("slow");
    token.lifetime = Duration{3'600'000};
    co_return std::move(token);
  }
  Event gate;
  int asked = 0;
};

TEST_F(Tokens, AreFetchedOnceForAllWhoWait) {
  auto slow = std::make_shared<SlowIssuer>(azure.io.get_executor());
  TokenSource shared(slow);
  auto first = start(azure.io, shared.token(azure.context(), vault, Duration{0}));
  auto second = start(azure.io, shared.token(azure.context(), vault, Duration{0}));
  auto third = start(azure.io, shared.token(azure.context(), vault, Duration{0}));
  run_ready(azure.io);
  EXPECT_EQ(slow->asked, 1);
  EXPECT_FALSE(second.done());
  slow->gate.set();
  run_until(azure.io, [&] { return first.done() && second.done() && third.done(); });
  EXPECT_EQ(slow->asked, 1);
  EXPECT_EQ(second.take().value(), third.take().value());
}

TEST_F(Tokens, WaitersGiveUpAtTheirOwnDeadline) {
  auto slow = std::make_shared<SlowIssuer>(azure.io.get_executor());
  TokenSource shared(slow);
  auto first = start(azure.io, shared.token(azure.context(), vault, Duration{0}));
  auto second = start(azure.io, shared.token(azure.context().with_timeout(Duration{1'000}), vault, Duration{0}));
  run_ready(azure.io);
  azure.clock.advance(Duration{1'000});
  run_until(azure.io, [&] { return second.done(); });
  EXPECT_EQ(second.take().error().code, Errc::Unavailable);
  slow->gate.set();
  run_until(azure.io, [&] { return first.done(); });
}

class ClientCredentials : public ::testing::Test {
 protected:
  ClientCredentials() { write("the &secret=\n"); }
  void write(const std::string& text) { std::ofstream(directory.file("proof"), std::ios::trunc) << text; }
  Result<IssuedToken> ask(ClientCredentialIssuer::Proof proof = ClientCredentialIssuer::Proof::Secret, const std::string& claims = {}) {
    ClientCredentialIssuer issuer(azure.http, {azure.origin(), "tenant-1", "client 1", proof, directory.file("proof")});
    return azure.run_task(issuer.issue(azure.context(), vault, claims));
  }
  TemporaryDirectory directory;
  ScriptedAzure azure;
};

TEST_F(ClientCredentials, AreSentAsAForm) {
  azure.then(200, R"({"token_type":"Bearer","expires_in":3599,"refresh_in":1800,"access_token":"abc"})");
  const auto token = ask();
  ASSERT_TRUE(token);
  EXPECT_EQ(text_of(token->value), "abc");
  EXPECT_EQ(token->lifetime, Duration{3'599'000});
  EXPECT_EQ(token->refresh_in, Duration{1'800'000});
  EXPECT_EQ(azure.seen[0].target, "/tenant-1/oauth2/v2.0/token");
  EXPECT_EQ(
      azure.seen[0].body,
      "grant_type=client_credentials&client_id=client%201&scope=https%3A%2F%2Fvault.azure.net%2F.default&client_secret=the%20%26secret%3D");
  EXPECT_TRUE(azure.seen[0].authorization.empty());
}

TEST_F(ClientCredentials, ReadTheAssertionAnewEveryTime) {
  azure.otherwise([this](const SeenRequest&) { return azure.reply(200, R"({"expires_in":60,"access_token":"abc"})"); });
  write("one");
  ASSERT_TRUE(ask(ClientCredentialIssuer::Proof::Assertion));
  write("two");
  ASSERT_TRUE(ask(ClientCredentialIssuer::Proof::Assertion));
  EXPECT_NE(azure.seen[0].body.find("client_assertion=one"), std::string::npos);
  EXPECT_NE(azure.seen[1].body.find("client_assertion=two"), std::string::npos);
  EXPECT_NE(azure.seen[1].body.find("client_assertion_type=urn%3Aietf%3Aparams%3Aoauth"), std::string::npos);
}

TEST_F(ClientCredentials, CarryTheClaimsOfAChallenge) {
  azure.then(200, R"({"expires_in":60,"access_token":"abc"})");
  ASSERT_TRUE(ask(ClientCredentialIssuer::Proof::Secret, R"({"a":1})"));
  EXPECT_TRUE(azure.seen[0].body.ends_with("&claims=%7B%22a%22%3A1%7D"));
}

TEST_F(ClientCredentials, AreDeniedWithTheNumberAndWithoutTheDescription) {
  azure.then(400,
             R"({"error":"invalid_client","error_description":"AADSTS7000215: the description","error_codes":[7000215],"trace_id":"t"})");
  const Error error = ask().error();
  EXPECT_EQ(error.code, Errc::Denied);
  EXPECT_EQ(error.message, "the token endpoint refuses the identity: AADSTS7000215");
}

TEST_F(ClientCredentials, NeverLeaveAnUnknownOutcome) {
  azure.then_close();
  EXPECT_EQ(ask().error().code, Errc::Unavailable);
  azure.then(503, "<html>");
  EXPECT_EQ(ask().error().code, Errc::Unavailable);
  azure.then(429, "", {{"Retry-After", "9"}});
  const Error throttled = ask().error();
  EXPECT_EQ(throttled.code, Errc::Throttled);
  EXPECT_EQ(throttled.retry_after, Duration{9'000});
}

TEST_F(ClientCredentials, RefuseAnswersThatHoldNoUsableToken) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"access_token":"","expires_in":9})", R"({"access_token":"a b","expires_in":9})",
                           R"({"access_token":"a"})", R"({"access_token":"a","expires_in":0})"}) {
    azure.then(200, body);
    EXPECT_EQ(ask().error().code, Errc::Unavailable) << body;
  }
}

TEST_F(ClientCredentials, AreDeniedWithoutTheirFile) {
  ClientCredentialIssuer issuer(azure.http, {azure.origin(), "t", "c", ClientCredentialIssuer::Proof::Secret, directory.file("absent")});
  EXPECT_EQ(azure.run_task(issuer.issue(azure.context(), vault, "")).error().code, Errc::Denied);
  EXPECT_TRUE(azure.seen.empty());
}

TEST_F(ClientCredentials, OfAManagedIdentityUseTheMetadataService) {
  const std::string expires_on =
      std::to_string(std::chrono::floor<std::chrono::seconds>(azure.clock.now()).time_since_epoch().count() + 90);
  azure.then(200, R"({"access_token":"abc","expires_on":")" + expires_on + R"("})");
  azure.then(410, "");
  ManagedIdentityIssuer issuer(azure.http, azure.origin(), "client-2");
  const auto token = azure.run_task(issuer.issue(azure.context(), vault, ""));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->lifetime, Duration{90'000});
  EXPECT_EQ(azure.seen[0].headers.find("Metadata"), "true");
  EXPECT_EQ(azure.seen[0].target,
            "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=client-2");
  EXPECT_EQ(azure.run_task(issuer.issue(azure.context(), vault, "")).error().code, Errc::Unavailable);
}

TEST_F(ClientCredentials, AreChosenByTheIdentitysType) {
  api::AzureSettings settings;
  settings.tenant_id = "t";
  settings.identity.client_id = "c";
  const AzureCloud cloud = azure_cloud(settings).value();
  EXPECT_EQ(make_token_issuer(settings, cloud, azure.http, "").error().code, Errc::Invalid);
  EXPECT_TRUE(make_token_issuer(settings, cloud, azure.http, "/var/run/token"));
  settings.identity.type = api::IdentityType::ClientSecret;
  EXPECT_EQ(make_token_issuer(settings, cloud, azure.http, "").error().code, Errc::Invalid);
  settings.identity.client_secret_file = "f";
  EXPECT_TRUE(make_token_issuer(settings, cloud, azure.http, ""));
  settings.identity.type = api::IdentityType::ManagedIdentity;
  EXPECT_TRUE(make_token_issuer(settings, cloud, azure.http, ""));
  settings.identity.type = api::IdentityType::AzureCli;
  EXPECT_EQ(make_token_issuer(settings, cloud, azure.http, "").error().code, Errc::Invalid);
}

TEST(SecretFile, IsReadWithoutItsTrailingLineBreak) {
  const TemporaryDirectory directory;
  std::ofstream(directory.file("s")) << "value \r\n\n";
  EXPECT_EQ(text_of(read_secret_file(directory.file("s")).value()), "value");
}

TEST(SecretFile, RefusesWhatIsNoSecret) {
  const TemporaryDirectory directory;
  std::ofstream(directory.file("empty")) << "\n";
  std::ofstream(directory.file("large")) << std::string(secret_file_bytes_max + 1, 'x');
  EXPECT_EQ(read_secret_file(directory.file("empty")).error().code, Errc::Invalid);
  EXPECT_EQ(read_secret_file(directory.file("large")).error().code, Errc::Invalid);
  EXPECT_EQ(read_secret_file(directory.path().string()).error().code, Errc::Invalid);
  EXPECT_EQ(read_secret_file(directory.file("absent")).error().code, Errc::Denied);
}

}  // namespace
}  // namespace keyturn
