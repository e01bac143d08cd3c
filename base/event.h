// Something that one coroutine waits for and others of the same thread bring about.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"
#include "base/task.h"

namespace keyturn {

class Event {
 public:
  explicit Event(boost::asio::any_io_executor executor);

  void set();
  bool is_set() const noexcept { return set_; }
  // Waits until set, at most `at_most` by `clock`. True = it is set. Ends early, without error, when the coroutine is cancelled.
  Awaitable<bool> wait(Clock& clock, Duration at_most);

 private:
  // Asio's way to let a coroutine wait for a call: a timer that never fires and is cancelled. It measures no time here.
  boost::asio::steady_timer never_;
  bool set_ = false;
};

}  // namespace keyturn
