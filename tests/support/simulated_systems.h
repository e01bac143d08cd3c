// Vaults, systems and consumers in memory, behind the ports of the domain: with a fault at any effect and a look at the whole world after
// each.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "reconcilers/rotation/systems.h"

namespace keyturn {

// Counts the effects of a world and lets one of them go wrong.
class Effects {
 public:
  enum class Fault { None, NotSent, LostReply, Travels, Crash };
  int count = 0;
  int fault_at = 0;  // which effect meets the fault, counted from 1; 0 = none
  Fault fault = Fault::None;
  std::vector<std::string> done;  // "install erp-db", in order
  std::function<void(const std::string&)> after_each;
  std::function<void()> before_sending;  // time may pass here, between the decision and the first byte
  std::function<void()> travelling;      // the effect that was sent and has not landed yet

  // Applies an effect, or lets its fault happen. LostReply: applied, and the caller is not told. Travels: the caller is not told, and it
  // is applied when land() is called. Crash: applied, and the process ends. `apply` owns what it needs.
  Result<> carry_out(const std::string& what, const std::function<void()>& apply);
  // What was under way takes its effect now. Does nothing when nothing is.
  void land();
  // Whether a request may still leave.
  bool may_send(const Context& context) const;
};

class SimulatedVault final : public SecretVault {
 public:
  // `label` follows its effects in the list of what was done, where there are several vaults.
  explicit SimulatedVault(std::shared_ptr<Effects> effects, std::string label = {})
      : label_(std::move(label)), effects_(std::move(effects)) {}

  struct Version {
    VaultVersion about;
    Secret value;
  };
  std::map<std::string, std::vector<Version>> secrets;  // oldest first
  VaultRefusal refusal = VaultRefusal::None;            // of every versionless read
  bool reachable = true;
  bool read_only = false;
  bool denies_values = false;  // the identity may list, and read no version by its id

  VersionId put(const std::string& secret, std::string_view value, VersionTags tags = {});
  const Version& newest(const std::string& secret) const { return secrets.at(secret).back(); }
  const Version* find(const std::string& secret, const VersionId& version) const;
  // By hand, whatever is refused to others.
  void disable(const std::string& secret, const VersionId& version);

  Task<Latest> read_latest(Context context, std::string secret) override;
  Task<Secret> read(Context context, std::string secret, VersionId version) override;
  Task<std::vector<VaultVersion>> versions(Context context, std::string secret) override;
  Task<VaultVersion> append(Context context, std::string secret, const Secret& value, VersionTags tags) override;
  Task<> tag(Context context, std::string secret, VersionId version, VersionTags tags) override;
  Task<> set_enabled(Context context, std::string secret, VersionId version, bool enabled) override;

 private:
  std::string label_;
  std::shared_ptr<Effects> effects_;
  int numbered_ = 0;
};

// `live_values` per principal: 1 replaces, 2 adds.
class SimulatedDependent final : public Dependent {
 public:
  SimulatedDependent(std::string name, int live_values, std::shared_ptr<Effects> effects)
      : name_(std::move(name)), live_values_(live_values), effects_(std::move(effects)) {}

  std::map<std::string, std::vector<Secret>> accepted;  // by principal
  std::map<std::string, int> connections;               // by principal
  bool reachable = true;
  bool knows_principals = true;  // false: there is nobody whose password could be set
  bool lists_sessions = true;    // false: the list of connections cannot be had
  int refused_logins = 0;        // what a system counts before it locks an account

  void accept(const std::string& principal, std::string_view password) { accepted[principal].push_back(Secret::copy_of(password)); }
  bool accepts(const std::string& principal, const Secret& password) const;

  DependentCapabilities capabilities() const override { return {.live_values_per_principal = live_values_, .tells_sessions = true}; }
  Task<ProbeResult> probe(Context context, std::string principal, const Secret& password) override;
  Task<> install(Context context, std::string principal, const Secret& password) override;
  Task<> withdraw(Context context, std::string principal, const Secret& password) override;
  Task<Sessions> sessions(Context context, std::string principal, std::optional<Instant> since) override;

 private:
  std::string name_;
  int live_values_;
  std::shared_ptr<Effects> effects_;
};

// Makes the values itself. Slot: two, both valid. Shift: the current one and, while it is accepted, the one before.
class SimulatedProvider final : public Dependent {
 public:
  SimulatedProvider(std::string name, Addressing addressing, std::shared_ptr<Effects> effects)
      : name_(std::move(name)), addressing_(addressing), effects_(std::move(effects)) {}

  std::vector<Secret> values;
  bool reachable = true;
  bool refuses_to_make = false;

  bool accepts(const Secret& password) const;
  Secret make();
  // Shift: the time of the one before is over.
  void expire() { values.resize(1); }

  DependentCapabilities capabilities() const override { return {.live_values_per_principal = 2, .addressing = addressing_}; }
  Task<ProbeResult> probe(Context context, std::string principal, const Secret& password) override;
  Task<> install(Context context, std::string principal, const Secret& password) override;
  Task<> withdraw(Context context, std::string principal, const Secret& password) override;
  Task<std::vector<Secret>> held(Context context, std::string principal) override;
  Task<> mint(Context context, std::string principal, int slot) override;
  Task<Sessions> sessions(Context context, std::string principal, std::optional<Instant> since) override;

 private:
  std::string name_;
  Addressing addressing_;
  std::shared_ptr<Effects> effects_;
  int made_ = 0;
};

// Loads the published version when it is converged.
class SimulatedConsumer final : public Consumer {
 public:
  SimulatedConsumer(std::string name, std::shared_ptr<Effects> effects) : name_(std::move(name)), effects_(std::move(effects)) {}

  VersionId loaded;
  std::set<VersionId> sick_on;    // unhealthy with these versions
  bool sick_on_the_next = false;  // and with the next one that it loads
  std::string refusal;            // a reason of api/reasons.h
  ConsumerState before = ConsumerState::Proven;

  Task<ConsumerFacts> observe(Context context, ConvergeTarget target, std::string mark) override;
  Task<std::string> converge(Context context, ConvergeTarget target, std::string mark) override;
  Task<ConsumerFacts> baseline(Context context, std::string vault_url, std::string secret) override;

 private:
  std::string name_;
  std::shared_ptr<Effects> effects_;
};

class SimulatedCatalog final : public Catalog {
 public:
  std::map<std::string, std::shared_ptr<SimulatedVault>> vaults;
  std::map<std::string, std::shared_ptr<Dependent>> dependents;
  std::map<std::string, std::shared_ptr<SimulatedConsumer>> consumers;

  Result<std::shared_ptr<SecretVault>> vault(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::string> vault_url(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::shared_ptr<Dependent>> dependent(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::shared_ptr<Consumer>> consumer(const api::RotationEnvironment& environment, const std::string& name) override;
};

}  // namespace keyturn
