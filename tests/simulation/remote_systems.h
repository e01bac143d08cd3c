// The ports of the domain as one process sees them: every call travels over its link to the ground truth.
#pragma once

#include <memory>
#include <string>

#include "reconcilers/rotation/systems.h"
#include "tests/simulation/ground.h"
#include "tests/simulation/link.h"
#include "tests/simulation/trace.h"

namespace keyturn::simulation {

class RemoteCatalog final : public Catalog {
 public:
  // Both outlive it.
  RemoteCatalog(Link& link, Ground& ground, Trace& trace) : link_(link), ground_(ground), trace_(trace) {}

  Result<std::shared_ptr<SecretVault>> vault(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::string> vault_url(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::shared_ptr<Dependent>> dependent(const api::RotationEnvironment& environment, const std::string& name) override;
  Result<std::shared_ptr<Consumer>> consumer(const api::RotationEnvironment& environment, const std::string& name) override;

 private:
  Link& link_;
  Ground& ground_;
  Trace& trace_;
};

}  // namespace keyturn::simulation
