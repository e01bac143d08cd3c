#include "base/net/resolve.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "tests/support/run_loop.h"

namespace keyturn::net {
namespace {

using namespace std::chrono_literals;

class Resolving : public testing::Test {
 protected:
  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  Context context_{clock_, "test"};
};

TEST_F(Resolving, TakesAnAddressForItself) {
  const auto v4 = run(io_, resolve(context_, "127.0.0.1", 80));
  ASSERT_TRUE(v4);
  ASSERT_EQ(v4->size(), 1U);
  EXPECT_EQ(v4->front().address().to_string(), "127.0.0.1");
  EXPECT_EQ(v4->front().port(), 80);
  const auto v6 = run(io_, resolve(context_, "::1", 443));
  ASSERT_TRUE(v6);
  EXPECT_TRUE(v6->front().address().is_v6());
}

TEST_F(Resolving, FindsLocalhost) {
  const auto found = run(io_, resolve(context_, "localhost", 80));
  ASSERT_TRUE(found);
  for (const auto& endpoint : *found) EXPECT_TRUE(endpoint.address().is_loopback());
}

// "invalid" is reserved never to exist (RFC 6761).
TEST_F(Resolving, SaysThatANameDoesNotExist) {
  const auto found = run(io_, resolve(context_, "nowhere.invalid", 80));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::Unavailable);
}

TEST_F(Resolving, DoesNotWaitBeyondTheDeadline) {
  auto waiting = start(io_, resolve(context_.with_timeout(0s), "nowhere.invalid", 80));
  run_ready(io_);
  ASSERT_TRUE(waiting.done());
  EXPECT_EQ(waiting.take().error().code, Errc::Unavailable);
}

}  // namespace
}  // namespace keyturn::net
