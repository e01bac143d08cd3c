// The simulated cloud as a whole: everything that exists, the services in front of it, and the one way time passes in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/net/http_message.h"
#include "base/random.h"
#include "sim/access.h"
#include "sim/agenda.h"
#include "sim/apps/apps.h"
#include "sim/apps/job.h"
#include "sim/arm/arm_service.h"
#include "sim/entra/directory.h"
#include "sim/entra/token_service.h"
#include "sim/entra/tokens.h"
#include "sim/faults.h"
#include "sim/journal.h"
#include "sim/request.h"
#include "sim/shifted_clock.h"
#include "sim/vault/vault_service.h"
#include "sim/vault/vaults.h"

namespace keyturn::sim {

inline constexpr std::string_view default_tenant = "10000000-0000-4000-8000-000000000001";
inline constexpr std::string_view default_subscription = "20000000-0000-4000-8000-000000000002";

class Cloud {
 public:
  struct Settings {
    double speed = 1;
    std::string authority;       // what the 401 challenge names; empty = by the caller's host
    std::string main_authority;  // "localhost:8443", known once the main port is
  };
  Cloud(ShiftedClock& clock_of_all, Random& random_of_all, Settings how);

  // Brings everything up to the present, in order, and says when that is. Before every request.
  Instant settle();

  // `vault` is set when the request came in through that vault's own port.
  Route route(const Request& request, const std::string& vault) const;

  // What the services do and answer, without faults. Sets `principal` when the caller is known.
  net::HttpReply perform(const Request& request, const Route& route, Instant now, std::string& principal);
  net::HttpReply health(const std::string& app, Instant now);

  ShiftedClock& clock;
  Random& random;
  Settings settings;
  std::string tenant{default_tenant};
  std::string subscription{default_subscription};
  Agenda agenda;
  Vaults vaults;
  Apps apps;
  std::vector<Job> jobs;
  Directory directory;
  Tokens tokens;
  TokenSettings token_settings;
  Access arm_access{arm_default_actions()};
  ArmThrottle arm_throttle;
  Faults faults;
  Journal journal;
  TokenService token_service;
  VaultService vault_service;
  ArmService arm_service;

 private:
  std::string authority_for(const Request& request) const;
};

}  // namespace keyturn::sim
