// A mirror of one kind: lists it, watches it, and tells handlers what changed. Reads from it cost nothing and may lag behind the store.
//
// The rules are those of client-go's reflector: the watch starts from the version of the list; a watch that ends goes on from the last
// version seen; only an expired version makes it list again, and then what vanished meanwhile is reported as deleted with its last
// known state.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/task_group.h"
#include "controller/runtime/backoff.h"
#include "controller/runtime/store.h"
#include "controller/runtime/wait_list.h"

namespace keyturn {

enum class DeltaType : std::uint8_t { Added, Updated, Deleted };
enum class DeltaOrigin : std::uint8_t {
  InitialList,  // it was there when the informer started
  Live,         // it changed, or a later list showed that it had
  Resync,       // nothing changed: a periodic reminder from the cache, type Updated with old == now
};
struct Delta {
  DeltaType type = DeltaType::Added;
  DeltaOrigin origin = DeltaOrigin::Live;
  StoredPtr old;  // the state last reported; null for Added
  StoredPtr now;  // null for Deleted
};

struct InformerOptions {
  std::string ns;  // empty = all
  std::size_t page_size = 500;
  Duration call_timeout{60'000};  // of one list page or of opening a watch
  Duration short_watch{1'000};    // a watch that ends sooner, without a change, counts as a failure
  Duration resync{0};             // 0 = never; scattered by a tenth
  BackoffLimits backoff;
  std::function<StoredPtr(StoredPtr)> transform;  // before caching, as in dropping what nobody reads; keeps key and version
};

struct InformerCounters {
  std::uint64_t lists = 0;
  std::uint64_t watches = 0;
  std::uint64_t failures = 0;  // of either
  std::size_t objects = 0;
  ResourceVersion version = 0;
};

class Informer {
 public:
  using Handler = std::function<void(const Delta&)>;
  using IndexFunction = std::function<std::vector<std::string>(const StoredObject&)>;

  // All that is passed by reference must outlive the informer.
  Informer(boost::asio::any_io_executor executor, Clock& clock, Random& random, Store& store, Resource resource,
           InformerOptions options = {});
  ~Informer();

  // Handlers run on the control thread, in the order in which they were added; the cache already has the new state. They must not
  // wait or throw. One added later first gets what is cached.
  void add_handler(Handler handler);
  // Before start. `values` says under which values an object is found by `by_index`.
  void add_index(std::string name, IndexFunction values);

  void start();
  // Nothing is delivered any more once this was called. Says how many tasks were still running after `grace`.
  Awaitable<std::size_t> stop(Duration grace);

  // True once every handler has seen the first list.
  bool has_synced() const noexcept { return synced_; }
  // False when that took longer than `timeout`, or when cancelled or stopped.
  Awaitable<bool> wait_for_sync(Duration timeout);

  StoredPtr get(const ObjectKey& key) const;  // null when there is none
  std::vector<StoredPtr> list(std::string_view ns = {}) const;
  std::vector<StoredPtr> by_index(const std::string& name, const std::string& value) const;
  const Resource& resource() const noexcept { return resource_; }
  InformerCounters counters() const;

 private:
  class Sink;
  struct Index {
    IndexFunction values;
    std::map<std::string, std::set<ObjectKey>> keys;
  };
  enum class Step : std::uint8_t { List, Watch };

  Awaitable<> run();
  Awaitable<Step> list_once();
  Awaitable<Step> watch_once();
  Task<ObjectList> list_pages();
  Task<ObjectList> list_unpaged();
  Awaitable<> pause(Error error);
  Context context(std::string_view step) const;

  void on_change(const Change& change);
  void on_closed();
  void replace(std::vector<StoredPtr> objects);
  void finish_sync();
  void put(StoredPtr object, DeltaOrigin origin);
  void erase(const ObjectKey& key);
  void deliver(const Delta& delta);
  void unindex(const StoredObject& object);
  void index(const StoredObject& object);
  void schedule_resync();
  void resync();

  Clock& clock_;
  Random& random_;
  Store& store_;
  Resource resource_;
  InformerOptions options_;
  Backoff backoff_;
  std::vector<Handler> handlers_;
  std::map<std::string, Index> indexes_;
  std::map<ObjectKey, StoredPtr> objects_;
  ResourceVersion version_ = 0;  // of the last list or change seen
  bool synced_ = false;
  bool stopping_ = false;
  bool watching_ = false;
  bool changed_ = false;  // the present watch has brought something
  InformerCounters counters_;
  WaitList closed_;
  WaitList sync_waiters_;
  Timer resync_timer_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<Watch> watch_;
  TaskGroup tasks_;
};

}  // namespace keyturn
