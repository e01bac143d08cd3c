// Objects in memory with their recent history: what the memory store and the SQLite store have in common. Reads, pages of an older
// version, preconditions of writes, and watches. It never waits and belongs to the control thread.
//
// A watch is a cursor into the one history that all watches share. So a slow watcher costs no memory: when the history is cut behind
// its cursor it is closed and has to list again.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "controller/runtime/store.h"

namespace keyturn {

struct HistoryLimits {
  std::size_t changes_max = 10'000;
  std::size_t bytes_max = std::size_t{16} << 20;  // about; what only the history keeps alive
  Duration age_max = std::chrono::minutes(10);    // etcd keeps five by default; checked when something is written
  std::size_t watch_batch_max = 64;               // changes that one watcher gets before others have their turn
};

class ObjectTable {
 public:
  // The version of a store to which nothing was ever written. Not 0, which means "any" to Kubernetes clients.
  static constexpr ResourceVersion version_first = 1;

  ObjectTable(boost::asio::any_io_executor executor, HistoryLimits limits, ResourceVersion version = version_first,
              ResourceVersion oldest = version_first);
  ~ObjectTable();
  ObjectTable(const ObjectTable&) = delete;
  ObjectTable& operator=(const ObjectTable&) = delete;

  // Filling, before the first commit. Changes come in order of their version and are not applied: the objects are the newest state.
  void restore(StoredPtr object);
  void restore(Change change, Instant at);

  // Reads, with the errors of Store.
  Result<StoredPtr> get(const Resource& resource, const ObjectKey& key) const;
  Result<ObjectList> list(const Resource& resource, const ListOptions& options) const;
  Result<std::unique_ptr<Watch>> watch(const Resource& resource, ResourceVersion since, ChangeSink& sink);

  // What a write would commit, or why it may not; nothing changes. `modification` is empty when the object already is as wanted.
  Result<Change> creation(const Resource& resource, const ObjectKey& key, boost::json::object body) const;
  Result<std::optional<Change>> modification(const Resource& resource, const ObjectKey& key, boost::json::object body,
                                             ResourceVersion expected) const;
  Result<Change> deletion(const Resource& resource, const ObjectKey& key, ResourceVersion expected) const;
  // Applies what one of these three returned, with nothing committed in between; then cuts the history to its limits.
  void commit(const Change& change, Instant at);

  // Forgets the history up to and including `up_to`; watchers behind it are closed.
  void compact(ResourceVersion up_to);
  // Closes all watches.
  void close();

  ResourceVersion version() const noexcept { return version_; }
  ResourceVersion oldest_watchable() const noexcept { return oldest_; }
  std::size_t history_size() const noexcept { return history_.size(); }

 private:
  class Watcher;
  class WatchHandle;
  using Objects = std::map<ObjectKey, StoredPtr>;
  struct Entry {
    Change change;
    Instant at;
    std::size_t bytes = 0;
  };

  const StoredPtr* find(const Resource& resource, const ObjectKey& key) const;
  Result<StoredPtr> find_expected(const Resource& resource, const ObjectKey& key, ResourceVersion expected) const;
  Objects undone_since(const Resource& resource, ResourceVersion at) const;
  void append(const Change& change, Instant at);
  void apply(const Change& change);
  void cut(Instant now);
  void drop_oldest();
  const Change* first_after(ResourceVersion version) const;
  void wake_watchers();

  boost::asio::any_io_executor executor_;
  HistoryLimits limits_;
  ResourceVersion version_;
  ResourceVersion oldest_;
  std::map<Resource, Objects> objects_;
  std::deque<Entry> history_;  // by version; holds every change in (oldest_, version_]
  std::size_t history_bytes_ = 0;
  std::vector<std::shared_ptr<Watcher>> watchers_;
};

}  // namespace keyturn
