// All that one pass of the reconciler knows; for the files that implement it alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reconcilers/rotation/admission.h"
#include "reconcilers/rotation/gates.h"
#include "reconcilers/rotation/ledger.h"
#include "reconcilers/rotation/observe.h"
#include "reconcilers/rotation/reconciler.h"

namespace keyturn {

struct RotationReconciler::Pass {
  api::SecretRotation rotation;
  bool ghost = false;  // the object is gone: there is no status to write
  api::RotationEnvironment environment;
  std::vector<api::RotationRun> all;    // that matter for beginning one
  std::vector<api::RotationRun> runs;   // the rotation's own, oldest first
  std::optional<api::RotationRun> run;  // unfinished
  Targets targets;
  bool authorised = true;
  Ledger ledger;
  std::optional<Recollection> recalled;
  Decision decision;
  Gate gate;  // closed: the decision's run may not start yet
  Look look;
  bool looked = false;
  bool newly_proven = false;  // something in this look that the journal is to keep
  bool newly_parked = false;  // or no longer
  Plan step;
  std::string_view refusal;
  std::string refusal_message;
  std::optional<std::string> drift;
  std::optional<api::PlanStatus> plan;
  Instant now{};

  const api::Timing& timing() const { return environment.spec.timing; }
  std::string identity() const { return run ? run->spec.identity : identity_of(rotation.spec); }
  void decide_again(const TimeZones& zones) {
    ledger = ledger_of(runs, rotation.spec.revision, rotation.status.issued_not_before, rotation.spec.issued_not_before);
    if (recalled) recall(ledger, *recalled);
    decision = decide(rotation.spec, ledger, now, zones);
  }
};

// The end of the chain of records, told where it outlives the journal: whoever kept it can give it to `keyturn verify --anchor`.
inline std::string sealed_note(const api::RotationRun& run) { return "; record " + run.status.record_hash; }

}  // namespace keyturn
