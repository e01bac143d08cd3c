// Where API objects live. One contract, several implementations: memory (tests, simulation), SQLite (standalone), a Kubernetes API.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/id.h"
#include "base/task.h"

namespace keyturn {

// A kind as the API addresses it: {"keyturn.dev", "v1alpha1", "secretrotations"}. The core group is "".
// Storage is by group and resource; the version is only how it is spoken of.
struct Resource {
  std::string group;
  std::string plural;
  auto operator<=>(const Resource&) const = default;
};

using ResourceVersion = std::uint64_t;  // one strictly increasing counter for the whole store, shared by all kinds, never reused

// One stored object, immutable once handed out. `body` is the whole object as the API serves it, apiVersion, kind and
// metadata.resourceVersion included; the other members repeat what is in it, for indexing.
struct StoredObject {
  Resource resource;
  ObjectKey key;
  Uid uid;
  ResourceVersion version = 0;
  boost::json::object body;
};
using StoredPtr = std::shared_ptr<const StoredObject>;

enum class ChangeType : std::uint8_t { Added, Modified, Deleted };

// One committed write. For Deleted, `object` is the last state, its version that of the deletion; `previous` is the state before.
struct Change {
  ChangeType type = ChangeType::Added;
  StoredPtr object;
  StoredPtr previous;  // null for Added
};

struct ObjectList {
  std::vector<StoredPtr> items;  // by key (namespace, then name)
  ResourceVersion version = 0;   // the state of the store that they are
  std::string next;              // the key to go on after, empty on the last page
};

struct ListOptions {
  std::string ns;          // empty = all
  std::size_t limit = 0;   // 0 = all
  std::string after;       // exclusive: ObjectList::next of the page before
  ResourceVersion at = 0;  // a page of that state; 0 = newest. Expired when it can no longer be rebuilt
};

// Receives changes in order of their version, on the control thread. Never called from inside a Store call.
class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  virtual void on_change(const Change& change) = 0;
  // The sink was too slow or the store closes: no further calls. Start over with list and watch.
  virtual void on_closed() = 0;
};

// Stops the watch when destroyed.
class Watch {
 public:
  virtual ~Watch() = default;
};

// What a write produced: the change that was committed, or nothing when the object already was as wanted (no version is consumed).
class Store {
 public:
  virtual ~Store() = default;

  // Errors of reads: NotFound, Expired (ListOptions::at), Unavailable.
  virtual Task<StoredPtr> get(Context context, Resource resource, ObjectKey key) = 0;
  virtual Task<ObjectList> list(Context context, Resource resource, ListOptions options) = 0;

  // All changes of `resource` after `since`, the backlog first. Expired when `since` was compacted away or lies in the future.
  // `sink` must outlive the Watch.
  virtual Task<std::unique_ptr<Watch>> watch(Context context, Resource resource, ResourceVersion since, ChangeSink& sink) = 0;

  // Writes. The store sets metadata.resourceVersion in the body; everything else (uid, generation, times) is the caller's business.
  // A write is durable when the call returns. Errors: Conflict (create: exists; update, remove: version is not `expected`),
  // NotFound, Unavailable (disk full, read-only: certainly not written), Internal.
  virtual Task<StoredPtr> create(Context context, Resource resource, ObjectKey key, boost::json::object body) = 0;
  virtual Task<StoredPtr> update(Context context, Resource resource, ObjectKey key, boost::json::object body, ResourceVersion expected) = 0;
  virtual Task<StoredPtr> remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected) = 0;

  virtual ResourceVersion version() const = 0;
  // Oldest version from which watch still works.
  virtual ResourceVersion oldest_watchable() const = 0;
  // A name for this store that survives restarts: tags in vaults carry it as the owner.
  virtual Uid identity() const = 0;
};

}  // namespace keyturn
