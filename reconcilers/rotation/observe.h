// Looks at the world for one pass of a run: only at what the run's phase needs, so that probes and reads stay few.
#pragma once

#include <string>
#include <vector>

#include "api/rotation_run.h"
#include "reconcilers/rotation/observation.h"
#include "reconcilers/rotation/targets.h"

namespace keyturn {

// What one look found. The two values live as long as the pass, no longer.
struct Look {
  Observation seen;
  Secret pending;  // rendered as it is published; empty when not read
  Secret old;
  std::vector<VersionId> latest;      // per vault, what a versionless read returns; empty when not known
  VersionId staged_version;           // of this run, in the staging vault
  std::vector<std::string> sessions;  // clients seen on the credential that is to go
  Secret made;                        // what the provider holds where this run lets it make a value; empty when not read
};

// Facts that are not observed but known to the caller.
struct Circumstances {
  std::string owner;  // this store's name, as in keyturn-owner
  bool authorised = true;
  bool approved = true;
  bool suspended = false;
  std::optional<Instant> frozen_until;
  bool deleted = false;
  bool go_back = false;
  bool superseded = false;
  bool quiet = false;
  std::optional<Instant> quiet_at;
};

// Never fails: what cannot be told is Unknown. `targets` must outlive the call.
Awaitable<Look> observe(Context context, const Targets& targets, const api::RotationRun& run, Circumstances known);

// The tag of a run on versions: its name, unique in the store.
std::string run_tag(const api::RotationRun& run);

}  // namespace keyturn
