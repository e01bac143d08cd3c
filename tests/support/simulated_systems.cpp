#include "tests/support/simulated_systems.h"

#include <algorithm>
#include <utility>

#include "tests/support/memory_records.h"

namespace keyturn {
namespace {

Error unreachable() { return {Errc::Unavailable, "cannot be reached"}; }

// A copy for an effect that may land after the caller is gone.
std::shared_ptr<const Secret> kept(const Secret& value) { return std::make_shared<const Secret>(value.clone()); }

template <class Port, class Adapters>
Result<std::shared_ptr<Port>> adapter_of(const Adapters& adapters, const std::string& name) {
  const auto found = adapters.find(name);
  if (found == adapters.end()) return Error{Errc::NotFound, "no adapter for this entry"};
  return std::shared_ptr<Port>(found->second);
}

}  // namespace

Result<> Effects::carry_out(const std::string& what, const std::function<void()>& apply) {
  const bool struck = ++count == fault_at;
  if (struck && fault == Fault::NotSent) return unreachable();
  if (struck && fault == Fault::Travels) {
    travelling = [this, what, apply] {
      apply();
      done.push_back(what);
      if (after_each) after_each(what + ", late");
    };
    return Error{Errc::OutcomeUnknown, "no reply in time"};
  }
  apply();
  done.push_back(what);
  if (after_each) after_each(what);
  if (struck && fault == Fault::Crash) throw Crashed();
  if (struck && fault == Fault::LostReply) return Error{Errc::OutcomeUnknown, "the reply was lost"};
  return ok();
}

void Effects::land() {
  const std::function<void()> lands = std::exchange(travelling, nullptr);
  if (lands) lands();
}

bool Effects::may_send(const Context& context) const {
  if (before_sending) before_sending();
  return context.may_send();
}

// ---- vault -------------------------------------------------------------------------------------------------------------------

VersionId SimulatedVault::put(const std::string& secret, std::string_view value, VersionTags tags) {
  VersionId id{"version-" + std::to_string(++numbered_)};
  secrets[secret].push_back({{.id = id, .tags = std::move(tags)}, Secret::copy_of(value)});
  return id;
}

const SimulatedVault::Version* SimulatedVault::find(const std::string& secret, const VersionId& version) const {
  const auto versions = secrets.find(secret);
  if (versions == secrets.end()) return nullptr;
  const auto found =
      std::find_if(versions->second.begin(), versions->second.end(), [&](const Version& one) { return one.about.id == version; });
  return found == versions->second.end() ? nullptr : &*found;
}

void SimulatedVault::disable(const std::string& secret, const VersionId& version) {
  for (Version& one : secrets.at(secret)) {
    if (one.about.id == version) one.about.enabled = false;
  }
}

Task<SecretVault::Latest> SimulatedVault::read_latest(Context, std::string secret) {
  if (!reachable) co_return unreachable();
  Latest latest;
  latest.facts.refusal = refusal;
  if (refusal != VaultRefusal::None) co_return latest;
  const auto found = secrets.find(secret);
  if (found == secrets.end() || found->second.empty()) {
    latest.facts.refusal = VaultRefusal::Missing;
    co_return latest;
  }
  const Version& newest = found->second.back();
  if (!newest.about.enabled) {
    latest.facts.refusal = VaultRefusal::Disabled;
    co_return latest;
  }
  latest.facts.latest = newest.about;
  latest.value = newest.value.clone();
  co_return latest;
}

Task<Secret> SimulatedVault::read(Context, std::string secret, VersionId version) {
  if (!reachable) co_return unreachable();
  const Version* found = find(secret, version);
  if (!found) co_return Error{Errc::NotFound, "no such version"};
  if (denies_values) co_return Error{Errc::Denied, "the identity has no permission"};
  if (!found->about.enabled) co_return Error{Errc::Denied, "the version is disabled"};
  co_return found->value.clone();
}

Task<std::vector<VaultVersion>> SimulatedVault::versions(Context, std::string secret) {
  if (!reachable) co_return unreachable();
  std::vector<VaultVersion> all;
  const auto found = secrets.find(secret);
  if (found == secrets.end()) co_return all;
  for (const Version& version : found->second) all.push_back(version.about);
  co_return all;
}

Task<VaultVersion> SimulatedVault::append(Context context, std::string secret, const Secret& value, VersionTags tags) {
  if (!reachable || !effects_->may_send(context)) co_return unreachable();
  if (read_only) co_return Error{Errc::Denied, "the vault is read-only"};
  const bool staged = secret.starts_with(staging_prefix);
  const Instant created = std::chrono::floor<std::chrono::seconds>(context.clock().now());
  auto appended = effects_->carry_out((staged ? "stage" : "publish") + label_, [this, secret, kept = kept(value), tags, created] {
    kept->expose([&](std::string_view bytes) { put(secret, bytes, tags); });
    secrets.at(secret).back().about.created = created;
  });
  if (!appended) co_return appended.error();
  co_return secrets.at(secret).back().about;
}

Task<> SimulatedVault::tag(Context, std::string secret, VersionId version, VersionTags tags) {
  for (Version& one : secrets[secret]) {
    if (one.about.id == version) one.about.tags = tags;
  }
  co_return ok();
}

Task<> SimulatedVault::set_enabled(Context, std::string secret, VersionId version, bool enabled) {
  std::vector<Version>& all = secrets[secret];
  const bool newest = !all.empty() && all.back().about.id == version;
  if (!enabled && newest && !secret.starts_with(staging_prefix)) co_return Error{Errc::Invalid, "the newest version is in use"};
  for (Version& one : all) {
    if (one.about.id == version) one.about.enabled = enabled;
  }
  co_return ok();
}

// ---- dependent ---------------------------------------------------------------------------------------------------------------

bool SimulatedDependent::accepts(const std::string& principal, const Secret& password) const {
  const auto found = accepted.find(principal);
  if (found == accepted.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const Secret& one) { return one.equals(password); });
}

