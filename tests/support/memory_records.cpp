#include "tests/support/memory_records.h"

#include <algorithm>

namespace keyturn {
namespace {

template <class Runs>
auto find_run(Runs& runs, const std::string& name) {
  return std::find_if(runs.begin(), runs.end(), [&](const api::RotationRun& run) { return run.meta.name == name; });
}

}  // namespace

const api::RotationRun* MemoryRecords::last_run(const ObjectKey& rotation) const {
  const api::RotationRun* last = nullptr;
  for (const api::RotationRun& run : stored_runs) {
    if (run.spec.rotation == rotation && (!last || run.spec.generation > last->spec.generation)) last = &run;
  }
  return last;
}

Result<> MemoryRecords::write(const std::function<void()>& apply) {
  const bool struck = ++writes == fault_at;
  if (struck && fault == Fault::CrashBefore) throw Crashed();
  if (struck && fault == Fault::Conflict) return Error{Errc::Conflict, "it moved"};
  apply();
  if (struck && fault == Fault::CrashAfter) throw Crashed();
  return ok();
}

Task<api::SecretRotation> MemoryRecords::rotation(Context, ObjectKey key) {
  const auto found = rotations.find(key);
  if (found == rotations.end()) co_return Error{Errc::NotFound, "no such rotation"};
  co_return found->second;
}

Task<api::RotationEnvironment> MemoryRecords::environment(Context, std::string name) {
  const auto found = environments.find(name);
  if (found == environments.end()) co_return Error{Errc::NotFound, "no such environment"};
  co_return found->second;
}

Task<std::vector<api::RotationRun>> MemoryRecords::runs(Context, RunFilter wanted) {
  if (before_each_look) before_each_look();
  std::vector<api::RotationRun> runs;
  std::copy_if(stored_runs.begin(), stored_runs.end(), std::back_inserter(runs), wanted);
  co_return runs;
}

Task<api::RotationRun> MemoryRecords::create_run(Context, api::RotationRun run) {
  if (find_run(stored_runs, run.meta.name) != stored_runs.end()) co_return Error{Errc::Conflict, "a run of this name exists"};
  auto written = write([&] {
    run.meta.resource_version = next_version();
    stored_runs.push_back(run);
  });
  if (!written) co_return written.error();
  co_return run;
}

Task<api::RotationRun> MemoryRecords::update_run(Context, api::RotationRun run) {
  const auto stored = find_run(stored_runs, run.meta.name);
  if (stored == stored_runs.end()) co_return Error{Errc::NotFound, "no such run"};
  if (stored->meta.resource_version != run.meta.resource_version) co_return Error{Errc::Conflict, "it moved"};
  auto written = write([&] {
    run.meta.resource_version = next_version();
    *stored = run;
  });
  if (!written) co_return written.error();
  co_return run;
}

Task<> MemoryRecords::write_status(Context, api::SecretRotation rotation, api::SecretRotationStatus status) {
  const auto stored = rotations.find(rotation.meta.key());
  if (stored == rotations.end()) co_return Error{Errc::NotFound, "no such rotation"};
  if (stored->second.status == status) co_return ok();
  co_return write([&] { stored->second.status = status; });
}

Task<> MemoryRecords::write_status(Context, api::RotationEnvironment environment, api::RotationEnvironmentStatus status) {
  const auto stored = environments.find(environment.meta.name);
  if (stored == environments.end()) co_return Error{Errc::NotFound, "no such environment"};
  if (stored->second.status == status) co_return ok();
  co_return write([&] { stored->second.status = status; });
}

// A deleted object goes with its last finalizer, as in Kubernetes.
Task<> MemoryRecords::set_finalizer(Context, ObjectKey key, bool present) {
  const auto stored = rotations.find(key);
  if (stored == rotations.end()) co_return Error{Errc::NotFound, "no such rotation"};
  std::vector<std::string>& finalizers = stored->second.meta.finalizers;
  const std::string ours(api::finalizer);
  const bool there = std::find(finalizers.begin(), finalizers.end(), ours) != finalizers.end();
  if (there == present && !stored->second.meta.deleted) co_return ok();
  co_return write([&] {
    std::erase(finalizers, ours);
    if (present) finalizers.push_back(ours);
    if (stored->second.meta.deleted && finalizers.empty()) rotations.erase(stored);
  });
}

}  // namespace keyturn
