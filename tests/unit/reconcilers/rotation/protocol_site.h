// The world of site.h, rebuilt for the protocols that need more: a provider that makes the values, services that share a key, several
// vaults. What must never be false is looked at after each effect.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reconcilers/rotation/key_set.h"
#include "tests/unit/reconcilers/rotation/site.h"

namespace keyturn {

enum class Kind {
  Slots,         // the provider's other slot keeps the old value valid
  SlotsRevoked,  // and here it does not
  Shift,         // the value before fades out
  ShiftRevoked,
  AcceptSet,  // services that hold two keys meanwhile, in two vaults
  Window,     // services that hold one
  FanOut,     // two live values, three vaults
};
inline constexpr Kind every_kind[] = {Kind::Slots,     Kind::SlotsRevoked, Kind::Shift, Kind::ShiftRevoked,
                                      Kind::AcceptSet, Kind::Window,       Kind::FanOut};

inline std::string word_of(Kind kind) {
  constexpr const char* words[] = {"Slots", "SlotsRevoked", "Shift", "ShiftRevoked", "AcceptSet", "Window", "FanOut"};
  return words[static_cast<std::size_t>(kind)];
}

class ProtocolSite : public Site {
 public:
  explicit ProtocolSite(Kind of_kind) : Site(api::Protocol::Dual), kind(of_kind) {
    if (is_slots() || is_shift()) use_a_provider();
    if (is_shared()) share_a_key();
    if (kind == Kind::FanOut) fan_out();
  }

  const Kind kind;
  std::shared_ptr<SimulatedProvider> provider;                 // null where values are chosen
  std::vector<std::shared_ptr<SimulatedVault>> vaults{vault};  // in the order of the spec
  std::vector<std::size_t> reads{0, 0};                        // which vault each consumer reads

  bool is_slots() const { return kind == Kind::Slots || kind == Kind::SlotsRevoked; }
  bool is_shift() const { return kind == Kind::Shift || kind == Kind::ShiftRevoked; }
  bool is_shared() const { return kind == Kind::AcceptSet || kind == Kind::Window; }
  bool revokes() const { return kind == Kind::SlotsRevoked || kind == Kind::ShiftRevoked; }

  const api::SecretFormat& format() const { return records.rotations.empty() ? format_ : records.rotations.at(key).spec.secret.format; }
  const Secret& published_in(std::size_t at) const { return vaults[at]->newest(secret_name).value; }
  const Secret& loaded_by(std::size_t consumer) const {
    return vaults[reads[consumer]]->find(secret_name, consumers[consumer]->loaded)->value;
  }
  bool is_accepted(const Secret& value) const {
    if (is_shared()) return true;
    const auto login = extract(format_, value, "app_a");
    if (!login) return false;
    return provider ? provider->accepts(login->password) : dependent->accepts(login->principal, login->password);
  }

  // Whoever restarts now loads what its vault returns: both are looked at.
  std::vector<const Secret*> states_of(std::size_t consumer) const { return {&loaded_by(consumer), &published_in(reads[consumer])}; }
  bool everybody_is_accepted() const {
    for (std::size_t i = 0; i < consumers.size(); ++i) {
      for (const Secret* value : states_of(i)) {
        if (!is_accepted(*value)) return false;
      }
    }
    return true;
  }
  static bool understands(const Secret& receiver, const Secret& sender) {
    const auto accepts = read_key_set(receiver);
    const auto sends = read_key_set(sender);
    if (!accepts || !sends) return false;
    return std::any_of(accepts->accept.begin(), accepts->accept.end(), [&](const Secret& one) { return one.equals(sends->send); });
  }
  bool everybody_understands_everybody() const {
    for (std::size_t sender = 0; sender < consumers.size(); ++sender) {
      for (std::size_t receiver = 0; receiver < consumers.size(); ++receiver) {
        for (const Secret* sent : states_of(sender)) {
          for (const Secret* held : states_of(receiver)) {
            if (!understands(*held, *sent)) return false;
          }
        }
      }
    }
    return true;
  }
  void watch_the_invariants() {
    effects->after_each = [this](const std::string& what) {
      if (kind == Kind::Window) return;  // refusals in the window are what was acknowledged
      EXPECT_TRUE(everybody_is_accepted()) << "after " << what;
      if (kind == Kind::AcceptSet) EXPECT_TRUE(everybody_understands_everybody()) << "after " << what;
    };
  }

