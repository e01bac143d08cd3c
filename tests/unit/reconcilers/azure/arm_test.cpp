#include "reconcilers/azure/arm.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/support/seeded_random.h"
#include "tests/unit/reconcilers/azure/scripted_azure.h"

namespace keyturn {
namespace {

using Style = ArmOperation::Style;

class Arm : public ::testing::Test {
 protected:
  ArmReply accepted(net::Headers headers, int status = 202) {
    ArmReply reply;
    reply.status = status;
    reply.headers = std::move(headers);
    return reply;
  }
  Result<OperationStatus> look(Style style = Style::Location) {
    return azure.run_task(client.look(azure.context(), ArmOperation{style, net::Url{azure.origin(), "/op"}}));
  }
  ScriptedAzure azure;
  std::shared_ptr<NumberedTokens> issuer = std::make_shared<NumberedTokens>();
  ArmClient client{azure.http,
                   std::make_shared<TokenSource>(issuer),
                   std::make_shared<SeededRandom>(1),
                   {azure.origin(), "https://management.azure.com", "tenant-1", false}};
};

TEST_F(Arm, SendsCorrelationIdsAndPlainJson) {
  azure.then(200, "{}");
  azure.then(200, "{}");
  ASSERT_TRUE(azure.run_task(client.send(azure.context(), "PATCH", "/x", "{}", Effect::Write)));
  ASSERT_TRUE(azure.run_task(client.send(azure.context().named("later"), "GET", "/x", "", Effect::Read)));
  const net::Headers& first = azure.seen[0].headers;
  EXPECT_EQ(first.find("Content-Type"), "application/json");
  EXPECT_EQ(first.find("x-ms-return-client-request-id"), "true");
  EXPECT_EQ(first.find("x-ms-client-request-id")->size(), 36u);
  EXPECT_NE(first.find("x-ms-client-request-id"), azure.seen[1].headers.find("x-ms-client-request-id"));
  EXPECT_EQ(first.find("x-ms-correlation-request-id")->size(), 36u);
  EXPECT_EQ(first.find("x-ms-correlation-request-id"), azure.seen[1].headers.find("x-ms-correlation-request-id"));
  EXPECT_EQ(issuer->asked[0].first, "https://management.azure.com");
}

TEST_F(Arm, KeepsTheServersDateAndTheCodesOfAnError) {
  azure.then(409, R"({"error":{"code":"ContainerAppOperationInProgress","message":"secret text","details":[{"code":"Inner"}]}})");
  const auto reply = azure.run_task(client.send(azure.context(), "GET", "/x", "", Effect::Read));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->date, azure.clock.now());
  EXPECT_EQ(reply->error.code, "ContainerAppOperationInProgress");
  EXPECT_EQ(reply->error.detail, "Inner");
  EXPECT_TRUE(reply->body.is_null());
}

TEST_F(Arm, MapsBusyAndThrottledToTheSameReaction) {
  EXPECT_EQ(arm_error(accepted({}, 409), Effect::Write).code, Errc::Throttled);
  EXPECT_TRUE(arm_error(accepted({}, 409), Effect::Write).retry_after);
  EXPECT_EQ(arm_error(accepted({{"Retry-After", "17"}}, 429), Effect::Write).retry_after, Duration{17'000});
  EXPECT_EQ(arm_error(accepted({}, 500), Effect::Write).code, Errc::OutcomeUnknown);
  EXPECT_EQ(arm_error(accepted({}, 500), Effect::Read).code, Errc::Unavailable);
  EXPECT_EQ(arm_error(accepted({}, 403), Effect::Read).code, Errc::Denied);
}

TEST_F(Arm, NeverTakesHtmlForAResource) {
  azure.then(200, "<html>Invalid URL</html>");
  EXPECT_EQ(azure.run_task(client.get(azure.context(), "/x")).error().code, Errc::Unavailable);
  azure.then(404, "<html>");
  EXPECT_EQ(azure.run_task(client.get(azure.context(), "/x")).error().code, Errc::Unavailable);
  azure.then(404, R"({"error":{"code":"ResourceNotFound"}})");
  EXPECT_EQ(azure.run_task(client.get(azure.context(), "/x")).error().code, Errc::NotFound);
}

TEST_F(Arm, PrefersTheAsyncOperationOverTheLocation) {
  const auto both = client.operation_of(accepted({{"Location", azure.url("/l")}, {"azure-asyncoperation", azure.url("/a?t=1")}}), "/r");
  EXPECT_EQ(**both, (ArmOperation{Style::AsyncOperation, net::Url{azure.origin(), "/a?t=1"}}));
  const auto location = client.operation_of(accepted({{"Location", azure.url("/l")}}), "/r");
  EXPECT_EQ((**location).style, Style::Location);
  const auto neither = client.operation_of(accepted({}), "/r");
  EXPECT_EQ(**neither, (ArmOperation{Style::ProvisioningState, net::Url{azure.origin(), "/r"}}));
}

TEST_F(Arm, KnowsAWriteThatIsFinishedAtOnce) {
  ArmReply done = accepted({{"Location", azure.url("/ignored")}}, 200);
  done.body = boost::json::parse(R"({"properties":{"provisioningState":"Succeeded"}})");
  EXPECT_FALSE(*client.operation_of(done, "/r"));
  done.body = boost::json::parse(R"({"properties":{"provisioningState":"InProgress"}})");
  EXPECT_EQ((**client.operation_of(done, "/r")).style, Style::ProvisioningState);
}

TEST_F(Arm, RefusesAnOperationOnAnotherHostOrBeyondTheLimit) {
  ScriptedAzure foreign;
  EXPECT_EQ(client.operation_of(accepted({{"Location", foreign.url("/l")}}), "/r").error().code, Errc::Invalid);
  EXPECT_EQ(client.operation_of(accepted({{"Location", "not a url"}}), "/r").error().code, Errc::Invalid);
  EXPECT_EQ(client.operation_of(accepted({{"Location", azure.url("/" + std::string(5'000, 'a'))}}), "/r").error().code, Errc::Invalid);
  const ArmOperation there{Style::Location, net::Url{foreign.origin(), "/l"}};
  EXPECT_EQ(azure.run_task(client.look(azure.context(), there)).error().code, Errc::Invalid);
  EXPECT_TRUE(foreign.seen.empty());
}

TEST_F(Arm, AcceptsAnOperationOnARegionalHost) {
  const ArmClient regional(azure.http, std::make_shared<TokenSource>(issuer), std::make_shared<SeededRandom>(1),
                           {{"https", "management.azure.com", 443}, "https://management.azure.com", "t", true});
  EXPECT_TRUE(regional.operation_of(accepted({{"Location", "https://eastus.management.azure.com/l"}}), "/r"));
  EXPECT_FALSE(regional.operation_of(accepted({{"Location", "https://management.azure.com.evil.example/l"}}), "/r"));
}

TEST_F(Arm, ReadsTheStateOfEveryStyle) {
  struct Row {
    int status;
    const char* body;
    OperationState state;
  };
  const Row rows[] = {{200, R"({"status":"Succeeded"})", OperationState::Succeeded},
                      {200, R"({"status":"InProgress"})", OperationState::Running},
                      {200, R"({"status":"SomethingNew"})", OperationState::Running},
                      {200, R"({"status":"Failed","error":{"code":"X"}})", OperationState::Failed},
                      {200, R"({"status":"Canceled"})", OperationState::Failed},
                      {202, "", OperationState::Running},
                      {202, R"({"status":"Succeeded"})", OperationState::Running},
                      {202, R"({"status":"Failed"})", OperationState::Failed},
                      {200, R"({"properties":{"provisioningState":"Failed"}})", OperationState::Failed},
                      {200, R"({"properties":{"provisioningState":"Updating"}})", OperationState::Running},
                      {200, R"({"properties":{}})", OperationState::Succeeded},
                      {200, "", OperationState::Succeeded},
                      {204, "", OperationState::Succeeded},
                      {404, R"({"error":{"code":"NotFound"}})", OperationState::Gone},
                      {410, "", OperationState::Gone}};
  for (const Row& row : rows) {
    azure.then(row.status, row.body);
    const auto seen = look();
    ASSERT_TRUE(seen) << row.status << row.body;
    EXPECT_EQ(seen->state, row.state) << row.status << row.body;
    EXPECT_EQ(seen->date, azure.clock.now());
  }
}

TEST_F(Arm, KeepsWhatALookFailedWith) {
  azure.then(429, "", {{"Retry-After", "3"}});
  EXPECT_EQ(look().error().code, Errc::Throttled);
  azure.then(503, "");
  EXPECT_EQ(look().error().retry_after, Duration{3'000}) << "nothing is sent before it was asked to come back";
  azure.clock.advance(Duration{3'000});
  EXPECT_EQ(look().error().code, Errc::Unavailable);
  azure.then(403, "");
  EXPECT_EQ(look().error().code, Errc::Denied);
}

TEST_F(Arm, SurvivesATokenThatExpiresBetweenTwoLooks) {
  azure.then(202, "", {{"Retry-After", "2"}});
  EXPECT_EQ(look()->retry_after, Duration{2'000});
  azure.then(401, "", {{"WWW-Authenticate", R"(Bearer authorization_uri="https://login.windows.net/tenant-1", error="invalid_token")"}});
  azure.then(200, R"({"status":"Succeeded"})");
  EXPECT_EQ(look(Style::AsyncOperation)->state, OperationState::Succeeded);
  EXPECT_EQ(azure.seen.back().authorization, "Bearer token-2");
}

}  // namespace
}  // namespace keyturn
