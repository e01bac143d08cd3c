// The fields of a RotationRun.
#pragma once

#include "api/codec_secret_rotation.h"

namespace keyturn::api::codec {

template <class Io>
void describe(Io& io, Like<Io, RunTarget>& v) {
  io.field("kind", v.kind);
  io.field("name", v.name);
  io.field("state", v.state);
  io.field("intentEpoch", v.intent_epoch);
  io.field("versionSeen", v.version_seen);
  io.sparse("attempts", v.attempts, 0);
  io.field("mark", v.mark);
  io.field("lastError", v.last_error);
  io.field("changedAt", v.changed_at);
  io.field("restarts", v.restarts);
}

template <class Io>
void describe(Io& io, Like<Io, Evidence>& v) {
  io.field("at", v.at);
  io.field("step", v.step);
  io.field("target", v.target);
  io.field("what", v.what);
}

template <class Io>
void describe(Io& io, Like<Io, RotationRunSpec>& v) {
  io.group("rotationRef", [&v](Io& reference) {
    reference.field("namespace", v.rotation.ns);
    reference.field("name", v.rotation.name);
    reference.field("uid", v.rotation_uid);
  });
  io.field("identity", v.identity);
  io.field("direction", v.direction);
  io.field("generation", v.generation);
  io.field("credential", v.credential);
  io.field("oldCredential", v.old_credential);
  io.sparse("bootstrap", v.bootstrap, false);
  io.field("reuseVersion", v.reuse_version);
  io.field("reason", v.reason);
  io.field("incident", v.incident);
  io.field("actor", v.actor);
  io.field("protocol", v.protocol);
  io.field("pendingPrincipal", v.pending_principal);
  io.field("oldPrincipal", v.old_principal);
  io.field("frozen", v.frozen);
  io.field("frozenGeneration", v.frozen_generation);
  io.field("planHash", v.plan_hash);
  io.field("protocolVersion", v.protocol_version);
}

template <class Io>
void describe(Io& io, Like<Io, RotationRunStatus>& v) {
  io.field("ownerEpoch", v.owner_epoch);
  io.field("phase", v.phase);
  io.field("blocked", v.blocked);
  io.field("blockedMessage", v.blocked_message);
  io.field("stagedVersion", v.staged_version);
  io.field("slot", v.slot);
  io.field("slotBefore", v.slot_before);
  io.field("oldVersion", v.old_version);
  io.field("publishedVersion", v.published_version);
  io.field("targets", v.targets);
  io.field("evidence", v.evidence);
  io.field("startedAt", v.started_at);
  io.field("phaseSince", v.phase_since);
  io.field("parkedSince", v.parked_since);
  io.field("soakSince", v.soak_since);
  io.field("quietNotBefore", v.quiet_not_before);
  io.field("finishedAt", v.finished_at);
  io.field("failure", v.failure);
  io.field("previousHash", v.previous_hash);
  io.field("recordHash", v.record_hash);
}

}  // namespace keyturn::api::codec
