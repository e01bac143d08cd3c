#include "tests/support/virtual_clock.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace keyturn {

// Shared with the timers, which may outlive the clock.
struct VirtualClock::Queue {
  using Place = std::pair<BootInstant, std::uint64_t>;  // when, and the how manieth timer

  std::optional<boost::asio::any_io_executor> executor;
  Instant wall;
  BootInstant boot{Duration(std::chrono::hours(1))};
  std::uint64_t armed = 0;
  std::map<Place, std::shared_ptr<std::function<void()>>> waiting;

  void move_to(BootInstant at) {
    wall += at - boot;
    boot = at;
  }
  void hand_over_first() {
    const auto callback = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    if (!executor) return run(callback);
    boost::asio::post(*executor, [callback] { run(callback); });
  }
  // The timer empties the function when it is cancelled, which may be after the callback was posted.
  static void run(const std::shared_ptr<std::function<void()>>& callback) {
    if (const auto body = std::exchange(*callback, nullptr)) body();
  }
};

class VirtualClock::VirtualTimer final : public Timer::Impl {
 public:
  VirtualTimer(std::weak_ptr<Queue> queue, Queue::Place place, std::shared_ptr<std::function<void()>> callback)
      : queue_(std::move(queue)), place_(place), callback_(std::move(callback)) {}
  ~VirtualTimer() override {
    *callback_ = nullptr;
    if (const auto queue = queue_.lock()) queue->waiting.erase(place_);
  }

 private:
  std::weak_ptr<Queue> queue_;
  Queue::Place place_;
  std::shared_ptr<std::function<void()>> callback_;
};

VirtualClock::VirtualClock(Instant start) : queue_(std::make_shared<Queue>()) { queue_->wall = start; }

VirtualClock::VirtualClock(boost::asio::any_io_executor executor, Instant start) : VirtualClock(start) {
  queue_->executor = std::move(executor);
}

VirtualClock::~VirtualClock() = default;

Instant VirtualClock::now() const { return queue_->wall; }
BootInstant VirtualClock::boot_now() const { return queue_->boot; }

Timer VirtualClock::after(Duration delay, std::function<void()> callback) {
  const Duration room = BootInstant::max() - queue_->boot;
  const Queue::Place place{queue_->boot + std::clamp(delay, Duration(0), room), ++queue_->armed};
  auto shared = std::make_shared<std::function<void()>>(std::move(callback));
  queue_->waiting.emplace(place, shared);
  return Timer(std::make_unique<VirtualTimer>(queue_, place, std::move(shared)));
}

void VirtualClock::advance(Duration by) {
  const BootInstant end = queue_->boot + by;
  while (!queue_->waiting.empty() && queue_->waiting.begin()->first.first <= end) {
    queue_->move_to(std::max(queue_->boot, queue_->waiting.begin()->first.first));
    queue_->hand_over_first();
  }
  queue_->move_to(end);
}

std::optional<Duration> VirtualClock::until_next() const {
  if (queue_->waiting.empty()) return std::nullopt;
  return std::max(Duration(0), queue_->waiting.begin()->first.first - queue_->boot);
}

bool VirtualClock::advance_to_next() {
  const auto wait = until_next();
  if (!wait) return false;
  queue_->move_to(queue_->boot + *wait);
  queue_->hand_over_first();
  return true;
}

void VirtualClock::set_wall_clock(Instant at) { queue_->wall = at; }

}  // namespace keyturn
