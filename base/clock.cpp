#include "base/clock.h"

#include <ctime>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/event.h"

namespace keyturn {
namespace {

namespace asio = boost::asio;

// A wall clock may be set while somebody waits for a moment of it, so a long wait looks at it again now and then.
constexpr Duration wall_clock_look_interval = std::chrono::minutes(10);
// Longer delays would overflow the nanoseconds inside Asio.
constexpr Duration delay_max = std::chrono::hours(24 * 365 * 50);

class SystemTimer final : public Timer::Impl {
 public:
  SystemTimer(const asio::any_io_executor& executor, Duration delay, std::function<void()> callback)
      : shared_(std::make_shared<Shared>(Shared{asio::steady_timer(executor), std::move(callback)})) {
    shared_->timer.expires_after(std::clamp(delay, Duration(0), delay_max));
    shared_->timer.async_wait([shared = shared_](const boost::system::error_code&) {
      // Empty once the Timer is gone: a callback already queued then must not run.
      if (auto run = std::exchange(shared->callback, nullptr)) run();
    });
  }
  ~SystemTimer() override {
    shared_->callback = nullptr;
    shared_->timer.cancel();
  }

 private:
  struct Shared {
    asio::steady_timer timer;
    std::function<void()> callback;
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace

Awaitable<> Clock::sleep_for(Duration delay) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Event never(executor);
  co_await never.wait(*this, delay);
}

Awaitable<> Clock::sleep_until(Instant at) {
  for (;;) {
    const Duration left = at - now();
    if (left <= Duration(0)) co_return;
    const Duration piece = std::min(left, wall_clock_look_interval);
    co_await sleep_for(piece);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
  }
}

Instant SystemClock::now() const { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

BootInstant SystemClock::boot_now() const {
  timespec at{};
  ::clock_gettime(CLOCK_BOOTTIME, &at);
  return BootInstant(std::chrono::duration_cast<Duration>(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec)));
}

Timer SystemClock::after(Duration delay, std::function<void()> callback) {
  return Timer(std::make_unique<SystemTimer>(executor_, delay, std::move(callback)));
}

}  // namespace keyturn
