// The simulator's present: a real clock plus what was added by hand.
#pragma once

#include "base/clock.h"

namespace keyturn::sim {

// Timers run in the underlying clock's time: they hold connections, they never decide when the platform does something.
class ShiftedClock final : public Clock {
 public:
  explicit ShiftedClock(Clock& base) : base_(base) {}
  void advance(Duration by) { shift_ += by; }

  Instant now() const override { return base_.now() + shift_; }
  BootInstant boot_now() const override { return base_.boot_now(); }
  Timer after(Duration delay, std::function<void()> callback) override { return base_.after(delay, std::move(callback)); }

 private:
  Clock& base_;
  Duration shift_{0};
};

}  // namespace keyturn::sim
