// Which keys to look at, and when. Keys, not events: many changes of one object are one visit, and one key is never visited twice at
// once. The rules are those of client-go's queue (dirty and processing sets, delays, per-item back-off) and of controller-runtime's
// priority queue, which replaced its global token bucket by priorities.
//
// Single-threaded: everything happens on the control thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/id.h"
#include "base/task.h"
#include "controller/runtime/histogram.h"
#include "controller/runtime/wait_list.h"

namespace keyturn {

struct WorkItem {
  ObjectKey key;
  int priority = 0;
};

struct WorkQueueLimits {
  std::size_t keys_max = 200'000;  // queued, delayed or being worked on; more are refused and counted
  Duration retry_base{5};          // 5 ms * 2^n ...
  Duration retry_cap{1'000'000};   // ... at most 1000 s, as client-go has it
};

struct WorkQueueCounters {
  std::map<int, std::size_t> depth;  // ready keys by priority
  std::size_t delayed = 0;
  std::size_t processing = 0;
  std::uint64_t adds = 0;
  std::uint64_t retries = 0;
  std::uint64_t refused = 0;  // keys_max was reached: a resync has to bring them back
  Histogram queued = Histogram::of_queue();
  Histogram worked = Histogram::of_queue();
  Duration unfinished{0};       // sum over the keys being worked on
  Duration longest_running{0};  // of those
};

class WorkQueue {
 public:
  // What happens to keys that are ready when the queue shuts down.
  enum class Shutdown : std::uint8_t {
    HandOut,  // get() still returns them
    Discard,  // they are forgotten: the next start finds them again by looking at the world
  };

  WorkQueue(boost::asio::any_io_executor executor, Clock& clock, WorkQueueLimits limits = {});

  // All three: false when the queue is shut down or full. A key that is already there keeps the higher priority and the earlier time.
  // Now. A key that is being worked on is visited once more afterwards, however often it was added meanwhile.
  bool add(ObjectKey key, int priority = 0);
  // Not before `delay` has passed. Nothing changes for a key that is due anyway.
  bool add_after(ObjectKey key, Duration delay, int priority = 0);
  // After a pause that doubles with each call for this key, until `forget`; after `at_least` when that is longer.
  bool add_rate_limited(ObjectKey key, int priority = 0, Duration at_least = Duration::zero());
  void forget(const ObjectKey& key) { failures_.erase(key); }
  int failures(const ObjectKey& key) const;

  // The next key: higher priority first, then first come, first served. Waits for one; empty once the queue is shut down and nothing
  // is ready, or when the coroutine was cancelled. The caller calls `done` for it exactly once.
  Awaitable<std::optional<WorkItem>> get();
  void done(const ObjectKey& key);

  // No more adds; delayed keys are dropped. Idempotent.
  void shut_down(Shutdown ready);
  // Waits until nothing is ready or worked on, at most `at_most`; says whether that came true. To be called after shut_down.
  Awaitable<bool> drained(Duration at_most);

  bool shutting_down() const noexcept { return shutting_down_; }
  std::size_t size() const noexcept { return ready_.size(); }
  WorkQueueCounters counters() const;

 private:
  struct Entry {
    bool dirty = false;  // to be visited: in ready_, or after `done` when it is processing
    bool processing = false;
    int priority = 0;
    std::uint64_t arrival = 0;
    BootInstant since{};             // dirty: when it was added
    BootInstant started{};           // processing: when it was handed out
    std::optional<BootInstant> due;  // delayed until then; never together with dirty
  };
  using ReadySlot = std::pair<int, std::uint64_t>;  // negated priority, arrival
  using DueSlot = std::pair<BootInstant, std::uint64_t>;

  Entry* admit(const ObjectKey& key);
  void make_ready(const ObjectKey& key, Entry& entry);
  void raise(const ObjectKey& key, Entry& entry, int priority);
  void cancel_delay(Entry& entry);
  void forget_if_idle(const ObjectKey& key);
  void arm_timer();
  void move_due();
  void announce_if_drained();
  bool is_drained() const noexcept { return processing_ == 0 && ready_.empty(); }

  Clock& clock_;
  WorkQueueLimits limits_;
  std::unordered_map<ObjectKey, Entry> entries_;
  std::map<ReadySlot, ObjectKey> ready_;
  std::map<DueSlot, ObjectKey> delayed_;
  std::unordered_map<ObjectKey, int> failures_;
  std::size_t processing_ = 0;
  std::uint64_t arrivals_ = 0;
  bool shutting_down_ = false;
  std::uint64_t adds_ = 0;
  std::uint64_t retries_ = 0;
  std::uint64_t refused_ = 0;
  Histogram queued_ = Histogram::of_queue();
  Histogram worked_ = Histogram::of_queue();
  WaitList takers_;
  WaitList drain_waiters_;
  std::optional<BootInstant> timer_due_;
  Timer timer_;
};

}  // namespace keyturn
