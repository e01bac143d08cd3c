#include "controller/runtime/informer.h"

#include <utility>

#include "base/log.h"

namespace keyturn {

class Informer::Sink final : public ChangeSink {
 public:
  explicit Sink(Informer& owner) : owner_(owner) {}
  void on_change(const Change& change) override { owner_.on_change(change); }
  void on_closed() override { owner_.on_closed(); }

 private:
  Informer& owner_;
};

Informer::Informer(boost::asio::any_io_executor executor, Clock& clock, Random& random, Store& store, Resource resource,
                   InformerOptions options)
    : clock_(clock),
      random_(random),
      store_(store),
      resource_(std::move(resource)),
      options_(std::move(options)),
      backoff_(random, options_.backoff),
      closed_(executor),
      sync_waiters_(executor),
      sink_(std::make_unique<Sink>(*this)),
      tasks_(executor) {}

Informer::~Informer() = default;

void Informer::add_handler(Handler handler) {
  handlers_.push_back(std::move(handler));
  const Handler added = handlers_.back();
  for (const auto& [key, object] : std::map(objects_)) added({DeltaType::Added, DeltaOrigin::InitialList, nullptr, object});
}

void Informer::add_index(std::string name, IndexFunction values) { indexes_[std::move(name)].values = std::move(values); }

void Informer::start() {
  tasks_.spawn("informer " + resource_.plural, [this] { return run(); });
}

Awaitable<std::size_t> Informer::stop(Duration grace) {
  stopping_ = true;
  watch_.reset();
  resync_timer_.cancel();
  sync_waiters_.notify_all();
  const std::size_t left = co_await tasks_.stop(clock_, grace);
  co_return left;
}

Context Informer::context(std::string_view step) const {
  return Context(clock_, "informer " + resource_.plural).named(step).with_timeout(options_.call_timeout);
}

Awaitable<> Informer::run() {
  Step step = Step::List;
  while (!stopping_) {
    if (step == Step::List) {
      step = co_await list_once();
    } else {
      step = co_await watch_once();
    }
  }
}

Awaitable<Informer::Step> Informer::list_once() {
  ++counters_.lists;
  Result<ObjectList> listed = co_await list_pages();
  if (!listed && listed.error().code == Errc::Expired) {
    // The pages' version was compacted away while we turned them: take all at once.
    listed = co_await list_unpaged();
  }
  if (stopping_) co_return Step::List;
  if (!listed) {
    co_await pause(listed.error());
    co_return Step::List;
  }
  version_ = listed->version;
  replace(std::move(listed->items));
  finish_sync();
  co_return Step::Watch;
}

Task<ObjectList> Informer::list_pages() {
  ListOptions page;
  page.ns = options_.ns;
  page.limit = options_.page_size;
  ObjectList all;
  do {
    Result<ObjectList> next = co_await store_.list(context("list"), resource_, page);
    if (!next) co_return next.error();
    all.version = next->version;
    all.items.insert(all.items.end(), next->items.begin(), next->items.end());
    page.at = next->version;
    page.after = next->next;
  } while (!page.after.empty() && !stopping_);
  co_return all;
}

Task<ObjectList> Informer::list_unpaged() {
  ListOptions everything;
  everything.ns = options_.ns;
  Result<ObjectList> all = co_await store_.list(context("list"), resource_, everything);
  co_return all;
}

Awaitable<Informer::Step> Informer::watch_once() {
  ++counters_.watches;
  const BootInstant opened = clock_.boot_now();
  changed_ = false;
  watching_ = true;
  Result<std::unique_ptr<Watch>> watch = co_await store_.watch(context("watch"), resource_, version_, *sink_);
  if (stopping_) co_return Step::Watch;
  if (!watch) {
    watching_ = false;
    const bool expired = watch.error().code == Errc::Expired;
    // Whatever else went wrong has not cost us any change: the same version still does.
    co_await pause(watch.error());
    co_return expired ? Step::List : Step::Watch;
  }
  watch_ = std::move(*watch);
  while (watching_ && !stopping_) {
    const bool notified = co_await closed_.wait();
    if (!notified) co_return Step::Watch;
  }
  watch_.reset();
  if (!stopping_ && !changed_ && clock_.boot_now() - opened < options_.short_watch) {
    Error too_short{Errc::Unavailable, "very short watch"};
    co_await pause(std::move(too_short));
  }
  co_return Step::Watch;
}

Awaitable<> Informer::pause(Error error) {
  ++counters_.failures;
  Duration delay = backoff_.next(clock_.boot_now());
  if (error.retry_after) delay = std::max(delay, *error.retry_after);
  log::warn("list or watch failed", {{"resource", resource_.plural}, {"error", error}, {"again_in", delay}});
  co_await clock_.sleep_for(delay);
}

void Informer::on_closed() {
  watching_ = false;
  closed_.notify_all();
}

void Informer::on_change(const Change& change) {
  if (stopping_) return;
  changed_ = true;
  if (change.object->version <= version_) return;  // part of the list already
  version_ = change.object->version;
  const ObjectKey& key = change.object->key;
  if (!options_.ns.empty() && key.ns != options_.ns) return;
  // The cache decides whether it is an addition: what the store calls it may refer to a state that we never saw.
  if (change.type == ChangeType::Deleted) {
    erase(key);
  } else {
    put(change.object, DeltaOrigin::Live);
  }
}

void Informer::replace(std::vector<StoredPtr> objects) {
  std::set<ObjectKey> vanished;
  for (const auto& [key, object] : objects_) vanished.insert(key);
  for (const auto& object : objects) vanished.erase(object->key);
  for (const auto& key : vanished) erase(key);
  for (auto& object : objects) put(std::move(object), synced_ ? DeltaOrigin::Live : DeltaOrigin::InitialList);
}

void Informer::finish_sync() {
  if (synced_) return;
  synced_ = true;
  sync_waiters_.notify_all();
  schedule_resync();
}

Awaitable<bool> Informer::wait_for_sync(Duration timeout) {
  const Timer limit = clock_.after(timeout, [this] { sync_waiters_.notify_all(); });
  const BootInstant until = clock_.boot_now() + timeout;
  while (!synced_ && !stopping_ && clock_.boot_now() < until) {
    const bool notified = co_await sync_waiters_.wait();
    if (!notified) break;
  }
  co_return synced_;
}

void Informer::put(StoredPtr object, DeltaOrigin origin) {
  if (options_.transform) object = options_.transform(std::move(object));
  StoredPtr& cached = objects_[object->key];
  const StoredPtr old = std::exchange(cached, object);
  if (old && old->version == object->version) return;
  if (old) unindex(*old);
  index(*object);
  deliver({old ? DeltaType::Updated : DeltaType::Added, origin, old, object});
}

void Informer::erase(const ObjectKey& key) {
  const auto cached = objects_.find(key);
  if (cached == objects_.end()) return;
  const StoredPtr old = cached->second;
  objects_.erase(cached);
  unindex(*old);
  deliver({DeltaType::Deleted, DeltaOrigin::Live, old, nullptr});
}

void Informer::deliver(const Delta& delta) {
  // By position: a handler may add another one.
  const std::size_t count = handlers_.size();
  for (std::size_t i = 0; i < count; ++i) handlers_[i](delta);
}

void Informer::index(const StoredObject& object) {
  for (auto& [name, index] : indexes_) {
    for (const auto& value : index.values(object)) index.keys[value].insert(object.key);
  }
}

void Informer::unindex(const StoredObject& object) {
  for (auto& [name, index] : indexes_) {
    for (const auto& value : index.values(object)) {
      const auto keys = index.keys.find(value);
      if (keys == index.keys.end()) continue;
      keys->second.erase(object.key);
      if (keys->second.empty()) index.keys.erase(keys);
    }
  }
}

void Informer::schedule_resync() {
  if (options_.resync <= Duration::zero()) return;
  // Between 0.9 and 1.1 of the period, so that replicas and kinds drift apart.
  const auto tenth = options_.resync / 10;
  const auto scatter = Duration(random_.below(static_cast<std::uint32_t>(2 * tenth.count() + 1)));
  resync_timer_ = clock_.after(options_.resync - tenth + scatter, [this] { resync(); });
}

void Informer::resync() {
  for (const auto& [key, object] : std::map(objects_)) deliver({DeltaType::Updated, DeltaOrigin::Resync, object, object});
  schedule_resync();
}

StoredPtr Informer::get(const ObjectKey& key) const {
  const auto cached = objects_.find(key);
  return cached == objects_.end() ? nullptr : cached->second;
}

std::vector<StoredPtr> Informer::list(std::string_view ns) const {
  std::vector<StoredPtr> objects;
  for (auto cached = objects_.lower_bound(ObjectKey{std::string(ns), ""}); cached != objects_.end(); ++cached) {
    if (!ns.empty() && cached->first.ns != ns) break;
    objects.push_back(cached->second);
  }
  return objects;
}

std::vector<StoredPtr> Informer::by_index(const std::string& name, const std::string& value) const {
  std::vector<StoredPtr> objects;
  const auto index = indexes_.find(name);
  if (index == indexes_.end()) return objects;
  const auto keys = index->second.keys.find(value);
  if (keys == index->second.keys.end()) return objects;
  for (const auto& key : keys->second) objects.push_back(objects_.at(key));
  return objects;
}

InformerCounters Informer::counters() const {
  InformerCounters counters = counters_;
  counters.objects = objects_.size();
  counters.version = version_;
  return counters;
}

}  // namespace keyturn
