#include "reconcilers/rotation/drift_watch.h"

#include <algorithm>

#include "reconcilers/rotation/credential_format.h"
#include "reconcilers/rotation/ledger.h"
#include "reconcilers/rotation/run_target.h"

namespace keyturn {
namespace {

// A request of the run that was given up and sent again may land late: that is one version more of the same value.
bool is_of_run(const VaultVersion& version, const api::RotationRun& run, const std::string& owner) {
  return version.tags.owner == owner && version.tags.run == run.meta.name && version.tags.credential == credential_in_force(run);
}

// What a vault returns against what the run left there.
std::string drift_of(const VaultFacts& facts, const api::RotationRun& last, const std::string& vault, const std::string& owner) {
  if (!facts.latest) return "the secret can no longer be read in vault " + vault;
  const api::RunTarget* left = find_target(last, api::TargetKind::Vault, vault);
  const bool same = !left || left->version_seen.empty() || left->version_seen == facts.latest->id;
  return same || is_of_run(*facts.latest, last, owner) ? std::string{}
                                                       : "vault " + vault + " returns a version that was published by somebody else";
}

Awaitable<std::string> drift_of_dependents(Context context, const Targets& targets, const api::SecretRotationSpec& spec,
                                           const api::RotationRun& last, const Secret& published) {
  const auto login = extract(spec.secret.format, published, principal_in_force(last));
  for (std::size_t i = 0; login && i < targets.dependents.size(); ++i) {
    auto probe = co_await targets.dependents[i]->probe(context, login->principal, login->password);
    if (probe && *probe == ProbeResult::Rejected) {
      co_return "the published credential is no longer accepted by " + spec.dependents[i].system;
    }
  }
  co_return std::string{};
}

// Only a consumer that the run has proven can have left that state; one that is merely ill has not drifted. Whoever was restarted since
// has loaded what its vault returns now, of which nothing is said against here.
Awaitable<std::string> drift_of_consumers(Context context, const Targets& targets, const api::SecretRotationSpec& spec,
                                          const api::RotationRun& last, std::vector<VersionId> returned) {
  for (std::size_t i = 0; i < targets.consumers.size(); ++i) {
    const api::ConsumerRef& ref = spec.consumers[i];
    const api::RunTarget* left = find_target(last, api::TargetKind::Consumer, ref.name);
    if (!left || left->state != proven_state) continue;
    const std::size_t vault = vault_of(spec, i);
    ConvergeTarget goal{targets.vault_urls[vault], spec.secret.name, left->version_seen, ref.reload};
    auto facts = co_await targets.consumers[i]->observe(context, goal, left->mark);
    const bool stale = facts && facts->state == ConsumerState::Stale;
    if (!stale || returned[vault].empty()) continue;
    goal.version = returned[vault];
    auto restarted = co_await targets.consumers[i]->observe(context, goal, left->mark);
    if (restarted && restarted->state == ConsumerState::Stale) co_return ref.name + " does not use the published version any more";
  }
  co_return std::string{};
}

}  // namespace

Awaitable<DriftLook> look_for_drift(Context context, const Targets& targets, const api::SecretRotationSpec& spec,
                                    const api::RotationRun& last, std::string owner) {
  DriftLook look;
  Secret published;
  std::vector<VersionId> returned(targets.vaults.size());
  for (std::size_t i = 0; i < targets.vaults.size(); ++i) {
    auto latest = co_await targets.vaults[i]->read_latest(context, spec.secret.name);
    if (!latest) continue;
    if (look.drift.empty()) look.drift = drift_of(latest->facts, last, spec.secret.vaults[i], owner);
    if (latest->facts.latest) returned[i] = latest->facts.latest->id;
    if (i > 0) continue;
    look.told = true;
    if (latest->facts.latest) {
      look.published = latest->facts.latest->id;
      look.tags = latest->facts.latest->tags;
    }
    published = std::move(latest->value);
  }
  if (look.told && look.drift.empty()) look.drift = co_await drift_of_dependents(context, targets, spec, last, published);
  if (look.told && look.drift.empty()) look.drift = co_await drift_of_consumers(context, targets, spec, last, returned);
  co_return look;
}

}  // namespace keyturn
