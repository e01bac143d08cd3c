// A rotation against the environment that it names (security.md 1 and 28).
#include <algorithm>
#include <optional>

#include "api/loopback.h"
#include "api/structure.h"
#include "api/validate.h"
#include "api/words.h"

namespace keyturn::api {
namespace {

template <class Entry>
const Entry* find_named(const std::vector<Entry>& entries, std::string_view name) {
  const auto found = std::ranges::find(entries, name, &Entry::name);
  return found == entries.end() ? nullptr : &*found;
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [text](const std::string& pattern) { return matches_pattern(pattern, text); });
}

std::string item(std::string_view list, std::size_t index) { return std::string(list) + "[" + std::to_string(index) + "]"; }

// A system's type decides how credentials live in it, even where this build has no adapter for it.
bool is_single_credential(std::string_view type) { return type == "SqlServer" || type == "PostgreSql" || type == "RabbitMq"; }
bool mints(std::string_view type) { return type == "AzureManagedRedis" || type == "AzureCacheForRedis"; }
bool may_mint(std::string_view type) { return mints(type) || type == "Keycloak" || type == "Driver"; }

// Where the settings are known, the principals that may be rotated.
const std::vector<std::string>* principals_of(const SystemEntry& system) {
  if (const auto* postgresql = std::get_if<PostgreSqlSystem>(&system.settings)) {
    return &postgresql->principals;
  }
  if (const auto* redis = std::get_if<RedisAclSystem>(&system.settings)) {
    return &redis->principals;
  }
  return nullptr;
}

bool sends_in_the_clear(const SystemEntry& system) {
  if (const auto* postgresql = std::get_if<PostgreSqlSystem>(&system.settings)) {
    return postgresql->tls == TlsMode::LoopbackPlain && !is_loopback(postgresql->host);
  }
  if (const auto* redis = std::get_if<RedisAclSystem>(&system.settings)) {
    const auto is_remote = [](const std::string& node) { return !is_loopback(host_of_node(node)); };
    return redis->tls == TlsMode::LoopbackPlain && std::ranges::any_of(redis->nodes, is_remote);
  }
  return false;
}

class AuthorityCheck {
 public:
  AuthorityCheck(const RotationEnvironmentSpec& environment, std::string_view ns, const SecretRotationSpec& spec)
      : environment_(environment), ns_(ns), spec_(spec) {}

  Violations run() {
    vaults();
    dependents();
    consumers();
    as_a_whole();
    strategy();
    sort_by_field(violations_);
    return std::move(violations_);
  }

 private:
  // The same words for what is not bound and for what does not exist: a tenant cannot find out which.
  void not_bound(std::string field) {
    violations_.push_back({"FieldValueForbidden", std::move(field),
                           "Forbidden: not bound to this namespace: name something that a binding of environment \"" + spec_.environment +
                               "\" gives it, or ask its administrators for one"});
  }
  template <class T>
  void violation(std::string field, const T& value, const std::string& detail) {
    violations_.push_back(invalid(std::move(field), boost::json::value(value), detail));
  }

  template <class Grants>
  bool any_binding(const Grants& grants) const {
    return std::ranges::any_of(environment_.bindings,
                               [&](const Binding& binding) { return any_matches(binding.namespaces, ns_) && grants(binding); });
  }

  void vaults() {
    const std::string& secret = spec_.secret.name;
    if (!any_binding([&](const Binding& binding) { return any_matches(binding.secrets, secret); })) {
      not_bound("spec.secret.name");
    }
    for (std::size_t index = 0; index < spec_.secret.vaults.size(); ++index) {
      const auto* vault = find_named(environment_.vaults, spec_.secret.vaults[index]);
      if (vault == nullptr || !any_matches(vault->secrets, secret)) {
        not_bound(item("spec.secret.vaults", index));
      }
    }
    if (std::ranges::none_of(environment_.vaults, &VaultEntry::staging) && spec_.secret_class != SecretClass::Reminder) {
      violation("spec.environmentRef.name", spec_.environment,
                "the environment has no staging vault: ask its administrators to write staging: true on one of its vaults");
    }
  }

