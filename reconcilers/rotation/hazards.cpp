#include "reconcilers/rotation/hazards.h"

#include <algorithm>
#include <tuple>

#include "api/codec.h"
#include "api/reasons.h"
#include "base/hash.h"
#include "reconcilers/rotation/describe.h"

namespace keyturn {
namespace {

namespace reason = api::reason;
using api::Phase;
using api::Protocol;

const EnvironmentView::ConsumerView* find(const EnvironmentView& view, const std::string& name) {
  const auto found = std::find_if(view.consumers.begin(), view.consumers.end(), [&](const auto& one) { return one.name == name; });
  return found == view.consumers.end() ? nullptr : &*found;
}

void single_credential(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  if (protocol_of(spec, view) != Protocol::Single) return;
  const std::string where = spec.dependents.empty() ? std::string{} : spec.dependents.front().system;
  const bool acknowledged = spec.strategy.acknowledge_outage;
  out.push_back(
      {.severity = acknowledged ? Severity::Warning : Severity::Blocking,
       .reason = reason::outage_not_acknowledged,
       .target = where,
       .message = acknowledged
                      ? "only one credential can live: new logins fail from the change at the system until each consumer has reloaded"
                      : "only one credential can live, so new logins fail until each consumer has reloaded: name two principals "
                        "that alternate, or set strategy.acknowledgeOutage: true"});
}

void consumers_of(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  const bool strict = view.environment && view.environment->protection.require_min_replicas;
  for (const api::ConsumerRef& consumer : spec.consumers) {
    const EnvironmentView::ConsumerView* known = find(view, consumer.name);
    if (!known) continue;
    if (!known->refusal.empty()) {
      out.push_back({Severity::Blocking, reason::consumer_template_failed, consumer.name, "cannot be converged: " + known->refusal});
    }
    if (known->replicas >= 0 && known->replicas < spec.strategy.min_replicas) {
      out.push_back({strict ? Severity::Blocking : Severity::Warning, reason::unsafe_restart, consumer.name,
                     "has " + std::to_string(known->replicas) + " replicas, fewer than minReplicas " +
                         std::to_string(spec.strategy.min_replicas) + ": its restart may be noticed"});
    }
    if (consumer.reload == api::ReloadMode::Poll) {
      out.push_back({Severity::Info, reason::rotating, consumer.name, "is waited for: the platform reloads it within 30 minutes"});
    }
  }
  if (spec.consumers.empty()) {
    out.push_back(
        {Severity::Warning, reason::invalid_reference, {}, "no consumer is declared: nobody is proven to use the new credential"});
  }
}

void environment_of(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  if (!view.environment) return;
  for (const api::ConsumerRef& consumer : spec.consumers) {
    const auto entry = std::find_if(view.environment->consumers.begin(), view.environment->consumers.end(),
                                    [&](const api::ConsumerEntry& one) { return one.name == consumer.name; });
    if (entry == view.environment->consumers.end() || !entry->container_app) continue;
    if (entry->container_app->reference == api::ReferenceMode::Pinned) {
      out.push_back({Severity::Info, reason::reference_pinned, consumer.name,
                     "its reference is written with the version: infrastructure code will see drift there"});
    }
    if (entry->container_app->data_protection == api::DataProtection::Detect) {
      out.push_back({Severity::Info, reason::unsafe_restart, consumer.name,
                     "its DataProtection key ring is not declared persisted: a restart loses a ring kept in the container"});
    }
  }
  if (view.environment->protection.approval_required) {
    out.push_back({Severity::Info, reason::approval_required, {}, "the environment is protected: set approvedPlan to this plan's hash"});
  }
}

// ---- the ideal world of a preview --------------------------------------------------------------------------------------------

struct IdealWorld {
  Observation seen;
  Journal journal;
  Instant now{};
};

IdealWorld ideal_world(const api::RotationRunSpec& run) {
  IdealWorld world;
  world.seen.quiet = true;
  world.seen.vaults.assign(run.frozen.secret.vaults.size(), {.latest = Published::Old});
  world.seen.dependents.assign(run.frozen.dependents.size(), {.pending = ProbeResult::Rejected, .old = ProbeResult::Accepted});
  world.seen.consumers.assign(run.frozen.consumers.size(), {.state = ConsumerState::Stale, .act_due = true});
  return world;
}

// Lets a step have its full effect at once.
void carry_out(const Plan& step, IdealWorld& world) {
  Observation& seen = world.seen;
  switch (step.action) {
    case Action::Advance:
      world.journal = {.phase = step.phase, .phase_since = world.now};
      break;
    case Action::Stage:
      seen.staged = true;
      break;
    case Action::Install:
      seen.dependents[step.target].pending = ProbeResult::Accepted;
      break;
    case Action::Publish:
      seen.vaults[step.target].latest = Published::Pending;
      break;
    case Action::Converge:
      seen.consumers[step.target] = {.state = ConsumerState::Proven, .begun = true, .proven_since = world.now};
      break;
    case Action::Withdraw:
      seen.dependents[step.target].old = ProbeResult::Rejected;
      break;
    case Action::Wait:
      world.now = step.look_at.value_or(world.now + std::chrono::seconds(1));
      break;
    case Action::Block:
    case Action::Finished:
      break;
  }
}

}  // namespace

Protocol protocol_of(const api::SecretRotationSpec& spec, const EnvironmentView& view) {
  if (spec.strategy.type == api::StrategyType::InPlace || spec.dependents.empty()) return Protocol::Single;
  const bool all_alternate = std::all_of(spec.dependents.begin(), spec.dependents.end(),
                                         [](const api::DependentRef& dependent) { return dependent.principals.size() == 2; });
  if (all_alternate) return Protocol::Alternating;
  const bool all_hold_two = std::all_of(spec.dependents.begin(), spec.dependents.end(), [&](const api::DependentRef& dependent) {
    return std::any_of(view.dependents.begin(), view.dependents.end(),
                       [&](const auto& known) { return known.name == dependent.system && known.live_values_per_principal > 1; });
  });
  return all_hold_two ? Protocol::Dual : Protocol::Single;
}

Hazards hazards(const api::SecretRotationSpec& spec, const EnvironmentView& view) {
  Hazards found;
  single_credential(spec, view, found);
  consumers_of(spec, view, found);
  environment_of(spec, view, found);
  std::sort(found.begin(), found.end(), [](const Hazard& a, const Hazard& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    return std::tie(a.target, a.reason, a.message) < std::tie(b.target, b.reason, b.message);
  });
  return found;
}

std::vector<PlannedStep> preview(const api::RotationRunSpec& run, const RunSpec& shape) {
  constexpr int passes_max = 1'000;
  std::vector<PlannedStep> steps;
  IdealWorld world = ideal_world(run);
  for (int pass = 0; pass < passes_max; ++pass) {
    const Plan step = plan(shape, world.journal, world.seen, world.now);
    if (step.action == Action::Finished || step.action == Action::Block) break;
    if (step.action != Action::Wait) {
      const Phase phase = step.action == Action::Advance ? step.phase : world.journal.phase;
      steps.push_back({phase, step.action, target_of(step, run), describe(step, run)});
    }
    carry_out(step, world);
  }
  return steps;
}

std::string plan_hash(const api::SecretRotationSpec& spec, const std::vector<PlannedStep>& steps, const Hazards& hazards) {
  // The approval itself must not change what it approves.
  api::SecretRotationSpec bound = spec;
  bound.approved_plan.clear();
  std::string text = api::spec_hash(bound);
  for (const PlannedStep& step : steps) text.append("\n").append(step.description);
  for (const Hazard& hazard : hazards) text.append("\n").append(hazard.reason).append(" ").append(hazard.target);
  return "sha256:" + to_hex(sha256(text));
}

RunSpec shape_of(const api::RotationRunSpec& run, const api::Timing& timing) {
  const api::Strategy& strategy = run.frozen.strategy;
  return {.protocol = run.protocol,
          .direction = run.direction,
          .compromised = run.reason == api::Reason::ConfirmedCompromise,
          .back_on_failure = strategy.on_failure == api::OnFailure::Rollback,
          .enforce_drift = strategy.drift_policy == api::DriftPolicy::Enforce,
          .publish_deadline = timing.publish_deadline,
          .progress_deadline = strategy.progress_deadline,
          .soak = timing.soak,
          .overlap = strategy.overlap,
          .poll = timing.poll,
          .max_unavailable = strategy.waves.max_unavailable,
          .canaries = static_cast<int>(strategy.waves.canary.size()),
          .bake = strategy.waves.bake};
}

std::string_view name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::Info:
      return "Info";
    case Severity::Warning:
      return "Warning";
    case Severity::Blocking:
      return "Blocking";
  }
  return "Info";
}

}  // namespace keyturn
