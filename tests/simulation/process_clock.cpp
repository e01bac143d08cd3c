#include "tests/simulation/process_clock.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace keyturn::simulation {
namespace {

using Callback = std::shared_ptr<std::function<void()>>;

// The timer empties the callback when it is cancelled, which may be after it was posted.
class ProcessTimer final : public Timer::Impl {
 public:
  ProcessTimer(Timer inner, Callback callback) : inner_(std::move(inner)), callback_(std::move(callback)) {}
  ~ProcessTimer() override { *callback_ = nullptr; }

 private:
  Timer inner_;
  Callback callback_;
};

void post(const boost::asio::any_io_executor& executor, const Callback& callback) {
  boost::asio::post(executor, [callback] {
    if (const auto body = std::exchange(*callback, nullptr)) body();
  });
}

constexpr Duration delay_max = std::chrono::hours(24 * 365 * 20);

}  // namespace

ProcessClock::ProcessClock(Clock& truth, boost::asio::any_io_executor executor, std::int64_t rate)
    : truth_(truth), executor_(std::move(executor)), rate_(rate), true_start_(truth.boot_now()), wall_start_(truth.now()) {}

Duration ProcessClock::elapsed() const {
  const std::int64_t truly = (truth_.boot_now() - true_start_).count();
  return Duration(truly / exact * rate_ + truly % exact * rate_ / exact);
}

Instant ProcessClock::now() const { return wall_start_ + elapsed() + wall_offset_; }
BootInstant ProcessClock::boot_now() const { return BootInstant(std::chrono::hours(1)) + elapsed(); }

Timer ProcessClock::after(Duration delay, std::function<void()> callback) {
  auto shared = std::make_shared<std::function<void()>>(std::move(callback));
  if (!waits_) {
    post(executor_, shared);
    return Timer(std::make_unique<ProcessTimer>(Timer(), std::move(shared)));
  }
  const std::int64_t mine = std::clamp(delay, Duration(0), delay_max).count();
  // Rounded up, so that the delay has passed on this clock, too, when it is over.
  const Duration truly(rate_ == exact ? mine : mine / rate_ * exact + (mine % rate_ * exact + rate_ - 1) / rate_ + 1);
  Timer inner = truth_.after(truly, [executor = executor_, weak = std::weak_ptr(shared)] {
    if (const auto alive = weak.lock()) post(executor, alive);
  });
  return Timer(std::make_unique<ProcessTimer>(std::move(inner), std::move(shared)));
}

}  // namespace keyturn::simulation
