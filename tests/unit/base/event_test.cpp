#include "base/event.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "tests/support/run_loop.h"

namespace keyturn {
namespace {

using namespace std::chrono_literals;

class Events : public testing::Test {
 protected:
  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  Event event_{io_.get_executor()};
};

TEST_F(Events, WakeTheWaiter) {
  auto waiting = start(io_, event_.wait(clock_, 1h));
  run_ready(io_);
  EXPECT_FALSE(waiting.done());
  event_.set();
  run_ready(io_);
  ASSERT_TRUE(waiting.done());
  EXPECT_TRUE(waiting.take());
}

TEST_F(Events, AreNotLostWhenNobodyWaitsYet) {
  event_.set();
  EXPECT_TRUE(event_.is_set());
  EXPECT_TRUE(run(io_, clock_, event_.wait(clock_, 0ms)));
}

TEST_F(Events, GiveUpAfterTheTimeAskedFor) {
  const BootInstant begin = clock_.boot_now();
  EXPECT_FALSE(run(io_, clock_, event_.wait(clock_, 5s)));
  EXPECT_EQ(clock_.boot_now() - begin, 5s);
}

}  // namespace
}  // namespace keyturn
