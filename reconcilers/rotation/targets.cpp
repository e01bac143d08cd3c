#include "reconcilers/rotation/targets.h"

#include <algorithm>

#include "base/hash.h"

namespace keyturn {
namespace {

// The vault declared for staging, else the first vault of the secret itself.
std::string staging_vault(const api::RotationEnvironmentSpec& environment, const api::SecretRotationSpec& spec) {
  for (const api::VaultEntry& entry : environment.vaults) {
    if (entry.staging) return entry.name;
  }
  return spec.secret.vaults.front();
}

}  // namespace

std::size_t vault_of(const api::SecretRotationSpec& spec, std::size_t consumer) {
  const std::vector<std::string>& vaults = spec.secret.vaults;
  const auto named = std::find(vaults.begin(), vaults.end(), spec.consumers[consumer].vault);
  return named == vaults.end() ? 0 : static_cast<std::size_t>(named - vaults.begin());
}

std::string staging_name(const std::string& vault, const std::string& secret) {
  return std::string(staging_prefix) + to_hex(sha256(vault + "\n" + secret)).substr(0, 40);
}

Result<Targets> resolve(Catalog& catalog, const api::RotationEnvironment& environment, const api::SecretRotationSpec& spec) {
  if (spec.secret.vaults.empty()) return Error{Errc::Invalid, "the secret names no vault"};
  Targets targets;
  for (const std::string& name : spec.secret.vaults) {
    auto vault = catalog.vault(environment, name);
    if (!vault) return vault.error();
    auto url = catalog.vault_url(environment, name);
    if (!url) return url.error();
    targets.vaults.push_back(*vault);
    targets.vault_urls.push_back(*url);
  }
  auto staging = catalog.vault(environment, staging_vault(environment.spec, spec));
  if (!staging) return staging.error();
  targets.staging = *staging;
  targets.staging_name = staging_name(spec.secret.vaults.front(), spec.secret.name);
  for (const api::DependentRef& ref : spec.dependents) {
    auto dependent = catalog.dependent(environment, ref.system);
    if (!dependent) return dependent.error();
    targets.dependents.push_back(*dependent);
  }
  for (const api::ConsumerRef& ref : spec.consumers) {
    auto consumer = catalog.consumer(environment, ref.name);
    if (!consumer) return consumer.error();
    targets.consumers.push_back(*consumer);
  }
  return targets;
}

EnvironmentView view_of(const api::RotationEnvironmentSpec& environment, const api::SecretRotationSpec& spec, const Targets& targets,
                        const std::vector<ConsumerFacts>& baselines) {
  EnvironmentView view;
  view.environment = &environment;
  for (std::size_t i = 0; i < targets.dependents.size(); ++i) {
    const DependentCapabilities capabilities = targets.dependents[i]->capabilities();
    view.dependents.push_back({.name = spec.dependents[i].system,
                               .live_values_per_principal = capabilities.live_values_per_principal,
                               .addressing = capabilities.addressing});
  }
  for (std::size_t i = 0; i < baselines.size() && i < spec.consumers.size(); ++i) {
    view.consumers.push_back({.name = spec.consumers[i].name, .replicas = baselines[i].replicas, .refusal = baselines[i].refusal});
  }
  return view;
}

}  // namespace keyturn
