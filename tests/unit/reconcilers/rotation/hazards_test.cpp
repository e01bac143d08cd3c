#include "reconcilers/rotation/hazards.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/admission.h"
#include "reconcilers/rotation/describe.h"
#include "reconcilers/rotation/preview.h"
#include "tests/unit/reconcilers/rotation/test_runs.h"

namespace keyturn {
namespace {

using api::Protocol;
namespace reason = api::reason;

const Hazard* find(const Hazards& found, std::string_view why) {
  const auto one = std::find_if(found.begin(), found.end(), [&](const Hazard& hazard) { return hazard.reason == why; });
  return one == found.end() ? nullptr : &*one;
}
EnvironmentView two_values() { return {.dependents = {{.name = "erp-db", .live_values_per_principal = 2}}}; }

api::RotationRunSpec run_spec(Protocol protocol) {
  api::RotationRunSpec run = test_run(2, {"b", 1}, api::Phase::Admitted).spec;
  run.old_credential = {"a", 1};
  run.protocol = protocol;
  if (protocol != Protocol::Alternating) run.pending_principal = run.old_principal;
  return run;
}
std::vector<std::string> acts_of(const std::vector<PlannedStep>& steps) {
  std::vector<std::string> acts;
  for (const PlannedStep& step : steps) {
    if (step.action != Action::Advance) acts.push_back(step.description);
  }
  return acts;
}

TEST(Protocol, IsTheSafestThatTheDependentsCanDo) {
  EXPECT_EQ(protocol_of(test_rotation().spec, {}), Protocol::Single);
  EXPECT_EQ(protocol_of(test_rotation().spec, two_values()), Protocol::Dual);
  EXPECT_EQ(protocol_of(test_rotation({"app_a", "app_b"}).spec, {}), Protocol::Alternating);
  api::SecretRotationSpec in_place = test_rotation({"app_a", "app_b"}).spec;
  in_place.strategy.type = api::StrategyType::InPlace;
  EXPECT_EQ(protocol_of(in_place, two_values()), Protocol::Single);
  api::SecretRotationSpec nobody = test_rotation().spec;
  nobody.dependents.clear();
  EXPECT_EQ(protocol_of(nobody, two_values()), Protocol::Single);
  api::SecretRotationSpec mixed = test_rotation().spec;
  mixed.dependents.push_back({"another", {"app_a"}});
  EXPECT_EQ(protocol_of(mixed, two_values()), Protocol::Single) << "every dependent must hold two";
}

TEST(Hazards, BlockAnOutageThatIsNotAcknowledged) {
  api::SecretRotationSpec spec = test_rotation().spec;
  const Hazards acknowledged = hazards(spec, {});
  ASSERT_NE(find(acknowledged, reason::outage_not_acknowledged), nullptr);
  EXPECT_EQ(find(acknowledged, reason::outage_not_acknowledged)->severity, Severity::Warning);
  spec.strategy.acknowledge_outage = false;
  const Hazards refused = hazards(spec, {});
  ASSERT_NE(find(refused, reason::outage_not_acknowledged), nullptr);
  EXPECT_EQ(find(refused, reason::outage_not_acknowledged)->severity, Severity::Blocking);
  EXPECT_EQ(find(hazards(spec, two_values()), reason::outage_not_acknowledged), nullptr);
}

TEST(Hazards, TellOfConsumersThatTheirRestartMayHurt) {
  const api::SecretRotationSpec spec = test_rotation().spec;
  api::RotationEnvironmentSpec environment;
  EnvironmentView view = two_values();
  view.environment = &environment;
  view.consumers = {{.name = "portal", .replicas = 1}, {.name = "inventory", .replicas = -1}};
  Hazards found = hazards(spec, view);
  ASSERT_EQ(found.size(), 1U) << "what is not known is not told";
  EXPECT_EQ(found.front().reason, reason::unsafe_restart);
  EXPECT_EQ(found.front().severity, Severity::Warning);
  EXPECT_EQ(found.front().target, "portal");
  environment.protection.require_min_replicas = true;
  EXPECT_EQ(hazards(spec, view).front().severity, Severity::Blocking);
}

TEST(Hazards, BlockOnAConsumerThatCannotBeConverged) {
  EnvironmentView view = two_values();
  view.consumers = {{.name = "portal", .replicas = 2, .refusal = "InlineSecretsPresent"}};
  const Hazards found = hazards(test_rotation().spec, view);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().severity, Severity::Blocking);
}

TEST(Hazards, TellWhenNobodyIsProvenToUseTheCredential) {
  api::SecretRotationSpec spec = test_rotation().spec;
  spec.consumers.clear();
  EXPECT_NE(find(hazards(spec, two_values()), reason::invalid_reference), nullptr);
}

TEST(Hazards, TellOfProtectionAndOfWhatThePlatformDoes) {
  api::SecretRotationSpec spec = test_rotation().spec;
  api::RotationEnvironmentSpec environment;
  environment.protection.approval_required = true;
  environment.consumers = {{.name = "portal", .type = "ContainerApp"}};
  environment.consumers.front().container_app = api::ContainerAppSettings{.reference = api::ReferenceMode::Pinned};
  EnvironmentView view = two_values();
  view.environment = &environment;
  const Hazards found = hazards(spec, view);
  EXPECT_NE(find(found, reason::approval_required), nullptr);
  EXPECT_NE(find(found, reason::reference_pinned), nullptr);
  EXPECT_NE(find(found, reason::unsafe_restart), nullptr) << "its key ring is not declared";
}

TEST(Hazards, ComeWorstFirst) {
  EnvironmentView view;
  view.consumers = {{.name = "portal", .replicas = 1, .refusal = "InlineSecretsPresent"}, {.name = "inventory", .replicas = 1}};
  const Hazards found = hazards(test_rotation().spec, view);
  ASSERT_GE(found.size(), 3U);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end(), [](const Hazard& a, const Hazard& b) { return a.severity > b.severity; }));
}

