// The store of standalone mode: one SQLite file with a write-ahead log.
//
// All objects and the recent changes are also held in memory, read when the file is opened. So reads, lists and watches cost no I/O and
// never wait, and the file is touched only by writes: one transaction each, on the blocking pool, one at a time, synced to disk before
// the call returns. The price is memory: about three times the JSON text of all objects.
#pragma once

#include "base/blocking_pool.h"
#include "controller/embedded/sqlite/object_database.h"
#include "controller/runtime/histogram.h"
#include "controller/runtime/object_table.h"
#include "controller/runtime/store.h"
#include "controller/runtime/wait_list.h"

namespace keyturn {

struct SqliteStoreOptions {
  std::string path;
  std::string key_path;  // empty = `path` + ".key"
  HistoryLimits history;
  std::uint64_t bytes_max = std::uint64_t{4} << 30;  // of the database; beyond, writes fail as on a full disk
  Duration busy_timeout{5'000};
  std::size_t writes_waiting_max = 1'024;
};

struct SqliteStoreCounters {
  std::uint64_t writes = 0;
  std::uint64_t failures = 0;
  Histogram write_time = Histogram::of_queue();
};

class SqliteStore final : public Store {
 public:
  // Blocks while it checks and reads the file: to be called before the loop runs. Errors: those of ObjectDatabase::open.
  // What is passed by reference must outlive the store; no call may be in flight when it is destroyed.
  static Result<std::unique_ptr<SqliteStore>> open(boost::asio::any_io_executor executor, Clock& clock, Random& random, BlockingPool& pool,
                                                   SqliteStoreOptions options);

  Task<StoredPtr> get(Context context, Resource resource, ObjectKey key) override;
  Task<ObjectList> list(Context context, Resource resource, ListOptions options) override;
  Task<std::unique_ptr<Watch>> watch(Context context, Resource resource, ResourceVersion since, ChangeSink& sink) override;
  // Besides the errors of Store: OutcomeUnknown when the disk failed while it synced; the store then refuses every further write.
  Task<StoredPtr> create(Context context, Resource resource, ObjectKey key, boost::json::object body) override;
  Task<StoredPtr> update(Context context, Resource resource, ObjectKey key, boost::json::object body, ResourceVersion expected) override;
  Task<StoredPtr> remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected) override;

  ResourceVersion version() const override { return table_.version(); }
  ResourceVersion oldest_watchable() const override { return table_.oldest_watchable(); }
  Uid identity() const override { return database_->identity(); }

  // Forgets the history up to and including `up_to`: at once for watches, then in the file.
  Task<> compact(ResourceVersion up_to);
  // Closes all watches; a server that stops does so before it closes its listener.
  void close_watches() { table_.close(); }
  // False after a disk error that no retry can heal: for the liveness probe.
  bool healthy() const noexcept { return healthy_; }
  SqliteStoreCounters counters() const { return counters_; }

 private:
  SqliteStore(boost::asio::any_io_executor executor, Clock& clock, Random& random, BlockingPool& pool, SqliteStoreOptions options,
              std::shared_ptr<ObjectDatabase> database);

  Task<Turnstile::Turn> enter(Context context);
  Task<StoredPtr> commit(Change change);
  std::optional<ResourceVersion> to_forget() const;

  Clock& clock_;
  Random& random_;
  BlockingPool& pool_;
  SqliteStoreOptions options_;
  std::shared_ptr<ObjectDatabase> database_;  // shared with the pool while it writes
  ResourceVersion forgotten_;
  bool healthy_ = true;
  SqliteStoreCounters counters_;
  ObjectTable table_;
  Turnstile writers_;
};

}  // namespace keyturn
