// The rotation reconciler, short enough to remember: observe, plan, record by compare-and-swap, execute, say when to come back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time_zone.h"
#include "reconcilers/reconciler.h"
#include "reconcilers/rotation/claims.h"
#include "reconcilers/rotation/forecast.h"
#include "reconcilers/rotation/ledger.h"
#include "reconcilers/rotation/quarantine.h"
#include "reconcilers/rotation/records.h"
#include "reconcilers/rotation/status.h"
#include "reconcilers/rotation/targets.h"

namespace keyturn {

// What the reconciler works with; all outlive it.
struct RotationPorts {
  Records& records;
  Catalog& catalog;
  Random& random;
  Recorder& recorder;
  const TimeZones& zones;
};

class RotationReconciler final : public Reconciler {
 public:
  // `epoch` names this ownership: a fresh one for every start of a controller. `clock` dates the start for the quarantine.
  RotationReconciler(RotationPorts ports, Clock& clock, EpochId epoch);

  Task<Outcome> reconcile(Context context, ObjectKey key) override;

 private:
  struct Pass;  // all that one pass knows

  // Earlier generations that the journal has lost, from the tags of the vault's versions: looked up once until a run ends.
  Task<> recall_lost(Context context, Pass& pass);
  Task<Outcome> idle(Context context, Pass& pass);
  Task<Outcome> drive(Context context, Pass& pass);

  // idle: nothing is under way.
  Task<Outcome> adopt_published(Context context, Pass& pass);
  Task<Outcome> bootstrap(Context context, Pass& pass);
  Task<Gate> gate_of(Context context, Pass& pass);
  Task<Outcome> begin_run(Context context, Pass& pass);
  // What a run that begins now takes for the old value: what is published, whoever published it, once it is seen to log in. A shared key
  // logs in nowhere, so that there it is what the last run left.
  VersionId old_version_of(const Pass& pass, const VaultVersion& latest) const;
  Task<Outcome> begin(Context context, Pass& pass, VersionId published);
  Task<Outcome> keep_watch(Context context, Pass& pass);
  Task<Outcome> repair(Context context, Pass& pass, VersionId published);
  Task<> load_all(Context context, Pass& pass);
  // The other rotation that changes this one's login or secret now, or brought in what is in force of it and still stands (I10).
  Task<std::optional<ObjectKey>> other_keeper(Context context, const Pass& pass);
  Task<Outcome> refused_as_kept(Context context, Pass& pass, ObjectKey by);
  bool is_behind(const Pass& pass, const VersionTags& tags, const std::vector<api::RotationRun>& runs) const;
  Task<Outcome> refused_as_behind(Context context, Pass& pass);
  Task<Outcome> refused(Context context, Pass& pass, std::string_view why, std::string message);

  // drive: a run is under way.
  // From another epoch, unless that one has just taken the run from this one.
  Task<Outcome> claim(Context context, Pass& pass);
  Task<Outcome> advance(Context context, Pass& pass);
  Task<Outcome> act(Context context, Pass& pass);
  Task<Outcome> rest(Context context, Pass& pass);
  Task<> clean_up(Context context, Pass& pass);
  // The same where what is published is seen to be accepted (`sound`); a failure is logged, and tried again by the next watch.
  Awaitable<> tidy(Context context, Pass& pass, bool sound);
  void note_foreign_end(const std::vector<api::RotationRun>& runs, BootInstant now);
  void note_proven(Pass& pass);
  void note_withdrawn(Pass& pass);
  // Which consumers that are about to be restarted were restarted too often lately, by whichever rotation.
  Task<> note_budget(Context context, Pass& pass);

  Task<> publish_status(Context context, Pass& pass);

  RotationPorts ports_;
  EpochId epoch_;
  Quarantine quarantine_;
  Claims claims_;
  std::map<std::string, std::int64_t> ended_elsewhere_;  // by identity, the latest generation that another epoch has ended
  struct Watched {
    BootInstant at{};
    std::string drift;
    std::optional<Recollection> recalled;
  };
  std::map<ObjectKey, Watched> watched_;  // when drift was last looked for
};

}  // namespace keyturn
