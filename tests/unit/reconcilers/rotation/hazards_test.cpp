#include "reconcilers/rotation/hazards.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/hazards.h"
#include "api/reasons.h"
#include "reconcilers/rotation/admission.h"
#include "reconcilers/rotation/describe.h"
#include "reconcilers/rotation/generator.h"
#include "reconcilers/rotation/preview.h"
#include "reconcilers/rotation/unsafe_characters.h"
#include "tests/unit/reconcilers/rotation/test_runs.h"

namespace keyturn {
namespace {

using api::Protocol;
namespace hazard = api::hazard;
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
  ASSERT_NE(find(acknowledged, hazard::unsafe_window), nullptr);
  EXPECT_EQ(find(acknowledged, hazard::unsafe_window)->severity, Severity::Warning);
  EXPECT_EQ(find(acknowledged, hazard::outage_not_acknowledged), nullptr);
  spec.strategy.acknowledge_outage = false;
  const Hazards refused = hazards(spec, {});
  ASSERT_NE(find(refused, hazard::outage_not_acknowledged), nullptr);
  EXPECT_EQ(find(refused, hazard::outage_not_acknowledged)->severity, Severity::Blocking);
  EXPECT_EQ(find(hazards(spec, two_values()), hazard::outage_not_acknowledged), nullptr);
}

TEST(Hazards, TellOfASharedKeyThatIsChangedAllAtOnce) {
  api::SecretRotationSpec spec = test_rotation().spec;
  spec.secret_class = api::SecretClass::SharedKey;
  spec.dependents.clear();
  EXPECT_EQ(find(hazards(spec, {}), hazard::unsafe_window), nullptr) << "an accept set needs no window";
  spec.strategy.shared_key = api::SharedKeyMode::AcknowledgedWindow;
  EXPECT_NE(find(hazards(spec, {}), hazard::unsafe_window), nullptr);
}

TEST(Hazards, TellOfConsumersWithFewCopies) {
  const api::SecretRotationSpec spec = test_rotation().spec;
  api::RotationEnvironmentSpec environment;
  EnvironmentView view = two_values();
  view.environment = &environment;
  view.consumers = {{.name = "portal", .replicas = 1}, {.name = "inventory", .replicas = -1}};
  Hazards found = hazards(spec, view);
  ASSERT_EQ(found.size(), 1U) << "what is not known is not told";
  EXPECT_EQ(found.front().reason, hazard::too_few_replicas);
  EXPECT_EQ(found.front().severity, Severity::Warning);
  EXPECT_EQ(found.front().target, "portal");
  EXPECT_EQ(found.front().message, "runs a single copy, fewer than minReplicas 2: its restart may be noticed");
  environment.protection.require_min_replicas = true;
  EXPECT_EQ(hazards(spec, view).front().severity, Severity::Blocking);
  view.consumers = {{.name = "portal", .replicas = 0}};
  EXPECT_EQ(hazards(spec, view).front().message, "runs no copy: it cannot be proven until one runs");
}

TEST(Hazards, BlockOnAConsumerThatCannotBeConvergedWithItsOwnReason) {
  EnvironmentView view = two_values();
  for (const std::string_view why : {reason::inline_secrets_present, reason::reference_pinned, reason::consumer_template_failed,
                                     reason::invalid_reference, reason::unsupported}) {
    view.consumers = {{.name = "portal", .replicas = 2, .refusal = std::string(why)}};
    const Hazards found = hazards(test_rotation().spec, view);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().severity, Severity::Blocking);
    EXPECT_EQ(found.front().reason, why);
  }
}

TEST(Hazards, TellOfAConsumerThatIsIllBeforeTheRun) {
  EnvironmentView view = two_values();
  view.consumers = {{.name = "portal", .replicas = 2, .unhealthy = true}};
  const Hazards found = hazards(test_rotation().spec, view);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().reason, hazard::consumer_unhealthy);
  EXPECT_EQ(found.front().severity, Severity::Warning);
}

