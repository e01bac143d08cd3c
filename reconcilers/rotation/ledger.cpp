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
  entry.proven_at = finished_at(run);
  entry.retained = true;
  if (brought_back) {
    entry.reactivated_at = finished_at(run);
  } else {
    entry.issued_at = run.status.started_at.value_or(Instant{});
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
  if (run.spec.direction == api::Direction::Back) return;
  if (asked_back(run) && run.status.published_version.empty()) return;  // never seen by anybody: as if it had not been
  LedgerEntry& entry = entry_of(ledger, run.spec.credential);
  entry.issued_at = run.status.started_at.value_or(Instant{});
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
    entry.issued_at = run.status.started_at.value_or(Instant{});
  }
}

void count_attempt(Ledger& ledger, const api::RotationRun& run, std::string_view revision) {
  if (run.spec.credential.revision != revision || run.spec.direction == api::Direction::Back) return;
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

bool matters_to(const ObjectKey& rotation, const std::string& identity, const api::RotationRun& run) {
  return run.spec.rotation == rotation || !api::is_terminal(run.status.phase) || run.spec.identity == identity;
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
  }
  return ledger;
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
