#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "api/validate.h"

namespace keyturn::api {
namespace {

RotationEnvironmentSpec environment() {
  RotationEnvironmentSpec spec;
  spec.vaults = {{.name = "main", .vault = "kv-dev", .secrets = {"Db--*", "Key"}, .staging = true},
                 {.name = "second", .vault = "kv-two", .secrets = {"Key"}}};
  PostgreSqlSystem postgresql;
  postgresql.host = "sql.internal";
  postgresql.principals = {"a", "b"};
  RedisAclSystem redis;
  redis.nodes = {"localhost:6379"};
  redis.principals = {"erp"};
  spec.systems = {{.name = "sql", .type = "PostgreSql", .settings = postgresql},
                  {.name = "redis", .type = "RedisAcl", .settings = redis},
                  {.name = "cache", .type = "AzureManagedRedis", .settings = UnsupportedSystem{}},
                  {.name = "mssql", .type = "SqlServer", .settings = UnsupportedSystem{}},
                  {.name = "other", .type = "RedisAcl", .settings = redis}};
  spec.consumers = {{.name = "portal", .type = "ContainerApp"}, {.name = "worker", .type = "ContainerApp"}};
  spec.bindings = {{.namespaces = {"team-a"},
                    .secrets = {"*"},
                    .systems = {"sql", "redis", "cache", "mssql", "ghost"},
                    .consumers = {"portal", "ghost"}},
                   {.namespaces = {"team-a"}, .secrets = {"Key"}, .systems = {}, .consumers = {"worker"}},
                   {.namespaces = {"team-b"}, .secrets = {"*"}, .systems = {"other"}, .consumers = {"*"}}};
  return spec;
}

SecretRotationSpec rotation() {
  SecretRotationSpec spec;
  spec.environment = "dev";
  spec.revision = "2026-q4";
  spec.secret = {.vaults = {"main"}, .name = "Db--Main", .format = {.type = FormatType::Url}};
  spec.dependents = {{.system = "sql", .principals = {"a", "b"}}};
  spec.consumers = {{.name = "portal"}};
  return spec;
}

const std::string coarse =
    "Forbidden: not bound to this namespace: name something that a binding of environment \"dev\" gives it, or ask its administrators for "
    "one";

std::vector<std::string> texts(const Violations& violations) {
  std::vector<std::string> all;
  for (const auto& violation : violations) {
    all.push_back(violation.field + ": " + violation.message);
  }
  return all;
}

struct Case {
  std::string name;
  std::function<void(RotationEnvironmentSpec&, SecretRotationSpec&)> change;
  std::vector<std::string> violations;
};

using Environment = RotationEnvironmentSpec;
using Rotation = SecretRotationSpec;

const std::string single =
    "holds one credential per principal, so that the published value is refused for a moment: write "
    "strategy.acknowledgeOutage: true, or name two principals so that they alternate";

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"as it is", [](Environment&, Rotation&) {}, {}},
      {"an unknown vault", [](Environment&, Rotation& r) { r.secret.vaults = {"main", "nowhere"}; }, {"spec.secret.vaults[1]: " + coarse}},
      {"a vault that does not have the secret",
       [](Environment&, Rotation& r) { r.secret.vaults = {"second"}; },
       {"spec.secret.vaults[0]: " + coarse}},
      {"a secret that nobody may have",
       [](Environment& e, Rotation&) { e.bindings[0].secrets = {"Key"}; },
       {"spec.secret.name: " + coarse}},
      {"an unknown system that a binding names",
       [](Environment&, Rotation& r) { r.dependents[0].system = "ghost"; },
       {"spec.dependents[0].system: " + coarse}},
      {"a system of another team",
       [](Environment&, Rotation& r) { r.dependents[0].system = "other"; },
       {"spec.dependents[0].system: " + coarse}},
      {"a principal that the system does not list",
       [](Environment&, Rotation& r) { r.dependents[0].principals = {"a", "postgres"}; },
       {"spec.dependents[0].principals[1]: " + coarse}},
      {"an unknown consumer that a binding names",
       [](Environment&, Rotation& r) { r.consumers = {{.name = "ghost"}}; },
       {"spec.consumers[0].name: " + coarse}},
      {"no single binding for all",
       [](Environment&, Rotation& r) {
         r.secret.name = "Key";
         r.consumers = {{.name = "portal"}, {.name = "worker"}};
       },
       {"spec: " + coarse}},
      {"no binding at all",
       [](Environment& e, Rotation&) { e.bindings.clear(); },
       {"spec.consumers[0].name: " + coarse, "spec.dependents[0].system: " + coarse, "spec.secret.name: " + coarse}},
      {"no staging vault",
       [](Environment& e, Rotation&) { e.vaults[0].staging = false; },
       {"spec.environmentRef.name: Invalid value: \"dev\": the environment has no staging vault: ask its administrators to write staging: "
        "true on one of its vaults"}},
      {"a reminder stages nothing",
       [](Environment& e, Rotation& r) {
         e.vaults[0].staging = false;
         r.secret_class = SecretClass::Reminder;
       },
       {}},
      {"in the clear to another host",
       [](Environment& e, Rotation&) { std::get<PostgreSqlSystem>(e.systems[0].settings).tls = TlsMode::LoopbackPlain; },
       {"spec.dependents[0].system: Invalid value: \"sql\": the system is declared LoopbackPlain and is not on this host: ask the "
        "environment's administrators to write tls: Verify"}},
      {"in the clear to one of the nodes",
       [](Environment& e, Rotation& r) {
         auto& redis = std::get<RedisAclSystem>(e.systems[1].settings);
         redis.tls = TlsMode::LoopbackPlain;
         redis.nodes.push_back("10.0.0.1:6379");
         r.dependents = {{.system = "redis", .principals = {"erp"}}};
       },
       {"spec.dependents[0].system: Invalid value: \"redis\": the system is declared LoopbackPlain and is not on this host: ask the "
        "environment's administrators to write tls: Verify"}},
      {"in the clear on this host",
       [](Environment& e, Rotation& r) {
         std::get<RedisAclSystem>(e.systems[1].settings).tls = TlsMode::LoopbackPlain;
         r.dependents = {{.system = "redis", .principals = {"erp"}}};
       },
       {}},
      {"one principal where one credential can live",
       [](Environment&, Rotation& r) { r.dependents[0].principals = {"a"}; },
       {"spec.strategy.acknowledgeOutage: Invalid value: false: system \"sql\" " + single}},
      {"the same at a system without an adapter",
       [](Environment&, Rotation& r) { r.dependents = {{.system = "mssql", .principals = {"sa"}}}; },
       {"spec.strategy.acknowledgeOutage: Invalid value: false: system \"mssql\" " + single}},
      {"the same, acknowledged",
       [](Environment&, Rotation& r) {
         r.dependents[0].principals = {"a"};
         r.strategy.acknowledge_outage = true;
       },
       {}},
      {"two credentials where one can live",
       [](Environment&, Rotation& r) {
         r.dependents[0].principals = {"a"};
         r.strategy.type = StrategyType::DualCredential;
       },
       {"spec.strategy.type: Invalid value: \"DualCredential\": system \"sql\" holds one credential per principal: name two principals so "
        "that they alternate"}},
      {"one principal where two credentials can live",
       [](Environment&, Rotation& r) { r.dependents = {{.system = "redis", .principals = {"erp"}}}; },
       {}},
      {"no principal",
       [](Environment&, Rotation& r) { r.dependents[0].principals.clear(); },
       {"spec.dependents[0].principals: Required value: name the principal that the secret is for, or two that alternate"}},
      {"minted by a system that does not mint",
       [](Environment&, Rotation& r) { r.generator.type = GeneratorType::ProviderMinted; },
       {"spec.generator.type: Invalid value: \"ProviderMinted\": system \"sql\" takes the value it is given: write Password, Hex, Uuid or "
        "Base64"}},
      {"a password for a system that mints",
       [](Environment&, Rotation& r) { r.dependents = {{.system = "cache"}}; },
       {"spec.generator.type: Invalid value: \"Password\": system \"cache\" makes its values itself: write ProviderMinted"}},
      {"minted by a system that mints",
       [](Environment&, Rotation& r) {
         r.dependents = {{.system = "cache"}};
         r.generator.type = GeneratorType::ProviderMinted;
       },
       {}},
      {"one copy where two are asked for",
       [](Environment& e, Rotation& r) {
         e.protection.require_min_replicas = true;
         r.strategy.min_replicas = 1;
       },
       {"spec.strategy.minReplicas: Invalid value: 1: the environment asks for consumers that stay up while they are moved: write 2 or "
        "more"}},
      {"many things at once",
       [](Environment& e, Rotation& r) {
         e.vaults[0].staging = false;
         r.secret.vaults = {"nowhere"};
         r.dependents = {{.system = "ghost", .principals = {"x"}}, {.system = "sql", .principals = {"x"}}};
         r.consumers = {{.name = "portal"}, {.name = "nobody"}};
       },
       {"spec.consumers[1].name: " + coarse, "spec.dependents[0].system: " + coarse, "spec.dependents[1].principals[0]: " + coarse,
        "spec.environmentRef.name: Invalid value: \"dev\": the environment has no staging vault: ask its administrators to write staging: "
        "true on one of its vaults",
        "spec.secret.vaults[0]: " + coarse, "spec.strategy.acknowledgeOutage: Invalid value: false: system \"sql\" " + single}},
  };
  return all;
}

