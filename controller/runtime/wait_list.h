// Coroutines that wait for an event of this process, first come, first served. One thread only: the control thread.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>

#include "base/task.h"

namespace keyturn {

class WaitList {
 public:
  explicit WaitList(boost::asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

  // Waits to be notified. True when that happened, false when the coroutine was cancelled before. A notification is never lost on a
  // cancelled coroutine: whoever gets true has received it and must act on it or pass it on.
  Awaitable<bool> wait();

  // Wakes the one that waits longest, or nobody; says whether there was one. The woken coroutine runs later, never inside this call.
  bool notify_one();
  void notify_all();
  std::size_t waiting() const noexcept { return state_->handlers.size(); }

 private:
  using Handler = boost::asio::any_completion_handler<void(bool)>;
  struct State : std::enable_shared_from_this<State> {
    explicit State(boost::asio::any_io_executor where) : executor(std::move(where)) {}
    boost::asio::any_io_executor executor;
    std::map<std::uint64_t, Handler> handlers;  // by arrival
    std::uint64_t arrivals = 0;

    void complete(std::uint64_t ticket, bool notified);
  };
  std::shared_ptr<State> state_;
};

// Lets one coroutine at a time through, in the order of arrival.
class Turnstile {
 public:
  explicit Turnstile(boost::asio::any_io_executor executor) : waiters_(std::move(executor)) {}

  // Gives the turn back when destroyed.
  class Turn {
   public:
    Turn() = default;
    explicit Turn(Turnstile& owner) : owner_(&owner) {}
    Turn(Turn&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (owner_) owner_->leave();
    }
    explicit operator bool() const noexcept { return owner_ != nullptr; }

   private:
    Turnstile* owner_ = nullptr;
  };

  // Empty when the coroutine was cancelled while it waited. The turnstile must outlive the turn.
  Awaitable<Turn> enter();
  std::size_t waiting() const noexcept { return waiters_.waiting(); }

 private:
  void leave();
  WaitList waiters_;
  bool taken_ = false;
};

}  // namespace keyturn