  // Passes until `reached`, and lets what travels land `after` so long.
  template <class Condition>
  bool pass_until_landing(Condition reached, Duration after) {
    std::optional<Instant> lands;
    return pass_until([&] {
      if (effects->travelling && !lands) lands = clock.now() + after;
      if (effects->travelling && clock.now() >= *lands) effects->land();
      return reached() && !effects->travelling;
    });
  }
  bool settle_landing(const std::string& credential, Duration after) {
    const auto ended = [&] { return at_rest() && run_record()->spec.credential.to_string() == credential; };
    if (!pass_until_landing(ended, after)) return false;
    pass();
    pass();
    return true;
  }

  // Every vault and every consumer has the same value, and it is accepted.
  void expect_one_value_everywhere() const {
    for (std::size_t i = 0; i < vaults.size(); ++i) EXPECT_TRUE(published_in(i).equals(published_in(0)));
    for (std::size_t i = 0; i < consumers.size(); ++i) EXPECT_TRUE(loaded_by(i).equals(published_in(0)));
    EXPECT_TRUE(everybody_is_accepted());
    if (kind == Kind::AcceptSet) EXPECT_TRUE(everybody_understands_everybody());
    EXPECT_TRUE(everything_staged_is_disabled());
  }

 private:
  void publish_at_first(const std::string& value) {
    for (const auto& one : vaults) one->put(secret_name, value);
    for (std::size_t i = 0; i < consumers.size(); ++i) consumers[i]->loaded = vaults[reads[i]]->newest(secret_name).about.id;
  }

  void use_a_provider() {
    provider = std::make_shared<SimulatedProvider>("erp-db", is_slots() ? Addressing::Slot : Addressing::Shift, effects);
    provider->values.push_back(Secret::copy_of("first-value"));
    if (is_slots()) provider->values.push_back(Secret::copy_of("other-value"));
    catalog.dependents = {{"erp-db", provider}};
    api::SecretRotationSpec& spec = object().spec;
    spec.secret.format = {};
    spec.generator.type = api::GeneratorType::ProviderMinted;
    spec.dependents = {{"erp-db", {"app_a"}}};
    spec.strategy.revoke_old = revokes();
    format_ = spec.secret.format;
    publish_at_first("first-value");
  }

  void add_vault(const std::string& name) {
    vaults.push_back(std::make_shared<SimulatedVault>(effects, " " + name));
    catalog.vaults[name] = vaults.back();
    environment().vaults.push_back({.name = name, .vault = name, .secrets = {"*"}});
    object().spec.secret.vaults.push_back(name);
  }
  // The second consumer reads the second vault, a third one the last vault.
  void spread_consumers() {
    consumers.push_back(std::make_shared<SimulatedConsumer>("worker", effects));
    catalog.consumers["worker"] = consumers.back();
    environment().consumers.push_back({.name = "worker", .type = "ContainerApp"});
    object().spec.consumers = {
        {.name = "portal"}, {.name = "inventory", .vault = "second"}, {.name = "worker", .vault = object().spec.secret.vaults.back()}};
    reads = {0, 1, vaults.size() - 1};
  }

  void share_a_key() {
    api::SecretRotationSpec& spec = object().spec;
    const bool window = kind == Kind::Window;
    spec.secret_class = api::SecretClass::SharedKey;
    spec.strategy.shared_key = window ? api::SharedKeyMode::AcknowledgedWindow : api::SharedKeyMode::AcceptSet;
    spec.secret.format = {window ? api::FormatType::Opaque : api::FormatType::KeySet, {}, {}};
    spec.dependents.clear();
    format_ = spec.secret.format;
    add_vault("second");
    spread_consumers();
    publish_at_first(window ? "first-key" : R"({"send":"first-key","accept":["first-key"]})");
  }

  void fan_out() {
    format_ = object().spec.secret.format;
    add_vault("second");
    add_vault("third");
    spread_consumers();
    publish_at_first(std::string(first_value));
  }

  api::SecretFormat format_;
};

}  // namespace keyturn
