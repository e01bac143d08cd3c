#include "sim/faults.h"

#include <gtest/gtest.h>

#include "tests/unit/sim/simulated_cloud.h"

namespace keyturn::sim {
namespace {

using std::chrono::seconds;

class FaultsTest : public testing::Test {
 protected:
  std::string add(const std::string& text) {
    const auto fault = read_fault(boost::json::parse(text), now_);
    return fault ? faults_.add(*fault) : fault.error().message;
  }
  bool met(const std::string& operation, const std::string& secret = "redis") {
    return faults_.meet(route(operation, secret), now_).fault.has_value();
  }
  static Route route(const std::string& operation, const std::string& secret = "redis") {
    return {.service = operation.starts_with("vault.") ? Service::Vault : Service::Arm,
            .operation = operation,
            .vault = "main",
            .secret = secret,
            .app = "orders"};
  }
  Instant now_{std::chrono::days(20'000)};
  Faults faults_;
};

TEST_F(FaultsTest, ActsAsOftenAsItsCountSaysAfterThoseItSkips) {  // SIM-2
  ASSERT_EQ(add(R"({"match":{"operation":"vault.set"},"action":"drop-before","count":2,"skip":1})"), "f1");
  EXPECT_FALSE(met("vault.set"));
  EXPECT_FALSE(met("vault.get"));
  EXPECT_TRUE(met("vault.set"));
  EXPECT_TRUE(met("vault.set"));
  EXPECT_FALSE(met("vault.set"));
  EXPECT_TRUE(faults_.all().empty());
}

TEST_F(FaultsTest, ActsUntilRemovedWithCountZero) {  // SIM-2
  const std::string id = add(R"({"action":"status","count":0})");
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(met("apps.get"));
  EXPECT_TRUE(faults_.remove(id));
  EXPECT_FALSE(faults_.remove(id));
  EXPECT_FALSE(met("apps.get"));
}

TEST_F(FaultsTest, MatchesByEveryMemberThatIsGiven) {  // SIM-2
  add(R"({"match":{"service":"vault","vault":"MAIN","secret":"redis"},"action":"status","count":0})");
  EXPECT_TRUE(met("vault.get"));
  EXPECT_FALSE(met("vault.get", "other"));
  EXPECT_FALSE(met("apps.get"));
}

TEST_F(FaultsTest, AddsDelaysToAnotherFault) {  // SIM-2
  add(R"({"action":"delay","delayMs":100})");
  add(R"({"action":"drop-before"})");
  add(R"({"action":"delay","delayMs":20})");
  const auto both = faults_.meet(route("vault.get"), now_);
  EXPECT_EQ(both.delay, Duration(120));
  ASSERT_TRUE(both.fault);
  EXPECT_EQ(both.fault->action, FaultAction::DropBefore);
}

TEST_F(FaultsTest, LeavesASecondFaultForTheNextRequest) {
  add(R"({"action":"drop-before"})");
  add(R"({"action":"status","status":429})");
  EXPECT_EQ(faults_.meet(route("vault.get"), now_).fault->action, FaultAction::DropBefore);
  EXPECT_EQ(faults_.meet(route("vault.get"), now_).fault->status, 429);
}

TEST_F(FaultsTest, RefusesOnlyWritesWhileAVaultIsReadOnlyAndOnlyForItsTime) {  // KV-S7
  add(R"({"match":{"vault":"main"},"action":"read-only","seconds":60})");
  EXPECT_TRUE(met("vault.set"));
  EXPECT_TRUE(met("vault.patch"));
  EXPECT_TRUE(met("vault.delete"));
  EXPECT_FALSE(met("vault.get"));
  EXPECT_FALSE(met("vault.versions"));
  now_ += seconds(60);
  EXPECT_FALSE(met("vault.set"));
}

TEST_F(FaultsTest, IgnoresRestartsOnly) {  // CA-S1
  add(R"({"action":"ignore"})");
  EXPECT_FALSE(met("revisions.list"));
  EXPECT_TRUE(met("revisions.restart"));
}

TEST_F(FaultsTest, AnswersInTheShapeOfTheServiceOrWithABodyOfItsOwn) {  // KV-S6, AR-S4
  add(R"({"action":"status","status":403,"code":"Forbidden","message":"no","innerCode":"ForbiddenByRbac"})");
  const Fault fault = faults_.all().front();
  EXPECT_EQ(fault.reply(Service::Vault).body, R"({"error":{"code":"Forbidden","message":"no","innererror":{"code":"ForbiddenByRbac"}}})");
  EXPECT_EQ(fault.reply(Service::Arm).body, R"({"error":{"code":"Forbidden","message":"no","innererror":"ForbiddenByRbac"}})");
  EXPECT_EQ(fault.reply(Service::Entra).body, R"({"error":"Forbidden","error_description":"no"})");
  faults_.clear();
  add(R"({"action":"status","status":502,"body":"<html>Bad Gateway</html>","headers":{"Retry-After":"7","Content-Type":"text/html"}})");
  const net::HttpReply gateway = faults_.all().front().reply(Service::Vault);
  EXPECT_EQ(gateway.body, "<html>Bad Gateway</html>");
  EXPECT_EQ(gateway.headers.find("Retry-After"), "7");
  EXPECT_EQ(gateway.headers.find("Content-Type"), "text/html");
}

TEST_F(FaultsTest, NamesWhatIsWrongWithAFault) {
  EXPECT_EQ(add(R"({"action":"explode"})"), "action is not known");
  EXPECT_EQ(add(R"({})"), "action is missing");
  EXPECT_EQ(add(R"({"action":"status","match":{"servce":"vault"}})"), "match.servce is not known");
  EXPECT_EQ(add(R"({"action":"status","match":{"service":"redis"}})"), "match.service must be one of  entra vault arm health");
  EXPECT_EQ(add(R"({"action":"status","status":99})"), "status must be a whole number from 200 to 599");
  EXPECT_EQ(add(R"({"action":"status","headers":{"A":"b\r\nC: d"}})"), "headers are not well formed");
  EXPECT_EQ(add(R"([])"), "must be an object");
}

}  // namespace
}  // namespace keyturn::sim
