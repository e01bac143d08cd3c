// How the program itself writes objects: the same pipeline as over HTTP, in process, with errors as everywhere else in the program.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "controller/embedded/write_pipeline.h"

namespace keyturn::embedded {

class ObjectWriter {
 public:
  // `pipeline` and `store` must outlive it.
  ObjectWriter(WritePipeline& pipeline, Store& store) : pipeline_(pipeline), store_(store) {}

  // Errors of all: Invalid (the message names the fields), NotFound, Conflict, Denied, Unavailable.
  // `object` names its kind by apiVersion and kind.

  // Create or merge: what `desired` states is taken over from other managers, what this manager stated before and states no more goes.
  // Idempotent.
  Task<StoredPtr> apply(Context context, boost::json::object desired, std::string field_manager);
  Task<StoredPtr> create(Context context, boost::json::object object, std::string field_manager);
  // Replaces the status. `expected` 0 = whatever is there; otherwise Conflict when the object is another one by now.
  Task<StoredPtr> update_status(Context context, Resource resource, ObjectKey key, boost::json::value status, std::string field_manager,
                                ResourceVersion expected);
  // Asks for deletion, as `kubectl delete` does: an object with finalizers stays until they are gone.
  Task<> remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected);
  // Adds one finalizer. Idempotent; Invalid while the object is being deleted.
  Task<> add_finalizer(Context context, Resource resource, ObjectKey key, std::string finalizer);
  // Takes one finalizer away. Success when it is not there, or the object is gone.
  Task<> remove_finalizer(Context context, Resource resource, ObjectKey key, std::string finalizer);

 private:
  Task<StoredPtr> stored(Context context, const ResourceType* type, ObjectKey key, Answer<Written> written);
  Task<> replace_finalizers(Context context, const ResourceType* type, StoredPtr live, boost::json::array finalizers);
  WritePipeline& pipeline_;
  Store& store_;
};

}  // namespace keyturn::embedded
