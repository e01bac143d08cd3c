// One secret, one vault, one system and two consumers in memory around the real reconciler, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "api/reasons.h"
#include "reconcilers/rotation/credential_format.h"
#include "reconcilers/rotation/reconciler.h"
#include "tests/support/memory_records.h"
#include "tests/support/run_loop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/simulated_systems.h"

namespace keyturn {

inline const std::string secret_name = "erp-connection";
inline constexpr std::string_view first_value = R"({"user":"app_a","password":"first-Password-1"})";

class Heard final : public Recorder {
 public:
  std::vector<std::string> reasons;
  void event(std::string_view, const ObjectKey&, EventType, std::string_view why, std::string_view, std::string) override {
    reasons.emplace_back(why);
  }
  bool heard(std::string_view why) const { return std::find(reasons.begin(), reasons.end(), why) != reasons.end(); }
};

// One secret in one vault, one system, two consumers; the first credential was published before Keyturn came.
class Site {
 public:
  explicit Site(api::Protocol protocol) : protocol_(protocol) {
    effects = std::make_shared<Effects>();
    vault = std::make_shared<SimulatedVault>(effects);
    dependent = std::make_shared<SimulatedDependent>("erp-db", protocol == api::Protocol::Dual ? 2 : 1, effects);
    for (const char* name : {"portal", "inventory"}) consumers.push_back(std::make_shared<SimulatedConsumer>(name, effects));
    catalog.vaults = {{"main", vault}};
    catalog.dependents = {{"erp-db", dependent}};
    catalog.consumers = {{"portal", consumers[0]}, {"inventory", consumers[1]}};
    const VersionId version = vault->put(secret_name, first_value);
    dependent->accept("app_a", "first-Password-1");
    for (const auto& consumer : consumers) consumer->loaded = version;
    describe_environment();
    declare(key, "2026-q4");
    restart();
  }

  const ObjectKey key{"erp-dev", "erp-connection"};
  boost::asio::io_context io;
  VirtualClock clock{io.get_executor()};
  std::shared_ptr<Effects> effects;
  std::shared_ptr<SimulatedVault> vault;
  std::shared_ptr<SimulatedDependent> dependent;
  std::vector<std::shared_ptr<SimulatedConsumer>> consumers;
  SimulatedCatalog catalog;
  MemoryRecords records;
  Heard recorder;

  api::SecretRotation& object() { return records.rotations.at(key); }
  api::RotationEnvironmentSpec& environment() { return records.environments.at("erp").spec; }

  void declare(const ObjectKey& name, const std::string& revision) {
    api::SecretRotation rotation;
    rotation.meta = {.name = name.name, .ns = name.ns, .uid = {"uid-" + name.name}, .generation = 1};
    api::SecretRotationSpec& spec = rotation.spec;
    spec.environment = "erp";
    spec.revision = revision;
    spec.secret = {.vaults = {"main"}, .name = secret_name, .format = {api::FormatType::Json, "/password", "/user"}};
    spec.dependents = {{"erp-db", protocol_ == api::Protocol::Alternating ? std::vector<std::string>{"app_a", "app_b"}
                                                                          : std::vector<std::string>{"app_a"}}};
    spec.consumers = {{.name = "portal"}, {.name = "inventory"}};
    spec.strategy.acknowledge_outage = true;
    spec.strategy.overlap = std::chrono::seconds(4);
    records.rotations[name] = rotation;
  }
  void want(const std::string& revision) {
    object().spec.revision = revision;
    ++object().meta.generation;
  }

  // A new process: nothing of the old one is left but what was stored.
  void restart() {
    reconciler = std::make_unique<RotationReconciler>(RotationPorts{records, catalog, random_, recorder, zones_}, clock,
                                                      EpochId{"epoch-" + std::to_string(++epochs_)});
  }

  // One pass, and the time until the next one is due. False: there is nothing more to do until something changes.
  bool pass() { return pass(key); }
  bool pass(const ObjectKey& name) {
    Result<Outcome> outcome = Error{Errc::Internal, "not run"};
    try {
      outcome = run(io, clock, reconciler->reconcile(Context(clock, "test"), name));
    } catch (const Crashed&) {
      restart();
      return true;
    }
    if (!outcome) {
      clock.advance(std::chrono::seconds(1));  // the queue's back-off
      return true;
    }
    if (!outcome->again_in) return false;
    clock.advance(*outcome->again_in);
    return true;
  }

  const api::RotationRun* run_record() const { return records.last_run(key); }
  api::Phase phase() const { return run_record() ? run_record()->status.phase : api::Phase::Abandoned; }
  bool at_rest() const { return run_record() && api::is_terminal(phase()); }

