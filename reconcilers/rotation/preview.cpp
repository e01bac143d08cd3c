#include "reconcilers/rotation/preview.h"

#include <algorithm>

#include "api/codec.h"
#include "base/hash.h"
#include "reconcilers/rotation/describe.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;

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
  world.seen.consumers.assign(run.frozen.consumers.size(), {.state = ConsumerState::Proven});
  world.seen.mint = {.known = true, .idle = 0, .unchanged = true};
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
    case Action::Mint:
      seen.mint.unchanged = false;
      seen.staged = false;
      seen.dependents[step.target].pending = ProbeResult::Accepted;
      break;
    case Action::Install:
      seen.dependents[step.target].pending = ProbeResult::Accepted;
      break;
    case Action::Publish:
      seen.vaults[step.target].latest = published_as(step.credential);
      for (ConsumerObservation& consumer : seen.consumers) consumer = {.state = ConsumerState::Stale, .act_due = true};
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

namespace {

// How the one system that makes the value does it.
Protocol protocol_of_minter(const api::SecretRotationSpec& spec, const EnvironmentView& view) {
  const bool shifts = std::any_of(view.dependents.begin(), view.dependents.end(), [&](const auto& known) {
    return known.name == spec.dependents.front().system && known.addressing == Addressing::Shift;
  });
  return shifts ? Protocol::Shift : Protocol::Slots;
}

}  // namespace

Protocol protocol_of(const api::SecretRotationSpec& spec, const EnvironmentView& view) {
  const bool accept_set = spec.strategy.shared_key == api::SharedKeyMode::AcceptSet;
  if (spec.secret_class == api::SecretClass::SharedKey) return accept_set ? Protocol::SharedKey : Protocol::Single;
  if (spec.generator.type == api::GeneratorType::ProviderMinted && !spec.dependents.empty()) return protocol_of_minter(spec, view);
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
  // What changes nothing of what will be done must not undo an approval: the approval itself, waiting, and what is only kept or shown.
  api::SecretRotationSpec bound = spec;
  bound.approved_plan.clear();
  bound.suspend = false;
  bound.incident.clear();
  bound.history_keep = 0;
  std::string text = api::spec_hash(bound);
  for (const PlannedStep& step : steps) text.append("\n").append(step.description);
  for (const Hazard& hazard : hazards) {
    text.append("\n").append(name_of(hazard.severity)).append(" ").append(hazard.reason).append(" ").append(hazard.target);
    text.append(" ").append(hazard.message);
  }
  return "sha256:" + to_hex(sha256(text));
}

RunSpec shape_of(const api::RotationRunSpec& run, const api::Timing& timing) {
  const api::Strategy& strategy = run.frozen.strategy;
  return {.protocol = run.protocol,
          .direction = run.direction,
          .compromised = run.reason == api::Reason::ConfirmedCompromise,
          .back_on_failure = strategy.on_failure == api::OnFailure::Rollback,
          .enforce_drift = strategy.drift_policy == api::DriftPolicy::Enforce,
          .revoke_old = strategy.revoke_old,
          .bootstrap = run.bootstrap,
          .publish_deadline = timing.publish_deadline,
          .progress_deadline = strategy.progress_deadline,
          .soak = timing.soak,
          .overlap = strategy.overlap,
          .poll = timing.poll,
          .max_unavailable = strategy.waves.max_unavailable,
          .canaries = static_cast<int>(strategy.waves.canary.size()),
          .bake = strategy.waves.bake};
}

}  // namespace keyturn
