#include "reconcilers/rotation/ledger.h"

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn {
namespace {

using api::CredentialState;
using api::Phase;

LedgerEntry& entry_of(Ledger& ledger, const CredentialName& name) {
  for (LedgerEntry& entry : ledger.entries) {
    if (entry.name == name) return entry;
  }
  ledger.entries.push_back({.name = name});
  return ledger.entries.back();
}

// What was current steps back to `state`.
void supersede(Ledger& ledger, CredentialState state) {
  for (LedgerEntry& entry : ledger.entries) {
    const bool in_force = entry.state == CredentialState::Current || entry.state == CredentialState::Previous;
    if (in_force) entry.state = state;
  }
}

// A run that already knew of a floor issued its credential after it, whatever the clock said: else a floor that a clock has not reached
// would have each new credential replaced at once.
Instant issued_at(const api::RotationRun& run) {
  return std::max(run.status.started_at.value_or(Instant{}), run.spec.frozen.issued_not_before.value_or(Instant{}));
}

Instant finished_at(const api::RotationRun& run) { return run.status.finished_at.value_or(run.status.phase_since.value_or(Instant{})); }

// The run's credential is in force: published, and proven with every consumer.
void in_force(Ledger& ledger, const api::RotationRun& run, CredentialState others) {
  supersede(ledger, others);
  // Going back within a revision, as a pin does, rejects the newer serials: taking the pin away does not bring them back.
  for (LedgerEntry& entry : ledger.entries) {
    const bool newer = entry.name.revision == run.spec.credential.revision && entry.name.serial > run.spec.credential.serial;
    if (newer && run.spec.direction == api::Direction::Back) entry.state = CredentialState::Rejected;
  }
  LedgerEntry& entry = entry_of(ledger, run.spec.credential);
  const bool brought_back = run.spec.direction == api::Direction::Back;
  entry.state = CredentialState::Current;
  if (!run.status.published_version.empty()) entry.version = run.status.published_version;
  // A repair brings in nothing new: neither its age nor the schedule begins anew.
  if (run.spec.direction == api::Direction::Repair) return;
  entry.proven_at = finished_at(run);
  entry.retained = true;
  if (brought_back) {
    entry.reactivated_at = finished_at(run);
  } else {
    entry.issued_at = issued_at(run);
  }
}

void revoke_all_but(Ledger& ledger, const CredentialName& name) {
  for (LedgerEntry& entry : ledger.entries) {
    if (entry.name != name) entry.state = CredentialState::Revoked;
  }
}

bool asked_back(const api::RotationRun& run) { return run.status.failure == api::reason::revision_changed; }

// A run that went back. What it tried is rejected, unless a human only changed their mind: then it can be brought in again.
void taken_back(Ledger& ledger, const api::RotationRun& run) {
  if (run.spec.direction != api::Direction::Forward) return;
  if (asked_back(run) && run.status.published_version.empty()) return;  // never seen by anybody: as if it had not been
  LedgerEntry& entry = entry_of(ledger, run.spec.credential);
  entry.issued_at = issued_at(run);
  entry.version = run.status.published_version;
  entry.retained = !entry.version.empty();
  entry.state = asked_back(run) ? CredentialState::Retired : CredentialState::Rejected;
}

void under_way(Ledger& ledger, const api::RotationRun& run) {
  const Phase phase = run.status.phase;
  if (phase == Phase::Verifying || phase == Phase::Retiring) {
    in_force(ledger, run, CredentialState::Previous);
  } else if (!going_back(phase) && run.spec.direction == api::Direction::Forward) {
    LedgerEntry& entry = entry_of(ledger, run.spec.credential);
    entry.state = CredentialState::Candidate;
    entry.issued_at = issued_at(run);
  }
}

void count_return(Ledger& ledger, const api::RotationRun& run) {
  if (run.spec.direction != api::Direction::Back) return;
  LedgerEntry& entry = entry_of(ledger, run.spec.credential);
  if (run.status.phase == Phase::Succeeded) {
    entry.failed_returns = 0;
    entry.last_failed_return.reset();
  } else if (run.status.phase == Phase::RolledBack && !asked_back(run)) {
    ++entry.failed_returns;
    entry.last_failed_return = finished_at(run);
  }
}

void count_attempt(Ledger& ledger, const api::RotationRun& run, std::string_view revision) {
  if (run.spec.credential.revision != revision || run.spec.direction != api::Direction::Forward) return;
  if (run.status.phase == Phase::Succeeded) ledger.attempts = 0;
  if (run.status.phase != Phase::RolledBack || asked_back(run)) return;
  ++ledger.attempts;
  ledger.last_failure = finished_at(run);
}

}  // namespace

std::vector<api::RotationRun> runs_of(const ObjectKey& rotation, const std::vector<api::RotationRun>& all) {
  std::vector<api::RotationRun> mine;
  for (const api::RotationRun& run : all) {
    if (run.spec.rotation == rotation) mine.push_back(run);
  }
  std::sort(mine.begin(), mine.end(),
            [](const api::RotationRun& a, const api::RotationRun& b) { return a.spec.generation < b.spec.generation; });
  return mine;
}

Ledger ledger_of(const std::vector<api::RotationRun>& runs, std::string_view revision, std::optional<Instant> status_floor,
                 std::optional<Instant> spec_floor) {
  Ledger ledger;
  ledger.floor = status_floor;
  if (spec_floor && (!status_floor || *spec_floor > *status_floor)) ledger.floor = spec_floor;
  for (const api::RotationRun& run : runs) {
    switch (run.status.phase) {
      case Phase::Succeeded:
        in_force(ledger, run, CredentialState::Retired);
        break;
      case Phase::RolledBack:
        taken_back(ledger, run);
        break;
      case Phase::Abandoned:
        break;
      default:
        under_way(ledger, run);
        break;
    }
    const bool compromised = run.spec.reason == api::Reason::ConfirmedCompromise && run.status.phase == Phase::Succeeded;
    if (compromised) revoke_all_but(ledger, run.spec.credential);
    count_attempt(ledger, run, revision);
    count_return(ledger, run);
  }
  return ledger;
}

Recollection recollect(const std::vector<VaultVersion>& versions, std::string_view owner) {
  Ledger found;
  std::vector<VersionId> enabled;
  Recollection recollection;
  for (const VaultVersion& version : versions) {
    const VersionTags& tags = version.tags;
    if (tags.owner != owner) continue;
    if (tags.floor) recollection.floor = std::max(recollection.floor.value_or(*tags.floor), *tags.floor);
    if (tags.credential.empty()) continue;
    LedgerEntry& entry = entry_of(found, tags.credential);
    const bool first = entry.version.empty();
    const bool better = version.enabled && std::find(enabled.begin(), enabled.end(), entry.version) == enabled.end();
    if (first || better) entry.version = version.id;
    if (version.enabled) enabled.push_back(version.id);
    // What replaced a compromised credential is not older than the moment that it was to replace, whatever the vault's clock says.
    const Instant issued = tags.floor ? std::max(version.created, *tags.floor) : version.created;
    entry.issued_at = first ? issued : std::min(entry.issued_at, issued);
    entry.proven_at = entry.issued_at;
    entry.state = CredentialState::Retired;
  }
  recollection.entries = std::move(found.entries);
  return recollection;
}

bool earlier_runs_unknown(const std::vector<api::RotationRun>& runs) { return !runs.empty() && runs.front().spec.generation > 1; }

void recall(Ledger& ledger, const Recollection& recollection) {
  if (recollection.floor) ledger.floor = std::max(ledger.floor.value_or(*recollection.floor), *recollection.floor);
  const std::optional<CredentialName> current = ledger.current() ? std::optional(ledger.current()->name) : std::nullopt;
  for (const LedgerEntry& earlier : recollection.entries) {
    const bool known = ledger.find(earlier.name) != nullptr;
    LedgerEntry& entry = entry_of(ledger, earlier.name);
    if (known) {
      // Whoever took it over counted from that moment; it is as old as it is.
      entry.issued_at = std::min(entry.issued_at, earlier.issued_at);
      continue;
    }
    entry = earlier;
    const bool rejected = current && earlier.name.revision == current->revision && earlier.name.serial > current->serial;
    if (rejected) entry.state = CredentialState::Rejected;
    if (recollection.floor && earlier.issued_at < *recollection.floor) entry.state = CredentialState::Revoked;
  }
}

const api::RotationRun* run_in_force(const std::vector<api::RotationRun>& runs) {
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    const Phase phase = run->status.phase;
    if (phase == Phase::Succeeded || phase == Phase::RolledBack) return &*run;
  }
  return nullptr;
}

std::string principal_in_force(const api::RotationRun& run) {
  return run.status.phase == Phase::RolledBack ? run.spec.old_principal : run.spec.pending_principal;
}

CredentialName credential_in_force(const api::RotationRun& run) {
  return run.status.phase == Phase::RolledBack ? run.spec.old_credential : run.spec.credential;
}

const api::RotationRun* unfinished(const std::vector<api::RotationRun>& runs) {
  const auto found = std::find_if(runs.begin(), runs.end(), [](const auto& run) { return !api::is_terminal(run.status.phase); });
  return found == runs.end() ? nullptr : &*found;
}

}  // namespace keyturn
