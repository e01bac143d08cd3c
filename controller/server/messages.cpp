#include "controller/server/messages.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

namespace keyturn {
namespace {

using google::protobuf::util::TimeUtil;

template <class Message, class Setter>
void set_time(Message& message, Setter mutable_field, const std::optional<Instant>& at) {
  if (at) *(message.*mutable_field)() = TimeUtil::MillisecondsToTimestamp(at->time_since_epoch().count());
}

void fill(v1alpha1::Credential& message, const CredentialView& view) {
  message.set_name(view.name);
  message.set_revision(view.revision);
  message.set_serial(view.serial);
  message.set_vault_version(view.vault_version);
  message.set_state(view.state);
  set_time(message, &v1alpha1::Credential::mutable_issued_at, view.issued_at);
  set_time(message, &v1alpha1::Credential::mutable_activated_at, view.activated_at);
}

void fill(v1alpha1::Condition& message, const ConditionView& view) {
  message.set_type(view.type);
  message.set_status(view.status);
  message.set_reason(view.reason);
  message.set_message(view.message);
  set_time(message, &v1alpha1::Condition::mutable_last_transition_time, view.last_transition);
}

void fill(v1alpha1::Consumer& message, const ConsumerView& view) {
  message.set_name(view.name);
  message.set_using_(view.using_credential);
  message.set_state(view.state);
  message.set_evidence(view.evidence);
}

void fill(v1alpha1::RecordHead& message, const RecordHeadView& view) {
  message.set_sealed(view.sealed);
  message.set_hash(view.hash);
}

}  // namespace

v1alpha1::Rotation message_of(const RotationView& view) {
  v1alpha1::Rotation message;
  message.set_namespace_(view.key.ns);
  message.set_name(view.key.name);
  message.set_generation(view.generation);
  message.set_environment(view.environment);
  message.set_secret(view.secret);
  message.set_wanted_revision(view.wanted_revision);
  message.set_suspended(view.suspended);
  if (view.current) fill(*message.mutable_current(), *view.current);
  if (view.candidate) fill(*message.mutable_candidate(), *view.candidate);
  if (view.previous) fill(*message.mutable_previous(), *view.previous);
  for (const ConsumerView& consumer : view.consumers) fill(*message.add_consumers(), consumer);
  for (const ConditionView& condition : view.conditions) fill(*message.add_conditions(), condition);
  message.set_run(view.run);
  message.set_step(view.step);
  set_time(message, &v1alpha1::Rotation::mutable_next_rotation_time, view.next_rotation);
  message.set_resource_version(view.resource_version);
  set_time(message, &v1alpha1::Rotation::mutable_creation_time, view.created);
  if (view.record) fill(*message.mutable_record(), *view.record);
  return message;
}

NamespaceFilter readable_by(const TokenCheck& tokens, const std::string& user) {
  return [&tokens, &user](const std::string& ns) { return tokens.may_read(user, ns); };
}

v1alpha1::ListRotationsResponse message_of(const RotationList& list, const NamespaceFilter& shown) {
  v1alpha1::ListRotationsResponse message;
  for (const RotationView& rotation : list.rotations)
    if (shown(rotation.key.ns)) *message.add_rotations() = message_of(rotation);
  message.set_resource_version(list.resource_version);
  return message;
}

v1alpha1::GetHistoryResponse message_of(const std::vector<RunView>& runs) {
  v1alpha1::GetHistoryResponse message;
  for (const RunView& run : runs) *message.add_runs() = message_of(run);
  return message;
}

v1alpha1::RotationEvent message_of(const RotationEventView& event) {
  v1alpha1::RotationEvent message;
  switch (event.change) {
    case RotationChange::Added:
      message.set_type(v1alpha1::RotationEvent::ADDED);
      break;
    case RotationChange::Modified:
      message.set_type(v1alpha1::RotationEvent::MODIFIED);
      break;
    case RotationChange::Deleted:
      message.set_type(v1alpha1::RotationEvent::DELETED);
      break;
  }
  *message.mutable_rotation() = message_of(event.rotation);
  return message;
}

v1alpha1::Run message_of(const RunView& view) {
  v1alpha1::Run message;
  message.set_name(view.name);
  message.set_generation(view.generation);
  message.set_direction(view.direction);
  message.set_credential(view.credential);
  message.set_old_credential(view.old_credential);
  message.set_reason(view.reason);
  message.set_incident(view.incident);
  message.set_actor(view.actor);
  message.set_phase(view.phase);
  message.set_blocked(view.blocked);
  set_time(message, &v1alpha1::Run::mutable_started_at, view.started_at);
  set_time(message, &v1alpha1::Run::mutable_finished_at, view.finished_at);
  for (const EvidenceView& evidence : view.evidence) {
    v1alpha1::Evidence& entry = *message.add_evidence();
    set_time(entry, &v1alpha1::Evidence::mutable_at, evidence.at);
    entry.set_step(evidence.step);
    entry.set_target(evidence.target);
    entry.set_what(evidence.what);
  }
  message.set_failure(view.failure);
  message.set_previous_hash(view.previous_hash);
  message.set_record_hash(view.record_hash);
  return message;
}

v1alpha1::RotationPlan message_of(const PlanView& view) {
  v1alpha1::RotationPlan message;
  message.set_decision(view.decision);
  message.set_reason(view.reason);
  message.set_credential(view.credential);
  for (const PlannedStepView& step : view.steps) {
    v1alpha1::PlannedStep& entry = *message.add_steps();
    entry.set_phase(step.phase);
    entry.set_action(step.action);
    entry.set_target(step.target);
    entry.set_description(step.description);
  }
  for (const HazardView& hazard : view.hazards) {
    v1alpha1::Hazard& entry = *message.add_hazards();
    entry.set_severity(hazard.severity);
    entry.set_reason(hazard.reason);
    entry.set_target(hazard.target);
    entry.set_message(hazard.message);
  }
  message.set_hash(view.hash);
  *message.mutable_unsafe_window() = TimeUtil::MillisecondsToDuration(view.unsafe_window.count());
  return message;
}

v1alpha1::Verification message_of(const VerificationView& view) {
  v1alpha1::Verification message;
  message.set_namespace_(view.key.ns);
  message.set_name(view.key.name);
  message.set_intact(view.findings.empty());
  message.set_records(view.records);
  message.set_head(view.head);
  if (view.noted) fill(*message.mutable_noted(), *view.noted);
  for (const FindingView& finding : view.findings) {
    v1alpha1::Finding& entry = *message.add_findings();
    entry.set_kind(finding.kind);
    entry.set_run(finding.run);
    entry.set_message(finding.message);
  }
  return message;
}

std::string to_json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  // It fails only for text that is not UTF-8, and everything here came out of JSON.
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  return status.ok() ? text : "{}";
}

}  // namespace keyturn
