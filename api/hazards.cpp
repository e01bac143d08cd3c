#include "api/hazards.h"

#include <array>

namespace keyturn::api::hazard {
namespace {

constexpr std::string_view blocking = "Blocking";
constexpr std::string_view warning = "Warning";
constexpr std::string_view info = "Info";

constexpr std::array entries{
    // Of the credential
    Entry{outage_not_acknowledged, blocking,
          "The system holds one credential at a time, so that new logins fail for a while, and nobody has agreed to that.",
          "Name two principals that alternate, or write `strategy.acknowledgeOutage: true`."},
    Entry{unsafe_window, warning,
          "New logins fail for about as long as the plan says. For a shared key: services with the old and the new key refuse each other.",
          "Choose a quiet window in `schedule.windows`. Two principals that alternate, or an accept set, need no such window."},
    Entry{
        unsafe_alphabet, warning,
        "New values may hold characters that mean something in the secret's format, or to the platform that hands them to the application.",
        "Use a generator whose values need no escaping: Password, Hex, Uuid or Base64. Where the provider makes the values, try the "
        "consumers with a value that holds those characters first."},
    // Of the consumers that are declared
    Entry{no_consumers, warning, "No consumer is declared: nobody is proven to use the new credential before the old one is withdrawn.",
          "Name every application that uses the secret under `consumers`."},
    Entry{too_few_replicas, "Blocking, Warning",
          "The application runs fewer copies than `strategy.minReplicas`: its restart may be noticed. Blocking where the environment says "
          "`requireMinReplicas`.",
          "Scale it up, or lower `strategy.minReplicas` for an application that may pause. One with no copy is not proven until it runs."},
    Entry{unsafe_restart, blocking,
          "The application uses ASP.NET DataProtection, and its key ring was not seen to be kept outside of the container: any restart "
          "loses it, and with it what it has encrypted.",
          "Keep the key ring outside, then write `dataProtection: Persisted`; write `NotUsed` if the application has none."},
    Entry{key_ring_unknown, "Warning, Info",
          "Whether a restart loses a DataProtection key ring cannot be seen from outside. A Warning where the application looks like .NET.",
          "Write `dataProtection: Persisted` or `NotUsed` in the environment, once somebody who knows the application has said so."},
    Entry{inline_secrets_present, blocking,
          "The application has secrets with values of their own: it cannot be changed without sending those again.",
          "Move them to the vault."},
    Entry{reference_pinned, blocking,
          "The application refers to one version of the secret while the environment says Versionless: it would never load a new one.",
          "Make the reference versionless, or write `reference: Pinned` in the environment."},
    Entry{pinned_reference, info, "The application's reference is written with the new version: infrastructure code will see drift there.",
          "Let that code ignore the version, or write `reference: Versionless` in the environment."},
    Entry{consumer_template_failed, blocking, "The application's last deployment failed: any change would try the broken one again.",
          "Repair the deployment first."},
    Entry{invalid_reference, blocking, "The application does not exist, or does not refer to this secret in this vault.",
          "Mend the name, or the reference in the application; or take the consumer out of the spec."},
    Entry{unsupported, blocking, "The consumer cannot be converged in the way that the spec asks for.",
          "Use `reload: Restart` for an application whose reference is pinned."},
    Entry{consumer_unhealthy, warning, "The application is not healthy before the run has begun, so that the run would stop or go back.",
          "Look at the application first. A run waits for a healthy baseline."},
    Entry{consumer_unknown, warning, "The application could not be looked at just now; its hazards are not known.",
          "Ask for the plan again. `kubectl get renv ENVIRONMENT -o yaml` says under `status.consumers` what is wrong."},
    Entry{platform_reload, info, "`reload: Poll`: the platform reads the new value by itself, within 30 minutes, and is waited for.",
          "Nothing to do; `reload: Restart` is faster."},
    Entry{
        volume_user, warning,
        "The application reads the secret from a mounted file. Keyturn proves that its copies were restarted, not that the file was read.",
        "Make sure that the application reads the file at its start."},
    Entry{scale_rule_user, warning, "A scale rule logs in with the secret. A restart does not refresh it; the platform's own sync does.",
          "Keep `overlap` longer than 30 minutes, and look at the scaler afterwards."},
    Entry{registry_user, warning, "The platform pulls images with the secret. A wrong value shows only at the next pull, as at a restart.",
          "Use a managed identity for the registry, or try a pull with the new credential during the overlap."},
    Entry{dapr_user, info, "The application runs with Dapr, whose components hold secrets of their own, which are not looked at.",
          "Check whether a Dapr component uses the same credential; it has to be moved by hand."},
    Entry{no_use_seen, info,
          "The application refers to the secret, but nothing in its template uses it. Built-in authentication (Easy Auth) may.",
          "Check what uses it; remove the reference if nothing does."},
    // Of others
    Entry{undeclared_consumer, warning,
          "Another application refers to the secret and is not one of the rotation's consumers. It is neither restarted nor proven; pinned "
          "to a version, it keeps the old credential until that stops working.",
          "Declare it in the environment and name it under `consumers`, or remove its reference."},
    Entry{job_user, warning, "A job refers to the secret. An execution that is under way keeps the old value; the next one takes the new.",
          "Keep `overlap` longer than the job's longest execution."},
    Entry{users_unknown, info, "Which other applications refer to the secret could not be read.",
          "Grant the identity Reader on the resource group (`Microsoft.App/containerApps/read`, `Microsoft.App/jobs/read`)."},
    // Of rights and rules
    Entry{permission, blocking, "The identity may not do what the run needs; the message names it.",
          "Grant it: Key Vault Secrets Officer on the vault; on an application a role with `Microsoft.App/containerApps/read`, `write` and "
          "`revisions/restart/action`. Whether the vault can be written shows only when a value is staged."},
    Entry{approval_required, info, "The environment is protected: nothing begins until this plan is approved by its hash.",
          "Commit the hash as `approvedPlan`."},
};

}  // namespace

std::span<const Entry> all() { return entries; }

}  // namespace keyturn::api::hazard
