// Everything Azure that one RotationEnvironment needs, made once from its settings: clients, identity, and the adapters of its entries.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

#include "base/random.h"
#include "reconcilers/azure/arm.h"
#include "reconcilers/azure/container_app.h"
#include "reconcilers/azure/key_vault.h"

namespace keyturn {

class AzureEnvironment {
 public:
  // `federated_token_file` is the value of AZURE_FEDERATED_TOKEN_FILE, empty when not set. Reads the CA bundle of a Custom cloud; sends
  // nothing. Errors: Invalid (settings that cannot work), Denied (the CA bundle cannot be read).
  static Result<std::shared_ptr<AzureEnvironment>> open(boost::asio::any_io_executor executor, std::shared_ptr<Random> random,
                                                        const api::AzureSettings& settings, const api::Timing& timing,
                                                        const std::string& federated_token_file);

  // Errors: Invalid (an entry that cannot work).
  Result<std::shared_ptr<SecretVault>> vault(const api::VaultEntry& entry) const;
  Result<std::shared_ptr<Consumer>> container_app(const api::ConsumerEntry& entry) const;

 private:
  AzureEnvironment() = default;

  boost::asio::any_io_executor executor_;
  std::shared_ptr<boost::asio::ssl::context> trust_;
  api::AzureSettings settings_;
  api::Timing timing_;
  AzureCloud cloud_;
  std::shared_ptr<net::HttpClient> http_;
  std::shared_ptr<TokenSource> tokens_;
  std::shared_ptr<ArmClient> arm_;
};

}  // namespace keyturn
