#include "reconcilers/rotation/hazards.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

#include "api/hazards.h"
#include "reconcilers/rotation/generator.h"
#include "reconcilers/rotation/preview.h"
#include "reconcilers/rotation/unsafe_characters.h"

namespace keyturn {
namespace {

namespace hazard = api::hazard;
using api::Protocol;

const EnvironmentView::ConsumerView* find(const EnvironmentView& view, const std::string& name) {
  const auto found = std::find_if(view.consumers.begin(), view.consumers.end(), [&](const auto& one) { return one.name == name; });
  return found == view.consumers.end() ? nullptr : &*found;
}

const api::ConsumerEntry* entry_of(const EnvironmentView& view, const std::string& name) {
  if (!view.environment) return nullptr;
  const std::vector<api::ConsumerEntry>& entries = view.environment->consumers;
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const api::ConsumerEntry& one) { return one.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

// Azure's names compare without regard to case.
bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// ---- of the credential -------------------------------------------------------------------------------------------------------

void of_the_window(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  if (spec.secret_class == api::SecretClass::SharedKey) {
    if (spec.strategy.shared_key == api::SharedKeyMode::AcceptSet) return;
    out.push_back({Severity::Warning, hazard::unsafe_window, {}, "services with the old and the new key refuse each other meanwhile"});
    return;
  }
  if (protocol_of(spec, view) != Protocol::Single) return;
  const std::string where = spec.dependents.empty() ? std::string{} : spec.dependents.front().system;
  if (spec.strategy.acknowledge_outage) {
    out.push_back({Severity::Warning, hazard::unsafe_window, where,
                   "only one credential can live: new logins fail from the change at the system until each consumer has reloaded"});
    return;
  }
  out.push_back({Severity::Blocking, hazard::outage_not_acknowledged, where,
                 "only one credential can live, so new logins fail until each consumer has reloaded: name two principals that alternate, "
                 "or set strategy.acknowledgeOutage: true"});
}

void of_the_alphabet(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  const std::string_view alphabet = alphabet_of(spec.generator.type);
  const auto warn = [&](const std::string& target, std::string_view syntax, const std::string& where) {
    const std::string unsafe = unsafe_in(alphabet, syntax);
    if (unsafe.empty()) return;
    out.push_back(
        {Severity::Warning, hazard::unsafe_alphabet, target, "new values may hold " + unsafe + ", which mean something " + where});
  };
  warn({}, syntax_of(spec.secret.format.type), "in the secret's format");
  for (const api::ConsumerRef& consumer : spec.consumers) {
    const api::ConsumerEntry* entry = entry_of(view, consumer.name);
    if (entry) warn(consumer.name, syntax_of_consumer(entry->type), "to the platform that hands them over");
  }
}

// ---- of the consumers --------------------------------------------------------------------------------------------------------

// The hazard that a finding is for a consumer that is restarted, or only waited for.
std::optional<Hazard> hazard_of(ConsumerFinding finding, const api::ConsumerRef& consumer) {
  const bool restarts = consumer.reload == api::ReloadMode::Restart;
  const auto blocking = [&](std::string_view word, const char* text) { return Hazard{Severity::Blocking, word, consumer.name, text}; };
  const auto warning = [&](std::string_view word, const char* text) { return Hazard{Severity::Warning, word, consumer.name, text}; };
  const auto info = [&](std::string_view word, const char* text) { return Hazard{Severity::Info, word, consumer.name, text}; };
  switch (finding) {
    case ConsumerFinding::ReadDenied:
      return blocking(hazard::permission, "may not be looked at: grant Microsoft.App/containerApps/read");
    case ConsumerFinding::Unreachable:
      return warning(hazard::consumer_unknown, "could not be looked at just now: its hazards are not known");
    case ConsumerFinding::WriteDenied:
      if (!restarts) return std::nullopt;
      return blocking(hazard::permission, "may not be written: grant Microsoft.App/containerApps/write");
    case ConsumerFinding::RestartDenied:
      if (!restarts) return std::nullopt;
      return blocking(hazard::permission, "may not be restarted: grant Microsoft.App/containerApps/revisions/restart/action");
    case ConsumerFinding::VolumeUser:
      return warning(hazard::volume_user, "reads the secret from a mounted file: that it was read again is not proven");
    case ConsumerFinding::ScaleRuleUser:
      return warning(hazard::scale_rule_user, "has a scale rule that logs in with the secret, which a restart does not refresh");
    case ConsumerFinding::RegistryUser:
      return warning(hazard::registry_user, "has its images pulled with the secret: a wrong value shows at the next pull only");
    case ConsumerFinding::DaprUser:
      return info(hazard::dapr_user, "runs with Dapr, whose components hold secrets of their own");
    case ConsumerFinding::NoUseSeen:
      return info(hazard::no_use_seen, "refers to the secret, but nothing in its template uses it");
    case ConsumerFinding::KeyRingNotPersisted:
      return blocking(
          hazard::unsafe_restart,
          "uses DataProtection, and its key ring was not seen outside of the container: write dataProtection: Persisted once it "
          "is, or NotUsed");
    case ConsumerFinding::KeyRingOfDotNet:
      return warning(hazard::key_ring_unknown, "looks like .NET and says nothing of a DataProtection key ring: declare dataProtection");
    case ConsumerFinding::KeyRingNotSeen:
      return info(hazard::key_ring_unknown, "whether it has a DataProtection key ring cannot be seen: declare dataProtection");
  }
  return std::nullopt;
}

// A refusal is a reason of the closed list, which gives the text a life as long as the program's.
std::string_view listed(const std::string& refusal) {
  for (const api::reason::Entry& entry : api::reason::all()) {
    if (entry.reason == refusal) return entry.reason;
  }
  return hazard::unsupported;
}

void of_the_replicas(const api::SecretRotationSpec& spec, const EnvironmentView& view, const EnvironmentView::ConsumerView& known,
                     Hazards& out) {
  if (known.replicas < 0 || known.replicas >= spec.strategy.min_replicas) return;
  const bool strict = view.environment && view.environment->protection.require_min_replicas;
  const std::string fewer = ", fewer than minReplicas " + std::to_string(spec.strategy.min_replicas);
  const std::string text = known.replicas == 0   ? "runs no copy: it cannot be proven until one runs"
                           : known.replicas == 1 ? "runs a single copy" + fewer + ": its restart may be noticed"
                                                 : "runs " + std::to_string(known.replicas) + " copies" + fewer;
  out.push_back({strict ? Severity::Blocking : Severity::Warning, hazard::too_few_replicas, known.name, text});
}

void of_a_consumer(const api::SecretRotationSpec& spec, const EnvironmentView& view, const api::ConsumerRef& consumer, Hazards& out) {
  const api::ConsumerEntry* entry = entry_of(view, consumer.name);
  if (entry && entry->container_app && entry->container_app->reference == api::ReferenceMode::Pinned) {
    out.push_back({Severity::Info, hazard::pinned_reference, consumer.name,
                   "has its reference written with the version: infrastructure code will see drift there"});
  }
  if (consumer.reload == api::ReloadMode::Poll) {
    out.push_back(
        {Severity::Info, hazard::platform_reload, consumer.name, "is waited for: the platform reloads it by itself within 30 minutes"});
  }
  const EnvironmentView::ConsumerView* known = find(view, consumer.name);
  if (!known) return;
  if (!known->refusal.empty()) {
    out.push_back({Severity::Blocking, listed(known->refusal), consumer.name, "cannot be converged: " + known->refusal});
  }
  if (known->unhealthy) out.push_back({Severity::Warning, hazard::consumer_unhealthy, consumer.name, "is not healthy now"});
  of_the_replicas(spec, view, *known, out);
  for (const ConsumerFinding finding : known->findings) {
    if (std::optional<Hazard> found = hazard_of(finding, consumer)) out.push_back(std::move(*found));
  }
}

// ---- of others ---------------------------------------------------------------------------------------------------------------

// The name under which the environment declares this application; empty = it does not.
std::string declared_as(const EnvironmentView& view, const SecretUser& user) {
  if (!view.environment || user.kind != SecretUser::Kind::Application) return {};
  for (const api::ConsumerEntry& entry : view.environment->consumers) {
    if (!entry.container_app) continue;
    if (same_name(entry.container_app->resource_group, user.group) && same_name(entry.container_app->app, user.name)) return entry.name;
  }
  return {};
}

void of_other_users(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  for (const SecretUser& user : view.users.users) {
    const std::string where = user.group + "/" + user.name;
    if (user.kind == SecretUser::Kind::Job) {
      out.push_back({Severity::Warning, hazard::job_user, where,
                     user.pinned ? "a job refers to one version of the secret and will keep it"
                                 : "a job refers to the secret: an execution under way keeps the old value"});
      continue;
    }
    const std::string name = declared_as(view, user);
    const bool ours = std::any_of(spec.consumers.begin(), spec.consumers.end(), [&](const auto& one) { return one.name == name; });
    if (ours) continue;
    std::string text = name.empty() ? "refers to the secret and is not declared in the environment"
                                    : "refers to the secret and is not named under consumers; the environment declares it as " + name;
    if (user.pinned) text += "; it is pinned to a version and will be locked out";
    out.push_back({Severity::Warning, hazard::undeclared_consumer, where, std::move(text)});
  }
  for (const std::string& what : view.users.not_read) {
    out.push_back({Severity::Info, hazard::users_unknown, what, "could not be listed: who else refers to the secret is not known"});
  }
}

void of_the_environment(const EnvironmentView& view, Hazards& out) {
  for (const std::string& vault : view.vaults_denied) {
    out.push_back(
        {Severity::Blocking, hazard::permission, vault,
         "versions may not be listed: grant Key Vault Secrets Officer. Whether it can be written shows only when a value is staged"});
  }
  if (view.environment && view.environment->protection.approval_required) {
    out.push_back({Severity::Info, hazard::approval_required, {}, "the environment is protected: set approvedPlan to this plan's hash"});
  }
}

}  // namespace

Hazards hazards(const api::SecretRotationSpec& spec, const EnvironmentView& view) {
  Hazards found;
  of_the_window(spec, view, found);
  of_the_alphabet(spec, view, found);
  for (const api::ConsumerRef& consumer : spec.consumers) of_a_consumer(spec, view, consumer, found);
  if (spec.consumers.empty()) {
    found.push_back({Severity::Warning, hazard::no_consumers, {}, "no consumer is declared: nobody is proven to use the new credential"});
  }
  of_other_users(spec, view, found);
  of_the_environment(view, found);
  std::sort(found.begin(), found.end(), [](const Hazard& a, const Hazard& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    return std::tie(a.target, a.reason, a.message) < std::tie(b.target, b.reason, b.message);
  });
  return found;
}

std::string_view name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::Info:
      return "Info";
    case Severity::Warning:
      return "Warning";
    case Severity::Blocking:
      return "Blocking";
  }
  return "Info";
}

}  // namespace keyturn
