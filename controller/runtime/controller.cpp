#include "controller/runtime/controller.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/log.h"
#include "controller/runtime/stored_object.h"

namespace keyturn {

namespace json = boost::json;

namespace {

json::value annotation_of(const StoredObject& object, std::string_view name) {
  const json::value* annotations = metadata_of(object.body, "annotations");
  if (!annotations || !annotations->is_object()) return nullptr;
  const json::value* value = annotations->get_object().if_contains(name);
  return value ? *value : json::value(nullptr);
}

json::value metadata_or_null(const StoredObject& object, std::string_view name) {
  const json::value* value = metadata_of(object.body, name);
  return value ? *value : json::value(nullptr);
}

}  // namespace

bool changes_intent(const Delta& delta) {
  if (delta.type != DeltaType::Updated || delta.origin == DeltaOrigin::Resync) return true;
  const StoredObject& old = *delta.old;
  const StoredObject& now = *delta.now;
  if (old.uid != now.uid) return true;  // another object of the same name
  for (const std::string_view member : {"generation", "deletionTimestamp"}) {
    if (metadata_or_null(old, member) != metadata_or_null(now, member)) return true;
  }
  return annotation_of(old, requested_at_annotation) != annotation_of(now, requested_at_annotation);
}

Controller::Controller(boost::asio::any_io_executor executor, Clock& clock, Reconciler& reconciler, ControllerOptions options)
    : clock_(clock), reconciler_(reconciler), options_(std::move(options)), queue_(executor, clock, options_.queue), tasks_(executor) {}

void Controller::watch(Informer& informer, Predicate worth) {
  informers_.push_back(&informer);
  informer.add_handler([this, worth = std::move(worth)](const Delta& delta) {
    if (!worth(delta)) return;
    queue_.add((delta.now ? delta.now : delta.old)->key, priority_of(delta));
  });
}

void Controller::watch_mapped(Informer& informer, Mapping keys_of, Predicate worth) {
  informers_.push_back(&informer);
  informer.add_handler([this, keys_of = std::move(keys_of), worth = std::move(worth)](const Delta& delta) {
    if (!worth(delta)) return;
    const int priority = delta.origin == DeltaOrigin::Live ? priority_normal : priority_background;
    for (const StoredPtr& object : {delta.old, delta.now}) {
      if (!object) continue;
      for (auto& key : keys_of(*object)) queue_.add(std::move(key), priority);
    }
  });
}

int Controller::priority_of(const Delta& delta) const {
  if (options_.priority && delta.now) {
    const std::optional<int> own = options_.priority(*delta.now);
    if (own) return *own;
  }
  return delta.origin == DeltaOrigin::Live ? priority_normal : priority_background;
}

Task<> Controller::start() {
  const BootInstant until = clock_.boot_now() + options_.sync_timeout;
  for (Informer* const informer : informers_) {
    const Duration left = std::max(until - clock_.boot_now(), Duration::zero());
    const bool synced = co_await informer->wait_for_sync(left);
    if (stopping_) co_return Error{Errc::Cancelled, "stopping"};
    if (!synced) co_return Error{Errc::Unavailable, "caches did not sync in time"};
  }
  counters_.workers = options_.workers;
  for (std::size_t i = 0; i < options_.workers; ++i) {
    tasks_.spawn(options_.name + " worker", [this] { return work(); });
  }
  co_return ok();
}

Awaitable<std::size_t> Controller::stop(Duration grace) {
  stopping_ = true;
  queue_.shut_down(WorkQueue::Shutdown::Discard);
  const bool drained = co_await queue_.drained(grace);
  if (!drained) log::warn("reconciles are still running and will be cancelled", {{"controller", options_.name}});
  const std::size_t left = co_await tasks_.stop(clock_, cancel_grace);
  co_return left;
}

Awaitable<> Controller::work() {
  for (;;) {
    std::optional<WorkItem> item = co_await queue_.get();
    if (!item) co_return;
    co_await visit(std::move(*item));
    if (stopping_) co_return;
  }
}

namespace {

// Gives the key back even when the visit ends by cancellation.
class Visit {
 public:
  Visit(WorkQueue& queue, std::size_t& active, const ObjectKey& key) : queue_(queue), active_(active), key_(key) { ++active_; }
  ~Visit() {
    --active_;
    queue_.done(key_);
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  WorkQueue& queue_;
  std::size_t& active_;
  ObjectKey key_;
};

}  // namespace

Awaitable<> Controller::visit(WorkItem item) {
  const Visit visit(queue_, counters_.active_workers, item.key);
  const Context context = Context(clock_, options_.name).named(item.key.to_string()).with_timeout(options_.reconcile_timeout);
  const BootInstant started = clock_.boot_now();
  const Result<Outcome> outcome = co_await reconcile_caught(context, item.key);
  counters_.reconcile_time.observe(clock_.boot_now() - started);
  if (outcome) {
    requeue(item, *outcome);
    co_return;
  }
  if (context.expired()) ++counters_.timeouts;
  retry(item, outcome.error());
}

// The only catch-all of the program: a bug in one reconcile costs that reconcile, not the worker.
Task<Outcome> Controller::reconcile_caught(Context context, ObjectKey key) {
  try {
    Result<Outcome> outcome = co_await reconciler_.reconcile(std::move(context), std::move(key));
    co_return outcome;
  } catch (const boost::system::system_error& error) {
    if (stopping_ && error.code() == boost::asio::error::operation_aborted) co_return Error{Errc::Cancelled, "stopping"};
    ++counters_.exceptions;
  } catch (...) {
    ++counters_.exceptions;
  }
  co_return Error{Errc::Internal, "the reconciler failed unexpectedly"};
}

void Controller::requeue(const WorkItem& item, const Outcome& outcome) {
  queue_.forget(item.key);
  if (!outcome.again_in) {
    ++counters_.success;
    return;
  }
  const bool at_once = *outcome.again_in <= Duration::zero();
  ++(at_once ? counters_.requeue : counters_.requeue_after);
  queue_.add_after(item.key, *outcome.again_in, item.priority);
}

// Whatever the error: again, with the key's own back-off, and not before the other side wants to be asked again. An error that only a
// human can resolve is reported by the reconciler as a condition; it comes back as Outcome, or here at the pace of the cap.
void Controller::retry(const WorkItem& item, const Error& error) {
  ++counters_.error;
  if (stopping_) return;
  log::warn("reconcile failed", {{"controller", options_.name}, {"object", item.key}, {"error", error}});
  queue_.add_rate_limited(item.key, item.priority, error.retry_after.value_or(Duration::zero()));
}

ControllerCounters Controller::counters() const {
  ControllerCounters counters = counters_;
  counters.queue = queue_.counters();
  return counters;
}

}  // namespace keyturn