// ---- the preview -------------------------------------------------------------------------------------------------------------

TEST(Preview, ShowsTheStepsThatAnUndisturbedRunTakes) {
  const api::RotationRunSpec run = run_spec(Protocol::Alternating);
  const std::vector<std::string> expected{"Stage b.1 in the staging vault",
                                          "Install b.1 for app_b at erp-db",
                                          "Publish b.1 as erp-connection in vault main",
                                          "Bring portal to b.1",
                                          "Bring inventory to b.1",
                                          "Withdraw a.1 of app_a at erp-db"};
  EXPECT_EQ(acts_of(preview(run, shape_of(run, {}))), expected);
}

TEST(Preview, EndsInSuccessForEveryProtocol) {
  for (const Protocol protocol : {Protocol::Single, Protocol::Dual, Protocol::Alternating}) {
    const api::RotationRunSpec run = run_spec(protocol);
    const std::vector<PlannedStep> steps = preview(run, shape_of(run, {}));
    ASSERT_FALSE(steps.empty());
    EXPECT_EQ(steps.back().phase, api::Phase::Succeeded);
    const bool withdraws = std::any_of(steps.begin(), steps.end(), [](const auto& step) { return step.action == Action::Withdraw; });
    EXPECT_EQ(withdraws, protocol != Protocol::Single);
  }
}

TEST(Preview, PassesEveryVaultDependentAndConsumerAndEndsWithABake) {
  api::RotationRunSpec run = run_spec(Protocol::Dual);
  run.frozen.secret.vaults = {"main", "second"};
  run.frozen.dependents.push_back({"another", {"app_a"}});
  run.frozen.strategy.waves = {.max_unavailable = 1, .canary = {"portal"}, .bake = std::chrono::hours(2)};
  EXPECT_EQ(acts_of(preview(run, shape_of(run, {}))).size(), 1U + 2 + 2 + 2 + 2);
}

TEST(Shape, IsTakenFromTheFrozenSpecAndTheTiming) {
  api::RotationRunSpec run = run_spec(Protocol::Dual);
  run.reason = api::Reason::ConfirmedCompromise;
  run.frozen.strategy.on_failure = api::OnFailure::Hold;
  run.frozen.strategy.drift_policy = api::DriftPolicy::Enforce;
  run.frozen.strategy.waves.canary = {"portal"};
  api::Timing timing;
  timing.soak = std::chrono::minutes(3);
  const RunSpec shape = shape_of(run, timing);
  EXPECT_EQ(shape.protocol, Protocol::Dual);
  EXPECT_TRUE(shape.compromised);
  EXPECT_FALSE(shape.back_on_failure);
  EXPECT_TRUE(shape.enforce_drift);
  EXPECT_EQ(shape.canaries, 1);
  EXPECT_EQ(shape.soak, timing.soak);
  EXPECT_EQ(shape.publish_deadline, timing.publish_deadline);
  EXPECT_EQ(shape.overlap, run.frozen.strategy.overlap);
}

// ---- the hash ----------------------------------------------------------------------------------------------------------------

std::string hash_of(const api::SecretRotationSpec& spec) {
  api::RotationRunSpec run = run_spec(Protocol::Dual);
  run.frozen = spec;
  return plan_hash(spec, preview(run, shape_of(run, {})), hazards(spec, {}));
}

TEST(PlanHash, IsStable) {
  const std::string hash = hash_of(test_rotation().spec);
  EXPECT_EQ(hash, hash_of(test_rotation().spec));
  EXPECT_TRUE(hash.starts_with("sha256:"));
  EXPECT_EQ(hash.size(), 7U + 64U);
}

TEST(PlanHash, IsNotMovedByTheApprovalItself) {
  api::SecretRotationSpec approved = test_rotation().spec;
  approved.approved_plan = hash_of(approved);
  EXPECT_EQ(hash_of(approved), approved.approved_plan);
}

TEST(PlanHash, MovesWithTheSpecTheStepsAndTheHazards) {
  const api::SecretRotationSpec spec = test_rotation().spec;
  api::SecretRotationSpec other = spec;
  other.generator.length = 64;
  EXPECT_NE(hash_of(other), hash_of(spec));
  const api::RotationRunSpec run = run_spec(Protocol::Dual);
  const std::vector<PlannedStep> steps = preview(run, shape_of(run, {}));
  EXPECT_NE(plan_hash(spec, steps, {}), plan_hash(spec, {}, {}));
  EXPECT_NE(plan_hash(spec, steps, hazards(spec, {})), plan_hash(spec, steps, {}));
}

TEST(Severity, HasAWordForEach) {
  EXPECT_EQ(name_of(Severity::Info), "Info");
  EXPECT_EQ(name_of(Severity::Warning), "Warning");
  EXPECT_EQ(name_of(Severity::Blocking), "Blocking");
}

}  // namespace
}  // namespace keyturn
