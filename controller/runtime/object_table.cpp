#include "controller/runtime/object_table.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cassert>
#include <utility>

#include "controller/runtime/stored_object.h"

namespace keyturn {

namespace json = boost::json;

// One watch. Shared with the callbacks it has posted, so that both table and handle may go first.
class ObjectTable::Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(ObjectTable& table, Resource resource, ResourceVersion cursor, ChangeSink& sink)
      : table_(&table), executor_(table.executor_), resource_(std::move(resource)), cursor_(cursor), sink_(&sink) {}

  void wake() {
    if (scheduled_ || !sink_) return;
    scheduled_ = true;
    boost::asio::post(executor_, [self = shared_from_this()] { self->deliver(); });
  }

  // The watch is over for the sink; it hears of it in a call of its own.
  void close() {
    table_ = nullptr;
    wake();
  }

  // The handle is gone: the sink may be, too.
  void detach() {
    sink_ = nullptr;
    if (table_) std::erase_if(table_->watchers_, [this](const auto& other) { return other.get() == this; });
    table_ = nullptr;
  }

 private:
  // The sink may destroy its watch or the table in any call, so both are looked at anew after each.
  void deliver() {
    scheduled_ = false;
    for (std::size_t delivered = 0; sink_ && table_ && cursor_ >= table_->oldest_; ++delivered) {
      const std::optional<Change> change = next();
      if (!change) return;
      if (delivered == table_->limits_.watch_batch_max) return wake();
      cursor_ = change->object->version;
      sink_->on_change(*change);
    }
    if (sink_) end();
  }

  // A copy: the history may be cut while the sink is at work.
  std::optional<Change> next() {
    while (const Change* change = table_->first_after(cursor_)) {
      if (change->object->resource == resource_) return *change;
      cursor_ = change->object->version;
    }
    return std::nullopt;
  }

  void end() {
    ChangeSink* const sink = sink_;
    const auto self = shared_from_this();
    detach();
    sink->on_closed();
  }

  ObjectTable* table_;  // null once closed
  boost::asio::any_io_executor executor_;
  Resource resource_;
  ResourceVersion cursor_;  // the last version that was delivered or passed over
  ChangeSink* sink_;        // null once nobody listens
  bool scheduled_ = false;
};

class ObjectTable::WatchHandle final : public Watch {
 public:
  explicit WatchHandle(std::shared_ptr<Watcher> watcher) : watcher_(std::move(watcher)) {}
  ~WatchHandle() override { watcher_->detach(); }

 private:
  std::shared_ptr<Watcher> watcher_;
};

ObjectTable::ObjectTable(boost::asio::any_io_executor executor, HistoryLimits limits, ResourceVersion version, ResourceVersion oldest)
    : executor_(std::move(executor)), limits_(limits), version_(version), oldest_(oldest) {}

ObjectTable::~ObjectTable() { close(); }

void ObjectTable::close() {
  for (const auto& watcher : std::exchange(watchers_, {})) watcher->close();
}

void ObjectTable::restore(StoredPtr object) {
  auto& slot = objects_[object->resource][object->key];
  slot = std::move(object);
}

void ObjectTable::restore(Change change, Instant at) { append(change, at); }

const StoredPtr* ObjectTable::find(const Resource& resource, const ObjectKey& key) const {
  const auto kind = objects_.find(resource);
  if (kind == objects_.end()) return nullptr;
  const auto object = kind->second.find(key);
  return object == kind->second.end() ? nullptr : &object->second;
}

Result<StoredPtr> ObjectTable::get(const Resource& resource, const ObjectKey& key) const {
  const StoredPtr* object = find(resource, key);
  if (!object) return Error{Errc::NotFound, "object not found"};
  return *object;
}

// The objects of `resource` as they were at `at`, where that differs from now: null where there was none. Undoes the history from
// its end, so that the oldest change after `at` decides.
ObjectTable::Objects ObjectTable::undone_since(const Resource& resource, ResourceVersion at) const {
  Objects then;
  for (auto entry = history_.rbegin(); entry != history_.rend() && entry->change.object->version > at; ++entry) {
    if (entry->change.object->resource == resource) then[entry->change.object->key] = entry->change.previous;
  }
  return then;
}

