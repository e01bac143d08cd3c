// The typed objects of the domain over the Store. Runs are the controller's own and are written whole, in one transaction with their
// journal; rotations and environments belong to others and get status and finalizer only, through the API's own pipeline.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/random.h"
#include "controller/embedded/object_writer.h"
#include "controller/runtime/store.h"
#include "reconcilers/rotation/records.h"

namespace keyturn {

class StoreRecords final : public Records {
 public:
  // All outlive it.
  StoreRecords(Store& store, embedded::ObjectWriter& writer, Random& random) : store_(store), writer_(writer), random_(random) {}

  Task<api::SecretRotation> rotation(Context context, ObjectKey key) override;
  Task<api::RotationEnvironment> environment(Context context, std::string name) override;
  Task<std::vector<api::RotationRun>> runs(Context context, RunFilter wanted) override;
  Task<api::RotationRun> create_run(Context context, api::RotationRun run) override;
  Task<api::RotationRun> update_run(Context context, api::RotationRun run) override;
  Task<> write_status(Context context, api::SecretRotation rotation, api::SecretRotationStatus status) override;
  Task<> write_status(Context context, api::RotationEnvironment environment, api::RotationEnvironmentStatus status) override;
  Task<> set_finalizer(Context context, ObjectKey rotation, bool present) override;
  std::string owner() const override { return store_.identity().value; }

 private:
  using RunPtr = std::shared_ptr<const api::RotationRun>;
  Result<RunPtr> decoded(const StoredPtr& stored);
  void forget_replaced(const std::vector<StoredPtr>& stored);

  Store& store_;
  embedded::ObjectWriter& writer_;
  Random& random_;
  // What was decoded before. A stored object never changes, and is kept here, so that its address names it.
  struct Decoded {
    StoredPtr from;
    RunPtr run;
  };
  std::unordered_map<const StoredObject*, Decoded> decoded_;
};

}  // namespace keyturn
