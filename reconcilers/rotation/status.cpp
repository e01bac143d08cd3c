#include "reconcilers/rotation/status.h"

#include <algorithm>

#include "api/codec.h"
#include "api/reasons.h"

namespace keyturn {
namespace {

namespace reason = api::reason;
using api::Condition;
using api::CredentialState;
using api::Phase;
using api::Tristate;

constexpr std::size_t message_bytes_max = 512;

// Collects the conditions of a pass in their fixed order, carrying over when each last moved.
class Conditions {
 public:
  Conditions(const Knowledge& known, Instant now) : known_(known), now_(now) {}

  void set(std::string_view type, Tristate status, std::string_view why, std::string message) {
    const Condition* before = api::find_condition(known_.object->status.conditions, type);
    Condition condition{.type = std::string(type),
                        .status = status,
                        .observed_generation = known_.object->meta.generation,
                        .reason = std::string(why),
                        .message = message.substr(0, message_bytes_max),
                        .last_transition = before && before->status == status ? before->last_transition : now_};
    conditions_.push_back(std::move(condition));
  }
  // Ready keeps what it was when this pass learnt nothing about it.
  void keep(std::string_view type) {
    if (const Condition* before = api::find_condition(known_.object->status.conditions, type)) conditions_.push_back(*before);
  }
  std::vector<Condition> take() && { return std::move(conditions_); }

