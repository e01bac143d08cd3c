#include "reconcilers/azure/authorized_client.h"

#include <gtest/gtest.h>

#include "tests/unit/reconcilers/azure/scripted_azure.h"

namespace keyturn {
namespace {

class Authorized : public ::testing::Test {
 protected:
  Result<net::HttpReply> send(Effect effect, std::optional<Context> context = std::nullopt) {
    net::HttpRequest request;
    request.method = effect == Effect::Write ? "PUT" : "GET";
    request.target = "/x";
    if (effect == Effect::Write) request.secret_body = std::make_shared<const Secret>(Secret::copy_of("body"));
    return azure.run_task(client.send(context.value_or(azure.context()), azure.origin(), std::move(request), effect));
  }
  ScriptedAzure azure;
  std::shared_ptr<NumberedTokens> issuer = std::make_shared<NumberedTokens>();
  std::shared_ptr<TokenSource> tokens = std::make_shared<TokenSource>(issuer);
  AuthorizedClient client{azure.http, tokens, Audience{"https://vault.azure.net", azure.origin(), "", "tenant-1", "Key Vault"},
                          Duration{10'000}};
};

TEST_F(Authorized, SendsTheTokenOfItsAudience) {
  azure.then(200, "");
  ASSERT_TRUE(send(Effect::Read));
  EXPECT_EQ(azure.seen[0].authorization, "Bearer token-1");
  EXPECT_EQ(issuer->asked[0].first, "https://vault.azure.net");
}

TEST_F(Authorized, SendsNothingToAnotherHost) {
  net::HttpRequest request;
  net::Origin other = azure.origin();
  other.host = "localhost";
  EXPECT_EQ(azure.run_task(client.send(azure.context(), other, request, Effect::Read)).error().code, Errc::Invalid);
  EXPECT_TRUE(azure.seen.empty());
  EXPECT_TRUE(issuer->asked.empty());
}

TEST_F(Authorized, KnowsRegionalHostsByTheirDomain) {
  const Audience audience{"r", {"https", "management.azure.com", 443}, "management.azure.com", "t", "n"};
  EXPECT_TRUE(audience.includes({"https", "management.azure.com", 443}));
  EXPECT_TRUE(audience.includes({"https", "westeurope.management.azure.com", 443}));
  EXPECT_FALSE(audience.includes({"https", "evilmanagement.azure.com", 443}));
  EXPECT_FALSE(audience.includes({"https", "management.azure.com.evil.example", 443}));
  EXPECT_FALSE(audience.includes({"http", "westeurope.management.azure.com", 443}));
  EXPECT_FALSE(audience.includes({"https", "westeurope.management.azure.com", 8443}));
}

TEST_F(Authorized, DropsTheTokenOnceOnA401AndSucceeds) {
  azure.then(401, "");
  azure.then(200, "");
  EXPECT_EQ(send(Effect::Write)->status, 200);
  EXPECT_EQ(azure.seen[1].authorization, "Bearer token-2");
  EXPECT_EQ(azure.seen[1].body, "body");
}

TEST_F(Authorized, IsDeniedAfterTheSecond401) {
  azure.then(401, "");
  azure.then(401, "");
  EXPECT_EQ(send(Effect::Read).error().code, Errc::Denied);
  EXPECT_EQ(azure.seen.size(), 2u);
}

TEST_F(Authorized, PassesTheClaimsOfAChallengeOn) {
  azure.then(401, "", {{"WWW-Authenticate", R"(Bearer error="insufficient_claims", claims="eyJhIjoxfQ==")"}});
  azure.then(200, "");
  ASSERT_TRUE(send(Effect::Read));
  EXPECT_EQ(issuer->asked[1].second, R"({"a":1})");
}

TEST_F(Authorized, RefusesTheChallengeOfAnotherTenantOrAudience) {
  azure.then(401, "",
             {{"WWW-Authenticate", R"(Bearer authorization="https://login.windows.net/tenant-2", resource="https://vault.azure.net")"}});
  EXPECT_EQ(send(Effect::Read).error().message, "Key Vault belongs to another tenant");
  azure.then(401, "",
             {{"WWW-Authenticate", R"(Bearer authorization="https://login.windows.net/tenant-1", resource="https://evil.example")"}});
  EXPECT_EQ(send(Effect::Read).error().message, "Key Vault asks for a token of another audience");
  EXPECT_EQ(issuer->asked.size(), 1u);
}

TEST_F(Authorized, CallsALostAnswerToAWriteUnknownAndToAReadUnavailable) {
  azure.then_close();
  EXPECT_EQ(send(Effect::Write).error().code, Errc::OutcomeUnknown);
  azure.otherwise([](const SeenRequest&) { return ScriptedAzure::Answer(); });
  EXPECT_EQ(send(Effect::Read).error().code, Errc::Unavailable);
}

TEST_F(Authorized, CallsASilentServerToAWriteUnknownAtTheDeadline) {
  // A listener that nobody serves: bytes leave, no answer comes.
  net::HttpServer deaf(
      azure.io.get_executor(), azure.clock, {}, nullptr,
      [this](net::HttpRequest, net::Peer, net::ReplyWriter&) -> Awaitable<> { return azure.clock.sleep_for(Duration{60'000}); });
  ASSERT_TRUE(deaf.start());
  const net::Origin origin{"http", "127.0.0.1", deaf.port()};
  AuthorizedClient slow(azure.http, tokens, Audience{"r", origin, "", "", "Key Vault"}, Duration{10'000});
  net::HttpRequest request;
  request.method = "PUT";
  auto sent = start(azure.io, slow.send(azure.context(), origin, request, Effect::Write));
  const auto waiting = [this] { return azure.clock.until_next() == Duration{10'000}; };
  run_until(azure.io, waiting);
  for (int i = 0; i < 50; ++i) azure.io.run_one_for(std::chrono::milliseconds(2));
  azure.clock.advance(Duration{10'000});
  run_until(azure.io, [&] { return sent.done(); });
  EXPECT_EQ(sent.take().error().code, Errc::OutcomeUnknown);
  azure.clock.advance(Duration{60'000});
  azure.run_task(deaf.stop(Duration{1'000}));
}

TEST_F(Authorized, CallsAnUnreadableAnswerToAWriteUnknown) {
  net::HttpRequest request;
  request.method = "PUT";
  request.reply_bytes_max = 4;
  azure.then(200, "much too long");
  EXPECT_EQ(azure.run_task(client.send(azure.context(), azure.origin(), request, Effect::Write)).error().code, Errc::OutcomeUnknown);
  request.method = "GET";
  azure.then(200, "much too long");
  EXPECT_EQ(azure.run_task(client.send(azure.context(), azure.origin(), request, Effect::Read)).error().code, Errc::Unavailable);
}

TEST_F(Authorized, SendsNoWriteAfterTheSendDeadline) {
  const Context late = azure.context().sending_within(Duration{1'000});
  azure.clock.advance(Duration{1'000});
  EXPECT_EQ(send(Effect::Write, late).error().code, Errc::Unavailable);
  EXPECT_TRUE(azure.seen.empty());
}

TEST_F(Authorized, SendsNoWriteWithoutAToken) {
  issuer->failure = Error{Errc::Unavailable, "the token endpoint did not answer"};
  EXPECT_EQ(send(Effect::Write).error().code, Errc::Unavailable);
  EXPECT_TRUE(azure.seen.empty());
}

}  // namespace
}  // namespace keyturn
