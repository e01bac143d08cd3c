// The objects that a rotation reads and writes, typed: the port between the domain and wherever API objects are stored.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "api/rotation_run.h"
#include "api/secret_rotation.h"
#include "base/context.h"
#include "base/task.h"

namespace keyturn {

class Records {
 public:
  virtual ~Records() = default;

  // NotFound when it is gone, Invalid when what is stored cannot be read by this build.
  virtual Task<api::SecretRotation> rotation(Context context, ObjectKey key) = 0;
  virtual Task<api::RotationEnvironment> environment(Context context, std::string name) = 0;
  // The runs of the journal that `wanted` holds for, as they are stored now (never from a cache that may lag: a double mint hides
  // there). Asked for few of many, so that one rotation's visit does not cost what all rotations' runs weigh.
  using RunFilter = std::function<bool(const api::RotationRun&)>;
  virtual Task<std::vector<api::RotationRun>> runs(Context context, RunFilter wanted) = 0;

  // Conflict = a run of this name exists: somebody else was first.
  virtual Task<api::RotationRun> create_run(Context context, api::RotationRun run) = 0;
  // Compare-and-swap on meta.resource_version: Conflict when the run moved since it was read. Durable when it returns.
  virtual Task<api::RotationRun> update_run(Context context, api::RotationRun run) = 0;

  // Writes only when the status differs from what is stored. NotFound = the object is gone, which is no failure of the caller's work.
  virtual Task<> write_status(Context context, api::SecretRotation rotation, api::SecretRotationStatus status) = 0;
  virtual Task<> write_status(Context context, api::RotationEnvironment environment, api::RotationEnvironmentStatus status) = 0;
  // Sets or clears the finalizer of ours. Idempotent.
  virtual Task<> set_finalizer(Context context, ObjectKey rotation, bool present) = 0;

  // The store's own name, for keyturn-owner tags.
  virtual std::string owner() const = 0;
};

}  // namespace keyturn
