// Azure Key Vault as a SecretVault: the secrets data plane, api-version 7.4 (azure.md 1).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reconcilers/azure/authorized_client.h"
#include "reconcilers/rotation/systems.h"

namespace keyturn {

class AzureKeyVault final : public SecretVault {
 public:
  static constexpr std::size_t pages_max = 400;      // of 25: 10,000 versions
  static constexpr std::size_t tags_max = 15;        // Key Vault's own limit
  static constexpr std::size_t tag_bytes_max = 256;  // likewise, for a name and for a value

  struct Settings {
    net::Origin origin;    // see azure_vault_origin
    std::string audience;  // AzureCloud::vault_audience
    std::string tenant;
    Duration request_timeout{10'000};
  };
  AzureKeyVault(std::shared_ptr<net::HttpClient> http, std::shared_ptr<TokenSource> tokens, Settings settings);

  // The version is the one that the service names in its answer, never one found by sorting (KV-A3). A name that is missing is looked
  // for among the deleted ones, so that SoftDeleted can be told from Missing.
  Task<Latest> read_latest(Context context, std::string secret) override;
  Task<Secret> read(Context context, std::string secret, VersionId version) override;
  // Follows every page (KV-A4). A name that does not exist has no versions.
  Task<std::vector<VaultVersion>> versions(Context context, std::string secret) override;
  // Carries foreign tags and the content type of the version that was the newest over to the new one. Refuses, with Invalid, a secret
  // that belongs to a certificate (KV-A12). Reads first, so it costs two requests; a failing read means nothing was written.
  Task<VaultVersion> append(Context context, std::string secret, const Secret& value, VersionTags tags) override;
  Task<> tag(Context context, std::string secret, VersionId version, VersionTags tags) override;
  Task<> set_enabled(Context context, std::string secret, VersionId version, bool enabled) override;

 private:
  using TagMap = std::map<std::string, std::string>;
  struct Entry;    // a version with all its tags
  struct Current;  // what a versionless read tells besides the value
  struct Page;

  Task<net::HttpReply> call(Context context, std::string method, std::string path, std::shared_ptr<const Secret> body, Effect effect);
  Task<Current> current(Context context, std::string secret);
  Task<VaultRefusal> absence(Context context, std::string secret);
  Task<Page> page(Context context, net::Url url);
  Task<std::vector<Entry>> entries(Context context, std::string secret);
  Task<Entry> entry(Context context, std::string secret, VersionId version);
  Task<> patch(Context context, std::string secret, VersionId version, std::string body);

  AuthorizedClient client_;
};

}  // namespace keyturn
