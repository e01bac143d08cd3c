#include "reconcilers/environment/environment_reconciler.h"

#include <algorithm>

#include "api/reasons.h"

namespace keyturn {
namespace {

namespace reason = api::reason;

api::TargetStatus told(std::string name, const Error* error) {
  if (!error) return {.name = std::move(name), .state = "Reachable"};
  switch (error->code) {
    case Errc::Denied:
      return {.name = std::move(name), .state = "Denied", .message = error->message};
    case Errc::NotFound:
    case Errc::Invalid:
      return {.name = std::move(name), .state = "Misconfigured", .message = error->message};
    default:
      return {.name = std::move(name), .state = "Unreachable", .message = error->message};
  }
}

template <class T>
api::TargetStatus told(std::string name, const Result<T>& result) {
  if (result) return told(std::move(name), static_cast<const Error*>(nullptr));
  const Error error = result.error();
  return told(std::move(name), &error);
}

// The roles and users that the system's entry lets Keyturn rotate; any of them serves to see whether its administrator can log in.
std::string first_principal(const api::SystemEntry& entry) {
  const auto first = [](const std::vector<std::string>& names) { return names.empty() ? std::string{} : names.front(); };
  if (const auto* redis = std::get_if<api::RedisAclSystem>(&entry.settings)) return first(redis->principals);
  if (const auto* postgres = std::get_if<api::PostgreSqlSystem>(&entry.settings)) return first(postgres->principals);
  return {};
}

// Since when a target is as it is: the time moves with the facts only, so that an unchanged world is an equal status.
void date(std::vector<api::TargetStatus>& now_seen, const std::vector<api::TargetStatus>& before, Instant now) {
  for (api::TargetStatus& target : now_seen) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const api::TargetStatus& one) {
      return one.name == target.name && one.state == target.state && one.message == target.message;
    });
    target.as_of = same == before.end() ? std::optional(now) : same->as_of;
  }
}

std::string first_trouble(const api::RotationEnvironmentStatus& status) {
  for (const auto* targets : {&status.vaults, &status.systems, &status.consumers}) {
    for (const api::TargetStatus& target : *targets) {
      if (target.state != "Reachable") return target.name + " is " + target.state + (target.message.empty() ? "" : ": " + target.message);
    }
  }
  return {};
}

api::Condition ready(const api::RotationEnvironment& environment, const api::RotationEnvironmentStatus& status, Instant now) {
  const std::string trouble = first_trouble(status);
  const api::Condition* before = api::find_condition(environment.status.conditions, "Ready");
  api::Condition condition{.type = "Ready",
                           .status = trouble.empty() ? api::Tristate::True : api::Tristate::False,
                           .observed_generation = environment.meta.generation,
                           .reason = std::string(trouble.empty() ? reason::reachable : reason::unreachable),
                           .message = trouble.empty() ? "every vault, system and consumer can be reached" : trouble,
                           .last_transition = now};
  if (before && before->status == condition.status) condition.last_transition = before->last_transition;
  return condition;
}

}  // namespace

Awaitable<api::TargetStatus> EnvironmentReconciler::look_at_vault(Context context, const api::RotationEnvironment& environment,
                                                                  std::string name) {
  auto vault = catalog_.vault(environment, name);
  if (!vault) co_return told(name, vault);
  // Listing a name that nobody uses asks for the identity, the network and the right to list, and reads no value.
  auto listed = co_await (*vault)->versions(context.with_timeout(look_timeout), std::string(staging_prefix) + "reachability");
  co_return told(name, listed);
}

Awaitable<api::TargetStatus> EnvironmentReconciler::look_at_system(Context context, const api::RotationEnvironment& environment,
                                                                   std::string name, std::string principal) {
  auto dependent = catalog_.dependent(environment, name);
  if (!dependent) co_return told(name, dependent);
  auto sessions = co_await (*dependent)->sessions(context.with_timeout(look_timeout), principal, std::nullopt);
  co_return told(name, sessions);
}

Awaitable<api::TargetStatus> EnvironmentReconciler::look_at_consumer(Context context, const api::RotationEnvironment& environment,
                                                                     std::string name) {
  auto consumer = catalog_.consumer(environment, name);
  if (!consumer) co_return told(name, consumer);
  auto url = environment.spec.vaults.empty() ? Result<std::string>(std::string{})
                                             : catalog_.vault_url(environment, environment.spec.vaults.front().name);
  if (!url) co_return told(name, url);
  // Which secret it uses is a rotation's business: here only whether the platform answers.
  auto facts = co_await (*consumer)->baseline(context.with_timeout(look_timeout), *url, "reachability");
  co_return told(name, facts);
}

Task<Outcome> EnvironmentReconciler::reconcile(Context context, ObjectKey key) {
  auto environment = co_await records_.environment(context, key.name);
  if (!environment && environment.error().code == Errc::NotFound) co_return Outcome::done();
  if (!environment) co_return environment.error();
  const api::RotationEnvironmentSpec& spec = environment->spec;
  api::RotationEnvironmentStatus status{.observed_generation = environment->meta.generation};
  for (const api::VaultEntry& entry : spec.vaults) {
    auto target = co_await look_at_vault(context, *environment, entry.name);
    status.vaults.push_back(std::move(target));
  }
  for (const api::SystemEntry& entry : spec.systems) {
    auto target = co_await look_at_system(context, *environment, entry.name, first_principal(entry));
    status.systems.push_back(std::move(target));
  }
  for (const api::ConsumerEntry& entry : spec.consumers) {
    auto target = co_await look_at_consumer(context, *environment, entry.name);
    status.consumers.push_back(std::move(target));
  }
  const Instant now = context.clock().now();
  date(status.vaults, environment->status.vaults, now);
  date(status.systems, environment->status.systems, now);
  date(status.consumers, environment->status.consumers, now);
  status.conditions = {ready(*environment, status, now)};
  auto written = co_await records_.write_status(context, *environment, std::move(status));
  if (!written && written.error().code != Errc::NotFound && written.error().code != Errc::Conflict) co_return written.error();
  co_return Outcome::again(std::max(spec.timing.drift_interval, spec.timing.poll));
}

}  // namespace keyturn
