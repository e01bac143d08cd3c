// A Store that forgets everything with the process: for tests, for simulation and for trying things out.
#pragma once

#include "controller/runtime/object_table.h"
#include "controller/runtime/store.h"

namespace keyturn {

class MemoryStore final : public Store {
 public:
  // `clock` dates the history and must outlive the store.
  MemoryStore(boost::asio::any_io_executor executor, Clock& clock, Uid identity, HistoryLimits limits = {});

  Task<StoredPtr> get(Context context, Resource resource, ObjectKey key) override;
  Task<ObjectList> list(Context context, Resource resource, ListOptions options) override;
  Task<std::unique_ptr<Watch>> watch(Context context, Resource resource, ResourceVersion since, ChangeSink& sink) override;
  Task<StoredPtr> create(Context context, Resource resource, ObjectKey key, boost::json::object body) override;
  Task<StoredPtr> update(Context context, Resource resource, ObjectKey key, boost::json::object body, ResourceVersion expected) override;
  Task<StoredPtr> remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected) override;

  ResourceVersion version() const override { return table_.version(); }
  ResourceVersion oldest_watchable() const override { return table_.oldest_watchable(); }
  Uid identity() const override { return identity_; }

  // Forgets the history up to and including `up_to`.
  void compact(ResourceVersion up_to) { table_.compact(up_to); }
  // Closes all watches, as a server does that stops or fails over.
  void close_watches() { table_.close(); }

 private:
  Result<StoredPtr> committed(const Result<Change>& change);

  Clock& clock_;
  Uid identity_;
  ObjectTable table_;
};

}  // namespace keyturn
