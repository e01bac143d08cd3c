// Specs, rotations and runs as the tests of the pure core need them.
#pragma once

#include <string>

#include "api/rotation_run.h"
#include "api/secret_rotation.h"

namespace keyturn {

inline constexpr Instant epoch_of_tests{std::chrono::days(20'000)};

inline api::SecretRotation test_rotation(std::vector<std::string> principals = {"app_a"}) {
  api::SecretRotation rotation;
  rotation.meta = {.name = "connection", .ns = "erp-dev", .uid = {"uid-1"}, .generation = 1};
  api::SecretRotationSpec& spec = rotation.spec;
  spec.environment = "erp";
  spec.revision = "a";
  spec.secret = {.vaults = {"main"}, .name = "erp-connection", .format = {}};
  spec.dependents = {{"erp-db", std::move(principals)}};
  spec.consumers = {{.name = "portal"}, {.name = "inventory"}};
  spec.strategy.acknowledge_outage = true;
  return rotation;
}

// A run of that rotation, of this generation, in this phase, one day after the one before it.
inline api::RotationRun test_run(std::int64_t generation, CredentialName credential, api::Phase phase) {
  const api::SecretRotation rotation = test_rotation();
  api::RotationRun run;
  run.meta.name = "run-" + std::to_string(generation);
  run.spec.rotation = rotation.meta.key();
  run.spec.identity = "erp/erp-db:app_a";
  run.spec.generation = generation;
  run.spec.credential = std::move(credential);
  run.spec.old_credential = {"old", 1};
  run.spec.pending_principal = "app_b";
  run.spec.old_principal = "app_a";
  run.spec.frozen = rotation.spec;
  run.status.phase = phase;
  run.status.started_at = epoch_of_tests + std::chrono::days(generation);
  run.status.phase_since = run.status.started_at;
  if (api::is_terminal(phase)) run.status.finished_at = *run.status.started_at + std::chrono::hours(1);
  if (phase == api::Phase::Succeeded) run.status.published_version = {"version-" + std::to_string(generation)};
  return run;
}

}  // namespace keyturn
