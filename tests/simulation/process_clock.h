// The clock of one simulated process: its wall clock may be off and jump, its boot clock may run too fast or too slow, and its timers
// fire on its own loop, which stands still while it is suspended.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "base/clock.h"

namespace keyturn::simulation {

class ProcessClock final : public Clock {
 public:
  static constexpr std::int64_t exact = 1'000'000;

  // `truth` is the world's time, without an executor; it outlives this clock. `rate` is in millionths: 1'050'000 runs 5 % too fast.
  ProcessClock(Clock& truth, boost::asio::any_io_executor executor, std::int64_t rate);

  Instant now() const override;
  BootInstant boot_now() const override;
  Timer after(Duration delay, std::function<void()> callback) override;

  void set_wall_offset(Duration offset) { wall_offset_ = offset; }
  // A process that is being taken down waits for nothing: its timers are due at once.
  void stop_waiting() { waits_ = false; }

 private:
  Duration elapsed() const;

  Clock& truth_;
  boost::asio::any_io_executor executor_;
  std::int64_t rate_;
  BootInstant true_start_;
  Instant wall_start_;
  Duration wall_offset_{};
  bool waits_ = true;
};

}  // namespace keyturn::simulation
