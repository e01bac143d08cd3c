// The adapters of one rotation, in the order of its spec.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "api/secret_rotation.h"
#include "reconcilers/rotation/hazards.h"
#include "reconcilers/rotation/systems.h"

namespace keyturn {

struct Targets {
  std::shared_ptr<SecretVault> staging;
  std::string staging_name;  // of the sibling secret that holds pending values
  std::vector<std::shared_ptr<SecretVault>> vaults;
  std::vector<std::string> vault_urls;
  std::vector<std::shared_ptr<Dependent>> dependents;
  std::vector<std::shared_ptr<Consumer>> consumers;
};

// Errors: those of the catalog, naming the entry.
Result<Targets> resolve(Catalog& catalog, const api::RotationEnvironment& environment, const api::SecretRotationSpec& spec);

// Which of secret.vaults the consumer reads, by index.
std::size_t vault_of(const api::SecretRotationSpec& spec, std::size_t consumer);

// "keyturn-stage-" and the first 40 hex digits of SHA-256 over vault and name (protocol.md 5): never a child of the secret's own name.
std::string staging_name(const std::string& vault, const std::string& secret);

// What hazards and the choice of the protocol need to know of the targets; `baselines` as the consumers told, may be empty.
EnvironmentView view_of(const api::RotationEnvironmentSpec& environment, const api::SecretRotationSpec& spec, const Targets& targets,
                        const std::vector<ConsumerFacts>& baselines);

}  // namespace keyturn