TEST(Hazards, TellWhenNobodyIsProvenToUseTheCredential) {
  api::SecretRotationSpec spec = test_rotation().spec;
  spec.consumers.clear();
  EXPECT_NE(find(hazards(spec, two_values()), hazard::no_consumers), nullptr);
}

TEST(Hazards, TellOfProtectionAndOfWhatThePlatformDoes) {
  api::SecretRotationSpec spec = test_rotation().spec;
  spec.consumers.back().reload = api::ReloadMode::Poll;
  api::RotationEnvironmentSpec environment;
  environment.protection.approval_required = true;
  environment.consumers = {{.name = "portal", .type = "ContainerApp"}};
  environment.consumers.front().container_app = api::ContainerAppSettings{.reference = api::ReferenceMode::Pinned};
  EnvironmentView view = two_values();
  view.environment = &environment;
  const Hazards found = hazards(spec, view);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_NE(find(found, hazard::approval_required), nullptr);
  ASSERT_NE(find(found, hazard::pinned_reference), nullptr);
  EXPECT_EQ(find(found, hazard::pinned_reference)->target, "portal");
  ASSERT_NE(find(found, hazard::platform_reload), nullptr);
  EXPECT_EQ(find(found, hazard::platform_reload)->target, "inventory");
}

struct OfAFinding {
  ConsumerFinding finding;
  std::string_view word;
  Severity severity;
};
TEST(Hazards, SayForEachFindingHowBadItIs) {
  using F = ConsumerFinding;
  const OfAFinding table[] = {{F::ReadDenied, hazard::permission, Severity::Blocking},
                              {F::Unreachable, hazard::consumer_unknown, Severity::Warning},
                              {F::WriteDenied, hazard::permission, Severity::Blocking},
                              {F::RestartDenied, hazard::permission, Severity::Blocking},
                              {F::VolumeUser, hazard::volume_user, Severity::Warning},
                              {F::ScaleRuleUser, hazard::scale_rule_user, Severity::Warning},
                              {F::RegistryUser, hazard::registry_user, Severity::Warning},
                              {F::DaprUser, hazard::dapr_user, Severity::Info},
                              {F::NoUseSeen, hazard::no_use_seen, Severity::Info},
                              {F::KeyRingNotPersisted, hazard::unsafe_restart, Severity::Blocking},
                              {F::KeyRingOfDotNet, hazard::key_ring_unknown, Severity::Warning},
                              {F::KeyRingNotSeen, hazard::key_ring_unknown, Severity::Info}};
  for (const OfAFinding& row : table) {
    EnvironmentView view = two_values();
    view.consumers = {{.name = "portal", .replicas = 2, .refusal = "", .unhealthy = false, .findings = {row.finding}}};
    const Hazards found = hazards(test_rotation().spec, view);
    ASSERT_EQ(found.size(), 1U) << row.word;
    EXPECT_EQ(found.front().reason, row.word);
    EXPECT_EQ(found.front().severity, row.severity) << row.word;
    EXPECT_EQ(found.front().target, "portal");
  }
}

TEST(Hazards, AskForNoRightToWriteWhereThePlatformIsWaitedFor) {
  api::SecretRotationSpec spec = test_rotation().spec;
  spec.consumers = {{.name = "portal", .reload = api::ReloadMode::Poll}};
  EnvironmentView view = two_values();
  view.consumers = {{.name = "portal", .replicas = 2, .findings = {ConsumerFinding::WriteDenied, ConsumerFinding::RestartDenied}}};
  EXPECT_EQ(find(hazards(spec, view), hazard::permission), nullptr);
}

TEST(Hazards, NameTheVaultThatMayNotBeListed) {
  EnvironmentView view = two_values();
  view.vaults_denied = {"main"};
  const Hazards found = hazards(test_rotation().spec, view);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().reason, hazard::permission);
  EXPECT_EQ(found.front().severity, Severity::Blocking);
  EXPECT_EQ(found.front().target, "main");
}

