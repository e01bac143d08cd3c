#include "reconcilers/rotation/admission.h"

#include <algorithm>

#include "api/codec.h"
#include "base/hash.h"
#include "reconcilers/rotation/ledger.h"
#include "reconcilers/rotation/preview.h"
#include "reconcilers/rotation/run_target.h"

namespace keyturn {
namespace {

using api::TargetKind;

// Letters, digits and dashes, as an object's name wants it.
std::string dns_label(std::string_view text) {
  std::string label;
  for (const char c : text) {
    const bool lower = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool upper = c >= 'A' && c <= 'Z';
    if (lower) label.push_back(c);
    if (upper) label.push_back(static_cast<char>(c - 'A' + 'a'));
    if (!lower && !upper && !label.empty() && label.back() != '-') label.push_back('-');
  }
  while (!label.empty() && label.back() == '-') label.pop_back();
  return label;
}

bool share_principal(const api::SecretRotationSpec& a, const api::SecretRotationSpec& b) {
  if (a.environment != b.environment) return false;
  for (const api::DependentRef& left : a.dependents) {
    for (const api::DependentRef& right : b.dependents) {
      if (left.system != right.system) continue;
      for (const std::string& principal : left.principals) {
        if (std::find(right.principals.begin(), right.principals.end(), principal) != right.principals.end()) return true;
      }
    }
  }
  return false;
}

bool share_secret(const api::SecretRotationSpec& a, const api::SecretRotationSpec& b) {
  if (a.environment != b.environment || a.secret.name != b.secret.name) return false;
  return std::any_of(a.secret.vaults.begin(), a.secret.vaults.end(), [&](const std::string& vault) {
    return std::find(b.secret.vaults.begin(), b.secret.vaults.end(), vault) != b.secret.vaults.end();
  });
}

// Runs whose publications follow each other.
bool same_lineage(const api::SecretRotationSpec& spec, const api::RotationRun& run) {
  return run.spec.identity == identity_of(spec) || share_secret(spec, run.spec.frozen);
}

void canaries_first(api::SecretRotationSpec& spec) {
  const std::vector<std::string>& canaries = spec.strategy.waves.canary;
  const auto rank = [&](const api::ConsumerRef& consumer) {
    return std::find(canaries.begin(), canaries.end(), consumer.name) - canaries.begin();
  };
  const auto keep_order = [&](const api::ConsumerRef& a, const api::ConsumerRef& b) { return rank(a) < rank(b); };
  // A stable order by insertion: the lists are short, and std::stable_sort of libstdc++ 12 uses what the compiler deprecates.
  std::vector<api::ConsumerRef> sorted;
  for (api::ConsumerRef& consumer : spec.consumers) {
    sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), consumer, keep_order), consumer);
  }
  spec.consumers = std::move(sorted);
}

std::vector<api::RunTarget> targets_of(const api::SecretRotationSpec& spec, std::string_view state) {
  std::vector<api::RunTarget> targets;
  const auto add = [&](TargetKind kind, const std::string& name) {
    targets.push_back({.kind = kind, .name = name, .state = std::string(state)});
  };
  for (const std::string& vault : spec.secret.vaults) add(TargetKind::Vault, vault);
  for (const api::DependentRef& dependent : spec.dependents) add(TargetKind::Dependent, dependent.system);
  for (const api::ConsumerRef& consumer : spec.consumers) add(TargetKind::Consumer, consumer.name);
  return targets;
}

api::RotationRun begin(const api::SecretRotation& rotation, std::int64_t generation, const EnvironmentView& view, Instant now) {
  api::RotationRun run;
  run.spec.rotation = rotation.meta.key();
  run.spec.rotation_uid = rotation.meta.uid;
  run.spec.identity = identity_of(rotation.spec);
  run.spec.generation = generation;
  run.spec.reason = rotation.spec.reason;
  run.spec.incident = rotation.spec.incident;
  run.spec.protocol = protocol_of(rotation.spec, view);
  run.spec.frozen = rotation.spec;
  run.spec.frozen_generation = rotation.meta.generation;
  canaries_first(run.spec.frozen);
  run.meta.name = run_name(run.spec.identity, generation);
  run.meta.labels = {{"keyturn.dev/rotation-namespace", rotation.meta.ns}, {"keyturn.dev/rotation", rotation.meta.name}};
  run.status.started_at = now;
  run.status.phase_since = now;
  return run;
}

