// The owner of spawned coroutines. Always the last member of its class, so that nothing it runs outlives what it uses.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/context.h"

namespace keyturn {

class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  // The destructor requires that `stop` ran or that nothing was ever spawned; otherwise it aborts.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `body`. An exception that leaves it is logged with `name` and ends only that task. Ignored after stop began.
  void spawn(std::string name, std::function<Awaitable<>()> body);
  std::size_t running() const noexcept;

  // Only asks, without waiting: for the destructor of an owner whose tasks keep alive all that they use.
  void request_stop();

  // First asks (cancellation, terminal), then waits at most `grace`; says how many were still running. Idempotent.
  Awaitable<std::size_t> stop(Clock& clock, Duration grace);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace keyturn