Result<ObjectList> ObjectTable::list(const Resource& resource, const ListOptions& options) const {
  const ResourceVersion at = options.at == 0 ? version_ : options.at;
  if (at > version_ || at < oldest_) return Error{Errc::Expired, "the requested version is not available"};
  ObjectList page;
  page.version = at;
  static const Objects none;
  const auto kind = objects_.find(resource);
  const Objects& current = kind == objects_.end() ? none : kind->second;
  const Objects then = undone_since(resource, at);

  const bool resumed = !options.after.empty();
  const ObjectKey start = resumed ? std::max(parse_page_key(options.after), ObjectKey{options.ns, ""}) : ObjectKey{options.ns, ""};
  auto now_at = resumed ? current.upper_bound(start) : current.lower_bound(start);
  auto then_at = resumed ? then.upper_bound(start) : then.lower_bound(start);
  // Merges the two by key; where both have one, the older state hides the current one.
  while (now_at != current.end() || then_at != then.end()) {
    const bool older = then_at != then.end() && (now_at == current.end() || then_at->first <= now_at->first);
    if (older && now_at != current.end() && now_at->first == then_at->first) ++now_at;
    const StoredPtr& object = older ? (then_at++)->second : (now_at++)->second;
    if (!object) continue;
    if (!options.ns.empty() && object->key.ns != options.ns) break;
    if (options.limit != 0 && page.items.size() == options.limit) {
      page.next = page_key(page.items.back()->key);
      break;
    }
    page.items.push_back(object);
  }
  return page;
}

Result<std::unique_ptr<Watch>> ObjectTable::watch(const Resource& resource, ResourceVersion since, ChangeSink& sink) {
  if (since < oldest_) return Error{Errc::Expired, "the requested version was compacted"};
  if (since > version_) return Error{Errc::Expired, "the requested version lies in the future"};
  auto watcher = std::make_shared<Watcher>(*this, resource, since, sink);
  watchers_.push_back(watcher);
  watcher->wake();
  return std::unique_ptr<Watch>(std::make_unique<WatchHandle>(std::move(watcher)));
}

Result<StoredPtr> ObjectTable::find_expected(const Resource& resource, const ObjectKey& key, ResourceVersion expected) const {
  const StoredPtr* object = find(resource, key);
  if (!object) return Error{Errc::NotFound, "object not found"};
  if ((*object)->version != expected) return Error{Errc::Conflict, "the object was changed since it was read"};
  return *object;
}

Result<Change> ObjectTable::creation(const Resource& resource, const ObjectKey& key, json::object body) const {
  if (find(resource, key)) return Error{Errc::Conflict, "the object exists"};
  return Change{ChangeType::Added, make_stored(resource, key, std::move(body), version_ + 1), nullptr};
}

Result<std::optional<Change>> ObjectTable::modification(const Resource& resource, const ObjectKey& key, json::object body,
                                                        ResourceVersion expected) const {
  const Result<StoredPtr> current = find_expected(resource, key, expected);
  if (!current) return current.error();
  if (same_but_for_version((*current)->body, body)) return std::optional<Change>();
  return std::optional<Change>(Change{ChangeType::Modified, make_stored(resource, key, std::move(body), version_ + 1), *current});
}

Result<Change> ObjectTable::deletion(const Resource& resource, const ObjectKey& key, ResourceVersion expected) const {
  const Result<StoredPtr> current = find_expected(resource, key, expected);
  if (!current) return current.error();
  json::object body((*current)->body, (*current)->body.storage());
  return Change{ChangeType::Deleted, make_stored(resource, key, std::move(body), version_ + 1), *current};
}

void ObjectTable::commit(const Change& change, Instant at) {
  assert(change.object->version == version_ + 1);
  append(change, at);
  apply(change);
  cut(at);
  wake_watchers();
}

void ObjectTable::append(const Change& change, Instant at) {
  std::size_t bytes = sizeof(Entry);
  if (change.previous) bytes += approximate_bytes(*change.previous);
  if (change.type == ChangeType::Deleted) bytes += approximate_bytes(*change.object);
  history_.push_back({change, at, bytes});
  history_bytes_ += bytes;
  version_ = std::max(version_, change.object->version);
}

void ObjectTable::apply(const Change& change) {
  const StoredObject& object = *change.object;
  if (change.type == ChangeType::Deleted) {
    objects_[object.resource].erase(object.key);
  } else {
    objects_[object.resource][object.key] = change.object;
  }
}

// The newest change always stays, so that the watchers that are up to date are not cut off by one big object.
void ObjectTable::cut(Instant now) {
  while (history_.size() > 1 &&
         (history_.size() > limits_.changes_max || history_bytes_ > limits_.bytes_max || now - history_.front().at > limits_.age_max)) {
    drop_oldest();
  }
}

void ObjectTable::drop_oldest() {
  oldest_ = history_.front().change.object->version;
  history_bytes_ -= history_.front().bytes;
  history_.pop_front();
}

void ObjectTable::compact(ResourceVersion up_to) {
  while (!history_.empty() && history_.front().change.object->version <= up_to) drop_oldest();
  wake_watchers();
}

const Change* ObjectTable::first_after(ResourceVersion version) const {
  const auto entry = std::upper_bound(history_.begin(), history_.end(), version, [](ResourceVersion wanted, const Entry& candidate) {
    return wanted < candidate.change.object->version;
  });
  return entry == history_.end() ? nullptr : &entry->change;
}

// All of them, whatever they watch: each has to move its cursor past the changes of other kinds before those are cut.
void ObjectTable::wake_watchers() {
  for (const auto& watcher : watchers_) watcher->wake();
}

}  // namespace keyturn
