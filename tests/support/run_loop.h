// Runs coroutines of a test on one io_context, in virtual time or, where sockets and threads take part, in real time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include "tests/support/virtual_clock.h"

namespace keyturn {

// A test that waits longer than this for the outside world hangs, and says so. No test depends on the value.
inline constexpr std::chrono::seconds stuck_after{60};

// A coroutine that was started and what became of it.
template <class T>
class Started {
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  Started(boost::asio::io_context& io, boost::asio::awaitable<T> task) {
    boost::asio::co_spawn(io, keep(state_, std::move(task)), [state = state_](std::exception_ptr thrown) { state->thrown = thrown; });
  }
  bool done() const { return state_->thrown || state_->value; }
  // What it returned, or throws what it threw.
  T take() {
    if (state_->thrown) std::rethrow_exception(state_->thrown);
    if (!state_->value) throw std::logic_error("the coroutine has not ended");
    if constexpr (!std::is_void_v<T>) return std::move(*state_->value);
  }

 private:
  struct State {
    std::exception_ptr thrown;
    std::optional<Value> value;
  };
  static boost::asio::awaitable<void> keep(std::shared_ptr<State> state, boost::asio::awaitable<T> task) {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      state->value.emplace();
    } else {
      T value = co_await std::move(task);
      state->value.emplace(std::move(value));
    }
  }
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

template <class T>
[[nodiscard]] Started<T> start(boost::asio::io_context& io, boost::asio::awaitable<T> task) {
  return Started<T>(io, std::move(task));
}

// Runs what is ready, without waiting and without moving time.
inline void run_ready(boost::asio::io_context& io) {
  if (io.stopped()) io.restart();
  while (io.poll() > 0) {
  }
}

// Real time: runs the loop until `finished`. For sockets and threads; virtual time stands still.
inline void run_until(boost::asio::io_context& io, const std::function<bool()>& finished) {
  const auto stuck_at = std::chrono::steady_clock::now() + stuck_after;
  while (!finished()) {
    if (io.stopped()) io.restart();
    if (io.run_one_until(stuck_at) == 0 && std::chrono::steady_clock::now() >= stuck_at) throw std::runtime_error("the test is stuck");
    if (io.stopped() && !finished()) throw std::runtime_error("nothing is left to run, and the test has not finished");
  }
}

// Real time: runs `task` to its end, for tests with sockets or threads.
template <class T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> task) {
  auto started = start(io, std::move(task));
  run_until(io, [&started] { return started.done(); });
  return started.take();
}

// Virtual time: runs all that is ready, and when nothing is, jumps to the next timer. Nothing outside the io_context may take part: a
// socket or a thread would look like "nothing is ready".
inline void run_until(boost::asio::io_context& io, VirtualClock& clock, const std::function<bool()>& finished) {
  for (;;) {
    run_ready(io);
    if (finished()) return;
    if (!clock.advance_to_next()) throw std::runtime_error("nothing is left to run, and the test has not finished");
  }
}

// Sockets in real time, limits in virtual time: whenever the loop has nothing to do for a moment, virtual time moves on by `step`. Only
// for waiting until a limit strikes: how much virtual time passes meanwhile is not determined.
inline void run_until_passing(boost::asio::io_context& io, VirtualClock& clock, Duration step, const std::function<bool()>& finished) {
  const auto stuck_at = std::chrono::steady_clock::now() + stuck_after;
  while (!finished()) {
    if (std::chrono::steady_clock::now() >= stuck_at) throw std::runtime_error("the test is stuck");
    if (io.stopped()) io.restart();
    if (io.run_one_for(std::chrono::milliseconds(1)) == 0) clock.advance(step);
  }
}

template <class T>
T run(boost::asio::io_context& io, VirtualClock& clock, boost::asio::awaitable<T> task) {
  auto started = start(io, std::move(task));
  run_until(io, clock, [&started] { return started.done(); });
  return started.take();
}

// Virtual time: everything that happens within `span`, in steps, so that what a timer starts is seen by later timers.
inline void run_for(boost::asio::io_context& io, VirtualClock& clock, Duration span) {
  const BootInstant end = clock.boot_now() + span;
  run_ready(io);
  for (auto next = clock.until_next(); next && clock.boot_now() + *next <= end; next = clock.until_next()) {
    clock.advance_to_next();
    run_ready(io);
  }
  clock.advance(end - clock.boot_now());
  run_ready(io);
}

}  // namespace keyturn
