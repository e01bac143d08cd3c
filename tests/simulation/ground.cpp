#include "tests/simulation/ground.h"

#include <algorithm>

#include "base/hash.h"
#include "reconcilers/rotation/targets.h"

namespace keyturn::simulation {
const StoredVersion* Vault::newest(const std::string& secret) const {
  const auto found = secrets.find(secret);
  return found == secrets.end() || found->second.empty() ? nullptr : &found->second.back();
}

StoredVersion* Vault::find(const std::string& secret, const VersionId& version) {
  const auto all = secrets.find(secret);
  if (all == secrets.end()) return nullptr;
  const auto found = std::find_if(all->second.begin(), all->second.end(), [&](const auto& one) { return one.about.id == version; });
  return found == all->second.end() ? nullptr : &*found;
}

void Ground::found(std::size_t index, const std::string& password) {
  const Subject& subject = subjects[index];
  const bool shared = subject.protocol == api::Protocol::SharedKey;
  const Login login = shared ? Login{} : Login{subject.principals.front(), password};
  const std::string value = shared ? render(Keys{password, {password}}) : render(login);
  std::map<std::string, VersionId> first;
  for (const std::string& vault : subject.vaults) {
    first[vault] = VersionId{"version-" + std::to_string(++versions_)};
    vaults[vault].secrets[subject.secret].push_back({{.id = first[vault], .created = clock_.now()}, value});
  }
  for (const std::string& name : subject.systems) systems[name] = System(subject.protocol, login, fresh());
  for (std::size_t i = 0; i < subject.consumers.size(); ++i) {
    Application& application = applications[subject.consumers[i]];
    application.subject = index;
    application.vault = subject.vaults[i % subject.vaults.size()];
    application.value = value;
    application.loaded = application.resolved = first[application.vault];
  }
}

// ---- vaults ------------------------------------------------------------------------------------------------------------------

Result<SecretVault::Latest> Ground::read_latest(const std::string& vault, const std::string& secret) const {
  SecretVault::Latest latest;
  const StoredVersion* newest = vaults.at(vault).newest(secret);
  if (!newest) {
    latest.facts.refusal = VaultRefusal::Missing;
  } else if (!newest->about.enabled) {
    latest.facts.refusal = VaultRefusal::Disabled;
  } else {
    latest.facts.latest = newest->about;
    latest.value = Secret::copy_of(newest->value);
  }
  return latest;
}

Result<Secret> Ground::read(const std::string& vault, const std::string& secret, const VersionId& version) {
  const StoredVersion* found = vaults.at(vault).find(secret, version);
  if (!found) return Error{Errc::NotFound, "no such version"};
  if (!found->about.enabled) return Error{Errc::Denied, "the version is disabled"};
  return Secret::copy_of(found->value);
}

Result<std::vector<VaultVersion>> Ground::versions(const std::string& vault, const std::string& secret) const {
  std::vector<VaultVersion> all;
  const auto& secrets = vaults.at(vault).secrets;
  const auto found = secrets.find(secret);
  if (found == secrets.end()) return all;
  for (const StoredVersion& version : found->second) all.push_back(version.about);
  return all;
}

Result<VaultVersion> Ground::append(const std::string& name, const std::string& secret, const std::string& value, const VersionTags& tags) {
  Vault& vault = vaults.at(name);
  if (vault.read_only) return Error{Errc::Unavailable, "the vault is read-only"};
  std::vector<StoredVersion>& all = vault.secrets[secret];
  const std::optional<StoredVersion> before = all.empty() ? std::nullopt : std::optional(all.back());
  all.push_back({{.id = {"version-" + std::to_string(++versions_)}, .created = clock_.now(), .tags = tags}, value});
  const StoredVersion written = all.back();
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (subjects[i].secret != secret) continue;
    if (watcher) watcher->published(i, written, before ? &*before : nullptr);
    told(i, "publish");
  }
  return written.about;
}

Result<> Ground::tag(const std::string& vault, const std::string& secret, const VersionId& version, const VersionTags& tags) {
  if (StoredVersion* found = vaults.at(vault).find(secret, version)) found->about.tags = tags;
  return ok();
}

Result<> Ground::set_enabled(const std::string& name, const std::string& secret, const VersionId& version, bool enabled) {
  Vault& vault = vaults.at(name);
  if (vault.read_only) return Error{Errc::Unavailable, "the vault is read-only"};
  StoredVersion* found = vault.find(secret, version);
  if (!found) return Error{Errc::NotFound, "no such version"};
  const bool in_use = !enabled && found == vault.newest(secret) && !secret.starts_with(staging_prefix);
  if (in_use) return Error{Errc::Invalid, "the newest version is in use"};
  found->about.enabled = enabled;
  for (std::size_t i = 0; i < subjects.size(); ++i) told(i, enabled ? "enable" : "disable");
  return ok();
}

// ---- systems -----------------------------------------------------------------------------------------------------------------

std::size_t Ground::subject_of_system(const std::string& system) const {
  const auto found = std::find_if(subjects.begin(), subjects.end(), [&](const Subject& subject) {
    return std::find(subject.systems.begin(), subject.systems.end(), system) != subject.systems.end();
  });
  return static_cast<std::size_t>(found - subjects.begin());
}

ProbeResult Ground::probe(const std::string& system, const Login& login) const {
  if (!systems.at(system).accepts(login)) return ProbeResult::Rejected;
  if (watcher) watcher->logged_in(system, login);
  return ProbeResult::Accepted;
}

void Ground::install(const std::string& name, const Login& login) {
  systems.at(name).install(login);
  told(subject_of_system(name), "install");
}