  static constexpr int passes_max = 2'000;
  template <class Condition>
  bool pass_until(Condition reached) {
    for (int count = 0; count < passes_max; ++count) {
      if (reached()) return true;
      pass();
    }
    return reached();
  }
  bool adopt() {
    return pass_until([&] { return at_rest(); }) && pass_until([&] { return condition("Ready") != nullptr; });
  }
  // Until a run that brings in `credential` has ended and was told.
  bool settle(const std::string& credential) {
    const auto ended = [&] { return at_rest() && run_record()->spec.credential.to_string() == credential; };
    if (!pass_until(ended)) return false;
    pass();
    pass();
    return true;
  }
  bool reach(api::Phase wanted) {
    return pass_until([&] { return phase() == wanted; });
  }

  const api::Condition* condition(std::string_view type) const {
    const auto found = records.rotations.find(key);
    return found == records.rotations.end() ? nullptr : api::find_condition(found->second.status.conditions, type);
  }
  std::string reason_of(std::string_view type) const {
    const api::Condition* found = condition(type);
    return found && found->status == api::Tristate::True ? found->reason : std::string{};
  }

  // ---- facts about the world
  const Secret& published() const { return vault->newest(secret_name).value; }
  bool logs_in(const Secret& value) const {
    const auto login = extract(object_format(), value, "app_a");
    return login && dependent->accepts(login->principal, login->password);
  }
  bool published_logs_in() const { return logs_in(published()); }
  bool consumers_log_in() const {
    return std::all_of(consumers.begin(), consumers.end(), [&](const auto& consumer) {
      const SimulatedVault::Version* version = vault->find(secret_name, consumer->loaded);
      return version && logs_in(version->value);
    });
  }
  bool consumers_use_what_is_published() const {
    return std::all_of(consumers.begin(), consumers.end(), [&](const auto& consumer) {
      const SimulatedVault::Version* version = vault->find(secret_name, consumer->loaded);
      return version && version->value.equals(published());
    });
  }
  std::size_t live_values() const {
    std::size_t count = 0;
    for (const auto& [principal, values] : dependent->accepted) count += values.size();
    return count;
  }
  bool everything_staged_is_disabled() const {
    for (const auto& [name, versions] : vault->secrets) {
      if (!name.starts_with(staging_prefix)) continue;
      for (const auto& version : versions) {
        if (version.about.enabled) return false;
      }
    }
    return true;
  }

  std::unique_ptr<RotationReconciler> reconciler;

 private:
  static api::SecretFormat object_format() { return {api::FormatType::Json, "/password", "/user"}; }

  void describe_environment() {
    api::RotationEnvironment environment;
    environment.meta.name = "erp";
    api::RotationEnvironmentSpec& spec = environment.spec;
    spec.vaults = {{.name = "main", .vault = "main", .secrets = {"*"}, .staging = true}};
    spec.systems = {{.name = "erp-db", .type = "Driver", .settings = api::UnsupportedSystem{}}};
    spec.consumers = {{.name = "portal", .type = "ContainerApp"}, {.name = "inventory", .type = "ContainerApp"}};
    spec.bindings = {{.namespaces = {"*"}, .secrets = {"*"}, .systems = {"*"}, .consumers = {"*"}}};
    spec.timing = {.issue = std::chrono::seconds(1),
                   .request = std::chrono::seconds(2),
                   .server_residual = std::chrono::seconds(4),
                   .lease = std::chrono::seconds(2),
                   .publish_deadline = std::chrono::minutes(5),
                   .soak = std::chrono::seconds(4),
                   .drift_interval = std::chrono::seconds(30),
                   .poll = std::chrono::seconds(1)};
    records.environments["erp"] = environment;
  }

  api::Protocol protocol_;
  SeededRandom random_{7};
  UtcOnly zones_;
  int epochs_ = 0;
};

inline constexpr api::Protocol every_protocol[] = {api::Protocol::Single, api::Protocol::Dual, api::Protocol::Alternating};

inline void expect_in_force(Site& site, const std::string& credential) {
  ASSERT_NE(site.run_record(), nullptr);
  EXPECT_EQ(site.phase(), api::Phase::Succeeded);
  EXPECT_EQ(site.run_record()->spec.credential.to_string(), credential);
  EXPECT_TRUE(site.published_logs_in());
  EXPECT_TRUE(site.consumers_use_what_is_published());
  EXPECT_EQ(site.live_values(), 1U) << "only one credential is left";
}

// Where two credentials live nobody may ever be refused, at no instant.
inline void watch_for_outages(Site& site) {
  site.effects->after_each = [&site](const std::string& what) {
    EXPECT_TRUE(site.published_logs_in()) << "after " << what;
    EXPECT_TRUE(site.consumers_log_in()) << "after " << what;
  };
}

}  // namespace keyturn
