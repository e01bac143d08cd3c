// The fields of a SecretRotation: for its own codec, and of its spec also for the frozen copy inside of a RotationRun.
#pragma once

#include "api/codec_fields.h"

namespace keyturn::api::codec {

template <class Io>
void describe(Io& io, Like<Io, ScheduleWindow>& v) {
  io.field("days", v.days);
  io.field("start", v.start);
  io.field("duration", v.duration);
  io.required("timeZone", v.time_zone);  // empty is not the default
}

template <class Io>
void describe(Io& io, Like<Io, Schedule>& v) {
  io.field("every", v.every);
  io.field("windows", v.windows);
}

template <class Io>
void describe(Io& io, Like<Io, SecretFormat>& v) {
  io.field("type", v.type);
  io.field("passwordField", v.password_field);
  io.field("userField", v.user_field);
}

template <class Io>
void describe(Io& io, Like<Io, SecretRef>& v) {
  io.field("vaults", v.vaults);
  io.field("name", v.name);
  io.field("format", v.format);
}

template <class Io>
void describe(Io& io, Like<Io, Generator>& v) {
  io.field("type", v.type);
  io.field("length", v.length);
}

template <class Io>
void describe(Io& io, Like<Io, DependentRef>& v) {
  io.field("system", v.system);
  io.field("principals", v.principals);
}

template <class Io>
void describe(Io& io, Like<Io, ConsumerRef>& v) {
  io.field("name", v.name);
  io.field("vault", v.vault);
  io.field("reload", v.reload);
}

template <class Io>
void describe(Io& io, Like<Io, Waves>& v) {
  io.field("maxUnavailable", v.max_unavailable);
  io.field("canary", v.canary);
  io.field("bake", v.bake);
}

template <class Io>
void describe(Io& io, Like<Io, Strategy>& v) {
  io.field("type", v.type);
  io.field("acknowledgeOutage", v.acknowledge_outage);
  io.field("overlap", v.overlap);
  io.field("waves", v.waves);
  io.field("minReplicas", v.min_replicas);
  io.field("progressDeadline", v.progress_deadline);
  io.field("onFailure", v.on_failure);
  io.field("driftPolicy", v.drift_policy);
  io.field("revokeOld", v.revoke_old);
  io.field("sharedKey", v.shared_key);
  io.field("rollbackHold", v.rollback_hold);
}

template <class Io>
void describe(Io& io, Like<Io, SecretRotationSpec>& v) {
  io.group("environmentRef", [&v](Io& reference) { reference.field("name", v.environment); });
  io.field("revision", v.revision);
  io.field("reason", v.reason);
  io.field("incident", v.incident);
  io.field("schedule", v.schedule);
  io.group("pin", [&v](Io& pin) { pin.field("serial", v.pin_serial); });
  io.field("issuedNotBefore", v.issued_not_before);
  io.field("approvedPlan", v.approved_plan);
  io.field("suspend", v.suspend);
  io.field("class", v.secret_class);
  io.field("secret", v.secret);
  io.field("generator", v.generator);
  io.field("dependents", v.dependents);
  io.field("consumers", v.consumers);
  io.field("strategy", v.strategy);
  io.group("history", [&v](Io& history) { history.field("keep", v.history_keep); });
  io.field("deletionPolicy", v.deletion_policy);
}

template <class Io>
void describe(Io& io, Like<Io, CredentialStatus>& v) {
  describe(io, v.name);  // its members stand among the others
  io.field("version", v.version);
  io.field("state", v.state);
  io.field("issuedAt", v.issued_at);
  io.field("activatedAt", v.activated_at);
  io.field("step", v.step);
}

template <class Io>
void describe(Io& io, Like<Io, ConsumerStatus>& v) {
  io.field("name", v.name);
  io.field("using", v.using_credential);
  io.field("state", v.state);
  io.field("evidence", v.evidence);
}

template <class Io>
void describe(Io& io, Like<Io, DependentStatus>& v) {
  io.field("name", v.name);
  io.field("accepts", v.accepts);
  io.field("verifiedAt", v.verified_at);
}

template <class Io>
void describe(Io& io, Like<Io, PlanStatus>& v) {
  io.field("hash", v.hash);
  io.field("nextStep", v.next_step);
  io.field("hazards", v.hazards);
}

template <class Io>
void describe(Io& io, Like<Io, RecordHead>& v) {
  io.field("sealed", v.sealed);
  io.field("hash", v.hash);
}

template <class Io>
void describe(Io& io, Like<Io, SecretRotationStatus>& v) {
  io.field("observedGeneration", v.observed_generation);
  io.field("current", v.current);
  io.field("candidate", v.candidate);
  io.field("previous", v.previous);
  io.field("history", v.history);
  io.field("consumers", v.consumers);
  io.field("dependents", v.dependents);
  io.field("plan", v.plan);
  io.field("run", v.run);
  io.field("record", v.record);
  io.field("nextRotationTime", v.next_rotation);
  io.field("issuedNotBefore", v.issued_not_before);
  io.field("lastHandledReconcileAt", v.last_handled_reconcile_at);
  io.field("conditions", v.conditions);
}

}  // namespace keyturn::api::codec
