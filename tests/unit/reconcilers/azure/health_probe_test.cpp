#include "reconcilers/azure/health_probe.h"

#include <gtest/gtest.h>

#include "tests/unit/reconcilers/azure/scripted_azure.h"

namespace keyturn {
namespace {

TEST(HealthAddress, MayNotBeOneThatOnlyTheControllerCanReach) {
  for (const char* address :
       {"127.0.0.1", "127.8.8.8", "::1", "169.254.169.254", "168.63.129.16", "0.0.0.0", "::", "fe80::1", "224.0.0.1", "ff02::1",
        "255.255.255.255", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:168.63.129.16", "localhost", ""})
    EXPECT_FALSE(health_address_allowed(address, api::Cloud::Public)) << address;
  for (const char* address : {"20.50.1.2", "10.1.2.3", "2603:1020::1"})
    EXPECT_TRUE(health_address_allowed(address, api::Cloud::Public)) << address;
}

TEST(HealthAddress, MayBeLoopbackOnlyInACustomCloud) {
  EXPECT_TRUE(health_address_allowed("127.0.0.1", api::Cloud::Custom));
  EXPECT_TRUE(health_address_allowed("::1", api::Cloud::Custom));
  EXPECT_FALSE(health_address_allowed("169.254.169.254", api::Cloud::Custom));
  EXPECT_FALSE(health_address_allowed("168.63.129.16", api::Cloud::Custom));
}

class Probe : public ::testing::Test {
 protected:
  Health look(const std::string& path, const std::string& equals, api::Cloud cloud = api::Cloud::Custom) {
    HealthProbe probe(azure.http, {azure.url("/health"), path, equals}, cloud);
    return azure.run_task(probe.look(azure.context()));
  }
  ScriptedAzure azure;
};

TEST_F(Probe, ComparesTheValueAtThePointer) {
  azure.then(200, R"({"status":"Healthy","checks":{"db":true}})");
  EXPECT_EQ(look("/status", "Healthy"), Health::Healthy);
  azure.then(200, R"({"status":"Degraded"})");
  EXPECT_EQ(look("/status", "Healthy"), Health::Unhealthy);
  azure.then(200, R"({"checks":{"db":true}})");
  EXPECT_EQ(look("/checks/db", "true"), Health::Healthy);
  azure.then(200, R"({"checks":{}})");
  EXPECT_EQ(look("/checks/db", "true"), Health::Unhealthy);
  azure.then(200, "Healthy");
  EXPECT_EQ(look("/status", "Healthy"), Health::Unhealthy);
}

TEST_F(Probe, TakesAny2xxWithoutAnExpectation) {
  azure.then(204, "");
  EXPECT_EQ(look("", ""), Health::Healthy);
  azure.then(503, "");
  EXPECT_EQ(look("", ""), Health::Unhealthy);
}

TEST_F(Probe, DoesNotFollowRedirects) {
  azure.then(302, "", {{"Location", azure.url("/elsewhere")}});
  EXPECT_EQ(look("", ""), Health::Unhealthy);
  EXPECT_EQ(azure.seen.size(), 1u);
}

TEST_F(Probe, SendsNoCredential) {
  azure.then(200, "");
  look("", "");
  EXPECT_TRUE(azure.seen[0].authorization.empty());
}

TEST_F(Probe, IsUnknownWithoutAnAnswer) {
  azure.otherwise([](const SeenRequest&) { return ScriptedAzure::Answer(); });
  EXPECT_EQ(look("", ""), Health::Unknown);
}

TEST_F(Probe, IsUnknownWhenTheAnswerIsTooLarge) {
  azure.otherwise([this](const SeenRequest&) { return azure.reply(200, std::string(HealthProbe::reply_bytes_max + 1, 'x')); });
  EXPECT_EQ(look("", ""), Health::Unknown);
}

TEST_F(Probe, NeverAsksAForbiddenAddress) {
  EXPECT_EQ(look("", "", api::Cloud::Public), Health::Unknown);
  EXPECT_TRUE(azure.seen.empty());
}

}  // namespace
}  // namespace keyturn
