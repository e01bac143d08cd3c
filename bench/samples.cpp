#include "bench/samples.h"

#include <string>

namespace keyturn::bench {
namespace {

const std::string version_hex = "0123456789abcdef0123456789abcde";

VersionId version(int number) { return VersionId{version_hex + std::to_string(number % 10)}; }

api::CredentialStatus credential(int serial, api::CredentialState state) {
  const Instant issued = sample_now() - std::chrono::hours(24 * (10 - serial));
  return {.name = {"2026-q3", serial}, .version = version(serial), .state = state, .issued_at = issued, .activated_at = issued, .step = {}};
}

api::SecretRotationSpec sample_spec() {
  api::SecretRotationSpec spec;
  spec.environment = "production";
  spec.revision = "2026-q3";
  spec.schedule =
      api::Schedule{.every = std::chrono::hours(2160), .windows = {{.days = {}, .start = "02:00", .duration = std::chrono::hours(2)}}};
  spec.secret = {.vaults = {"main", "second"}, .name = "ConnectionStrings--Default", .format = {.type = api::FormatType::Url}};
  spec.dependents = {{.system = "database", .principals = {"app_a", "app_b"}}};
  for (int i = 0; i < consumers; ++i) spec.consumers.push_back({.name = "service-" + std::to_string(i)});
  return spec;
}

}  // namespace

Instant sample_now() { return Instant(std::chrono::milliseconds(1'790'000'000'000)); }

api::SecretRotation sample_rotation() {
  api::SecretRotation rotation;
  rotation.meta = {
      .name = "erp-database", .ns = "erp", .uid = Uid{"5f0f5d4e-2f3a-4c57-9d5b-4a7f2c1b9e10"}, .resource_version = "4711", .generation = 7};
  rotation.meta.created = sample_now() - std::chrono::hours(2400);
  rotation.meta.labels = {{"app.kubernetes.io/part-of", "erp"}, {"team", "platform"}};
  rotation.meta.finalizers = {std::string(api::finalizer)};
  rotation.spec = sample_spec();
  api::SecretRotationStatus& status = rotation.status;
  status.observed_generation = 7;
  status.current = credential(9, api::CredentialState::Current);
  for (int serial = 8; serial > 3; --serial) status.history.push_back(credential(serial, api::CredentialState::Retired));
  for (const api::ConsumerRef& consumer : rotation.spec.consumers) {
    status.consumers.push_back({.name = consumer.name,
                                .using_credential = "2026-q3.9",
                                .state = "Verified",
                                .evidence = "2 of 2 replicas started after the sync"});
  }
  status.dependents = {{.name = "database", .accepts = {"2026-q3.9"}, .verified_at = sample_now()}};
  for (const char* type : {"Ready", "Reconciling", "Stalled", "Degraded"}) {
    status.conditions.push_back({.type = type,
                                 .status = api::Tristate::True,
                                 .observed_generation = 7,
                                 .reason = "CurrentVerified",
                                 .message = "2026-q3.9 is published, accepted and in use",
                                 .last_transition = sample_now()});
  }
  return rotation;
}

api::RotationRun sample_run() {
  const api::SecretRotation rotation = sample_rotation();
  api::RotationRun run;
  run.meta = {.name = "erp-database-9",
              .ns = "keyturn-system",
              .uid = Uid{"6a0f5d4e-2f3a-4c57-9d5b-4a7f2c1b9e11"},
              .resource_version = "4712",
              .generation = 1};
  run.spec.rotation = rotation.meta.key();
  run.spec.rotation_uid = rotation.meta.uid;
  run.spec.identity = "production/database/app";
  run.spec.generation = 9;
  run.spec.credential = {"2026-q3", 9};
  run.spec.old_credential = {"2026-q3", 8};
  run.spec.protocol = api::Protocol::Alternating;
  run.spec.frozen = rotation.spec;
  run.status.owner_epoch = EpochId{"7b0f5d4e-2f3a-4c57-9d5b-4a7f2c1b9e12"};
  run.status.phase = api::Phase::Rolling;
  run.status.staged_version = version(9);
  run.status.old_version = version(8);
  for (const std::string& vault : rotation.spec.secret.vaults)
    run.status.targets.push_back({.kind = api::TargetKind::Vault, .name = vault, .state = "Done"});
  run.status.targets.push_back({.kind = api::TargetKind::Dependent, .name = "database", .state = "Done", .attempts = 1});
  for (const api::ConsumerRef& consumer : rotation.spec.consumers) {
    run.status.targets.push_back({.kind = api::TargetKind::Consumer,
                                  .name = consumer.name,
                                  .state = "Intended",
                                  .attempts = 1,
                                  .mark = "synced",
                                  .changed_at = sample_now()});
  }
  for (int step = 0; step < 12; ++step) {
    run.status.evidence.push_back(
        {.at = sample_now(), .step = "Publishing", .target = "main", .what = "versionless read returns the pinned value"});
  }
  run.status.started_at = sample_now();
  run.status.phase_since = sample_now();
  return run;
}

}  // namespace keyturn::bench
