#include "api/schema_builder.h"
#include "api/schema_kinds.h"

namespace keyturn::api::schema {
namespace {

Schema schedule_schema() {
  Schema window =
      object("One opening. A scheduled rotation starts only inside of one; it may end later.",
             {{"days", set_of("Days on which the window opens: Mon, Tue, Wed, Thu, Fri, Sat, Sun. Absent: every day.", {0, 7},
                              word<Weekday>("A day of the week, by the local date at which the window opens."))},
              {"start", text("When it opens, as local time in 24 hours: \"02:00\".", 5, pattern::time_of_day)},
              {"duration", duration("How long it stays open, from 1m to 24h, as in 4h. It may run past midnight.")},
              {"timeZone", text("IANA name of the time zone of start, as in Europe/Berlin. Absent: UTC.", 64, pattern::time_zone)}},
             {"start", "duration"});
  return object("When a new serial of the revision is due by itself. Absent: only a new revision or a raised floor rotates.",
                {{"every", duration("Time from the last proven success to the next rotation, from 1m to 87600h; 2160h is 90 days.")},
                 {"windows", atomic_list("When a scheduled rotation may start. Absent: at any time. A compromise never waits for a window.",
                                         {0, 16}, std::move(window))}},
                {"every"});
}

Schema secret_schema() {
  Schema format = object(
      "How the password stands inside of the secret's value. Everything else of the value is kept as it is and compared afterwards.",
      {{"type", word("Opaque: the value is the password. AdoNetConnectionString: key=value pairs. Url: user and password before the @. "
                     "Json: a document with the password at a pointer. KeySet: a document of its own, with the key to send and the "
                     "keys to accept, as in {\"send\":\"new\",\"accept\":[\"new\",\"old\"]}.",
                     FormatType::Opaque)},
       {"passwordField", text("AdoNetConnectionString: the key, as in Password. Json: the pointer, as in /redis/password. Url and "
                              "Opaque: leave it out.",
                              128, pattern::field_name)},
       {"userField", text("Where the user name stands, in the same notation, as in User Id. Needed where two principals alternate.", 128,
                          pattern::field_name)}});
  return object("Where the secret is published.",
                {{"vaults", set_of("Names of vaults that the environment declares. Several: the same value goes to all of them, and each "
                                   "gate waits for all.",
                                   {1, 16}, name("Name of a vault of the environment, not of Azure."))},
                 {"name", text("The secret's name in the vaults: letters, digits and '-'. A \"--\" stands for ':' in .NET configuration.",
                               127, pattern::vault_secret)},
                 {"format", std::move(format)}},
                {"vaults", "name"});
}

Schema generator_schema() {
  return object(
      "How a new value is made. Absent: a password of 32 characters.",
      {{"type", word("Password: letters and digits, every class present, safe in every format. Hex and Base64: random bytes as text. "
                     "Uuid: lower case, version 4. ProviderMinted: the system itself makes the value, as Azure's Redis caches do.",
                     GeneratorType::Password)},
       {"length", with_default(integer("Characters of a Password, from 16 to 128; bytes of Hex and Base64, from 16 to 64. Without meaning "
                                       "for Uuid and ProviderMinted.",
                                       16, 128),
                               32)}});
}

Schema dependents_schema() {
  return list_of_maps(
      "Systems that check the credential. All of them accept the new one before it is published anywhere.", "system", {0, 8},
      object("One system and whom of it this secret is for.",
             {{"system", name("Name of a system that the environment declares.")},
              {"principals",
               set_of("Logins, roles or users. Two: they alternate, and nothing is ever refused. One: it gets a second password where the "
                      "system can hold two, else its password is replaced. Absent: the system has keys and no logins.",
                      {1, 2}, text("A login, role, user or client that the environment lists for the system.", 128, pattern::principal))}},
             {"system"}));
}

Schema consumers_schema() {
  return list_of_maps(
      "Applications that load the secret. The old credential stays valid until each of them is proven to use the new one.", "name", {0, 64},
      object(
          "One application.",
          {{"name", name("Name of a consumer that the environment declares.")},
           {"vault", name("Which of secret.vaults it reads. Absent: the first.")},
           {"reload", word<ReloadMode>("How it comes to load the new value. Restart (the default): it is restarted, in waves. Poll: it is "
                                       "watched until it has polled the vault by itself, about every 30 minutes.")}},
          {"name"}));
}

Schema waves_schema() {
  return object("In which steps the consumers are moved.",
                {{"maxUnavailable", with_default(integer("How many consumers are moved at the same time.", 1, 64), 1)},
                 {"canary", set_of("Consumers that go first, alone. The others follow when these are proven and bake is over.", {0, 64},
                                   name("Name of a consumer of this rotation."))},
                 {"bake", with_default(duration("How long the canaries are watched before the others follow, up to 168h."), "0s")}});
}

Schema strategy_schema() {
  return object(
      "How a rotation is carried out.",
      {{"type", word("Auto: the safest that the system can do. DualCredential: refuse whatever cannot hold two credentials. InPlace: "
                     "replace the password of the one principal.",
                     StrategyType::Auto)},
       {"acknowledgeOutage", with_default(flag("Says that you know of the moment in which the published value may be refused. Needed where "
                                               "only one credential can live at a time."),
                                          false)},
       {"overlap", with_default(duration("How long the old credential stays valid after every consumer has moved, up to 2160h. A confirmed "
                                         "compromise makes it 0."),
                                "24h")},
       {"waves", waves_schema()},
       {"minReplicas", with_default(integer("Fewer running copies of a consumer than this are shown as a hazard in the plan, or refused if "
                                            "the environment says so.",
                                            1, 100),
                                    2)},
       {"progressDeadline", with_default(duration("A run that makes no progress for so long has failed, from 1s to 168h."), "1h")},
       {"onFailure",
        word("Rollback: store, systems and consumers go back together. Hold: stop and wait for a human.", OnFailure::Rollback)},
       {"driftPolicy",
        word("What happens when somebody else changes the value. Report: say so and stop. Enforce: put it right.", DriftPolicy::Report)},
       {"revokeOld",
        with_default(flag("Only for ProviderMinted: also mint the other slot at the end, so that nothing old stays valid."), false)},
       {"sharedKey", word("Only for class SharedKey. AcceptSet: every service holds two keys meanwhile. AcknowledgedWindow: services hold "
                          "one, and may refuse each other while they are moved.",
                          SharedKeyMode::AcceptSet)},
       {"rollbackHold",
        with_default(duration("After going back, the schedule waits this long before it mints again, up to 2160h."), "24h")}});
}

Schema credential(std::string description) {
  return object(
      std::move(description),
      {{"name", text("revision.serial, as in 2026-q4.1.", 80)},
       {"revision", text("The revision it was minted for.", 63)},
       {"serial", integer("The count within the revision.", 0, 1'000'000)},
       {"version", version_id("Version of the secret in the first vault; while a candidate, of the staged value.")},
       {"state", word<CredentialState>("Candidate: a run brings it in. Current: published and proven. Previous: still accepted. "
                                       "Retired: no longer accepted, can be brought back. Revoked: never comes back. Rejected: a run "
                                       "tried it and went back.")},
       {"issuedAt", instant("When its value was made.")},
       {"activatedAt", instant("When it was last proven to be in use everywhere.")},
       {"step", text("Of a candidate: the phase of its run.", 32)}});
}

Schema status_schema() {
  Schema consumer = object("What is known of one consumer.",
                           {{"name", name("Name of the consumer.")},
                            {"using", text("The credential it is proven to use, as in 2026-q4.1. Absent: not known.", 80)},
                            {"state", text("Pending, Syncing, Restarting, Verified, Unhealthy or Unknown.", 32)},
                            {"evidence", text("How that is known, as in: 2 of 2 replicas started after the sync.", 512)}},
                           {"name"});
  Schema dependent = object("What is known of one system.",
                            {{"name", name("Name of the system.")},
                             {"accepts", atomic_list("Credentials that were last seen to log in.", {0, 8}, text("revision.serial.", 80))},
                             {"verifiedAt", instant("When a fresh login was last tried.")}},
                            {"name"});
  Schema plan = object("What the controller is about to do.",
                       {{"hash", text("Hash of the plan; an approval names it.", 80)},
                        {"nextStep", text("The next step, in words.", 256)},
                        {"hazards", integer("How many hazards the plan lists; `keyturn plan` shows them.", 0, 1000)}});
  Schema record = object(
      "The end of the chain of this rotation's records; `keyturn verify` compares it with the journal. It moves along the chain only: "
      "where the noted record is no longer in the journal, it stays.",
      {{"sealed", counter("How many records were sealed.", 0)}, {"hash", text("Hash of the last of them.", 71, pattern::sha256)}});
  Schema status = object(
      "What is the case, written by the controller alone. It is rebuilt from the vault's tags and the runs if it is lost.",
      {{"observedGeneration", observed_generation()},
       {"current", credential("The credential in use.")},
       {"candidate", credential("The credential that a run brings in.")},
       {"previous", credential("The credential before, for as long as it is still accepted.")},
       {"history", atomic_list("Credentials, newest first, at most history.keep of them.", {0, 100}, credential("One credential."))},
       {"consumers", list_of_maps("What is known of the consumers.", "name", {0, 64}, std::move(consumer))},
       {"dependents", list_of_maps("What is known of the systems.", "name", {0, 8}, std::move(dependent))},
       {"plan", std::move(plan)},
       {"run", text("Name of the RotationRun under way. Absent: none.", 253)},
       {"record", std::move(record)},
       {"nextRotationTime", instant("When the schedule asks for the next rotation, at the earliest.")},
       {"issuedNotBefore", instant("The compromise floor that was acted on. It never moves back.")},
       {"lastHandledReconcileAt", text("The last value of the annotation keyturn.dev/requestedAt that was acted on.", 128)},
       {"conditions", conditions("Ready, Reconciling and Stalled (present only when true), Rotating, Drifted, RotationOverdue, Suspended, "
                                 "Pinned.")}});
  return with_default(std::move(status), {{"observedGeneration", -1}});
}

}  // namespace

Schema secret_rotation_spec() {
  return object(
      "What is wanted. The controller never writes here.",
      {{"environmentRef", object("The environment that declares the vaults, systems and consumers named below.",
                                 {{"name", text("Name of a RotationEnvironment.", 253, pattern::subdomain)}}, {"name"})},
       {"revision",
        text("Name of the credential generation that must be in use. A new name rotates now; a name used before goes back to it.", 63,
             pattern::revision)},
       {"reason",
        word("Why. ConfirmedCompromise together with a new revision or floor: no overlap, no windows, and no way back.", Reason::Routine)},
       {"incident", text("Link or key of an incident, copied to the record.", 512)},
       {"schedule", schedule_schema()},
       {"pin", object("Holds one serial of the revision; the schedule is off meanwhile.",
                      {{"serial", integer("The serial to hold, counted from 1.", 1, 1'000'000)}}, {"serial"})},
       {"issuedNotBefore",
        instant("Everything issued earlier is compromised: a new serial is minted at once. Once acted on it never moves back, "
                "whatever is written here later.")},
       {"approvedPlan", text("Hash of the plan that was read and approved, from `keyturn plan`. Needed where the environment asks for it.",
                             71, pattern::sha256)},
       {"suspend", with_default(flag("Nothing new starts while true. A run under way is parked at its next safe point."), false)},
       {"class", word("Credential: a login to a system. SharedKey: services check it among themselves. Reminder: only its age is tracked. "
                      "EncryptionKey: refused, because rotating it destroys data.",
                      SecretClass::Credential)},
       {"secret", secret_schema()},
       {"generator", generator_schema()},
       {"dependents", dependents_schema()},
       {"consumers", consumers_schema()},
       {"strategy", strategy_schema()},
       {"history", object("What is kept of earlier credentials.",
                          {{"keep", with_default(integer("How many earlier credentials can be gone back to.", 1, 100), 5)}})},
       {"deletionPolicy", word("What deleting this object does to the credential. Retain: nothing. Revoke: not supported yet, and refused.",
                               DeletionPolicy::Retain)}},
      {"environmentRef", "revision", "secret"});
}

KindSchema secret_rotation() {
  KindSchema kind;
  kind.kind = SecretRotation::kind;
  kind.plural = SecretRotation::plural;
  kind.singular = "secretrotation";
  kind.short_name = "srot";
  kind.description =
      "Says which generation of one secret must be in use: in its vaults, at the systems that check it and in the applications that load "
      "it. It never holds a value. Written by a team, through Git or kubectl.";
  kind.spec = secret_rotation_spec();
  kind.status = status_schema();
  kind.rules = secret_rotation_rules();
  kind.columns = {
      {"Ready", "string", "Whether the wanted credential is in use and proven.", R"(.status.conditions[?(@.type=="Ready")].status)"},
      {"Reason", "string", "Why.", R"(.status.conditions[?(@.type=="Ready")].reason)"},
      {"Wanted", "string", "The revision that is wanted.", ".spec.revision"},
      {"Current", "string", "The credential in use.", ".status.current.name"},
      {"Rotated", "date", "When the credential in use was proven.", ".status.current.activatedAt"},
      {"Next", "string", "When the schedule asks for the next rotation.", ".status.nextRotationTime"},
      {"Age", "date", "When the object was created.", ".metadata.creationTimestamp"},
      {"Environment", "string", "The environment.", ".spec.environmentRef.name", 1},
      {"Secret", "string", "The secret's name in its vaults.", ".spec.secret.name", 1},
      {"Suspended", "string", "Whether nothing new starts.", ".spec.suspend", 1},
      {"Message", "string", "The state in one sentence.", R"(.status.conditions[?(@.type=="Ready")].message)", 1},
  };
  kind.selectable_fields = {"spec.revision", "spec.environmentRef.name", "spec.secret.name"};
  return kind;
}

}  // namespace keyturn::api::schema
