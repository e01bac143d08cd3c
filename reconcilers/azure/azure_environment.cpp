#include "reconcilers/azure/azure_environment.h"

#include <fstream>
#include <iterator>

namespace keyturn {
namespace {

Result<std::string> read_bundle(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Errc::Denied, "the CA bundle cannot be read"};
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

}  // namespace

Result<std::shared_ptr<AzureEnvironment>> AzureEnvironment::open(boost::asio::any_io_executor executor, std::shared_ptr<Random> random,
                                                                 const api::AzureSettings& settings, const api::Timing& timing,
                                                                 const std::string& federated_token_file) {
  const Result<AzureCloud> cloud = azure_cloud(settings);
  if (!cloud) return cloud.error();
  // Only a Custom cloud may bring its own authority: the public ones are verified by the system's.
  const Result<std::string> bundle = read_bundle(cloud->custom ? settings.endpoints.ca_file : std::string());
  if (!bundle) return bundle.error();
  net::TlsTrust believed;
  believed.ca_pem = *bundle;
  const auto trust = net::client_context(believed);
  if (!trust) return trust.error();

  const std::shared_ptr<AzureEnvironment> out(new AzureEnvironment());
  out->executor_ = executor;
  out->trust_ = *trust;
  out->settings_ = settings;
  out->timing_ = timing;
  out->cloud_ = *cloud;
  out->http_ = std::make_shared<net::HttpClient>(executor, *trust);
  const auto issuer = make_token_issuer(settings, *cloud, out->http_, federated_token_file);
  if (!issuer) return issuer.error();
  out->tokens_ = std::make_shared<TokenSource>(*issuer);
  ArmClient::Settings arm{cloud->resource_manager, cloud->arm_audience, settings.tenant_id, !cloud->custom, timing.request};
  out->arm_ = std::make_shared<ArmClient>(out->http_, out->tokens_, std::move(random), std::move(arm));
  return out;
}

Result<std::shared_ptr<SecretVault>> AzureEnvironment::vault(const api::VaultEntry& entry) const {
  const Result<net::Origin> origin = azure_vault_origin(cloud_, entry);
  if (!origin) return origin.error();
  AzureKeyVault::Settings settings{*origin, cloud_.vault_audience, settings_.tenant_id, timing_.request};
  return std::shared_ptr<SecretVault>(std::make_shared<AzureKeyVault>(http_, tokens_, std::move(settings)));
}

Result<std::shared_ptr<Consumer>> AzureEnvironment::container_app(const api::ConsumerEntry& entry) const {
  if (!entry.container_app) return Error{Errc::Invalid, "the consumer is not a container app"};
  const api::ContainerAppSettings& app = *entry.container_app;
  if (settings_.subscription_id.empty() || app.resource_group.empty() || app.app.empty())
    return Error{Errc::Invalid, "a container app needs a subscription, a resource group and a name"};
  AzureContainerApp::Settings settings{settings_.subscription_id, app.resource_group, app.app, app.data_protection, {}};
  settings.rules.reference = app.reference;
  settings.rules.platform_sync = timing_.soak;
  std::shared_ptr<HealthProbe> health;
  // A client of its own: the address filter belongs to it, and no token ever passes through it.
  if (entry.health)
    health = std::make_shared<HealthProbe>(std::make_shared<net::HttpClient>(executor_, trust_), *entry.health, settings_.cloud);
  return std::shared_ptr<Consumer>(std::make_shared<AzureContainerApp>(arm_, std::move(health), std::move(settings)));
}

}  // namespace keyturn
