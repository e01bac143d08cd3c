// RotationQueries over the Store: decodes SecretRotation and RotationRun objects into views.
#pragma once

#include <functional>
#include <memory>

#include "api/rotation_run.h"
#include "api/secret_rotation.h"
#include "controller/runtime/store.h"
#include "controller/server/rotation_queries.h"

namespace keyturn {

RotationView view_of(const api::SecretRotation& rotation);
RunView view_of(const api::RotationRun& run);

class StoreQueries final : public RotationQueries {
 public:
  // Makes the plan of one rotation; supplied by the composition root, which alone knows the planner. Called only for a rotation that
  // exists.
  using Planner = std::function<Task<PlanView>(Context, ObjectKey, std::string revision)>;

  StoreQueries(Store& store, Planner planner);
  ~StoreQueries() override;

  Task<RotationList> list(Context context, std::string ns) override;
  Task<RotationView> get(Context context, ObjectKey key) override;
  Task<std::vector<RunView>> history(Context context, ObjectKey key, int limit) override;
  Task<PlanView> plan(Context context, ObjectKey key, std::string revision) override;
  Task<VerificationView> verify(Context context, ObjectKey key, std::string anchor) override;
  Task<std::unique_ptr<RotationFeed>> subscribe(Context context, std::string ns) override;

 private:
  Store& store_;
  Planner planner_;
};

}  // namespace keyturn
