#include "api/schema_builder.h"
#include "api/schema_kinds.h"

namespace keyturn::api::schema {
namespace {

Schema credential_name(std::string description) {
  return object(std::move(description), {{"name", text("revision.serial, as in 2026-q4.1.", 80)},
                                         {"revision", text("The revision.", 63)},
                                         {"serial", integer("The count within the revision.", 0, 1'000'000)}});
}

Schema spec_schema() {
  Schema frozen = without_defaults(secret_rotation_spec());
  frozen.description = "The rotation's spec as it was at admission. Later edits do not reach this run.";
  return object(
      "What the run is to do, fixed when it was admitted.",
      {{"rotationRef", object("The rotation it belongs to.",
                              {{"namespace", name("Namespace of the rotation.")},
                               {"name", text("Name of the rotation.", 253, pattern::subdomain)},
                               {"uid", text("Uid of the rotation: a new object of the same name is another rotation.", 64)}},
                              {"namespace", "name"})},
       {"identity", text("The credential that this run alone may change: one unfinished run per identity.", 1024)},
       {"direction", word<Direction>("Forward: a new value. Back: a retained earlier one.")},
       {"generation", counter("Counts the runs of the identity; it only grows.", 0)},
       {"credential", credential_name("What the run brings in.")},
       {"oldCredential", credential_name("What it replaces.")},
       {"bootstrap", flag("Nothing was published before: the run brings in the first credential, and there is none to go back to.")},
       {"reuseVersion", version_id("Back: the vault version that holds the earlier value.")},
       {"reason", word<Reason>("Why, from the rotation.")},
       {"incident", text("Link or key of an incident, from the rotation.", 512)},
       {"actor", text("Who asked for it.", 256)},
       {"protocol",
        word<Protocol>("Single: one live credential. Dual: two live values of one principal. Alternating: two principals. Slots and "
                       "Shift: the provider makes the value, in one of two places or in front of the one before. SharedKey: every "
                       "service sends a key and accepts a set.")},
       {"pendingPrincipal", text("The principal that gets the new value.", 128)},
       {"oldPrincipal", text("The principal that holds the old value.", 128)},
       {"frozen", std::move(frozen)},
       {"frozenGeneration", counter("metadata.generation of the rotation at admission.", 0)},
       {"planHash", text("Hash of the plan that is carried out.", 80)},
       {"protocolVersion", integer("Version of the protocol. A controller that knows only older ones refuses to go on.", 1, 1000)}},
      {"rotationRef", "direction", "protocol", "frozen", "protocolVersion"});
}

Schema status_schema() {
  Schema target = object("One vault, system or consumer of the run.",
                         {{"kind", word<TargetKind>("What it is.")},
                          {"name", text("Its name in the environment; a system with its principal.", 256)},
                          {"state", text("Pending, Intended, Done, Withdrawn or Failed.", 32)},
                          {"intentEpoch", text("Which ownership last intended an effect on it.", 64)},
                          {"versionSeen", version_id("The vault version it was last seen to have.")},
                          {"attempts", integer("How often the effect was tried.", 0, 1'000'000)},
                          {"mark", text("How far a consumer has come, in its adapter's own words.", 1024)},
                          {"lastError", text("Kind of the last error, as in Unavailable.", 64)},
                          {"changedAt", instant("When this entry last changed.")},
                          {"restarts", atomic_list("When Keyturn began to restart this consumer, for the environment's restartsPerHour.",
                                                   {0, 64}, instant("When it began."))}},
                         {"kind", "name"});
  Schema evidence = object("One observation that proves a step.",
                           {{"at", instant("When it was made.")},
                            {"step", text("The phase it proves.", 64)},
                            {"target", text("What was observed.", 256)},
                            {"what", text("What was seen, as in: fresh login accepted.", 512)}},
                           {"at"});
  return object("How far the run has come. After its end it is the record of it. Never a value, and never a plain hash of one.",
                {{"ownerEpoch", text("Ownership of the controller that last wrote here.", 64)},
                 {"phase", word<Phase>("Where it stands. From Retiring on there is no way back.")},
                 {"blocked", text("Why it cannot go on: a reason of docs/runbook. Absent: it can.", 64, pattern::condition_reason)},
                 {"blockedMessage", text("The same in one sentence.", 1024)},
                 {"stagedVersion", version_id("The pinned choice: version of the new value in the staging vault.")},
                 {"slot", integer("Which of the provider's slots this run regenerates. Absent: none, or not chosen yet.", 0, 1)},
                 {"slotBefore", version_id("Staged copy of what that slot held before.")},
                 {"oldVersion", version_id("What a versionless read returned at admission.")},
                 {"publishedVersion", version_id("Version of the new value in the first vault.")},
                 {"targets", atomic_list("Every vault, system and consumer of the run.", {0, 256}, std::move(target))},
                 {"evidence", atomic_list("What proves the steps.", {0, 512}, std::move(evidence))},
                 {"startedAt", instant("When the run was admitted.")},
                 {"phaseSince", instant("When the phase last changed, moved on by the time in which the run was parked.")},
                 {"parkedSince", instant("Since when the run is parked: suspended, frozen, or over the restart budget.")},
                 {"soakSince", instant("Since when nobody has been seen to use the old credential.")},
                 {"quietNotBefore", instant("Until when a request of an earlier owner may still take effect. For people.")},
                 {"finishedAt", instant("When it ended.")},
                 {"failure", text("Why the direction changed: a reason of docs/runbook.", 64, pattern::condition_reason)},
                 {"previousHash", text("Hash of the record before it.", 80)},
                 {"recordHash", text("Hash of this record, set at its end.", 80)}});
}

}  // namespace

KindSchema rotation_run() {
  KindSchema kind;
  kind.kind = RotationRun::kind;
  kind.plural = RotationRun::plural;
  kind.singular = "rotationrun";
  kind.short_name = "rrun";
  kind.description =
      "The journal of one rotation or of one way back, and after its end the record of it. Written by the controller alone; it is never "
      "edited by hand.";
  kind.spec = spec_schema();
  kind.status = status_schema();
  kind.columns = {
      {"Rotation", "string", "The rotation it belongs to.", ".spec.rotationRef.name"},
      {"Credential", "string", "What it brings in.", ".spec.credential.name"},
      {"Direction", "string", "Forward, back or repair.", ".spec.direction"},
      {"Phase", "string", "Where it stands.", ".status.phase"},
      {"Blocked", "string", "Why it cannot go on.", ".status.blocked"},
      {"Started", "date", "When it was admitted.", ".status.startedAt"},
      {"Age", "date", "When the object was created.", ".metadata.creationTimestamp"},
  };
  kind.selectable_fields = {"spec.rotationRef.name"};
  return kind;
}

}  // namespace keyturn::api::schema
