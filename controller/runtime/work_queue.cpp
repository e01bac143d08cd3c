#include "controller/runtime/work_queue.h"

#include <algorithm>

#include "controller/runtime/backoff.h"

namespace keyturn {

WorkQueue::WorkQueue(boost::asio::any_io_executor executor, Clock& clock, WorkQueueLimits limits)
    : clock_(clock), limits_(limits), takers_(executor), drain_waiters_(executor) {}

WorkQueue::Entry* WorkQueue::admit(const ObjectKey& key) {
  if (shutting_down_) return nullptr;
  const auto known = entries_.find(key);
  if (known != entries_.end()) return &known->second;
  if (entries_.size() >= limits_.keys_max) {
    ++refused_;
    return nullptr;
  }
  return &entries_[key];
}

bool WorkQueue::add(ObjectKey key, int priority) {
  Entry* const entry = admit(key);
  if (!entry) return false;
  if (entry->dirty) {
    raise(key, *entry, priority);
    return true;
  }
  // A delay is overtaken: one visit now instead of one now and one later. The visit says itself when to come back.
  entry->priority = entry->due ? std::max(entry->priority, priority) : priority;
  cancel_delay(*entry);
  entry->dirty = true;
  entry->arrival = arrivals_++;
  entry->since = clock_.boot_now();
  ++adds_;
  if (!entry->processing) make_ready(key, *entry);
  return true;
}

bool WorkQueue::add_after(ObjectKey key, Duration delay, int priority) {
  if (delay <= Duration::zero()) return add(std::move(key), priority);
  Entry* const entry = admit(key);
  if (!entry) return false;
  if (entry->dirty) {
    raise(key, *entry, priority);
    return true;
  }
  BootInstant due = clock_.boot_now() + delay;
  if (entry->due) {
    due = std::min(due, *entry->due);
    priority = std::max(priority, entry->priority);
    cancel_delay(*entry);
  }
  entry->due = due;
  entry->priority = priority;
  entry->arrival = arrivals_++;
  delayed_.emplace(DueSlot{due, entry->arrival}, std::move(key));
  arm_timer();
  return true;
}

bool WorkQueue::add_rate_limited(ObjectKey key, int priority, Duration at_least) {
  if (shutting_down_) return false;
  int& failures = failures_[key];
  const Duration delay = std::max(at_least, exponential(limits_.retry_base, limits_.retry_cap, failures));
  failures = std::min(failures + 1, 62);
  ++retries_;
  return add_after(std::move(key), delay, priority);
}

int WorkQueue::failures(const ObjectKey& key) const {
  const auto known = failures_.find(key);
  return known == failures_.end() ? 0 : known->second;
}

void WorkQueue::make_ready(const ObjectKey& key, Entry& entry) {
  ready_.emplace(ReadySlot{-entry.priority, entry.arrival}, key);
  takers_.notify_one();
}

// Keeps its arrival, so that among its new equals it stands where it would have stood from the start.
void WorkQueue::raise(const ObjectKey& key, Entry& entry, int priority) {
  if (priority <= entry.priority) return;
  const auto queued = ready_.extract(ReadySlot{-entry.priority, entry.arrival});
  entry.priority = priority;
  if (queued) ready_.emplace(ReadySlot{-priority, entry.arrival}, key);
}

void WorkQueue::cancel_delay(Entry& entry) {
  if (!entry.due) return;
  delayed_.erase(DueSlot{*entry.due, entry.arrival});
  entry.due.reset();
}

Awaitable<std::optional<WorkItem>> WorkQueue::get() {
  while (ready_.empty()) {
    if (shutting_down_) co_return std::nullopt;
    const bool notified = co_await takers_.wait();
    if (!notified) co_return std::nullopt;
  }
  auto next = ready_.extract(ready_.begin());
  Entry& entry = entries_[next.mapped()];
  entry.dirty = false;
  entry.processing = true;
  entry.started = clock_.boot_now();
  queued_.observe(entry.started - entry.since);
  ++processing_;
  // One notification may stand for several keys when its receiver was cancelled: pass it on.
  if (!ready_.empty()) takers_.notify_one();
  co_return WorkItem{std::move(next.mapped()), entry.priority};
}

void WorkQueue::done(const ObjectKey& key) {
  const auto known = entries_.find(key);
  if (known == entries_.end() || !known->second.processing) return;
  Entry& entry = known->second;
  entry.processing = false;
  --processing_;
  worked_.observe(clock_.boot_now() - entry.started);
  if (entry.dirty) {
    make_ready(known->first, entry);
  } else {
    forget_if_idle(key);
  }
  announce_if_drained();
}

void WorkQueue::forget_if_idle(const ObjectKey& key) {
  const auto known = entries_.find(key);
  if (known == entries_.end()) return;
  const Entry& entry = known->second;
  if (!entry.dirty && !entry.processing && !entry.due) entries_.erase(known);
}

void WorkQueue::arm_timer() {
  if (delayed_.empty()) {
    timer_due_.reset();
    timer_.cancel();
    return;
  }
  const BootInstant first = delayed_.begin()->first.first;
  if (timer_due_ && *timer_due_ <= first) return;  // it will look again when it fires
  timer_due_ = first;
  timer_ = clock_.after(std::max(first - clock_.boot_now(), Duration::zero()), [this] { move_due(); });
}

void WorkQueue::move_due() {
  timer_due_.reset();
  const BootInstant now = clock_.boot_now();
  while (!delayed_.empty() && delayed_.begin()->first.first <= now) {
    const ObjectKey key = delayed_.begin()->second;
    add(key, entries_[key].priority);
  }
  arm_timer();
}

void WorkQueue::shut_down(Shutdown ready) {
  shutting_down_ = true;
  for (const auto& [slot, key] : std::exchange(delayed_, {})) {
    entries_[key].due.reset();
    forget_if_idle(key);
  }
  arm_timer();
  if (ready == Shutdown::Discard) {
    ready_.clear();
    std::erase_if(entries_, [](const auto& entry) { return !entry.second.processing; });
    for (auto& [key, entry] : entries_) entry.dirty = false;
  }
  takers_.notify_all();
  announce_if_drained();
}

Awaitable<bool> WorkQueue::drained(Duration at_most) {
  const BootInstant until = clock_.boot_now() + at_most;
  const Timer limit = clock_.after(at_most, [this] { drain_waiters_.notify_all(); });
  while (!is_drained() && clock_.boot_now() < until) {
    const bool notified = co_await drain_waiters_.wait();
    if (!notified) break;
  }
  co_return is_drained();
}

void WorkQueue::announce_if_drained() {
  if (is_drained()) drain_waiters_.notify_all();
}

WorkQueueCounters WorkQueue::counters() const {
  WorkQueueCounters counters;
  counters.delayed = delayed_.size();
  counters.processing = processing_;
  counters.adds = adds_;
  counters.retries = retries_;
  counters.refused = refused_;
  counters.queued = queued_;
  counters.worked = worked_;
  for (const auto& [slot, key] : ready_) ++counters.depth[-slot.first];
  const BootInstant now = clock_.boot_now();
  for (const auto& [key, entry] : entries_) {
    if (!entry.processing) continue;
    counters.unfinished += now - entry.started;
    counters.longest_running = std::max(counters.longest_running, now - entry.started);
  }
  return counters;
}

}  // namespace keyturn
