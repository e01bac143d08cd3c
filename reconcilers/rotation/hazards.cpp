#include "reconcilers/rotation/hazards.h"

#include <algorithm>
#include <tuple>

#include "api/reasons.h"
#include "reconcilers/rotation/preview.h"

namespace keyturn {
namespace {

namespace reason = api::reason;
using api::Protocol;

const EnvironmentView::ConsumerView* find(const EnvironmentView& view, const std::string& name) {
  const auto found = std::find_if(view.consumers.begin(), view.consumers.end(), [&](const auto& one) { return one.name == name; });
  return found == view.consumers.end() ? nullptr : &*found;
}

void single_credential(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  if (protocol_of(spec, view) != Protocol::Single) return;
  const std::string where = spec.dependents.empty() ? std::string{} : spec.dependents.front().system;
  const bool acknowledged = spec.strategy.acknowledge_outage;
  out.push_back(
      {.severity = acknowledged ? Severity::Warning : Severity::Blocking,
       .reason = reason::outage_not_acknowledged,
       .target = where,
       .message = acknowledged
                      ? "only one credential can live: new logins fail from the change at the system until each consumer has reloaded"
                      : "only one credential can live, so new logins fail until each consumer has reloaded: name two principals "
                        "that alternate, or set strategy.acknowledgeOutage: true"});
}

void consumers_of(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  const bool strict = view.environment && view.environment->protection.require_min_replicas;
  for (const api::ConsumerRef& consumer : spec.consumers) {
    const EnvironmentView::ConsumerView* known = find(view, consumer.name);
    if (!known) continue;
    if (!known->refusal.empty()) {
      out.push_back({Severity::Blocking, reason::consumer_template_failed, consumer.name, "cannot be converged: " + known->refusal});
    }
    if (known->replicas >= 0 && known->replicas < spec.strategy.min_replicas) {
      out.push_back({strict ? Severity::Blocking : Severity::Warning, reason::unsafe_restart, consumer.name,
                     "has " + std::to_string(known->replicas) + " replicas, fewer than minReplicas " +
                         std::to_string(spec.strategy.min_replicas) + ": its restart may be noticed"});
    }
    if (consumer.reload == api::ReloadMode::Poll) {
      out.push_back({Severity::Info, reason::rotating, consumer.name, "is waited for: the platform reloads it within 30 minutes"});
    }
  }
  if (spec.consumers.empty()) {
    out.push_back(
        {Severity::Warning, reason::invalid_reference, {}, "no consumer is declared: nobody is proven to use the new credential"});
  }
}

void environment_of(const api::SecretRotationSpec& spec, const EnvironmentView& view, Hazards& out) {
  if (!view.environment) return;
  for (const api::ConsumerRef& consumer : spec.consumers) {
    const auto entry = std::find_if(view.environment->consumers.begin(), view.environment->consumers.end(),
                                    [&](const api::ConsumerEntry& one) { return one.name == consumer.name; });
    if (entry == view.environment->consumers.end() || !entry->container_app) continue;
    if (entry->container_app->reference == api::ReferenceMode::Pinned) {
      out.push_back({Severity::Info, reason::reference_pinned, consumer.name,
                     "its reference is written with the version: infrastructure code will see drift there"});
    }
    if (entry->container_app->data_protection == api::DataProtection::Detect) {
      out.push_back({Severity::Info, reason::unsafe_restart, consumer.name,
                     "its DataProtection key ring is not declared persisted: a restart loses a ring kept in the container"});
    }
  }
  if (view.environment->protection.approval_required) {
    out.push_back({Severity::Info, reason::approval_required, {}, "the environment is protected: set approvedPlan to this plan's hash"});
  }
}

}  // namespace

Hazards hazards(const api::SecretRotationSpec& spec, const EnvironmentView& view) {
  Hazards found;
  single_credential(spec, view, found);
  consumers_of(spec, view, found);
  environment_of(spec, view, found);
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