TEST(ValidateAgainst, GivesExactlyTheViolationsOfTheTable) {
  for (const auto& c : cases()) {
    auto in = environment();
    auto of = rotation();
    c.change(in, of);
    EXPECT_EQ(texts(validate_against(in, "team-a", of)), c.violations) << c.name;
  }
}

TEST(ValidateAgainst, AgreesWithAllows) {
  for (const auto& c : cases()) {
    auto in = environment();
    auto of = rotation();
    c.change(in, of);
    const auto violations = validate_against(in, "team-a", of);
    const bool forbidden = std::ranges::any_of(
        violations, [](const Violation& v) { return v.message == coarse && v.field.find("principals") == std::string::npos; });
    std::vector<std::string> systems;
    for (const auto& dependent : of.dependents) {
      systems.push_back(dependent.system);
    }
    std::vector<std::string> consumers;
    for (const auto& consumer : of.consumers) {
      consumers.push_back(consumer.name);
    }
    const bool allowed = std::ranges::all_of(
        of.secret.vaults, [&](const std::string& vault) { return allows(in, "team-a", vault, of.secret.name, systems, consumers); });
    EXPECT_EQ(allowed, !forbidden) << c.name;
  }
}

TEST(ValidateAgainst, CannotTellATenantWhatExists) {
  auto exists = rotation();
  exists.dependents[0].system = "other";  // of another team
  exists.secret.vaults = {"second"};      // exists, without this secret
  auto missing = rotation();
  missing.dependents[0].system = "invented";
  missing.secret.vaults = {"invented"};
  EXPECT_EQ(validate_against(environment(), "team-a", exists), validate_against(environment(), "team-a", missing));
}

}  // namespace
}  // namespace keyturn::api