 private:
  const Knowledge& known_;
  Instant now_;
  std::vector<Condition> conditions_;
};

bool active(const Knowledge& known) { return known.run && !api::is_terminal(known.run->status.phase); }

// A run that the spec asked for, not the calendar, and whose end the spec still waits for.
bool realising_spec(const Knowledge& known) {
  if (!active(known)) return false;
  const api::RotationRun& run = *known.run;
  // Once every consumer is proven the wanted state is reached; what remains is the old one's overlap and its retirement.
  const bool reached = run.status.phase == Phase::Verifying || run.status.phase == Phase::Retiring;
  const bool scheduled = run.spec.credential.serial > 1 && run.spec.credential.revision == run.spec.old_credential.revision &&
                         run.spec.direction == api::Direction::Forward && run.spec.reason == api::Reason::Routine;
  return !reached && !scheduled;
}

std::string_view stall_of(const Knowledge& known) {
  if (!known.refusal.empty()) return known.refusal;
  if (active(known) && known.next && known.next->action == Action::Block) return known.next->reason;
  if (known.decision && known.decision->verb == Verb::Refuse) return known.decision->reason;
  return {};
}

std::string reachable_revisions(const Ledger& ledger) {
  std::vector<std::string> names;
  for (const LedgerEntry& entry : ledger.entries) {
    const bool usable = entry.retained && entry.state != CredentialState::Revoked && entry.state != CredentialState::Rejected;
    if (usable) names.push_back(entry.name.revision);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string meaning_of(std::string_view why) {
  for (const api::reason::Entry& entry : api::reason::all()) {
    if (entry.reason == why) return std::string(entry.meaning);
  }
  return std::string(why);
}

std::string stall_message(const Knowledge& known, std::string_view why) {
  if (!known.refusal_message.empty() && why == known.refusal) return known.refusal_message;
  const bool no_way_back = why == reason::revision_not_retained || why == reason::revision_revoked;
  if (no_way_back && known.ledger) {
    return meaning_of(why) + " Revisions that can be reached: " + reachable_revisions(*known.ledger) + ". To rotate now, use a new name.";
  }
  return meaning_of(why);
}

// Why the run rests by somebody's wish: a reason. Empty = it does not.
std::string_view parked_by(const Knowledge& known) {
  if (!active(known) || !known.next || !is_parked(*known.next)) return {};
  if (known.next->reason == waits::frozen) return reason::frozen;
  return known.next->reason == waits::suspended ? reason::suspended : reason::restart_budget;
}

// A new revision that may not start yet; a scheduled serial that may not leaves what is wanted in force.
bool holds_revision(const Knowledge& known) {
  const LedgerEntry* current = known.ledger ? known.ledger->current() : nullptr;
  return !known.held.open() && !active(known) && current && current->name.revision != known.object->spec.revision;
}
std::string held_message(const Knowledge& known) { return known.object->spec.revision + " may not start yet: " + known.held.message; }

std::string progress_message(const Knowledge& known) {
  const api::RotationRun& run = *known.run;
  const std::string way = going_back(run.status.phase) ? "going back to " + run.spec.old_credential.to_string()
                                                       : "rolling out " + run.spec.credential.to_string();
  std::string message = way + ": " + std::string(api::name_of(run.status.phase));
  if (const std::string_view parked = parked_by(known); !parked.empty()) {
    message += ", parked: " + std::string(parked);
    if (known.next->look_at) message += " until " + format_seconds(*known.next->look_at);
  }
  return message;
}

std::string_view progress_reason(const Knowledge& known) {
  const std::string_view parked = parked_by(known);
  return parked.empty() ? reason::rotating : parked;
}

void ready(const Knowledge& known, Conditions& out) {
  const LedgerEntry* current = known.ledger ? known.ledger->current() : nullptr;
  if (const std::string_view why = stall_of(known); !why.empty()) return out.set("Ready", Tristate::False, why, stall_message(known, why));
  if (known.drift && !known.drift->empty()) return out.set("Ready", Tristate::False, reason::verification_lost, *known.drift);
  if (realising_spec(known)) {
    const bool back = going_back(known.run->status.phase);
    return out.set("Ready", Tristate::False, back ? reason::rolling_back : progress_reason(known), progress_message(known));
  }
  if (holds_revision(known)) {
    return out.set("Ready", Tristate::False, known.held.reason,
                   known.ledger->current()->name.to_string() + " is in use; " + held_message(known));
  }
  if (!current) return out.set("Ready", Tristate::Unknown, reason::not_yet_issued, "no credential is known yet");
  const bool wanted = known.decision && (known.decision->verb == Verb::Keep || known.decision->verb == Verb::Mint || active(known));
  if (wanted || (known.decision && known.decision->reason == reason::suspended)) {
    if (current->name.revision != known.object->spec.revision && !active(known)) {
      return out.set("Ready", Tristate::False, reason::rolled_back,
                     current->name.to_string() + " is in use; " + known.object->spec.revision + " was tried and taken back");
    }
    return out.set("Ready", Tristate::True, reason::current_verified, current->name.to_string() + " is published, accepted and in use");
  }
  if (known.decision && known.decision->verb == Verb::Hold) {
    return out.set(
        "Ready", Tristate::False, reason::rolled_back,
        current->name.to_string() + " is in use; " + known.object->spec.revision + " was tried and taken back, and will be tried again");
  }
  out.set("Ready", Tristate::False, reason::rotating, "a run is about to begin");
}

void reconciling_or_stalled(const Knowledge& known, Conditions& out) {
  if (const std::string_view why = stall_of(known); !why.empty()) return out.set("Stalled", Tristate::True, why, stall_message(known, why));
  if (holds_revision(known)) return out.set("Reconciling", Tristate::True, known.held.reason, held_message(known));
  if (!realising_spec(known)) return;
  const bool back = going_back(known.run->status.phase) || known.run->spec.direction == api::Direction::Back;
  out.set("Reconciling", Tristate::True, back ? reason::rolling_back : reason::revision_changed, progress_message(known));
}

void others(const Knowledge& known, Conditions& out) {
  if (active(known)) out.set("Rotating", Tristate::True, progress_reason(known), progress_message(known));
  if (known.drift) {
    const bool drifted = !known.drift->empty();
    out.set("Drifted", drifted ? Tristate::True : Tristate::False, drifted ? reason::drift : reason::current_verified,
            drifted ? *known.drift : "the current credential is published, accepted and in use");
  } else {
    out.keep("Drifted");
  }
  if (known.object->spec.suspend) out.set("Suspended", Tristate::True, reason::suspended, "spec.suspend is true: nothing new begins");
  if (known.object->spec.pin_serial) {
    out.set("Pinned", Tristate::True, reason::pinned,
            "serial " + std::to_string(*known.object->spec.pin_serial) + " is held; the schedule is off");
  }
}

void overdue(const Knowledge& known, Conditions& out) {
  if (!known.decision) return;
  if (!known.held.open() && known.decision->reason == reason::scheduled) {
    return out.set("RotationOverdue", Tristate::True, known.held.reason, "due, and may not start yet: " + known.held.message);
  }
  if (known.decision->verb != Verb::Keep) return;
  if (known.decision->reason == reason::outside_window) {
    out.set("RotationOverdue", Tristate::True, reason::outside_window, "due, and waiting for a window");
  } else if (known.decision->reason == reason::rolled_back) {
    out.set("RotationOverdue", Tristate::True, reason::rolled_back, "due; the last attempt was taken back, and another follows later");
  }
}

api::CredentialStatus credential_status(const LedgerEntry& entry) {
  return {.name = entry.name,
          .version = entry.version,
          .state = entry.state,
          .issued_at = entry.issued_at,
          .activated_at = entry.reactivated_at ? entry.reactivated_at : std::optional(entry.proven_at)};
}

void credentials(const Knowledge& known, api::SecretRotationStatus& status) {
  if (!known.ledger) return;
  std::vector<const LedgerEntry*> entries;
  for (const LedgerEntry& entry : known.ledger->entries) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](const LedgerEntry* a, const LedgerEntry* b) {
    return a->issued_at != b->issued_at ? a->issued_at > b->issued_at : b->name < a->name;
  });
  status.current.reset();
  status.previous.reset();
  status.history.clear();
  for (const LedgerEntry* entry : entries) {
    if (entry->state == CredentialState::Current) status.current = credential_status(*entry);
    if (entry->state == CredentialState::Previous && !status.previous) status.previous = credential_status(*entry);
    const auto keep = static_cast<std::size_t>(std::max(known.object->spec.history_keep, 1));
    if (status.history.size() < keep) status.history.push_back(credential_status(*entry));
  }
}

void candidate(const Knowledge& known, api::SecretRotationStatus& status) {
  status.candidate.reset();
  status.run.clear();
  if (!active(known)) return;
  const api::RotationRun& run = *known.run;
  status.run = run.meta.name;
  status.candidate = api::CredentialStatus{.name = run.spec.credential,
                                           .version = run.status.staged_version,
                                           .state = CredentialState::Candidate,
                                           .issued_at = run.status.started_at,
                                           .step = std::string(api::name_of(run.status.phase))};
}

std::string_view word_of(const ConsumerObservation& consumer) {
  switch (consumer.state) {
    case ConsumerState::Unknown:
      return "Unknown";
    case ConsumerState::Stale:
      return consumer.begun ? "Syncing" : "Pending";
    case ConsumerState::Moving:
      return "Restarting";
    case ConsumerState::Proven:
      return "Verified";
    case ConsumerState::Unhealthy:
      return "Unhealthy";
  }
  return "Unknown";
}

void targets(const Knowledge& known, Instant now, api::SecretRotationStatus& status) {
  if (!known.run || !known.seen) return;
  const api::RotationRunSpec& run = known.run->spec;
  const bool back = going_back(known.run->status.phase) || known.run->status.phase == Phase::RolledBack;
  const CredentialName& wanted = back ? run.old_credential : run.credential;
  const CredentialName& other = back ? run.credential : run.old_credential;
  status.consumers.clear();
  for (std::size_t i = 0; i < known.seen->consumers.size() && i < run.frozen.consumers.size(); ++i) {
    const ConsumerObservation& seen = known.seen->consumers[i];
    const bool proven = seen.state == ConsumerState::Proven;
    const bool untouched = seen.state == ConsumerState::Stale && !seen.begun;
    status.consumers.push_back({.name = run.frozen.consumers[i].name,
                                .using_credential = proven      ? wanted.to_string()
                                                    : untouched ? other.to_string()
                                                                : std::string{},
                                .state = std::string(word_of(seen))});
  }
  const std::vector<api::DependentStatus> before = std::move(status.dependents);
  status.dependents.clear();
  for (std::size_t i = 0; i < known.seen->dependents.size() && i < run.frozen.dependents.size(); ++i) {
    const DependentObservation& seen = known.seen->dependents[i];
    api::DependentStatus row{.name = run.frozen.dependents[i].system};
    // A phase that does not ask learns nothing: what was last seen stands.
    const bool asked = seen.pending != ProbeResult::Unknown || seen.old != ProbeResult::Unknown;
    if (!asked && i < before.size() && before[i].name == row.name) {
      status.dependents.push_back(before[i]);
      continue;
    }
    if (seen.pending == ProbeResult::Accepted) row.accepts.push_back(run.credential.to_string());
    if (seen.old == ProbeResult::Accepted) row.accepts.push_back(run.old_credential.to_string());
    // The time moves with the facts only, so that an unchanged world is an equal status.
    const bool same = i < before.size() && before[i].name == row.name && before[i].accepts == row.accepts;
    row.verified_at = same ? before[i].verified_at : std::optional(now);
    status.dependents.push_back(std::move(row));
  }
}

}  // namespace

api::SecretRotationStatus project(const Knowledge& known, Instant now) {
  api::SecretRotationStatus status = known.object->status;
  status.observed_generation = known.object->meta.generation;
  credentials(known, status);
  candidate(known, status);
  targets(known, now, status);
  if (known.plan) status.plan = known.plan;
  if (known.record) status.record = known.record;
  const bool foreseen = known.decision && (known.decision->verb == Verb::Keep || !known.held.open());
  if (known.decision) status.next_rotation = foreseen ? known.decision->due : std::nullopt;
  if (known.ledger && known.ledger->floor) status.issued_not_before = known.ledger->floor;
  const auto requested = known.object->meta.annotations.find(std::string(api::requested_at_annotation));
  if (requested != known.object->meta.annotations.end()) status.last_handled_reconcile_at = requested->second;
  Conditions conditions(known, now);
  ready(known, conditions);
  reconciling_or_stalled(known, conditions);
  others(known, conditions);
  overdue(known, conditions);
  status.conditions = std::move(conditions).take();
  return status;
}

}  // namespace keyturn
