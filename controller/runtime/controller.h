// Ties informers, a work queue and a reconciler together: what changed becomes a key, a worker takes the key, the outcome decides when
// the key comes back. The only place that knows how the machine reacts to an error of a reconciler.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/task_group.h"
#include "controller/runtime/histogram.h"
#include "controller/runtime/informer.h"
#include "controller/runtime/work_queue.h"
#include "reconcilers/reconciler.h"

namespace keyturn {

// Keys from the first list and from a resync wait behind those that somebody just changed.
inline constexpr int priority_background = -100;
inline constexpr int priority_normal = 0;
inline constexpr int priority_urgent = 100;  // a compromised credential

// "Look again now", written by people and tools. Never mints by itself.
inline constexpr std::string_view requested_at_annotation = "keyturn.dev/requestedAt";

// Whether a change is worth a visit of the object itself: it appeared or vanished, its spec changed (metadata.generation), it is being
// deleted, or somebody asked by annotation. A mere change of status is not, else our own writes would call us again.
bool changes_intent(const Delta& delta);
// For kinds that have no generation, or of which every change matters.
inline bool any_change(const Delta&) { return true; }

struct ControllerOptions {
  std::string name;
  std::size_t workers = 8;
  Duration reconcile_timeout = std::chrono::minutes(2);
  Duration sync_timeout = std::chrono::minutes(2);
  WorkQueueLimits queue;
  // How urgent an object of the reconciled kind is; nothing = as its origin says.
  std::function<std::optional<int>(const StoredObject&)> priority;
};

struct ControllerCounters {
  std::uint64_t success = 0;  // done until something changes
  std::uint64_t error = 0;
  std::uint64_t requeue = 0;        // again at once
  std::uint64_t requeue_after = 0;  // again later
  std::uint64_t exceptions = 0;     // counted as errors, too
  std::uint64_t timeouts = 0;       // counted as errors, too
  std::size_t workers = 0;
  std::size_t active_workers = 0;
  Histogram reconcile_time = Histogram::of_reconciles();
  WorkQueueCounters queue;
};

class Controller {
 public:
  using Predicate = std::function<bool(const Delta&)>;
  using Mapping = std::function<std::vector<ObjectKey>(const StoredObject&)>;

  // What is passed by reference must outlive the controller. The informers it watches deliver to it: stop them before it is destroyed.
  Controller(boost::asio::any_io_executor executor, Clock& clock, Reconciler& reconciler, ControllerOptions options);

  // Before start. The kind that is reconciled: its objects' own keys.
  void watch(Informer& informer, Predicate worth = changes_intent);
  // Another kind: the keys that `keys_of` names, for the state before as well as for the state after a change, so that an object that
  // moves from one owner to another wakes both.
  void watch_mapped(Informer& informer, Mapping keys_of, Predicate worth = any_change);

  // Waits until all informers are in sync, then starts the workers. Unavailable when they are not within sync_timeout: a process that
  // cannot see the world must not act on it.
  Task<> start();
  void enqueue(ObjectKey key, int priority = priority_normal) { queue_.add(std::move(key), priority); }

  // Starts nothing new, lets the running reconciles end within `grace`, then cancels them and waits a moment more. Says how many were
  // still running. What is queued is forgotten: the next start finds it by looking at the world.
  Awaitable<std::size_t> stop(Duration grace);

  ControllerCounters counters() const;
  const std::string& name() const noexcept { return options_.name; }

 private:
  static constexpr Duration cancel_grace{1'000};

  Awaitable<> work();
  Awaitable<> visit(WorkItem item);
  Task<Outcome> reconcile_caught(Context context, ObjectKey key);
  void requeue(const WorkItem& item, const Outcome& outcome);
  void retry(const WorkItem& item, const Error& error);
  int priority_of(const Delta& delta) const;

  Clock& clock_;
  Reconciler& reconciler_;
  ControllerOptions options_;
  WorkQueue queue_;
  std::vector<Informer*> informers_;
  ControllerCounters counters_;
  bool stopping_ = false;
  TaskGroup tasks_;
};

}  // namespace keyturn
