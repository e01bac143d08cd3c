// The one switch from the types of an environment's entries to the adapters behind them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ssl/context.hpp>
#include <map>
#include <memory>
#include <string>

#include "base/blocking_pool.h"
#include "base/random.h"
#include "reconcilers/azure/azure_environment.h"
#include "reconcilers/rotation/systems.h"

namespace keyturn {

// Adapters are made once per generation of an environment and shared: so are their connection pools and tokens.
class SystemCatalog final : public Catalog {
 public:
  // `federated_token_file` is the value of AZURE_FEDERATED_TOKEN_FILE. `pool` must outlive every adapter that was handed out.
  SystemCatalog(boost::asio::any_io_executor executor, BlockingPool& pool, std::shared_ptr<Random> random,
                std::string federated_token_file);

  Result<std::shared_ptr<SecretVault>> vault(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::string> vault_url(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::shared_ptr<Dependent>> dependent(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::shared_ptr<Consumer>> consumer(const api::RotationEnvironment& environment, const std::string& name) override;

 private:
  struct Opened {
    Uid uid;
    std::int64_t generation = 0;
    std::shared_ptr<AzureEnvironment> azure;
    std::map<std::string, std::shared_ptr<SecretVault>> vaults;
    std::map<std::string, std::shared_ptr<Dependent>> dependents;
    std::map<std::string, std::shared_ptr<Consumer>> consumers;
  };
  Result<Opened*> open(const api::RotationEnvironment& environment);
  Result<std::shared_ptr<Dependent>> make_dependent(Opened& opened, const api::RotationEnvironment& environment,
                                                    const api::SystemEntry& entry);

  boost::asio::any_io_executor executor_;
  BlockingPool& pool_;
  std::shared_ptr<Random> random_;
  std::string federated_token_file_;
  std::map<std::string, Opened> opened_;  // by the environment's name
};

}  // namespace keyturn