Task<ProbeResult> SimulatedDependent::probe(Context, std::string principal, const Secret& password) {
  if (!reachable) co_return ProbeResult::Unknown;
  if (accepts(principal, password)) co_return ProbeResult::Accepted;
  ++refused_logins;
  co_return ProbeResult::Rejected;
}

Task<> SimulatedDependent::install(Context context, std::string principal, const Secret& password) {
  if (!reachable || !effects_->may_send(context)) co_return unreachable();
  if (!knows_principals) co_return Error{Errc::NotFound, "no such principal"};
  co_return effects_->carry_out("install " + name_, [this, principal, kept = kept(password)] {
    if (accepts(principal, *kept)) return;
    if (live_values_ == 1) accepted[principal].clear();
    accepted[principal].push_back(kept->clone());
  });
}

Task<> SimulatedDependent::withdraw(Context context, std::string principal, const Secret& password) {
  if (!reachable || !effects_->may_send(context)) co_return unreachable();
  co_return effects_->carry_out("withdraw " + name_, [this, principal, kept = kept(password)] {
    if (live_values_ == 1) accepted[principal].clear();  // nobody knows what was set instead
    std::erase_if(accepted[principal], [&](const Secret& one) { return one.equals(*kept); });
  });
}

Task<Sessions> SimulatedDependent::sessions(Context, std::string principal, std::optional<Instant>) {
  if (!reachable || !lists_sessions) co_return unreachable();
  const auto found = connections.find(principal);
  const int count = found == connections.end() ? 0 : found->second;
  co_return Sessions{.count = count, .clients = std::vector<std::string>(static_cast<std::size_t>(count), "192.0.2.7 a job")};
}

// ---- provider ----------------------------------------------------------------------------------------------------------------

bool SimulatedProvider::accepts(const Secret& password) const {
  return std::any_of(values.begin(), values.end(), [&](const Secret& one) { return one.equals(password); });
}

Secret SimulatedProvider::make() { return Secret::copy_of("made-by-" + name_ + "-" + std::to_string(++made_)); }