const api::RotationRun* run_of(const std::vector<api::RotationRun>& runs, const CredentialName& credential) {
  const auto found = std::find_if(runs.rbegin(), runs.rend(), [&](const api::RotationRun& run) {
    return run.spec.credential == credential && !run.status.published_version.empty();
  });
  return found == runs.rend() ? nullptr : &*found;
}

// The credential in force is brought in again, for the principal that has it. Nothing is to be withdrawn: there is no other credential.
void put_back(api::RotationRun& run, const api::RotationRun& last) {
  run.spec.direction = api::Direction::Repair;
  run.spec.old_credential = {};
  run.spec.pending_principal = run.spec.old_principal;
  run.spec.reuse_version = last.status.published_version;
  if (run.spec.protocol != api::Protocol::Dual) run.spec.protocol = api::Protocol::Single;
  // Who still runs what the last run proved need not be restarted for a repair elsewhere.
  for (api::RunTarget& target : run.status.targets) {
    const auto same = [&](const api::RunTarget& one) { return one.kind == TargetKind::Consumer && one.name == target.name; };
    const auto left = std::find_if(last.status.targets.begin(), last.status.targets.end(), same);
    if (target.kind == TargetKind::Consumer && left != last.status.targets.end()) target = *left;
  }
}

}  // namespace

std::string identity_of(const api::SecretRotationSpec& spec) {
  std::string text = spec.environment;
  // A shared key is held by nobody but the vaults and their readers.
  if (spec.dependents.empty()) text += "/secret/" + spec.secret.vaults.front() + "/" + spec.secret.name;
  for (const api::DependentRef& dependent : spec.dependents) {
    text += "/" + dependent.system;
    std::vector<std::string> principals = dependent.principals;
    std::sort(principals.begin(), principals.end());
    for (const std::string& principal : principals) text += ":" + principal;
  }
  return text;
}

std::string run_name(const std::string& identity, std::int64_t generation) {
  constexpr std::size_t readable_max = 150;
  const std::string digest = to_hex(sha256(identity)).substr(0, 6);
  return dns_label(identity).substr(0, readable_max) + "-" + digest + "-" + std::to_string(generation);
}

const api::RotationRun* in_use_by(const api::SecretRotationSpec& spec, const ObjectKey& rotation,
                                  const std::vector<api::RotationRun>& all) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const api::RotationRun& run) {
    return !api::is_terminal(run.status.phase) && run.spec.rotation != rotation && overlap(spec, run.spec.frozen);
  });
  return found == all.end() ? nullptr : &*found;
}

bool overlap(const api::SecretRotationSpec& a, const api::SecretRotationSpec& b) { return share_principal(a, b) || share_secret(a, b); }

const api::RotationRun* brought_in_by_another(const api::SecretRotationSpec& spec, const ObjectKey& rotation,
                                              const std::vector<api::RotationRun>& all) {
  const api::RotationRun* newest = nullptr;
  for (const api::RotationRun& run : all) {
    if (run.status.phase != api::Phase::Succeeded || !same_lineage(spec, run)) continue;
    if (!newest || run.spec.generation > newest->spec.generation) newest = &run;
  }
  return newest && newest->spec.rotation != rotation ? newest : nullptr;
}

bool matters_to(const ObjectKey& rotation, const api::SecretRotationSpec& spec, const api::RotationRun& run) {
  return run.spec.rotation == rotation || !api::is_terminal(run.status.phase) || same_lineage(spec, run);
}