// ---- who else refers to the secret

class OtherUsers : public testing::Test {
 protected:
  OtherUsers() {
    const auto declare = [this](const char* name, const char* app) {
      environment.consumers.push_back({.name = name, .type = "ContainerApp"});
      environment.consumers.back().container_app = api::ContainerAppSettings{.resource_group = "ERP", .app = app};
    };
    declare("portal", "erp-portal");
    declare("inventory", "erp-inventory");
    declare("hr", "erp-hr");
    view.environment = &environment;
  }
  Hazards with(std::vector<SecretUser> users) {
    view.users.users = std::move(users);
    return hazards(test_rotation().spec, view);
  }
  static constexpr SecretUser::Kind app = SecretUser::Kind::Application;
  static constexpr SecretUser::Kind job = SecretUser::Kind::Job;
  api::RotationEnvironmentSpec environment;
  EnvironmentView view = two_values();
};

TEST_F(OtherUsers, AreNotTheConsumersThemselves) {
  EXPECT_TRUE(with({{app, "erp", "erp-portal", false}, {app, "erp", "ERP-Inventory", false}}).empty());
}

TEST_F(OtherUsers, AreToldByWhatIsKnownOfThem) {
  const Hazards found = with({{app, "erp", "reports", false}, {app, "erp", "erp-hr", false}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].target, "erp/erp-hr");
  EXPECT_EQ(found[0].message, "refers to the secret and is not named under consumers; the environment declares it as hr");
  EXPECT_EQ(found[1].target, "erp/reports");
  EXPECT_EQ(found[1].message, "refers to the secret and is not declared in the environment");
  for (const Hazard& one : found) {
    EXPECT_EQ(one.reason, hazard::undeclared_consumer);
    EXPECT_EQ(one.severity, Severity::Warning);
  }
}