Task<ProbeResult> SimulatedProvider::probe(Context, std::string, const Secret& password) {
  if (!reachable) co_return ProbeResult::Unknown;
  co_return accepts(password) ? ProbeResult::Accepted : ProbeResult::Rejected;
}

Task<> SimulatedProvider::install(Context, std::string, const Secret&) { co_return Error{Errc::Invalid, "the provider makes the values"}; }

Task<std::vector<Secret>> SimulatedProvider::held(Context, std::string) {
  if (!reachable) co_return unreachable();
  std::vector<Secret> copies;
  for (const Secret& value : values) copies.push_back(value.clone());
  co_return copies;
}

Task<> SimulatedProvider::mint(Context context, std::string, int slot) {
  if (!reachable || !effects_->may_send(context)) co_return unreachable();
  if (refuses_to_make) co_return Error{Errc::Denied, "the provider makes none"};
  co_return effects_->carry_out("mint " + name_, [this, slot] {
    if (addressing_ == Addressing::Slot) {
      values[static_cast<std::size_t>(slot)] = make();
      return;
    }
    values.insert(values.begin(), make());
    if (values.size() > 2) values.pop_back();
  });
}

// The request names a place, which is looked up before it is sent, as an adapter must.
Task<> SimulatedProvider::withdraw(Context context, std::string, const Secret& password) {
  if (!reachable || !effects_->may_send(context)) co_return unreachable();
  const auto found = std::find_if(values.begin(), values.end(), [&](const Secret& one) { return one.equals(password); });
  if (found == values.end()) co_return ok();
  const auto slot = found - values.begin();
  if (addressing_ == Addressing::Shift && slot == 0) co_return Error{Errc::Invalid, "the current value cannot be dropped"};
  co_return effects_->carry_out("withdraw " + name_, [this, slot] {
    if (addressing_ == Addressing::Slot) {
      values[static_cast<std::size_t>(slot)] = make();
    } else if (values.size() > 1) {
      values.pop_back();
    }
  });
}

Task<Sessions> SimulatedProvider::sessions(Context, std::string, std::optional<Instant>) { co_return Sessions{}; }

// ---- consumer ----------------------------------------------------------------------------------------------------------------

Task<ConsumerFacts> SimulatedConsumer::observe(Context, ConvergeTarget target, std::string) {
  ConsumerFacts facts{.state = ConsumerState::Stale, .replicas = 2, .refusal = refusal};
  if (loaded == target.version) facts.state = sick_on.contains(loaded) ? ConsumerState::Unhealthy : ConsumerState::Proven;
  co_return facts;
}

Task<std::string> SimulatedConsumer::converge(Context context, ConvergeTarget target, std::string) {
  if (!effects_->may_send(context)) co_return unreachable();
  auto moved = effects_->carry_out("converge " + name_, [this, target] {
    loaded = target.version;
    if (sick_on_the_next) sick_on.insert(loaded);
    sick_on_the_next = false;
  });
  if (!moved) co_return moved.error();
  co_return "loaded " + target.version.value;
}

Task<ConsumerFacts> SimulatedConsumer::baseline(Context, std::string, std::string) {
  co_return ConsumerFacts{.state = before, .replicas = 2, .refusal = refusal};
}

// ---- catalog -----------------------------------------------------------------------------------------------------------------

Result<std::shared_ptr<SecretVault>> SimulatedCatalog::vault(const api::RotationEnvironment&, const std::string& name) {
  return adapter_of<SecretVault>(vaults, name);
}
Result<std::string> SimulatedCatalog::vault_url(const api::RotationEnvironment&, const std::string& name) {
  return "https://" + name + ".vault.example";
}
Result<std::shared_ptr<Dependent>> SimulatedCatalog::dependent(const api::RotationEnvironment&, const std::string& name) {
  return adapter_of<Dependent>(dependents, name);
}
Result<std::shared_ptr<Consumer>> SimulatedCatalog::consumer(const api::RotationEnvironment&, const std::string& name) {
  return adapter_of<Consumer>(consumers, name);
}

}  // namespace keyturn
