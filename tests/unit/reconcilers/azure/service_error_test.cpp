#include "reconcilers/azure/service_error.h"

#include <gtest/gtest.h>

#include "reconcilers/azure/challenge.h"

namespace keyturn {
namespace {

net::HttpReply status(int code) {
  net::HttpReply reply;
  reply.status = code;
  return reply;
}

TEST(ServiceError, KeepsTheCodesOfNestedInnerErrors) {
  const ServiceError error = parse_service_error(
      R"({"error":{"code":"Forbidden","message":"m","innererror":{"code":"Outer","innererror":{"code":"SecretDisabled","innererror":null}}}})");
  EXPECT_EQ(error.code, "Forbidden");
  EXPECT_EQ(error.inner, (std::vector<std::string>{"Outer", "SecretDisabled"}));
  EXPECT_TRUE(error.has_code("SecretDisabled"));
}

TEST(ServiceError, ToleratesTheStringThatContainerAppsCallInnerError) {
  EXPECT_TRUE(parse_service_error(R"({"error":{"code":"X","innererror":"text"}})").inner.empty());
}

TEST(ServiceError, FindsTheCauseInNestedDetails) {
  const ServiceError error =
      parse_service_error(R"({"error":{"code":"DeploymentFailed","details":[{"code":"Outer","details":[{"code":"Cause"}]}]}})");
  EXPECT_EQ(error.detail, "Cause");
  EXPECT_TRUE(error.has_code("Cause"));
}

TEST(ServiceError, NeverAssumesJson) {
  for (const char* body : {"", "<html>Invalid URL</html>", "null", "[]", R"({"error":"invalid_client"})", R"({"error":{"code":7}})"})
    EXPECT_TRUE(parse_service_error(body).code.empty()) << body;
}

TEST(ServiceError, DropsCodesThatAreNotShortWords) {
  EXPECT_TRUE(parse_service_error(R"({"error":{"code":"the password is hunter2"}})").code.empty());
  EXPECT_TRUE(parse_service_error("{\"error\":{\"code\":\"" + std::string(65, 'a') + "\"}}").code.empty());
}

TEST(ServiceError, KeepsOnlyThatTheMessageSpeaksOfADisabledSecret) {
  EXPECT_TRUE(parse_service_error(R"({"error":{"code":"Forbidden","message":"Operation get is not allowed on a disabled secret."}})")
                  .disabled_secret);
}

TEST(ServiceError, MapsEveryStatusToItsReaction) {
  struct Row {
    int status;
    Errc read;
    Errc write;
  };
  const Row rows[] = {{400, Errc::Invalid, Errc::Invalid},
                      {401, Errc::Denied, Errc::Denied},
                      {403, Errc::Denied, Errc::Denied},
                      {404, Errc::NotFound, Errc::NotFound},
                      {408, Errc::Unavailable, Errc::OutcomeUnknown},
                      {409, Errc::Conflict, Errc::Conflict},
                      {413, Errc::Invalid, Errc::Invalid},
                      {429, Errc::Throttled, Errc::Throttled},
                      {302, Errc::Invalid, Errc::Invalid},
                      {500, Errc::Unavailable, Errc::OutcomeUnknown},
                      {502, Errc::Unavailable, Errc::OutcomeUnknown},
                      {503, Errc::Unavailable, Errc::OutcomeUnknown},
                      {504, Errc::Unavailable, Errc::OutcomeUnknown}};
  ServiceError documented;
  documented.code = "Code";
  for (const Row& row : rows) {
    EXPECT_EQ(error_of_status(status(row.status), documented, Effect::Read, "Key Vault").code, row.read) << row.status;
    EXPECT_EQ(error_of_status(status(row.status), documented, Effect::Write, "Key Vault").code, row.write) << row.status;
  }
}

TEST(ServiceError, TakesA404OfSomethingInBetweenForAnOutage) {
  EXPECT_EQ(error_of_status(status(404), {}, Effect::Read, "Key Vault").code, Errc::Unavailable);
}

TEST(BearerChallenge, ReadsTenantResourceAndClaims) {
  const auto challenge = parse_bearer_challenge(
      R"(Bearer authorization="https://login.windows.net/tenant-1", resource="https://vault.azure.net/", error="insufficient_claims", claims="eyJhIjoxfQ==")");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->tenant, "tenant-1");
  EXPECT_EQ(challenge->resource, "https://vault.azure.net");
  EXPECT_EQ(challenge->claims, R"({"a":1})");
}

TEST(BearerChallenge, ReadsResourceManagersSpelling) {
  const auto challenge = parse_bearer_challenge(R"(bearer authorization_uri="https://login.windows.net/t2/", error=invalid_token)");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->tenant, "t2");
  EXPECT_TRUE(challenge->resource.empty());
}

TEST(BearerChallenge, IsNothingForOtherSchemesAndSurvivesNonsense) {
  EXPECT_FALSE(parse_bearer_challenge("Basic realm=x"));
  EXPECT_FALSE(parse_bearer_challenge(""));
  EXPECT_TRUE(parse_bearer_challenge(R"(Bearer resource="never closed)"));
  EXPECT_TRUE(parse_bearer_challenge(R"(Bearer authorization="https://host-only")")->tenant.empty());
}

}  // namespace
}  // namespace keyturn