std::int64_t next_generation(const api::SecretRotationSpec& spec, const std::vector<api::RotationRun>& all) {
  std::int64_t newest = 0;
  for (const api::RotationRun& run : all) {
    if (same_lineage(spec, run)) newest = std::max(newest, run.spec.generation);
  }
  return newest + 1;
}

bool may_have_published(const api::RotationRun& run) {
  if (!run.status.published_version.empty()) return true;
  return std::any_of(run.status.targets.begin(), run.status.targets.end(),
                     [](const api::RunTarget& target) { return target.kind == TargetKind::Vault && target.state != pending_state; });
}

bool ahead_of_journal(const VersionTags& tags, const std::string& owner, const api::SecretRotationSpec& spec,
                      const std::vector<api::RotationRun>& runs) {
  if (tags.owner != owner) return false;
  const auto named = std::find_if(runs.begin(), runs.end(), [&](const api::RotationRun& run) { return run.meta.name == tags.run; });
  if (named != runs.end()) return !may_have_published(*named);
  return tags.generation >= next_generation(spec, runs);
}

std::string idle_principal(const api::SecretRotationSpec& spec, const std::string& current) {
  for (const std::string& principal : spec.dependents.front().principals) {
    if (principal != current) return principal;
  }
  return current;
}

api::RotationRun admit(const api::SecretRotation& rotation, const Decision& decision, const std::vector<api::RotationRun>& runs,
                       const std::vector<api::RotationRun>& all, const EnvironmentView& view, const VersionId& latest, Instant now) {
  api::RotationRun run = begin(rotation, next_generation(rotation.spec, all), view, now);
  run.spec.credential = decision.credential;
  // A raised floor says that everything issued before is compromised: no overlap, and no way back (I13).
  if (decision.urgent) run.spec.reason = api::Reason::ConfirmedCompromise;
  if (const api::RotationRun* last = run_in_force(runs)) {
    run.spec.old_credential = credential_in_force(*last);
    run.spec.old_principal = principal_in_force(*last);
  } else if (!rotation.spec.dependents.empty() && !rotation.spec.dependents.front().principals.empty()) {
    run.spec.old_principal = rotation.spec.dependents.front().principals.front();
  }
  const bool alternating = run.spec.protocol == api::Protocol::Alternating;
  run.spec.pending_principal = alternating ? idle_principal(rotation.spec, run.spec.old_principal) : run.spec.old_principal;
  if (decision.verb == Verb::Activate) {
    run.spec.direction = api::Direction::Back;
    if (const api::RotationRun* earlier = run_of(runs, decision.credential)) run.spec.reuse_version = earlier->status.published_version;
  }
  run.status.old_version = latest;
  run.status.targets = targets_of(run.spec.frozen, "Pending");
  if (decision.verb == Verb::Repair) put_back(run, *run_in_force(runs));
  return run;
}

void begin_with_nothing(api::RotationRunSpec& run) {
  run.bootstrap = true;
  run.protocol = api::Protocol::Single;
  run.old_credential = {};
  run.old_principal = run.pending_principal;
}

api::RotationRun adopt(const api::SecretRotation& rotation, const CredentialName& name, const std::string& principal,
                       const std::vector<VersionId>& latest, std::int64_t generation, const EnvironmentView& view, Instant now) {
  api::RotationRun run = begin(rotation, generation, view, now);
  run.spec.credential = name;
  run.spec.pending_principal = principal;
  run.spec.old_principal = principal;
  run.status.phase = api::Phase::Succeeded;
  run.status.published_version = latest.front();
  run.status.targets = targets_of(run.spec.frozen, "Done");
  for (std::size_t i = 0; i < latest.size(); ++i) run.status.targets[i].version_seen = latest[i];  // vaults come first
  run.status.evidence.push_back({now, "Adopted", rotation.spec.secret.name, "the published credential logs in; nothing was changed"});
  run.status.finished_at = now;
  return run;
}

}  // namespace keyturn
