// Says of an environment what can be reached and used: every vault, system and consumer, as of when. Changes nothing outside.
#pragma once

#include "reconcilers/reconciler.h"
#include "reconcilers/rotation/records.h"
#include "reconcilers/rotation/systems.h"

namespace keyturn {

class EnvironmentReconciler final : public Reconciler {
 public:
  static constexpr Duration look_timeout{10'000};  // of one target

  // All outlive it.
  EnvironmentReconciler(Records& records, Catalog& catalog) : records_(records), catalog_(catalog) {}

  Task<Outcome> reconcile(Context context, ObjectKey key) override;

 private:
  Awaitable<api::TargetStatus> look_at_vault(Context context, const api::RotationEnvironment& environment, std::string name);
  Awaitable<api::TargetStatus> look_at_system(Context context, const api::RotationEnvironment& environment, std::string name,
                                              std::string principal);
  Awaitable<api::TargetStatus> look_at_consumer(Context context, const api::RotationEnvironment& environment, std::string name);

  Records& records_;
  Catalog& catalog_;
};

}  // namespace keyturn
