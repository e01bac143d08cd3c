// The API server's store as one process sees it: requests travel like all others, and a watch may deliver late, as a stale cache does.
#pragma once

#include <functional>
#include <memory>

#include "controller/runtime/store.h"
#include "tests/simulation/link.h"

namespace keyturn::simulation {

inline const std::string api_server = "api";

// The server's side: runs a call of the store behind to its end, which takes no time.
class StoreServer {
 public:
  virtual ~StoreServer() = default;
  virtual Store& store() = 0;
  virtual Context context() = 0;
  virtual void run(boost::asio::awaitable<void> task) = 0;
  // How long a change now takes to reach a watcher.
  virtual Duration watch_delay() = 0;
  // Told after each write that was applied.
  virtual void written(const Resource& resource, const StoredPtr& object, const std::string& by) = 0;
};

class RemoteStore final : public Store {
 public:
  // Both outlive it, and every watch that it opens ends before them.
  RemoteStore(Link& link, StoreServer& server) : link_(link), server_(server) {}

  Task<StoredPtr> get(Context context, Resource resource, ObjectKey key) override;
  Task<ObjectList> list(Context context, Resource resource, ListOptions options) override;
  Task<std::unique_ptr<Watch>> watch(Context context, Resource resource, ResourceVersion since, ChangeSink& sink) override;
  Task<StoredPtr> create(Context context, Resource resource, ObjectKey key, boost::json::object body) override;
  Task<StoredPtr> update(Context context, Resource resource, ObjectKey key, boost::json::object body, ResourceVersion expected) override;
  Task<StoredPtr> remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected) override;

  ResourceVersion version() const override { return server_.store().version(); }
  ResourceVersion oldest_watchable() const override { return server_.store().oldest_watchable(); }
  Uid identity() const override { return server_.store().identity(); }

 private:
  // The server outlives the process: what travels holds on to it, never to this store.
  Task<StoredPtr> write(Context context, Resource resource, std::string what, std::function<Task<StoredPtr>(Store&, Context)> call);

  Link& link_;
  StoreServer& server_;
};

}  // namespace keyturn::simulation
