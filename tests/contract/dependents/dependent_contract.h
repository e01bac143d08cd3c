// What every Dependent promises, whatever stands behind it. A world is a kind of system under test, real or simulated:
//   static constexpr bool holds_two: the first and the second credential can be live together
//   std::shared_ptr<Dependent> dependent(); with_admin_password(std::string)
//   std::string first(), second(): the principals of the two credentials, the same where one principal holds several values
//   void stop(), start(): an outage in which everything not durable is lost; freeze(), thaw(): connections hang
//   std::string log(): all that the system wrote
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "reconcilers/rotation/systems.h"
#include "tests/support/run_loop.h"

namespace keyturn {

template <class World>
class DependentContract : public testing::Test {
 protected:
  Context context() { return Context(clock_, "contract"); }
  Context hurried() { return context().with_timeout(std::chrono::milliseconds(250)); }

  Result<> install(const std::string& principal, const std::string& password) { return install_within(context(), principal, password); }
  Result<> install_within(Context limits, const std::string& principal, const std::string& password) {
    const Secret value = Secret::copy_of(password);
    return run(io_, dependent_->install(limits, principal, value));
  }
  Result<> withdraw(const std::string& principal, const std::string& password) {
    const Secret value = Secret::copy_of(password);
    return run(io_, dependent_->withdraw(context(), principal, value));
  }
  ProbeResult probe(const std::string& principal, const std::string& password) { return probe_within(context(), principal, password); }
  ProbeResult probe_within(Context limits, const std::string& principal, const std::string& password) {
    const Secret value = Secret::copy_of(password);
    const auto result = run(io_, dependent_->probe(limits, principal, value));
    EXPECT_TRUE(result);
    return result ? *result : ProbeResult::Unknown;
  }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  World world_;
  std::shared_ptr<Dependent> dependent_ = world_.dependent();
};

TYPED_TEST_SUITE_P(DependentContract);

TYPED_TEST_P(DependentContract, AcceptsAPasswordFromItsInstallationOn) {
  const std::string first = this->world_.first();
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Rejected);
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Accepted);
  EXPECT_EQ(this->probe(first, "Value-one_2"), ProbeResult::Rejected);
}

TYPED_TEST_P(DependentContract, InstallsTwiceAsOnce) {
  const std::string first = this->world_.first();
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Accepted);
}

TYPED_TEST_P(DependentContract, KeepsTheOldCredentialWhereItHoldsTwo) {
  const std::string first = this->world_.first();
  const std::string second = this->world_.second();
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  EXPECT_TRUE(this->install(second, "Value-two_2"));
  EXPECT_EQ(this->probe(second, "Value-two_2"), ProbeResult::Accepted);
  EXPECT_EQ(this->probe(first, "Value-one_1"), TypeParam::holds_two ? ProbeResult::Accepted : ProbeResult::Rejected);
}

TYPED_TEST_P(DependentContract, WithdrawsTwiceAsOnceAndOnlyWhatWasMeant) {
  const std::string first = this->world_.first();
  const std::string second = this->world_.second();
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  if (TypeParam::holds_two) EXPECT_TRUE(this->install(second, "Value-two_2"));
  EXPECT_TRUE(this->withdraw(first, "Value-one_1"));
  EXPECT_TRUE(this->withdraw(first, "Value-one_1"));
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Rejected);
  if (TypeParam::holds_two) EXPECT_EQ(this->probe(second, "Value-two_2"), ProbeResult::Accepted);
}

TYPED_TEST_P(DependentContract, WithdrawingWhatNeverWasIsDone) { EXPECT_TRUE(this->withdraw(this->world_.first(), "Never-there_9")); }

TYPED_TEST_P(DependentContract, BringsAWithdrawnCredentialBack) {
  const std::string first = this->world_.first();
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  EXPECT_TRUE(this->withdraw(first, "Value-one_1"));
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Accepted);
}

TYPED_TEST_P(DependentContract, RemembersAcrossACrash) {
  const std::string first = this->world_.first();
  const std::string second = this->world_.second();
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  this->world_.stop();
  this->world_.start();
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Accepted);
  EXPECT_TRUE(this->install(second, "Value-two_2"));
  EXPECT_TRUE(this->withdraw(TypeParam::holds_two ? first : second, TypeParam::holds_two ? "Value-one_1" : "Value-two_2"));
  this->world_.stop();
  this->world_.start();
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Rejected);
  EXPECT_EQ(this->probe(second, "Value-two_2"), TypeParam::holds_two ? ProbeResult::Accepted : ProbeResult::Rejected);
}

TYPED_TEST_P(DependentContract, AServerThatIsDownIsUnknownAndUnavailable) {
  const std::string first = this->world_.first();
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  this->world_.stop();
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Unknown);
  EXPECT_EQ(this->probe(first, "Value-two_2"), ProbeResult::Unknown);
  const auto done = this->install(first, "Value-two_2");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::Unavailable);
  this->world_.start();
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Accepted);
}

