// The records of a rotation in memory, with compare-and-swap as in a store, and a fault at any write.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "reconcilers/rotation/records.h"

namespace keyturn {

// The process ends here, in the middle of a coroutine: thrown out of a port, caught by the test that begins the next process.
struct Crashed : std::runtime_error {
  Crashed() : std::runtime_error("the process ends here") {}
};

class MemoryRecords final : public Records {
 public:
  enum class Fault { None, CrashBefore, CrashAfter, Conflict };

  // ---- what a test sets up and looks at
  std::map<ObjectKey, api::SecretRotation> rotations;
  std::map<std::string, api::RotationEnvironment> environments;
  std::vector<api::RotationRun> stored_runs;  // in order of creation
  int writes = 0;                             // that changed something or tried to
  int fault_at = 0;                           // which write meets the fault, counted from 1; 0 = none
  Fault fault = Fault::None;
  std::function<void()> before_each_look;  // another controller may write here

  const api::RotationRun* last_run(const ObjectKey& rotation) const;

  Task<api::SecretRotation> rotation(Context context, ObjectKey key) override;
  Task<api::RotationEnvironment> environment(Context context, std::string name) override;
  Task<std::vector<api::RotationRun>> runs(Context context, RunFilter wanted) override;
  Task<api::RotationRun> create_run(Context context, api::RotationRun run) override;
  Task<api::RotationRun> update_run(Context context, api::RotationRun run) override;
  Task<> write_status(Context context, api::SecretRotation rotation, api::SecretRotationStatus status) override;
  Task<> write_status(Context context, api::RotationEnvironment environment, api::RotationEnvironmentStatus status) override;
  Task<> set_finalizer(Context context, ObjectKey rotation, bool present) override;
  std::string owner() const override { return "this-store"; }

 private:
  // Applies a write, or lets the fault of this write happen.
  Result<> write(const std::function<void()>& apply);
  std::string next_version() { return std::to_string(++version_); }
  int version_ = 0;
};

}  // namespace keyturn
