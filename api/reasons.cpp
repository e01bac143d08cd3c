#include "api/reasons.h"

#include <array>

namespace keyturn::api::reason {
namespace {

constexpr std::array entries{
    // Ready
    Entry{current_verified, "The wanted credential is published, accepted by every system, and every consumer is proven to use it.",
          "Nothing to do."},
    Entry{rotating, "A run is under way. The old credential stays valid until every consumer is proven to use the new one.",
          "Nothing to do. Follow it with `kubectl get srot NAME -w`, or `kubectl describe rrun RUN`, where RUN is `status.run`."},
    Entry{rolled_back, "The last run failed and everything went back to the credential before. That credential is in use and proven.",
          "Read why: `kubectl get rrun RUN -o jsonpath='{.status.failure}'`. Remove the cause, then write a new `revision`; the rejected "
          "serial is not tried again."},
    Entry{not_yet_issued, "No credential of this rotation exists yet, and the first run has not finished.",
          "Wait for the first run. If none starts, look at the condition Stalled and at `kubectl get renv ENVIRONMENT`."},
    Entry{verification_lost,
          "The current credential was proven earlier, and the last look could not confirm it: a system refused it or a consumer turned "
          "unhealthy.",
          "Look at `status.dependents` and `status.consumers` for what changed, and put it right. Ask for another look with `kubectl "
          "annotate srot NAME --overwrite keyturn.dev/requestedAt=$(date +%s)`."},
    Entry{store_unreachable, "The vault did not answer, so that nothing can be said about what is published. Nothing is changed meanwhile.",
          "Look at the environment: `kubectl get renv NAME -o yaml` says under `status.vaults` whether it is out of reach or refuses the "
          "identity. It goes on by itself when the vault answers again."},
    Entry{reachable, "Every vault, system and consumer of the environment answered when it was last looked at.", "Nothing to do."},
    Entry{unreachable, "A vault, system or consumer of the environment did not answer, refused the identity, or is misconfigured.",
          "The message names the first; `kubectl get renv NAME -o yaml` shows all under `status`. It is looked at again by itself."},
    // Reconciling
    Entry{revision_changed, "The revision in the spec differs from the one in use; a run brings it in.",
          "Nothing to do. To stay with the old one, write the old name back."},
    Entry{rolling_back, "Store, systems and consumers are going back to the credential before.",
          "Nothing to do until it has ended. Then see RolledBack."},
    Entry{floor_raised, "`issuedNotBefore` was raised above the issue time of the current credential; a new serial is brought in at once.",
          "Nothing to do. Windows and overlap are ignored on purpose."},
    Entry{pin_changed, "`pin.serial` names another serial than the one in use; a run goes there.",
          "Nothing to do. Remove `pin` when the schedule is to go on."},
    Entry{scheduled, "The schedule was due and a window is open; a new serial is brought in.", "Nothing to do."},
    Entry{deleting, "The object is being deleted; what is under way is brought to a safe end first.",
          "Wait. If it stays for long, `kubectl describe rrun RUN` says what it waits for."},
    // Stalled
    Entry{revision_not_retained, "The revision was used before, and its value is no longer kept. The current credential stays.",
          "Write one of the revisions that the message names, or a new name, which mints a new value. To keep more, raise `history.keep`."},
    Entry{revision_revoked,
          "Every credential of that revision is revoked, rejected or older than the compromise floor. It never comes back.",
          "Write a new revision name."},
    Entry{pinned_serial_not_found, "`pin.serial` names a serial that never existed or is no longer kept. The current credential stays.",
          "Choose a serial from `keyturn history NAME`, or remove `pin`."},
    Entry{pinned_serial_revoked, "`pin.serial` names a serial that is revoked, rejected or older than the compromise floor.",
          "Choose another serial from `keyturn history NAME`, or remove `pin`."},
    Entry{invalid_reference, "The spec names an environment that does not exist, or the spec does not fit the environment.",
          "The message names the field. Check it with `kubectl get renv`; `kubectl apply --dry-run=server -f FOLDER` checks manifests "
          "without applying them."},
    Entry{permission_denied, "Azure or a system refused the controller's identity.",
          "Look at `status` of the environment for which target refuses the identity, and grant what it lacks: Key Vault Secrets Officer "
          "for a vault; read, write and restart for an application. Azure needs up to ten minutes to apply a grant."},
    Entry{attempts_exhausted, "Several serials of this revision were tried and each run went back.",
          "Read `status.failure` of the last runs: `kubectl get rrun -A --field-selector spec.rotationRef.name=NAME`. Remove the cause, "
          "then write a new "
          "revision name, which starts the count again."},
    Entry{progress_deadline_exceeded, "A run made no progress for `strategy.progressDeadline`.",
          "`kubectl describe rrun RUN` shows the phase and the target that it waits for. Put that target right; with `onFailure: Hold` the "
          "run then goes on."},
    Entry{unsupported, "The spec asks for a type of system or consumer that this version of the controller has no adapter for.",
          "Upgrade the controller, or take the entry out of the rotation and do that part by hand."},
    // Blocked runs
    Entry{baseline,
          "Before anything was touched something was already wrong: the vault cannot be read, the old credential does not log in, or a "
          "consumer is unhealthy.",
          "The message names what. Put it right; the run is admitted by itself afterwards."},
    Entry{drift, "A system accepts neither the old nor the new credential: somebody changed it by hand.",
          "Find out who, at the system. Then set the password there to the published value, or write a new `revision` with `driftPolicy: "
          "Enforce`."},
    Entry{foreign_publish, "The newest version in the vault is neither the old nor the new value: somebody published in between.",
          "Look at it with `az keyvault secret list-versions --vault-name VAULT --name SECRET -o table`. If it is right, write a new "
          "`revision` to adopt it as the old one; if not, write `driftPolicy: Enforce`."},
    Entry{foreign_owner, "The newest version carries the `keyturn-owner` tag of another installation: two of them manage one secret.",
          "Decide which one owns it and delete the SecretRotation at the other, with `deletionPolicy: Retain`. Then remove the tag: `az "
          "keyvault secret set-attributes --id VERSION-ID --tags`."},
    Entry{journal_behind, "The vault carries a newer generation than the journal: the API server was restored from an older backup.",
          "Nothing is lost: delete the SecretRotation with `deletionPolicy: Retain` and apply it again. The ledger is rebuilt from the "
          "vault's tags, and nothing rotates."},
    Entry{identity_in_use, "Another rotation has an unfinished run for the same principal of the same system.",
          "Wait for it to finish. If two objects manage one principal, delete one of them with `deletionPolicy: Retain`."},
    Entry{not_bound, "No binding of the environment gives this namespace all that the rotation names, or what it names does not exist.",
          "Compare the spec with `bindings` in `kubectl get renv ENVIRONMENT -o yaml`, or ask the environment's administrators for a "
          "binding. One binding must cover all of it."},
    Entry{permission, "The controller's identity may not do the next step at the vault, the system or the application.",
          "Look at `status` of the environment for which target refuses the identity, and grant what it lacks: Key Vault Secrets Officer "
          "for a vault; read, write and restart for an application."},
    Entry{
        secret_disabled, "The newest version of the secret is disabled, so that every reader without a version is refused.",
        "Enable it again: `az keyvault secret set-attributes --id VERSION-ID --enabled true`. Never disable the newest version to go back: "
        "write the old `revision` instead."},
    Entry{secret_soft_deleted, "The secret was deleted and can still be recovered; nothing can be published under its name.",
          "Recover it: `az keyvault secret recover --vault-name VAULT --name SECRET`. Do not purge it: earlier values would be lost."},
    Entry{vault_read_only, "The vault answers reads and refuses writes for more than a minute, as during a failover of its region.",
          "Wait: nothing is started, and runs stop before they publish. Azure's service health page tells when the region is back."},
    Entry{inline_secrets_present,
          "The Container App has secrets that hold values of their own. It cannot be changed without sending those values again.",
          "Move them to the vault: `az containerapp secret set --name APP --resource-group GROUP --secrets "
          "NAME=keyvaultref:URI,identityref:IDENTITY`."},
    Entry{reference_pinned,
          "The Container App refers to one version of the secret while the environment says Versionless: it would never load a new one.",
          "Make the reference versionless in the app's definition, or write `reference: Pinned` in the environment, which lets a rotation "
          "change it."},
    Entry{consumer_template_failed,
          "The application's last deployment failed before the run: any change would try the broken template again.",
          "Repair it first: `az containerapp show --name APP --resource-group GROUP --query properties.provisioningState` must say "
          "Succeeded."},
    Entry{unsafe_restart, "A restart may lose the application's DataProtection key ring, and with it what it has encrypted.",
          "Keep the key ring outside of the container and write `dataProtection: Persisted`, or `NotUsed` if the application has none. "
          "Nothing was touched."},
    Entry{
        outage_not_acknowledged,
        "The system holds one credential at a time, so that the published value is refused for a moment, and nobody has agreed to that.",
        "Read the plan with `keyturn plan NAME`, then write `strategy.acknowledgeOutage: true`; or name two principals, which alternate."},
    Entry{approval_required, "The environment is protected, and the plan is not approved or has changed since.",
          "Read it with `keyturn plan NAME` and commit its hash as `approvedPlan`."},
    Entry{format_not_reversible, "The published value does not fit `secret.format`: taken apart and put together again it would differ.",
          "Compare the value's shape with the format: the names in `passwordField` and `userField` must be those in the value."},
    Entry{value_lost, "The value that the run had chosen can no longer be read from the staging vault.",
          "If somebody deleted it, recover it: `az keyvault secret recover --vault-name STAGING --name SECRET`. Otherwise write a new "
          "`revision`; the old credential is untouched."},
    Entry{version_too_new, "The run was begun by a newer version of the controller, whose protocol this one does not know.",
          "Start the newer version again and let it finish."},
    // Others
    Entry{suspended, "`suspend` is true: nothing new starts.",
          "Write `suspend: false` when it may go on. What is overdue then starts in the next window."},
    Entry{pinned, "`pin.serial` holds one serial; the schedule is off.", "Remove `pin` when the schedule is to go on."},
    Entry{outside_window, "A rotation is due and no window of the schedule is open.",
          "Wait for `status.nextRotationTime`. To rotate now, write a new `revision`: it does not wait for a window."},
    Entry{consumer_unhealthy, "A consumer that was moved to the new credential is not healthy.",
          "With `onFailure: Rollback` everything goes back by itself. Look at the application's log; then write a new `revision`."},
    Entry{publish_deadline_exceeded, "Publishing took longer than the environment allows, so that the run turned back.",
          "Look whether the vault is throttled or read-only: `kubectl get renv ENVIRONMENT`. Then write a new `revision`."},
    Entry{floor_kept, "`issuedNotBefore` was lowered or removed. The floor that was acted on stays: what was revoked stays revoked.",
          "Nothing to do."},
    Entry{adopted, "The secret existed already. Its value was taken over as it is; nothing was rotated.",
          "Nothing to do. The first rotation follows the schedule, counted from the version's own age."},
    Entry{succeeded, "The run has ended: the new credential is in use everywhere and the old one is retired.",
          "Nothing to do. `kubectl get rrun RUN -o yaml` is the record."},
};

}  // namespace

std::span<const Entry> all() { return entries; }

}  // namespace keyturn::api::reason
