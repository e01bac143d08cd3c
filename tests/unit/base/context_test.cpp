#include "base/context.h"

#include <gtest/gtest.h>

#include "tests/support/virtual_clock.h"

namespace keyturn {
namespace {

using namespace std::chrono_literals;

class Contexts : public testing::Test {
 protected:
  VirtualClock clock_;
  Context root_{clock_, "erp-dev/erp-redis"};
};

TEST_F(Contexts, AreUnlimitedByDefault) {
  EXPECT_EQ(root_.remaining(), std::nullopt);
  EXPECT_FALSE(root_.expired());
  EXPECT_TRUE(root_.may_send());
  EXPECT_EQ(&root_.clock(), &clock_);
}

TEST_F(Contexts, CountDown) {
  const Context limited = root_.with_timeout(10s);
  clock_.advance(4s);
  EXPECT_EQ(limited.remaining(), 6s);
  clock_.advance(5999ms);
  EXPECT_FALSE(limited.expired());
  clock_.advance(1ms);
  EXPECT_TRUE(limited.expired());
  clock_.advance(1h);
  EXPECT_EQ(limited.remaining(), 0s);
}

TEST_F(Contexts, OnlyShrinkOnTheWayDown) {
  const Context limited = root_.with_timeout(10s);
  EXPECT_EQ(limited.with_timeout(1h).remaining(), 10s);
  EXPECT_EQ(limited.with_timeout(3s).remaining(), 3s);
  EXPECT_EQ(limited.remaining(), 10s);
}

TEST_F(Contexts, AreNotMovedByTheWallClock) {
  const Context limited = root_.with_timeout(10s).sending_within(10s);
  clock_.set_wall_clock(clock_.now() + 24h * 3650);
  EXPECT_EQ(limited.remaining(), 10s);
  EXPECT_TRUE(limited.may_send());
}

TEST_F(Contexts, TakeTheLongestTimeout) {
  EXPECT_FALSE(root_.with_timeout(Duration::max()).expired());
  EXPECT_TRUE(root_.sending_within(Duration::max()).may_send());
}

TEST_F(Contexts, TakeANegativeTimeoutAsNone) {
  EXPECT_TRUE(root_.with_timeout(-1s).expired());
  EXPECT_EQ(root_.with_timeout(-1s).remaining(), 0s);
  EXPECT_EQ(root_.with_timeout(Duration::min()).remaining(), 0s);
}

TEST_F(Contexts, StopSendingAtTheSendDeadlineExactly) {
  const Context sending = root_.sending_within(5s);
  clock_.advance(4999ms);
  EXPECT_TRUE(sending.may_send());
  clock_.advance(1ms);
  EXPECT_FALSE(sending.may_send());
  EXPECT_FALSE(sending.expired());
}

TEST_F(Contexts, NeverExtendASendDeadline) {
  const Context sending = root_.sending_within(5s);
  const Context longer = sending.sending_within(1h);
  clock_.advance(5s);
  EXPECT_FALSE(longer.may_send());
  EXPECT_FALSE(sending.named("retry").with_timeout(1h).may_send());
}

TEST_F(Contexts, DoNotSendOnceExpired) {
  const Context limited = root_.with_timeout(1s);
  clock_.advance(1s);
  EXPECT_FALSE(limited.may_send());
}

TEST_F(Contexts, SayOnWhoseBehalf) {
  EXPECT_EQ(root_.who(), "erp-dev/erp-redis");
  EXPECT_EQ(root_.named("publish").who(), "erp-dev/erp-redis publish");
  EXPECT_EQ(Context(clock_, "").named("publish").who(), "publish");
}

}  // namespace
}  // namespace keyturn