TYPED_TEST_P(DependentContract, AServerThatHangsEndsWithTheDeadline) {
  const std::string first = this->world_.first();
  EXPECT_TRUE(this->install(first, "Value-one_1"));
  this->world_.freeze();
  EXPECT_EQ(this->probe_within(this->hurried(), first, "Value-one_1"), ProbeResult::Unknown);
  const auto done = this->install_within(this->hurried(), first, "Value-two_2");
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().code == Errc::Unavailable || done.error().code == Errc::OutcomeUnknown);
  this->world_.thaw();
  EXPECT_TRUE(this->install(first, "Value-two_2"));
  EXPECT_EQ(this->probe(first, "Value-two_2"), ProbeResult::Accepted);
}

TYPED_TEST_P(DependentContract, SendsNothingOnceTheTimeToSendHasPassed) {
  const std::string first = this->world_.first();
  const auto done = this->install_within(this->context().sending_within(Duration(0)), first, "Value-one_1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::Unavailable);
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Rejected);
}

TYPED_TEST_P(DependentContract, NeverLetsAPasswordIntoTheLog) {
  const std::string first = this->world_.first();
  const std::string second = this->world_.second();
  EXPECT_TRUE(this->install(first, "Distinctive-4711"));
  EXPECT_EQ(this->probe(first, "Distinctive-4711"), ProbeResult::Accepted);
  EXPECT_EQ(this->probe(first, "Wrong-and-distinctive-4712"), ProbeResult::Rejected);
  EXPECT_TRUE(this->install(second, "Distinctive-4713"));
  EXPECT_TRUE(this->withdraw(first, "Distinctive-4711"));
  this->world_.stop();
  this->world_.start();
  const std::string log = this->world_.log();
  EXPECT_FALSE(log.empty());
  EXPECT_EQ(log.find("istinctive"), std::string::npos);
}

TYPED_TEST_P(DependentContract, RefusesNamesThatCouldBeSyntax) {
  const std::string long_name(200, 'a');
  const Secret value = Secret::copy_of("Value-one_1");
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("x\r\nFLUSHALL"), std::string("x\";DROP ROLE y;--"), std::string("x' OR '1"),
        std::string("a\0b", 3), std::string("caf\xC3\xA9"), std::string("%s"), std::string("*"), long_name}) {
    const auto installed = run(this->io_, this->dependent_->install(this->context(), name, value));
    ASSERT_FALSE(installed);
    EXPECT_EQ(installed.error().code, Errc::Invalid);
    const auto withdrawn = run(this->io_, this->dependent_->withdraw(this->context(), name, value));
    ASSERT_FALSE(withdrawn);
    EXPECT_EQ(withdrawn.error().code, Errc::Invalid);
    const auto probed = run(this->io_, this->dependent_->probe(this->context(), name, value));
    ASSERT_FALSE(probed);
    EXPECT_EQ(probed.error().code, Errc::Invalid);
  }
}

TYPED_TEST_P(DependentContract, AWrongAdministratorsPasswordIsDeniedAndChangesNothing) {
  const std::string first = this->world_.first();
  const auto locked_out = this->world_.with_admin_password("not-the-password");
  const Secret value = Secret::copy_of("Value-one_1");
  const auto done = run(this->io_, locked_out->install(this->context(), first, value));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::Denied);
  EXPECT_EQ(this->probe(first, "Value-one_1"), ProbeResult::Rejected);
}

TYPED_TEST_P(DependentContract, AnUndeclaredPrincipalIsDenied) {
  const auto done = this->install("somebody_else", "Value-one_1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::Denied);
}

TYPED_TEST_P(DependentContract, EveryPrintableCharacterIsCarriedExactly) {
  std::string all;
  for (char c = ' '; c < 0x7F; ++c) all.push_back(c);
  const std::string first = this->world_.first();
  EXPECT_TRUE(this->install(first, all));
  EXPECT_EQ(this->probe(first, all), ProbeResult::Accepted);
  all.pop_back();
  EXPECT_EQ(this->probe(first, all), ProbeResult::Rejected);
}

REGISTER_TYPED_TEST_SUITE_P(DependentContract, AcceptsAPasswordFromItsInstallationOn, InstallsTwiceAsOnce,
                            KeepsTheOldCredentialWhereItHoldsTwo, WithdrawsTwiceAsOnceAndOnlyWhatWasMeant, WithdrawingWhatNeverWasIsDone,
                            BringsAWithdrawnCredentialBack, RemembersAcrossACrash, AServerThatIsDownIsUnknownAndUnavailable,
                            AServerThatHangsEndsWithTheDeadline, SendsNothingOnceTheTimeToSendHasPassed, NeverLetsAPasswordIntoTheLog,
                            RefusesNamesThatCouldBeSyntax, AWrongAdministratorsPasswordIsDeniedAndChangesNothing,
                            AnUndeclaredPrincipalIsDenied, EveryPrintableCharacterIsCarriedExactly);

}  // namespace keyturn
