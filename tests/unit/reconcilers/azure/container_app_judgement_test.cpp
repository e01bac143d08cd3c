#include "reconcilers/azure/container_app_judgement.h"

#include <gtest/gtest.h>

#include "api/reasons.h"

namespace keyturn {
namespace {

namespace reason = api::reason;
using Stage = ConvergenceMark::Stage;

const Instant t_sync = *parse_rfc3339("2026-03-01T10:00:00Z");

AppReplica replica(Duration after_sync, bool ready = true) {
  AppReplica out;
  out.name = "r";
  out.created = t_sync + after_sync;
  out.ready = ready;
  return out;
}
constexpr Duration s(int seconds) { return Duration{seconds * 1'000}; }

class Judged : public ::testing::Test {
 protected:
  Judged() {
    target.vault = {"https", "main.vault.azure.net", 443};
    target.secret = "redis";
    target.version = VersionId{"11111111111111111111111111111111"};
    seen.app.provisioning_state = "Succeeded";
    seen.app.running_status = "Running";
    seen.app.latest_revision = seen.app.latest_ready_revision = "app--1";
    seen.app.secrets = {{"redis", "https://main.vault.azure.net/secrets/redis", "system"}};
    seen.app.date = t_sync + s(120);
    revision().replicas = {replica(s(5)), replica(s(6))};
    mark.version = target.version;
    mark.references = references_fingerprint(seen.app.secrets);
    mark.errors = seen.app.errors_fingerprint;
    mark.stage = Stage::Synced;
    mark.at = t_sync;
    mark.restarted = t_sync + s(3);
    mark.revisions = {"app--1"};
  }
  AppRevision& revision() {
    if (seen.revisions.empty()) {
      AppRevision first;
      first.name = "app--1";
      first.active = true;
      first.provisioning_state = "Provisioned";
      first.running_state = "Running";
      first.health_state = "Healthy";
      seen.revisions.push_back(first);
    }
    return seen.revisions.front();
  }
  void not_restarted() {
    mark.restarted.reset();
    mark.revisions.clear();
  }
  ConsumerFacts judge(std::optional<Health> health = std::nullopt) { return judge_app(seen, target, &mark, rules, health); }
  ConsumerState state(std::optional<Health> health = std::nullopt) { return judge(health).state; }
  AppAct act() { return next_app_act(seen, target, &mark, rules); }
  std::string refusal() { return std::string(app_refusal(seen.app, target, &mark, rules)); }

  AppTarget target;
  AppSnapshot seen;
  ConvergenceMark mark;
  AppRules rules;
};

TEST_F(Judged, IsProvenWhenEveryCopyStartedAfterTheSync) {
  EXPECT_EQ(state(), ConsumerState::Proven);
  EXPECT_EQ(judge().evidence, "2 of 2 replicas started after the sync");
  EXPECT_EQ(judge().replicas, 2);
  EXPECT_EQ(state(Health::Healthy), ConsumerState::Proven);
}

TEST_F(Judged, NeedsAWriteBeforeAnythingElse) {
  EXPECT_EQ(judge_app(seen, target, nullptr, rules, std::nullopt).state, ConsumerState::Stale);
  EXPECT_EQ(next_app_act(seen, target, nullptr, rules).kind, AppActKind::Write);
}

TEST_F(Judged, WaitsTwoSecondsBetweenSyncAndRestart) {
  not_restarted();
  revision().replicas = {replica(s(-100))};
  seen.app.date = t_sync + s(1);
  EXPECT_EQ(state(), ConsumerState::Moving);
  EXPECT_EQ(act().kind, AppActKind::None);
  seen.app.date = t_sync + s(2);
  EXPECT_EQ(state(), ConsumerState::Stale);
  EXPECT_EQ(act().kind, AppActKind::Restart);
  EXPECT_EQ(act().revision, "app--1");
}

TEST_F(Judged, DoesNotTakeACopyOfTheSecondOfTheSyncForNew) {
  revision().replicas = {replica(s(0))};
  EXPECT_EQ(state(), ConsumerState::Moving);
}

TEST_F(Judged, RestartsEveryActiveRevisionOnce) {
  AppRevision second = revision();
  second.name = "app--2";
  second.replicas = {replica(s(-50))};
  seen.revisions.push_back(second);
  EXPECT_EQ(act().revision, "app--2");
  mark.revisions.push_back("app--2");
  EXPECT_EQ(act().kind, AppActKind::None);
  EXPECT_EQ(state(), ConsumerState::Moving);
}

TEST_F(Judged, DoesNotRestartWhatThePlatformHasRestarted) {
  not_restarted();
  EXPECT_EQ(act().kind, AppActKind::None);
  EXPECT_EQ(state(), ConsumerState::Proven);
}

TEST_F(Judged, StaysMovingWhileARestartLies) {
  revision().replicas = {replica(s(-100)), replica(s(-100))};
  EXPECT_EQ(state(), ConsumerState::Moving);
  EXPECT_EQ(judge().evidence, "0 of 2 replicas started after the sync");
  seen.app.date = *mark.restarted + rules.restart_patience + s(1);
  EXPECT_EQ(act().kind, AppActKind::Restart);
  EXPECT_EQ(state(), ConsumerState::Stale);
}

TEST_F(Judged, LetsOldCopiesEndInTheirOwnTime) {
  revision().replicas = {replica(s(5)), replica(s(-100))};
  seen.app.date = *mark.restarted + rules.restart_patience + s(100);
  EXPECT_EQ(act().kind, AppActKind::None);
  EXPECT_EQ(state(), ConsumerState::Moving);
  revision().replicas[1].stopped = true;
  EXPECT_EQ(state(), ConsumerState::Proven);
}

TEST_F(Judged, NeverTrustsACopyOfUnknownAge) {
  revision().replicas[1].created.reset();
  EXPECT_EQ(state(), ConsumerState::Moving);
}

TEST_F(Judged, StartsOverAfterSomebodyElsesWrite) {
  not_restarted();
  seen.app.secrets.push_back({"other", "https://main.vault.azure.net/secrets/other", "system"});
  EXPECT_EQ(act().kind, AppActKind::Write);
  EXPECT_EQ(state(), ConsumerState::Stale);
}

TEST_F(Judged, IsNotDisturbedByALaterWriteThatLeavesTheReferenceAlone) {
  seen.app.secrets.push_back({"other", "https://main.vault.azure.net/secrets/other", "system"});
  EXPECT_EQ(state(), ConsumerState::Proven);
}

TEST_F(Judged, StartsOverWhenAPinnedReferenceIsAnotherOne) {
  rules.reference = api::ReferenceMode::Pinned;
  seen.app.secrets[0].key_vault_url += "/" + target.version.value;
  EXPECT_EQ(state(), ConsumerState::Proven);
  seen.app.secrets[0].key_vault_url += "0";
  EXPECT_EQ(act().kind, AppActKind::Write);
  EXPECT_EQ(state(), ConsumerState::Stale);
}

TEST_F(Judged, WaitsForADeploymentThatIsUnderWay) {
  seen.app.provisioning_state = "InProgress";
  EXPECT_EQ(state(), ConsumerState::Moving);
  EXPECT_EQ(act().kind, AppActKind::None);
  EXPECT_EQ(next_app_act(seen, target, nullptr, rules).kind, AppActKind::None);
}

TEST_F(Judged, TakesWordsThatItDoesNotKnowForUnknown) {
  seen.app.provisioning_state = "Pondering";
  EXPECT_EQ(state(), ConsumerState::Unknown);
  seen.app.provisioning_state = "Succeeded";
  for (std::string AppRevision::* field : {&AppRevision::provisioning_state, &AppRevision::running_state, &AppRevision::health_state}) {
    const std::string before = revision().*field;
    revision().*field = "Pondering";
    EXPECT_EQ(state(), ConsumerState::Unknown);
    revision().*field = before;
  }
  revision().running_state = "RunningAtMaxScale";
  EXPECT_EQ(state(), ConsumerState::Proven);
}

TEST_F(Judged, CannotTellAStoppedAppOrOneThatIsScaledToZero) {
  revision().replicas.clear();
  EXPECT_EQ(state(), ConsumerState::Unknown);
  EXPECT_EQ(judge().evidence, "scaled to zero: not verified");
  seen.app.running_status = "Stopped";
  EXPECT_EQ(judge().evidence, "the application is stopped");
  EXPECT_EQ(state(), ConsumerState::Unknown);
  seen.app.running_status = "Running";
  seen.revisions.clear();
  EXPECT_EQ(state(), ConsumerState::Unknown);
}

TEST_F(Judged, GivesYoungCopiesTimeBeforeTheyAreUnhealthy) {
  revision().health_state = "Unhealthy";
  seen.app.date = t_sync + s(60);
  EXPECT_EQ(state(), ConsumerState::Moving);
  seen.app.date = t_sync + s(67);
  EXPECT_EQ(state(), ConsumerState::Unhealthy);
}

TEST_F(Judged, CountsOnReadinessUntilItsDeadline) {
  revision().replicas[0].ready = false;
  EXPECT_EQ(state(), ConsumerState::Moving);
  seen.app.date = t_sync + s(5) + rules.start_deadline + s(1);
  EXPECT_EQ(state(), ConsumerState::Unhealthy);
}

TEST_F(Judged, KnowsACrashLoop) {
  revision().replicas[0].restarts = rules.restarts_max;
  EXPECT_EQ(state(), ConsumerState::Proven);
  revision().replicas[0].restarts = rules.restarts_max + 1;
  EXPECT_EQ(state(), ConsumerState::Unhealthy);
}

TEST_F(Judged, KnowsAFailedOrDegradedRevision) {
  for (const char* word : {"Failed", "Degraded", "ActivationFailed"}) {
    revision().running_state = word;
    EXPECT_EQ(state(), ConsumerState::Unhealthy) << word;
  }
  revision().running_state = "Processing";
  EXPECT_EQ(state(), ConsumerState::Moving);
  revision().running_state = "Running";
  revision().provisioning_state = "Failed";
  EXPECT_EQ(state(), ConsumerState::Unhealthy);
}

TEST_F(Judged, WaitsForTheLatestRevisionToBeReportedReady) {
  seen.app.latest_revision = "app--2";
  EXPECT_EQ(state(), ConsumerState::Moving);
  seen.app.multiple_revisions = true;
  EXPECT_EQ(state(), ConsumerState::Proven);
}

TEST_F(Judged, ListensToTheExternalHealthCheck) {
  EXPECT_EQ(state(Health::Unhealthy), ConsumerState::Unhealthy);
  EXPECT_EQ(judge(Health::Unhealthy).evidence, "2 of 2 replicas started after the sync; the health check fails");
  EXPECT_EQ(state(Health::Unknown), ConsumerState::Unknown);
  seen.app.date = t_sync + s(30);
  EXPECT_EQ(state(Health::Unhealthy), ConsumerState::Moving);
}

TEST_F(Judged, FollowsAnOperationToItsEnd) {
  mark.stage = Stage::Writing;
  mark.operation = ArmOperation{ArmOperation::Style::Location, net::Url{target.vault, "/op"}};
  seen.operation = OperationState::Running;
  EXPECT_EQ(state(), ConsumerState::Moving);
  EXPECT_EQ(act().kind, AppActKind::None);
  for (const OperationState end : {OperationState::Succeeded, OperationState::Failed, OperationState::Gone}) {
    seen.operation = end;
    EXPECT_EQ(state(), ConsumerState::Stale);
    EXPECT_EQ(act().kind, AppActKind::FollowOperation);
  }
  seen.operation = OperationState::Running;
  seen.app.date = t_sync + rules.operation_deadline + s(1);
  EXPECT_EQ(act().kind, AppActKind::FollowOperation);
}

TEST_F(Judged, DoesNotBelieveAProvisioningStateAtOnce) {
  mark.stage = Stage::Writing;
  mark.operation = ArmOperation{ArmOperation::Style::ProvisioningState, net::Url{target.vault, "/app"}};
  seen.operation = OperationState::Succeeded;
  seen.app.date = t_sync + s(29);
  EXPECT_EQ(act().kind, AppActKind::None);
  seen.app.date = t_sync + s(30);
  EXPECT_EQ(act().kind, AppActKind::FollowOperation);
}

TEST_F(Judged, RefusesWhatAWriteWouldBreak) {
  EXPECT_EQ(refusal(), "");
  seen.app.secrets.push_back({"inline", "", ""});
  EXPECT_EQ(refusal(), reason::inline_secrets_present);
  EXPECT_EQ(judge().refusal, "");  // proven all the same
  not_restarted();
  revision().replicas = {replica(s(-9))};
  EXPECT_EQ(judge().refusal, reason::inline_secrets_present);
}

TEST_F(Judged, RefusesAnAppThatDoesNotReferToTheSecret) {
  target.secret = "sql";
  EXPECT_EQ(refusal(), reason::invalid_reference);
  target.secret = "REDIS";
  EXPECT_EQ(refusal(), "");
}

TEST_F(Judged, RefusesAPinnedReferenceUnlessPinningIsOurs) {
  seen.app.secrets[0].key_vault_url += "/22222222222222222222222222222222";
  EXPECT_EQ(refusal(), reason::reference_pinned);
  rules.reference = api::ReferenceMode::Pinned;
  EXPECT_EQ(refusal(), "");
  target.reload = api::ReloadMode::Poll;
  EXPECT_EQ(refusal(), reason::unsupported);
}

TEST_F(Judged, RefusesAFailedTemplateBecauseAWriteWouldRetryIt) {
  for (const char* word : {"Failed", "Canceled"}) {
    seen.app.provisioning_state = word;
    EXPECT_EQ(refusal(), reason::consumer_template_failed) << word;
    EXPECT_EQ(judge().refusal, reason::consumer_template_failed);
  }
}

TEST_F(Judged, BlamesOnlyNewDeploymentErrorsOnItsWrite) {
  seen.app.has_errors = true;
  seen.app.errors_fingerprint = mark.errors = "stale";
  EXPECT_EQ(refusal(), "");
  seen.app.errors_fingerprint = "new";
  EXPECT_EQ(refusal(), reason::consumer_template_failed);
  seen.app.has_errors = false;
  EXPECT_EQ(refusal(), "");
}

TEST_F(Judged, TriesARefusedReferenceAgainAfterAWhile) {
  mark.stage = Stage::Refused;
  seen.app.date = t_sync + s(59);
  EXPECT_EQ(judge().refusal, reason::consumer_template_failed);
  seen.app.date = t_sync + s(60);
  EXPECT_EQ(judge().refusal, "");
  EXPECT_EQ(state(), ConsumerState::Stale);
  EXPECT_EQ(act().kind, AppActKind::Write);
}

TEST_F(Judged, OnlyWaitsWhenThePlatformIsToReload) {
  target.reload = mark.reload = api::ReloadMode::Poll;
  EXPECT_EQ(next_app_act(seen, target, nullptr, rules).kind, AppActKind::BeginWaiting);
  mark.stage = Stage::Waiting;
  not_restarted();
  EXPECT_EQ(state(), ConsumerState::Moving);
  EXPECT_EQ(act().kind, AppActKind::None);
  seen.app.date = t_sync + rules.platform_sync;
  EXPECT_EQ(state(), ConsumerState::Proven);
  EXPECT_EQ(judge().evidence, "2 of 2 replicas were restarted by the platform");
  revision().replicas[0] = replica(s(-1));
  EXPECT_EQ(state(), ConsumerState::Moving);
  EXPECT_EQ(act().kind, AppActKind::None);
  seen.app.secrets.push_back({"inline", "", ""});
  EXPECT_EQ(refusal(), "");
}

TEST_F(Judged, TakesAMarkOfAnotherTargetForNone) {
  EXPECT_TRUE(mark_for(target, format_mark(mark)));
  AppTarget other = target;
  other.version = VersionId{"22222222222222222222222222222222"};
  EXPECT_FALSE(mark_for(other, format_mark(mark)));
  other = target;
  other.reload = api::ReloadMode::Poll;
  EXPECT_FALSE(mark_for(other, format_mark(mark)));
  EXPECT_FALSE(mark_for(target, "nonsense"));
}

TEST_F(Judged, HealthAloneIsWhatABaselineNeeds) {
  revision().replicas = {replica(s(-1'000))};
  EXPECT_EQ(judge_app_health(seen, rules, std::nullopt).state, ConsumerState::Proven);
  EXPECT_EQ(judge_app_health(seen, rules, Health::Unhealthy).state, ConsumerState::Unhealthy);
  EXPECT_EQ(judge_app_health(seen, rules, std::nullopt).evidence, "1 replicas are healthy");
  revision().replicas[0].ready = false;
  EXPECT_EQ(judge_app_health(seen, rules, std::nullopt).state, ConsumerState::Unhealthy);
  seen.app.provisioning_state = "Failed";
  EXPECT_EQ(judge_app_health(seen, rules, std::nullopt).state, ConsumerState::Unhealthy);
  seen.app.provisioning_state = "InProgress";
  EXPECT_EQ(judge_app_health(seen, rules, std::nullopt).state, ConsumerState::Moving);
  seen.app.provisioning_state = "Succeeded";
  seen.revisions.clear();
  EXPECT_EQ(judge_app_health(seen, rules, std::nullopt).state, ConsumerState::Unknown);
}

// An act is due exactly when the state is Stale: checked over the product of what can vary.
TEST_F(Judged, IsStaleExactlyWhenAnActIsDue) {
  for (const char* provisioning : {"Succeeded", "InProgress", "Failed", "", "Pondering"})
    for (const Stage stage : {Stage::Refused, Stage::Waiting, Stage::Writing, Stage::Synced})
      for (const Duration date : {s(0), s(1), s(2), s(59), s(61), s(400), s(2'000)})
        for (const Duration born : {s(-100), s(0), s(5)})
          for (const bool restarted : {false, true})
            for (const OperationState operation : {OperationState::Running, OperationState::Succeeded, OperationState::Gone}) {
              seen.app.provisioning_state = provisioning;
              seen.app.date = t_sync + date;
              seen.operation = operation;
              revision().replicas = {replica(born)};
              mark.stage = stage;
              mark.operation = ArmOperation{ArmOperation::Style::Location, net::Url{target.vault, "/op"}};
              mark.restarted = t_sync + s(3);
              mark.revisions = {"app--1"};
              if (!restarted) not_restarted();
              const bool due = act().kind != AppActKind::None;
              EXPECT_EQ(state() == ConsumerState::Stale, due) << provisioning << format_mark(mark) << date.count() << "/" << born.count();
            }
}

}  // namespace
}  // namespace keyturn
