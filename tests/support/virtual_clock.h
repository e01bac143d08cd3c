// Time that stands still until a test moves it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace keyturn {

class VirtualClock final : public Clock {
 public:
  // Callbacks are posted to `executor`. Without one they run inside `advance`, which is handier for code without coroutines.
  explicit VirtualClock(Instant start = Instant(std::chrono::days(20'000)));
  explicit VirtualClock(boost::asio::any_io_executor executor, Instant start = Instant(std::chrono::days(20'000)));
  ~VirtualClock() override;

  Instant now() const override;
  BootInstant boot_now() const override;
  Timer after(Duration delay, std::function<void()> callback) override;

  // Moves time on, stopping at each callback that becomes due on the way, in order of time, and for one moment in order of arming.
  // Callbacks armed meanwhile that fall due are run as well. With an executor, only posts: whoever runs the loop runs them.
  void advance(Duration by);

  // When the next callback is due, counted from now; nothing when none is armed.
  std::optional<Duration> until_next() const;
  // Jumps to the next callback and hands it over. False when none is armed.
  bool advance_to_next();

  // The wall clock is set, as an administrator or NTP would: now() jumps, boot time and timers do not.
  void set_wall_clock(Instant at);

 private:
  struct Queue;
  class VirtualTimer;

  std::shared_ptr<Queue> queue_;
};

}  // namespace keyturn
