#include "reconcilers/catalog.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/net/tls.h"
#include "reconcilers/admin_sources.h"
#include "reconcilers/azure/cloud.h"
#include "reconcilers/postgresql/postgresql.h"
#include "reconcilers/redis/redis_acl.h"

namespace keyturn {
namespace {

template <class Entry>
const Entry* find(const std::vector<Entry>& entries, const std::string& name) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

Error missing(std::string_view what, const std::string& name) {
  return {Errc::Invalid, "the environment declares no " + std::string(what) + " named " + name};
}
Error no_adapter(const std::string& name, const std::string& type) {
  return {Errc::NotFound, name + ": this build has no adapter for type " + type};
}

// What to believe of a system's certificate; null for a plain connection, which the adapters allow on loopback only.
Result<std::shared_ptr<boost::asio::ssl::context>> trust_of(api::TlsMode tls, const std::string& ca_file) {
  if (tls == api::TlsMode::LoopbackPlain) return std::shared_ptr<boost::asio::ssl::context>();
  net::TlsTrust trust;
  if (!ca_file.empty()) {
    std::ifstream file(ca_file);
    trust.ca_pem.assign(std::istreambuf_iterator<char>(file), {});
    if (trust.ca_pem.empty()) return Error{Errc::Invalid, "caFile cannot be read or is empty"};
  }
  return net::client_context(trust);
}

// Of the vaults that an administrator's secret may live in: the one for staging, which is the platform's own, else the first.
const api::VaultEntry* platform_vault(const api::RotationEnvironmentSpec& environment) {
  for (const api::VaultEntry& entry : environment.vaults) {
    if (entry.staging) return &entry;
  }
  return environment.vaults.empty() ? nullptr : &environment.vaults.front();
}

}  // namespace

SystemCatalog::SystemCatalog(boost::asio::any_io_executor executor, BlockingPool& pool, std::shared_ptr<Random> random,
                             std::string federated_token_file)
    : executor_(std::move(executor)), pool_(pool), random_(std::move(random)), federated_token_file_(std::move(federated_token_file)) {}

Result<SystemCatalog::Opened*> SystemCatalog::open(const api::RotationEnvironment& environment) {
  Opened& opened = opened_[environment.meta.name];
  const bool current = opened.azure && opened.uid == environment.meta.uid && opened.generation == environment.meta.generation;
  if (current) return &opened;
  auto azure = AzureEnvironment::open(executor_, random_, environment.spec.azure, environment.spec.timing, federated_token_file_);
  if (!azure) return azure.error();
  opened = {.uid = environment.meta.uid, .generation = environment.meta.generation, .azure = std::move(*azure)};
  return &opened;
}

Result<std::shared_ptr<SecretVault>> SystemCatalog::vault(const api::RotationEnvironment& environment, const std::string& name) {
  const api::VaultEntry* entry = find(environment.spec.vaults, name);
  if (!entry) return missing("vault", name);
  auto opened = open(environment);
  if (!opened) return opened.error();
  std::shared_ptr<SecretVault>& known = (*opened)->vaults[name];
  if (known) return known;
  auto made = (*opened)->azure->vault(*entry);
  if (!made) return made.error();
  return known = std::move(*made);
}

Result<std::string> SystemCatalog::vault_url(const api::RotationEnvironment& environment, const std::string& name) {
  const api::VaultEntry* entry = find(environment.spec.vaults, name);
  if (!entry) return missing("vault", name);
  auto cloud = azure_cloud(environment.spec.azure);
  if (!cloud) return cloud.error();
  auto origin = azure_vault_origin(*cloud, *entry);
  if (!origin) return origin.error();
  return origin->scheme + "://" + origin->authority();
}

Result<std::shared_ptr<Dependent>> SystemCatalog::dependent(const api::RotationEnvironment& environment, const std::string& name) {
  const api::SystemEntry* entry = find(environment.spec.systems, name);
  if (!entry) return missing("system", name);
  auto opened = open(environment);
  if (!opened) return opened.error();
  std::shared_ptr<Dependent>& known = (*opened)->dependents[name];
  if (known) return known;
  auto made = make_dependent(**opened, environment, *entry);
  if (!made) return made.error();
  return known = std::move(*made);
}

Result<std::shared_ptr<Dependent>> SystemCatalog::make_dependent(Opened& opened, const api::RotationEnvironment& environment,
                                                                 const api::SystemEntry& entry) {
  const auto admin_of = [&](const api::CredentialSource& source) -> Result<std::shared_ptr<AdminCredential>> {
    if (!source.file.empty()) return std::shared_ptr<AdminCredential>(std::make_shared<AdminFromFile>(source.file));
    const api::VaultEntry* vault_entry = platform_vault(environment.spec);
    if (source.vault_secret.empty() || !vault_entry) return Error{Errc::Invalid, entry.name + ": admin needs a file or a vaultSecret"};
    auto home = opened.azure->vault(*vault_entry);
    if (!home) return home.error();
    return std::shared_ptr<AdminCredential>(std::make_shared<AdminFromVault>(std::move(*home), source.vault_secret));
  };
  if (const auto* redis = std::get_if<api::RedisAclSystem>(&entry.settings)) {
    auto trust = trust_of(redis->tls, redis->ca_file);
    auto admin = admin_of(redis->admin);
    if (!trust) return trust.error();
    if (!admin) return admin.error();
    auto made = RedisAcl::make(*redis, *trust, *admin);
    if (!made) return made.error();
    return std::shared_ptr<Dependent>(std::move(*made));
  }
  if (const auto* postgres = std::get_if<api::PostgreSqlSystem>(&entry.settings)) {
    auto trust = trust_of(postgres->tls, postgres->ca_file);
    auto admin = admin_of(postgres->admin);
    if (!trust) return trust.error();
    if (!admin) return admin.error();
    auto made = PostgreSql::make(*postgres, *trust, *admin, pool_, *random_);
    if (!made) return made.error();
    return std::shared_ptr<Dependent>(std::move(*made));
  }
  return no_adapter(entry.name, entry.type);
}

Result<std::shared_ptr<Consumer>> SystemCatalog::consumer(const api::RotationEnvironment& environment, const std::string& name) {
  const api::ConsumerEntry* entry = find(environment.spec.consumers, name);
  if (!entry) return missing("consumer", name);
  if (!entry->container_app) return no_adapter(name, entry->type);
  auto opened = open(environment);
  if (!opened) return opened.error();
  std::shared_ptr<Consumer>& known = (*opened)->consumers[name];
  if (known) return known;
  auto made = (*opened)->azure->container_app(*entry);
  if (!made) return made.error();
  return known = std::move(*made);
}

}  // namespace keyturn
