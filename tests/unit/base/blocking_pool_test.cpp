#include "base/blocking_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/support/run_loop.h"

namespace keyturn {
namespace {

TEST(BlockingPool, WorksOnAnotherThreadAndComesBack) {
  boost::asio::io_context io;
  BlockingPool pool(1);
  const auto home = std::this_thread::get_id();
  const auto result = run(io, pool.run([home]() -> Result<bool> { return std::this_thread::get_id() != home; }));
  ASSERT_TRUE(result);
  EXPECT_TRUE(*result);
}

TEST(BlockingPool, PassesErrorsOn) {
  boost::asio::io_context io;
  BlockingPool pool(1);
  const auto result = run(io, pool.run([]() -> Result<> { return Error{Errc::Denied, "no"}; }));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Denied);
}

TEST(BlockingPool, TurnsExceptionsIntoInternal) {
  boost::asio::io_context io;
  BlockingPool pool(1);
  const auto result = run(io, pool.run([]() -> Result<int> { throw std::runtime_error("a text that might hold anything"); }));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::Internal);
  EXPECT_EQ(result.error().message, "blocking call failed unexpectedly");
}

TEST(BlockingPool, CarriesWhatCanOnlyBeMoved) {
  boost::asio::io_context io;
  BlockingPool pool(1);
  auto owned = std::make_unique<int>(4);
  auto result = run(io, pool.run([owned = std::move(owned)]() mutable -> Result<std::unique_ptr<int>> { return std::move(owned); }));
  ASSERT_TRUE(result);
  EXPECT_EQ(**result, 4);
}

TEST(BlockingPool, RunsAsManyAtOnceAsItHasThreads) {
  boost::asio::io_context io;
  BlockingPool pool(2);
  auto both = std::make_shared<std::latch>(2);  // passed only when both run at the same time
  const auto meet = [both]() -> Result<int> {
    both->arrive_and_wait();
    return 1;
  };
  auto first = start(io, pool.run(meet));
  auto second = start(io, pool.run(meet));
  run_until(io, [&] { return first.done() && second.done(); });
  EXPECT_EQ(*first.take() + *second.take(), 2);
}

}  // namespace
}  // namespace keyturn