  void dependents() {
    for (std::size_t index = 0; index < spec_.dependents.size(); ++index) {
      const auto& dependent = spec_.dependents[index];
      const std::string field = item("spec.dependents", index);
      const auto* system = find_named(environment_.systems, dependent.system);
      if (system == nullptr || !any_binding([&](const Binding& binding) { return any_matches(binding.systems, dependent.system); })) {
        not_bound(field + ".system");
        continue;
      }
      dependent_of(*system, dependent, field);
    }
  }

  void dependent_of(const SystemEntry& system, const DependentRef& dependent, const std::string& field) {
    const auto* listed = principals_of(system);
    for (std::size_t index = 0; listed != nullptr && index < dependent.principals.size(); ++index) {
      if (std::ranges::find(*listed, dependent.principals[index]) == listed->end()) {
        not_bound(item(field + ".principals", index));
      }
    }
    if (sends_in_the_clear(system)) {
      violation(field + ".system", dependent.system,
                "the system is declared LoopbackPlain and is not on this host: ask the environment's administrators to write tls: Verify");
    }
    if (dependent.principals.empty() && !mints(system.type)) {
      violations_.push_back({"FieldValueRequired", field + ".principals",
                             "Required value: name the principal that the secret is for, or two that alternate"});
    }
    single_credential(system, dependent);
    generator(system);
  }

  void single_credential(const SystemEntry& system, const DependentRef& dependent) {
    if (!is_single_credential(system.type) || dependent.principals.size() != 1) {
      return;
    }
    if (spec_.strategy.type == StrategyType::DualCredential) {
      violation("spec.strategy.type", word_of(spec_.strategy.type),
                "system \"" + system.name + "\" holds one credential per principal: name two principals so that they alternate");
    } else if (!spec_.strategy.acknowledge_outage) {
      violation("spec.strategy.acknowledgeOutage", false,
                "system \"" + system.name +
                    "\" holds one credential per principal, so that the published value is refused for a moment: write "
                    "strategy.acknowledgeOutage: true, or name two principals so that they alternate");
    }
  }

  void generator(const SystemEntry& system) {
    const bool minted = spec_.generator.type == GeneratorType::ProviderMinted;
    if (minted && !may_mint(system.type)) {
      violation("spec.generator.type", word_of(spec_.generator.type),
                "system \"" + system.name + "\" takes the value it is given: write Password, Hex, Uuid or Base64");
    } else if (!minted && mints(system.type)) {
      violation("spec.generator.type", word_of(spec_.generator.type),
                "system \"" + system.name + "\" makes its values itself: write ProviderMinted");
    }
  }

  void consumers() {
    for (std::size_t index = 0; index < spec_.consumers.size(); ++index) {
      const std::string& name = spec_.consumers[index].name;
      if (find_named(environment_.consumers, name) == nullptr ||
          !any_binding([&](const Binding& binding) { return any_matches(binding.consumers, name); })) {
        not_bound(item("spec.consumers", index) + ".name");
      }
    }
  }

  // Each part may be given by some binding, and still no single one gives all.
  void as_a_whole() {
    if (!violations_.empty()) {
      return;
    }
    std::vector<std::string> systems;
    for (const auto& dependent : spec_.dependents) {
      systems.push_back(dependent.system);
    }
    std::vector<std::string> names;
    for (const auto& consumer : spec_.consumers) {
      names.push_back(consumer.name);
    }
    const auto allowed = [&](const std::string& vault) { return allows(environment_, ns_, vault, spec_.secret.name, systems, names); };
    if (!std::ranges::all_of(spec_.secret.vaults, allowed)) {
      not_bound("spec");
    }
  }

  void strategy() {
    if (environment_.protection.require_min_replicas && spec_.strategy.min_replicas < 2) {
      violation("spec.strategy.minReplicas", spec_.strategy.min_replicas,
                "the environment asks for consumers that stay up while they are moved: write 2 or more");
    }
  }

  const RotationEnvironmentSpec& environment_;
  std::string_view ns_;
  const SecretRotationSpec& spec_;
  Violations violations_;
};

}  // namespace

Violations validate_against(const RotationEnvironmentSpec& environment, std::string_view ns, const SecretRotationSpec& spec) {
  return AuthorityCheck(environment, ns, spec).run();
}

}  // namespace keyturn::api
