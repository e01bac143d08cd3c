#include "controller/store_records.h"

#include <charconv>

#include "api/codec.h"
#include "controller/embedded/namespaces.h"

namespace keyturn {
namespace {

const Resource rotations{std::string(api::group), std::string(api::SecretRotation::plural)};
const Resource environments{std::string(api::group), std::string(api::RotationEnvironment::plural)};
const Resource journal{std::string(api::group), std::string(api::RotationRun::plural)};
constexpr std::string_view status_manager = "keyturn";
constexpr std::size_t decoded_min = 64;

ResourceVersion version_of(const api::ObjectMeta& meta) {
  ResourceVersion version = 0;
  std::from_chars(meta.resource_version.data(), meta.resource_version.data() + meta.resource_version.size(), version);
  return version;
}

Result<api::RotationRun> run_of(const Result<StoredPtr>& stored) {
  if (!stored) return stored.error();
  return api::decode_rotation_run((*stored)->body);
}

}  // namespace

Task<api::SecretRotation> StoreRecords::rotation(Context context, ObjectKey key) {
  auto stored = co_await store_.get(std::move(context), rotations, std::move(key));
  if (!stored) co_return stored.error();
  co_return api::decode_secret_rotation((*stored)->body);
}

Task<api::RotationEnvironment> StoreRecords::environment(Context context, std::string name) {
  auto stored = co_await store_.get(std::move(context), environments, ObjectKey{{}, std::move(name)});
  if (!stored) co_return stored.error();
  co_return api::decode_rotation_environment((*stored)->body);
}

Result<StoreRecords::RunPtr> StoreRecords::decoded(const StoredPtr& stored) {
  Decoded& known = decoded_[stored.get()];
  if (known.run) return known.run;
  auto run = api::decode_rotation_run(stored->body);
  if (!run) {
    decoded_.erase(stored.get());
    return run.error();
  }
  known = {stored, std::make_shared<const api::RotationRun>(std::move(*run))};
  return known.run;
}

// Every write of a run leaves the one before behind here, until as many are left behind as there are.
void StoreRecords::forget_replaced(const std::vector<StoredPtr>& stored) {
  if (decoded_.size() <= 2 * stored.size() + decoded_min) return;
  std::unordered_map<const StoredObject*, Decoded> current;
  for (const StoredPtr& one : stored) {
    if (auto known = decoded_.extract(one.get())) current.insert(std::move(known));
  }
  decoded_ = std::move(current);
}

Task<std::vector<api::RotationRun>> StoreRecords::runs(Context context, RunFilter wanted) {
  auto listed = co_await store_.list(std::move(context), journal, ListOptions{.ns = std::string(embedded::system_namespace)});
  if (!listed) co_return listed.error();
  std::vector<api::RotationRun> runs;
  forget_replaced(listed->items);
  for (const StoredPtr& stored : listed->items) {
    const Result<RunPtr> run = decoded(stored);
    // A journal that cannot be read must stop the rotation, not be taken for absent: that would mint twice.
    if (!run) co_return run.error();
    if (wanted(**run)) runs.push_back(**run);
  }
  co_return runs;
}

Task<api::RotationRun> StoreRecords::create_run(Context context, api::RotationRun run) {
  run.meta.ns = std::string(embedded::system_namespace);
  run.meta.uid = Uid{random_.uuid()};
  run.meta.created = context.clock().now();
  run.meta.generation = 1;
  const ObjectKey key = run.meta.key();
  auto stored = co_await store_.create(std::move(context), journal, key, api::encode(run));
  co_return run_of(stored);
}

Task<api::RotationRun> StoreRecords::update_run(Context context, api::RotationRun run) {
  const ObjectKey key = run.meta.key();
  const ResourceVersion expected = version_of(run.meta);
  auto stored = co_await store_.update(std::move(context), journal, key, api::encode(run), expected);
  co_return run_of(stored);
}

Task<> StoreRecords::write_status(Context context, api::SecretRotation rotation, api::SecretRotationStatus status) {
  if (status == rotation.status) co_return ok();
  auto written = co_await writer_.update_status(std::move(context), rotations, rotation.meta.key(), api::encode_status(status),
                                                std::string(status_manager), 0);
  if (!written) co_return written.error();
  co_return ok();
}

Task<> StoreRecords::write_status(Context context, api::RotationEnvironment environment, api::RotationEnvironmentStatus status) {
  if (status == environment.status) co_return ok();
  auto written = co_await writer_.update_status(std::move(context), environments, environment.meta.key(), api::encode_status(status),
                                                std::string(status_manager), 0);
  if (!written) co_return written.error();
  co_return ok();
}

Task<> StoreRecords::set_finalizer(Context context, ObjectKey rotation, bool present) {
  if (!present)
    co_return co_await writer_.remove_finalizer(std::move(context), rotations, std::move(rotation), std::string(api::finalizer));
  co_return co_await writer_.add_finalizer(std::move(context), rotations, std::move(rotation), std::string(api::finalizer));
}

}  // namespace keyturn
