// The only source of time. Nothing else in the program asks the time, and every timer is one of these.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "base/task.h"
#include "base/time.h"

namespace keyturn {

// Cancels its callback when destroyed. After the callback ran it is inert.
class Timer {
 public:
  class Impl {
   public:
    virtual ~Impl() = default;  // cancels
  };
  Timer() = default;
  explicit Timer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
  void cancel() { impl_.reset(); }

 private:
  std::unique_ptr<Impl> impl_;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;           // wall clock, for people and schedules
  virtual BootInstant boot_now() const = 0;  // for quarantine and send deadlines
  // Runs `callback` on the control thread once `delay` has passed; never inside this call.
  virtual Timer after(Duration delay, std::function<void()> callback) = 0;

  // Waits; ends early, without error, when the coroutine is cancelled.
  Awaitable<> sleep_for(Duration delay);
  Awaitable<> sleep_until(Instant at);
};

class SystemClock final : public Clock {
 public:
  explicit SystemClock(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Instant now() const override;
  BootInstant boot_now() const override;
  Timer after(Duration delay, std::function<void()> callback) override;

 private:
  boost::asio::any_io_executor executor_;
};

}  // namespace keyturn
