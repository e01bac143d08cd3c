#include "controller/runtime/memory_store.h"

#include <utility>

namespace keyturn {

MemoryStore::MemoryStore(boost::asio::any_io_executor executor, Clock& clock, Uid identity, HistoryLimits limits)
    : clock_(clock), identity_(std::move(identity)), table_(std::move(executor), limits) {}

Task<StoredPtr> MemoryStore::get(Context, Resource resource, ObjectKey key) { co_return table_.get(resource, key); }

Task<ObjectList> MemoryStore::list(Context, Resource resource, ListOptions options) { co_return table_.list(resource, options); }

Task<std::unique_ptr<Watch>> MemoryStore::watch(Context, Resource resource, ResourceVersion since, ChangeSink& sink) {
  co_return table_.watch(resource, since, sink);
}

Task<StoredPtr> MemoryStore::create(Context, Resource resource, ObjectKey key, boost::json::object body) {
  co_return committed(table_.creation(resource, key, std::move(body)));
}

Task<StoredPtr> MemoryStore::update(Context, Resource resource, ObjectKey key, boost::json::object body, ResourceVersion expected) {
  Result<std::optional<Change>> change = table_.modification(resource, key, std::move(body), expected);
  if (!change) co_return change.error();
  if (!*change) co_return table_.get(resource, key);
  co_return committed(Result<Change>(std::move(**change)));
}

Task<StoredPtr> MemoryStore::remove(Context, Resource resource, ObjectKey key, ResourceVersion expected) {
  co_return committed(table_.deletion(resource, key, expected));
}

Result<StoredPtr> MemoryStore::committed(const Result<Change>& change) {
  if (!change) return change.error();
  table_.commit(*change, clock_.now());
  return change->object;
}

}  // namespace keyturn
