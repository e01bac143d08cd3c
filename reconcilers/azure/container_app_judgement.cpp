#include "reconcilers/azure/container_app_judgement.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/reasons.h"

namespace keyturn {
namespace {

using Stage = ConvergenceMark::Stage;
namespace reason = api::reason;

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool template_failed(const AppView& app) { return one_of(app.provisioning_state, {"Failed", "Canceled", "Cancelled"}); }
// Absent = done, as everywhere in Azure Resource Manager.
bool at_rest(const AppView& app) { return app.provisioning_state.empty() || app.provisioning_state == "Succeeded"; }

bool is_new(const AppReplica& replica, Instant since) { return replica.created && *replica.created > since; }

struct Count {
  int running = 0;
  int started_since = 0;
};
Count count(const std::vector<AppReplica>& replicas, Instant since) {
  Count out;
  for (const AppReplica& replica : replicas) {
    if (replica.stopped) continue;
    ++out.running;
    out.started_since += is_new(replica, since) ? 1 : 0;
  }
  return out;
}
Count count(const std::vector<AppRevision>& revisions, Instant since) {
  Count out;
  for (const AppRevision& revision : revisions) {
    const Count part = count(revision.replicas, since);
    out.running += part.running;
    out.started_since += part.started_since;
  }
  return out;
}

bool pinned_elsewhere(const AppView& app, const AppTarget& target) {
  return std::any_of(app.secrets.begin(), app.secrets.end(), [&target](const AppSecretEntry& entry) {
    return refers_to(entry, target.vault, target.secret) && parse_vault_reference(entry.key_vault_url)->version != target.version.value;
  });
}

// The first revision that still runs a copy from before T_sync and that we did not restart, or whose restart came to nothing.
const AppRevision* restart_due(const AppSnapshot& seen, const ConvergenceMark& mark, const AppRules& rules) {
  for (const AppRevision& revision : seen.revisions) {
    const Count copies = count(revision.replicas, mark.at);
    if (copies.running == copies.started_since) continue;
    const bool asked = std::find(mark.revisions.begin(), mark.revisions.end(), revision.name) != mark.revisions.end();
    const bool in_vain = asked && copies.started_since == 0 && seen.app.date > *mark.restarted + rules.restart_patience;
    if (!asked || in_vain) return &revision;
  }
  return nullptr;
}

ConsumerFacts facts(ConsumerState state, int replicas, std::string evidence) {
  ConsumerFacts out;
  out.state = state;
  out.replicas = replicas;
  out.evidence = std::move(evidence);
  return out;
}

// One copy, or one revision, by itself. Proven = nothing is wrong with it.
struct Verdict {
  ConsumerState state = ConsumerState::Proven;
  std::string_view why;
};

Verdict judge_replica(const AppReplica& replica, Instant now, const AppRules& rules) {
  if (replica.restarts > rules.restarts_max) return {ConsumerState::Unhealthy, "a container keeps restarting"};
  if (replica.ready) return {};
  const bool overdue = replica.created && now - *replica.created > rules.start_deadline;
  return {overdue ? ConsumerState::Unhealthy : ConsumerState::Moving, "not all replicas are ready"};
}

// CA-A12: words that are not known never count as healthy.
Verdict judge_revision(const AppRevision& revision, bool settled) {
  const ConsumerState bad = settled ? ConsumerState::Unhealthy : ConsumerState::Moving;
  if (revision.provisioning_state == "Failed") return {ConsumerState::Unhealthy, "a revision failed"};
  if (one_of(revision.running_state, {"Failed", "Degraded", "ActivationFailed"})) return {bad, "a revision is degraded or failed"};
  if (revision.health_state == "Unhealthy") return {bad, "a revision is unhealthy"};
  if (one_of(revision.provisioning_state, {"Provisioning"}) || one_of(revision.running_state, {"Processing", "Activating"}))
    return {ConsumerState::Moving, "a revision is starting"};
  const bool known = one_of(revision.provisioning_state, {"", "Provisioned"}) &&
                     one_of(revision.running_state, {"", "Running", "RunningAtMaxScale"}) &&
                     one_of(revision.health_state, {"", "Healthy", "None"});
  if (!known) return {ConsumerState::Unknown, "a revision is in a state that is not known"};
  return {};
}

// Unhealthy outweighs Unknown outweighs Moving outweighs Proven.
int weight(ConsumerState state) {
  switch (state) {
    case ConsumerState::Unhealthy:
      return 3;
    case ConsumerState::Unknown:
      return 2;
    case ConsumerState::Moving:
    case ConsumerState::Stale:
      return 1;
    case ConsumerState::Proven:
      return 0;
  }
  return 2;
}

void worsen(Verdict& all, const Verdict& one) {
  if (weight(one.state) > weight(all.state)) all = one;
}

Instant youngest(const std::vector<AppRevision>& revisions) {
  Instant out{};
  for (const AppRevision& revision : revisions)
    for (const AppReplica& replica : revision.replicas)
      if (!replica.stopped && replica.created) out = std::max(out, *replica.created);
  return out;
}

Verdict judge_copies(const AppSnapshot& seen, const AppRules& rules, std::optional<Health> health) {
  const bool settled = seen.app.date - youngest(seen.revisions) > rules.start_grace;
  Verdict all;
  for (const AppRevision& revision : seen.revisions) {
    worsen(all, judge_revision(revision, settled));
    for (const AppReplica& replica : revision.replicas)
      if (!replica.stopped) worsen(all, judge_replica(replica, seen.app.date, rules));
  }
  const bool latest_ready =
      seen.app.multiple_revisions || seen.app.latest_ready_revision.empty() || seen.app.latest_ready_revision == seen.app.latest_revision;
  if (!latest_ready) worsen(all, {ConsumerState::Moving, "the latest revision is not reported ready yet"});
  if (health == Health::Unhealthy) worsen(all, {settled ? ConsumerState::Unhealthy : ConsumerState::Moving, "the health check fails"});
  if (health == Health::Unknown) worsen(all, {ConsumerState::Unknown, "the health check gave no answer"});
  return all;
}

// What keeps an app from being looked at any closer, or nothing.
std::optional<ConsumerFacts> not_observable(const AppSnapshot& seen, int running) {
  if (one_of(seen.app.running_status, {"Stopped", "Suspended"}))
    return facts(ConsumerState::Unknown, running, "the application is stopped");
  if (one_of(seen.app.provisioning_state, {"InProgress", "Provisioning", "Updating", "Waiting"}))
    return facts(ConsumerState::Moving, running, "a deployment is under way");
  if (template_failed(seen.app)) return facts(ConsumerState::Unknown, running, "the last deployment failed");
  if (!at_rest(seen.app)) return facts(ConsumerState::Unknown, running, "the application is in a state that is not known");
  return std::nullopt;
}

ConsumerFacts judge_synced(const AppSnapshot& seen, const ConvergenceMark& mark, const AppTarget& target, const AppRules& rules,
                           std::optional<Health> health) {
  const Count copies = count(seen.revisions, mark.at);
  if (copies.running == 0) return facts(ConsumerState::Unknown, 0, "scaled to zero: not verified");
  std::string started = fmt::format("{} of {} replicas started after the sync", copies.started_since, copies.running);
  if (next_app_act(seen, target, &mark, rules).kind != AppActKind::None)
    return facts(ConsumerState::Stale, copies.running, std::move(started));
  if (copies.started_since < copies.running) return facts(ConsumerState::Moving, copies.running, std::move(started));
  const Verdict verdict = judge_copies(seen, rules, health);
  if (!verdict.why.empty()) started += fmt::format("; {}", verdict.why);
  return facts(verdict.state, copies.running, std::move(started));
}

// reload: Poll. When the platform syncs is its secret (azure.md 2.3), so only after a whole period is every copy known to be newer than
// the sync: one that was scaled out between publish and sync carries the old value until the platform restarts it.
ConsumerFacts judge_waiting(const AppSnapshot& seen, const ConvergenceMark& mark, const AppRules& rules, std::optional<Health> health) {
  const Count copies = count(seen.revisions, mark.at);
  if (copies.running == 0) return facts(ConsumerState::Unknown, 0, "scaled to zero: not verified");
  if (seen.app.date < mark.at + rules.platform_sync)
    return facts(ConsumerState::Moving, copies.running, "waiting for the platform's own sync");
  std::string started = fmt::format("{} of {} replicas were restarted by the platform", copies.started_since, copies.running);
  if (copies.started_since < copies.running) return facts(ConsumerState::Moving, copies.running, std::move(started));
  const Verdict verdict = judge_copies(seen, rules, health);
  if (!verdict.why.empty()) started += fmt::format("; {}", verdict.why);
  return facts(verdict.state, copies.running, std::move(started));
}

ConsumerFacts judge_unrefused(const AppSnapshot& seen, const AppTarget& target, const ConvergenceMark* mark, const AppRules& rules,
                              std::optional<Health> health) {
  const int running = count(seen.revisions, Instant{}).running;
  if (mark != nullptr && mark->stage == Stage::Writing) {
    if (next_app_act(seen, target, mark, rules).kind == AppActKind::None)
      return facts(ConsumerState::Moving, running, "the platform is applying the write");
    return facts(ConsumerState::Stale, running, "the write has ended");
  }
  if (const auto early = not_observable(seen, running)) return *early;
  if (mark != nullptr && mark->stage == Stage::Synced) return judge_synced(seen, *mark, target, rules, health);
  if (mark != nullptr && mark->stage == Stage::Waiting) return judge_waiting(seen, *mark, rules, health);
  return facts(ConsumerState::Stale, running, "the platform was not asked to read the secret yet");
}

}  // namespace

std::optional<ConvergenceMark> mark_for(const AppTarget& target, std::string_view mark) {
  auto parsed = parse_mark(mark);
  if (!parsed || parsed->version != target.version || parsed->reload != target.reload) return std::nullopt;
  return parsed;
}

std::string_view app_refusal(const AppView& app, const AppTarget& target, const ConvergenceMark* mark, const AppRules& rules) {
  if (template_failed(app)) return reason::consumer_template_failed;
  if (mark != nullptr && mark->stage == Stage::Synced && app.has_errors && app.errors_fingerprint != mark->errors)
    return reason::consumer_template_failed;
  if (mark != nullptr && mark->stage == Stage::Refused && app.date < mark->at + rules.refusal_hold) return reason::consumer_template_failed;
  const auto ours = [&target](const AppSecretEntry& entry) { return refers_to(entry, target.vault, target.secret); };
  if (std::none_of(app.secrets.begin(), app.secrets.end(), ours)) return reason::invalid_reference;
  if (rules.reference == api::ReferenceMode::Pinned && target.reload == api::ReloadMode::Poll) return reason::unsupported;
  const auto pinned = [&ours](const AppSecretEntry& entry) {
    return ours(entry) && !parse_vault_reference(entry.key_vault_url)->version.empty();
  };
  if (rules.reference == api::ReferenceMode::Versionless && std::any_of(app.secrets.begin(), app.secrets.end(), pinned))
    return reason::reference_pinned;
  // Nothing is written in that mode, so inline values cannot be lost.
  if (target.reload == api::ReloadMode::Poll) return {};
  const auto inline_value = [](const AppSecretEntry& entry) { return entry.key_vault_url.empty(); };
  if (std::any_of(app.secrets.begin(), app.secrets.end(), inline_value)) return reason::inline_secrets_present;
  return {};
}

AppAct next_app_act(const AppSnapshot& seen, const AppTarget& target, const ConvergenceMark* mark, const AppRules& rules) {
  if (mark != nullptr && mark->stage == Stage::Writing) {
    const bool overdue = seen.app.date > mark->at + rules.operation_deadline;
    const bool running = seen.operation.value_or(OperationState::Running) == OperationState::Running && !overdue;
    const bool unsure =
        mark->operation->style == ArmOperation::Style::ProvisioningState && seen.app.date < mark->at + rules.state_only_settle;
    return {running || unsure ? AppActKind::None : AppActKind::FollowOperation, {}};
  }
  if (!at_rest(seen.app)) return {};
  if (mark == nullptr || mark->stage == Stage::Refused)
    return {target.reload == api::ReloadMode::Poll ? AppActKind::BeginWaiting : AppActKind::Write, {}};
  if (mark->stage == Stage::Waiting) return {};
  // Somebody else's write came in between: start over (CA-A11).
  if (rules.reference == api::ReferenceMode::Pinned && pinned_elsewhere(seen.app, target)) return {AppActKind::Write, {}};
  if (!mark->restarted && references_fingerprint(seen.app.secrets) != mark->references) return {AppActKind::Write, {}};
  if (seen.app.date < mark->at + rules.settle) return {};
  const AppRevision* revision = restart_due(seen, *mark, rules);
  if (revision == nullptr) return {};
  return {AppActKind::Restart, revision->name};
}

ConsumerFacts judge_app_health(const AppSnapshot& seen, const AppRules& rules, std::optional<Health> health) {
  const int running = count(seen.revisions, Instant{}).running;
  if (template_failed(seen.app)) return facts(ConsumerState::Unhealthy, running, "the last deployment failed");
  if (const auto early = not_observable(seen, running)) return *early;
  if (running == 0) return facts(ConsumerState::Unknown, 0, "scaled to zero: not verified");
  const Verdict verdict = judge_copies(seen, rules, health);
  if (!verdict.why.empty()) return facts(verdict.state, running, std::string(verdict.why));
  return facts(ConsumerState::Proven, running, fmt::format("{} replicas are healthy", running));
}

ConsumerFacts judge_app(const AppSnapshot& seen, const AppTarget& target, const ConvergenceMark* mark, const AppRules& rules,
                        std::optional<Health> health) {
  const std::string_view refusal = app_refusal(seen.app, target, mark, rules);
  ConsumerFacts out = judge_unrefused(seen, target, mark, rules, health);
  if (refusal.empty() || out.state == ConsumerState::Proven) return out;
  // While our own write is being applied nothing is decided yet.
  if (out.state == ConsumerState::Moving && mark != nullptr && mark->stage == Stage::Writing) return out;
  out.refusal = refusal;
  return out;
}

}  // namespace keyturn
