// Azure Container Apps as a Consumer: makes the platform read a Key Vault reference again, restarts, and proves what runs (azure.md 2.6).
#pragma once

#include <memory>
#include <string>

#include "reconcilers/azure/arm.h"
#include "reconcilers/azure/container_app_judgement.h"
#include "reconcilers/azure/health_probe.h"
#include "reconcilers/azure/json_members.h"
#include "reconcilers/azure/permissions.h"
#include "reconcilers/rotation/systems.h"

namespace keyturn {

// A restart alone does not make the platform read the vault again; writing the references does. So converging is: write the references
// (all of the array, because a merge patch replaces it), follow the operation to its end, restart every active revision at least two
// seconds later, and accept only copies that were created after the operation's end by the server's clock. Each call of `converge` does
// one of these and returns the mark that says so; every one of them may be repeated.
//
// `reload: Poll` never writes or restarts: it waits until the platform has certainly synchronised and restarted by itself.
//
// The baseline also tells what the app's definition says of its use of the secret and of a DataProtection key ring
// (container_app_usage.h), and what the identity may not do; `users_of` tells which apps and jobs of the resource group refer to a secret.
class AzureContainerApp final : public Consumer {
 public:
  static constexpr std::string_view api_version = "2025-01-01";
  static constexpr int revision_pages_max = 20;
  static constexpr int list_pages_max = 50;
  static constexpr std::size_t active_revisions_max = 50;
  static constexpr Duration snapshot_age_max{5'000};  // for a restart; a write always looks again, because it replaces what it read

  struct Settings {
    std::string subscription;
    std::string resource_group;
    std::string app;
    api::DataProtection data_protection = api::DataProtection::Detect;
    AppRules rules;  // with the reference mode
  };
  // `health` may be null: no external check.
  AzureContainerApp(std::shared_ptr<ArmClient> arm, std::shared_ptr<HealthProbe> health, Settings settings);

  Task<ConsumerFacts> observe(Context context, ConvergeTarget target, std::string mark) override;
  Task<std::string> converge(Context context, ConvergeTarget target, std::string mark) override;
  Task<ConsumerFacts> baseline(Context context, std::string vault_url, std::string secret) override;
  std::string place() const override { return lower(settings_.resource_group); }
  Awaitable<SecretUsers> users_of(Context context, std::vector<std::string> vault_urls, std::string secret) override;

 private:
  Task<std::vector<SecretUser>> list(Context context, SecretUser::Kind kind, std::vector<net::Origin> vaults, std::string secret);
  Awaitable<std::optional<Permissions>> permissions(Context context);
  std::string group_path() const;
  std::string path(const std::string& below) const;
  Task<AppView> read(Context context);
  Task<std::vector<AppRevision>> active_revisions(Context context);
  Task<std::vector<AppRevision>> revisions_with_replicas(Context context);
  Task<AppSnapshot> snapshot(Context context, std::optional<ConvergenceMark> mark);
  Task<AppSnapshot> snapshot_to_act_on(Context context, std::string mark_text, ConvergenceMark mark);
  Awaitable<std::optional<Health>> health(Context context);

  Task<std::string> write(Context context, AppView app, AppTarget target);
  Task<std::string> follow(Context context, AppView app, AppTarget target, ConvergenceMark mark);
  Task<std::string> restart(Context context, ConvergenceMark mark, std::string revision);

  // What the last observation saw, so that the restart it asks for leaves within the send deadline (protocol.md 6.2) and not only after
  // three or more further requests.
  struct Remembered {
    std::string mark;
    AppSnapshot seen;
    BootInstant at;
  };

  std::shared_ptr<ArmClient> arm_;
  std::shared_ptr<HealthProbe> health_;
  Settings settings_;
  std::optional<Remembered> remembered_;
};

}  // namespace keyturn
