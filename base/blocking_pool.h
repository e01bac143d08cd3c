// The one door through which blocking libraries (libpq, libgit2, SQLite writes) are called.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/task.h"

namespace keyturn {

class BlockingPool {
 public:
  static constexpr std::size_t threads_default = 4;
  explicit BlockingPool(std::size_t threads = threads_default) : pool_(threads) {}
  ~BlockingPool() { pool_.join(); }

  // Runs `work()` on a pool thread and comes back to the caller's executor with what it returned. `work` must own all it uses,
  // must bound its own time, and returns a Result; an exception becomes Internal. It cannot be interrupted once begun.
  template <class Work>
  auto run(Work work) -> boost::asio::awaitable<std::invoke_result_t<Work>>;

 private:
  boost::asio::thread_pool pool_;
};

template <class Work>
auto BlockingPool::run(Work work) -> boost::asio::awaitable<std::invoke_result_t<Work>> {
  using R = std::invoke_result_t<Work>;
  namespace asio = boost::asio;
  const asio::any_io_executor home = co_await asio::this_coro::executor;
  auto owned = std::make_shared<Work>(std::move(work));
  auto initiate = [this, home, owned](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto busy = std::make_shared<asio::executor_work_guard<asio::any_io_executor>>(home);  // keeps the caller's loop running
    asio::post(pool_, [home, owned, shared, busy] {
      auto outcome = std::make_shared<R>(Error{Errc::Internal, "blocking call did not finish"});
      try {
        *outcome = (*owned)();
      } catch (const std::exception&) {
        *outcome = R(Error{Errc::Internal, "blocking call failed unexpectedly"});
      }
      asio::post(home, [shared, outcome, busy] { (std::move(*shared))(std::move(*outcome)); });
    });
  };
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(R)>(initiate, asio::use_awaitable);
}

}  // namespace keyturn