TEST_F(OtherUsers, AreLockedOutWhenPinnedToAVersion) {
  const Hazards found = with({{app, "erp", "reports", true}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found.front().message.ends_with("it is pinned to a version and will be locked out"));
}

TEST_F(OtherUsers, MayBeJobs) {
  const Hazards found = with({{job, "erp", "nightly", false}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().reason, hazard::job_user);
  EXPECT_EQ(found.front().target, "erp/nightly");
}

TEST_F(OtherUsers, ThatCannotBeListedAreToldAsUnknown) {
  view.users.not_read = {"jobs of erp"};
  const Hazards found = with({});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().reason, hazard::users_unknown);
  EXPECT_EQ(found.front().severity, Severity::Info);
  EXPECT_EQ(found.front().target, "jobs of erp");
}

// ---- alphabets

TEST(UnsafeCharacters, AreInNoValueThatKeyturnMakes) {
  for (const auto type : {api::GeneratorType::Password, api::GeneratorType::Hex, api::GeneratorType::Uuid, api::GeneratorType::Base64}) {
    for (const auto format :
         {api::FormatType::Opaque, api::FormatType::AdoNetConnectionString, api::FormatType::Url, api::FormatType::Json})
      EXPECT_EQ(unsafe_in(alphabet_of(type), syntax_of(format)), "");
    for (const char* consumer : {"ContainerApp", "ContainerAppJob", "EnvFile", "KubernetesWorkload", "Webhook"})
      EXPECT_EQ(unsafe_in(alphabet_of(type), syntax_of_consumer(consumer)), "") << consumer;
  }
}

TEST(UnsafeCharacters, AreThoseThatMeanSomethingThere) {
  EXPECT_EQ(unsafe_in("a$b=c;d'e\"f", syntax_of(api::FormatType::AdoNetConnectionString)), "=;'\"");
  EXPECT_EQ(unsafe_in("a+b/c=", syntax_of(api::FormatType::Url)), "+/=");
  EXPECT_EQ(unsafe_in("a\\b\"c/", syntax_of(api::FormatType::Json)), "\\\"");
  EXPECT_EQ(unsafe_in("a;b=c$", syntax_of(api::FormatType::Opaque)), "");
  EXPECT_EQ(unsafe_in("a$b'", syntax_of_consumer("ContainerApp")), "$");
  EXPECT_EQ(unsafe_in("a$b'#", syntax_of_consumer("EnvFile")), "$'#");
}

TEST(Hazards, TellOfValuesOfAProviderThatTheFormatTakesForSyntax) {
  api::SecretRotationSpec spec = test_rotation().spec;
  spec.generator.type = api::GeneratorType::ProviderMinted;
  EXPECT_EQ(find(hazards(spec, two_values()), hazard::unsafe_alphabet), nullptr) << "an opaque value has nothing around it";
  spec.secret.format.type = api::FormatType::Url;
  const Hazards found = hazards(spec, two_values());
  ASSERT_NE(find(found, hazard::unsafe_alphabet), nullptr);
  EXPECT_EQ(find(found, hazard::unsafe_alphabet)->message, "new values may hold +/=, which mean something in the secret's format");
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

TEST(PlanHash, IsNotMovedByWhatChangesNothingOfTheSteps) {
  const api::SecretRotationSpec spec = test_rotation().spec;
  const auto with = [&](void (*change)(api::SecretRotationSpec&)) {
    api::SecretRotationSpec other = spec;
    change(other);
    return hash_of(other);
  };
  EXPECT_EQ(with([](auto& other) { other.suspend = true; }), hash_of(spec)) << "waiting for the approval";
  EXPECT_EQ(with([](auto& other) { other.incident = "INC-1"; }), hash_of(spec));
  EXPECT_EQ(with([](auto& other) { other.history_keep = 9; }), hash_of(spec));
}

TEST(PlanHash, MovesWithTheSpecTheStepsAndTheHazards) {
  const api::SecretRotationSpec spec = test_rotation().spec;
  const auto with = [&](void (*change)(api::SecretRotationSpec&)) {
    api::SecretRotationSpec other = spec;
    change(other);
    return hash_of(other);
  };
  EXPECT_NE(with([](auto& other) { other.generator.length = 64; }), hash_of(spec));
  EXPECT_NE(with([](auto& other) { other.revision = "c"; }), hash_of(spec));
  EXPECT_NE(with([](auto& other) { other.reason = api::Reason::ConfirmedCompromise; }), hash_of(spec));
  EXPECT_NE(with([](auto& other) { other.strategy.overlap = std::chrono::hours(1); }), hash_of(spec));
  EXPECT_NE(with([](auto& other) { other.consumers.pop_back(); }), hash_of(spec));
  const api::RotationRunSpec run = run_spec(Protocol::Dual);
  const std::vector<PlannedStep> steps = preview(run, shape_of(run, {}));
  EXPECT_NE(plan_hash(spec, steps, {}), plan_hash(spec, {}, {}));
  const Hazards before = hazards(spec, {});
  EXPECT_NE(plan_hash(spec, steps, before), plan_hash(spec, steps, {}));
  Hazards worse = before;
  worse.front().severity = Severity::Blocking;
  EXPECT_NE(plan_hash(spec, steps, worse), plan_hash(spec, steps, before));
  Hazards elsewhere = before;
  elsewhere.front().target = "another";
  EXPECT_NE(plan_hash(spec, steps, elsewhere), plan_hash(spec, steps, before));
}

TEST(Severity, HasAWordForEach) {
  EXPECT_EQ(name_of(Severity::Info), "Info");
  EXPECT_EQ(name_of(Severity::Warning), "Warning");
  EXPECT_EQ(name_of(Severity::Blocking), "Blocking");
}

}  // namespace
}  // namespace keyturn