void Ground::withdraw(const std::string& name, const Login& login) {
  dropped(name, systems.at(name).withdraw(login, fresh()));
  told(subject_of_system(name), "withdraw");
}

void Ground::mint(const std::string& name, int slot) {
  dropped(name, systems.at(name).mint(static_cast<std::size_t>(std::max(slot, 0)), fresh()));
  told(subject_of_system(name), "mint");
}

std::string Ground::fresh() { return to_hex(sha256("made by a provider " + std::to_string(++made_))).substr(0, 24); }

void Ground::dropped(const std::string& system, const std::vector<Login>& logins) {
  for (const Login& login : logins) {
    if (watcher) watcher->withdrawing(subject_of_system(system), login);
  }
}

Sessions Ground::sessions(const std::string& system, const std::string& principal) const {
  const std::size_t subject = subject_of_system(system);
  Sessions found;
  for (const std::string& name : subjects[subject].consumers) {
    const Application& application = applications.at(name);
    if (!application.running || login_of(application.value).principal != principal) continue;
    ++found.count;
    found.clients.push_back("192.0.2.7 " + name);
  }
  return found;
}

// ---- consumers ---------------------------------------------------------------------------------------------------------------

bool Ground::healthy(const Application& application) const {
  if (application.sick || application.ill_with == application.value) return false;
  return application.lies || accepted_everywhere(application.subject, login_of(application.value));
}

ConsumerFacts Ground::observe(const std::string& consumer, const VersionId& target) const {
  const Application& application = applications.at(consumer);
  ConsumerFacts facts{.state = ConsumerState::Stale, .replicas = 2};
  if (!application.running) {
    facts.state = ConsumerState::Moving;
  } else if (application.loaded == target) {
    facts.state = healthy(application) ? ConsumerState::Proven : ConsumerState::Unhealthy;
    facts.evidence = "started after the sync";
  }
  return facts;
}

ConsumerFacts Ground::baseline(const std::string& consumer) const {
  const Application& application = applications.at(consumer);
  return {.state = application.running && healthy(application) ? ConsumerState::Proven : ConsumerState::Unhealthy, .replicas = 2};
}

// Two acts, as on a platform that keeps a copy: make it look at the vault again, then restart. Both are idempotent by what is seen.
std::string Ground::converge(const std::string& consumer, const VersionId& target) {
  Application& application = applications.at(consumer);
  const Subject& subject = subjects[application.subject];
  if (application.resolved != target) {
    const StoredVersion* latest = published(application.subject, application.vault);
    if (latest && latest->about.enabled) application.resolved = latest->about.id;
    return "synced " + application.resolved.value;
  }
  if (application.running && application.loaded != target) {
    const StoredVersion* next = vaults.at(application.vault).find(subject.secret, application.resolved);
    if (watcher && next) watcher->restarting(application.subject, next->value);
    begin_start(consumer);
  }
  return "restarted " + application.resolved.value;
}

void Ground::restart_by_itself(const std::string& consumer) {
  Application& application = applications.at(consumer);
  if (!application.running) return;
  const StoredVersion* latest = published(application.subject, application.vault);
  if (latest && latest->about.enabled) application.resolved = latest->about.id;
  begin_start(consumer);
}

void Ground::begin_start(const std::string& consumer) {
  Application& application = applications.at(consumer);
  application.running = false;
  const int start = ++application.starts;
  told(application.subject, "stop " + consumer);
  later_(application.start_time, [this, consumer, start] {
    Application& now = applications.at(consumer);
    if (now.starts != start) return;
    const Subject& subject = subjects[now.subject];
    const StoredVersion* next = vaults.at(now.vault).find(subject.secret, now.resolved);
    if (next) {
      if (now.ill_next && next->value != now.value) {
        now.ill_with = next->value;
        now.ill_next = false;
      }
      now.value = next->value;
      now.loaded = now.resolved;
    }
    now.running = true;
    told(now.subject, "start " + consumer);
  });
}

// ---- by hand -----------------------------------------------------------------------------------------------------------------

void Ground::set_by_hand(const std::string& name, const Login& login, bool alone) {
  System& system = systems.at(name);
  if (is_minted(system.protocol())) {
    system.mint(0, login.password);
  } else if (alone) {
    system.set_alone(login);
  } else {
    system.install(login);
  }
  told(subject_of_system(name), "set by hand");
}

void Ground::purge_staged(std::size_t index) {
  const std::string staged = staging_name(subjects[index].vaults.front(), subjects[index].secret);
  for (auto& [name, vault] : vaults) vault.secrets.erase(staged);
  told(index, "purged");
}

void Ground::publish_by_hand(std::size_t index, const Login& login, const std::string& owner) {
  const Subject& subject = subjects[index];
  const bool shared = subject.protocol == api::Protocol::SharedKey;
  for (const std::string& name : subject.vaults) {
    const VersionId id{"version-" + std::to_string(++versions_)};
    const std::string value = shared ? render(Keys{login.password, {login.password}}) : render(login);
    StoredVersion version{{.id = id, .created = clock_.now()}, value, clock_.boot_now()};
    if (!owner.empty()) version.about.tags = {.run = "of-another", .generation = 1, .owner = owner, .credential = {"theirs", 1}};
    vaults.at(name).secrets[subject.secret].push_back(std::move(version));
  }
  told(index, "published by hand");
}

// ---- looks -------------------------------------------------------------------------------------------------------------------

const StoredVersion* Ground::published(std::size_t subject, const std::string& vault) const {
  return vaults.at(vault).newest(subjects[subject].secret);
}

bool Ground::accepted_everywhere(std::size_t subject, const Login& login) const {
  const std::vector<std::string>& names = subjects[subject].systems;
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) { return systems.at(name).accepts(login); });
}

}  // namespace keyturn::simulation
