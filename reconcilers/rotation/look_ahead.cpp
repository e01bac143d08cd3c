#include "reconcilers/rotation/look_ahead.h"

#include <set>
#include <utility>

namespace keyturn {
namespace {

// Nothing that is looked at may hold up the plan for longer.
constexpr Duration look_timeout = std::chrono::seconds(10);

ConsumerFacts not_looked_at(Errc why) {
  // Not told is not zero: -1 keeps the replica hazard silent.
  ConsumerFacts facts{.replicas = -1};
  facts.findings = {why == Errc::Denied ? ConsumerFinding::ReadDenied : ConsumerFinding::Unreachable};
  return facts;
}

Awaitable<std::vector<ConsumerFacts>> baselines(Context context, const Targets& targets, const api::SecretRotationSpec& spec) {
  std::vector<ConsumerFacts> facts;
  for (std::size_t i = 0; i < targets.consumers.size(); ++i) {
    const std::string& vault_url = targets.vault_urls[vault_of(spec, i)];
    auto found = co_await targets.consumers[i]->baseline(context, vault_url, spec.secret.name);
    facts.push_back(found ? std::move(*found) : not_looked_at(found.error().code));
  }
  co_return facts;
}

// Consumers that live in the same place see the same users: one of them is asked.
Awaitable<SecretUsers> users_of(Context context, const Targets& targets, std::string secret) {
  SecretUsers all;
  std::set<std::string> places;
  for (const auto& consumer : targets.consumers) {
    const std::string place = consumer->place();
    if (place.empty() || !places.insert(place).second) continue;
    SecretUsers found = co_await consumer->users_of(context.with_timeout(look_timeout), targets.vault_urls, secret);
    all.users.insert(all.users.end(), found.users.begin(), found.users.end());
    for (const std::string& what : found.not_read) all.not_read.push_back(what + " of " + place);
  }
  co_return all;
}

Awaitable<std::vector<std::string>> vaults_denied(Context context, const Targets& targets, const api::SecretRotationSpec& spec) {
  std::vector<std::string> denied;
  for (std::size_t i = 0; i < targets.vaults.size(); ++i) {
    const auto listed = co_await targets.vaults[i]->versions(context.with_timeout(look_timeout), spec.secret.name);
    if (!listed && listed.error().code == Errc::Denied) denied.push_back(spec.secret.vaults[i]);
  }
  const auto listed = co_await targets.staging->versions(context.with_timeout(look_timeout), targets.staging_name);
  if (!listed && listed.error().code == Errc::Denied) denied.emplace_back("staging vault");
  co_return denied;
}

}  // namespace

Awaitable<EnvironmentView> look_ahead(Context context, const Targets& targets, const api::RotationEnvironmentSpec& environment,
                                      const api::SecretRotationSpec& spec) {
  std::vector<ConsumerFacts> facts = co_await baselines(context, targets, spec);
  EnvironmentView view = view_of(environment, spec, targets, facts);
  for (std::size_t i = 0; i < view.consumers.size(); ++i) {
    view.consumers[i].unhealthy = facts[i].state == ConsumerState::Unhealthy;
    view.consumers[i].findings = std::move(facts[i].findings);
  }
  view.users = co_await users_of(context, targets, spec.secret.name);
  view.vaults_denied = co_await vaults_denied(context, targets, spec);
  co_return view;
}

}  // namespace keyturn
