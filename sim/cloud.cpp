#include "sim/cloud.h"

#include <boost/json/object.hpp>

#include "sim/reply.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

Cloud::Cloud(ShiftedClock& clock_of_all, Random& random_of_all, Settings how)
    : clock(clock_of_all),
      random(random_of_all),
      settings(std::move(how)),
      vaults(random, settings.speed),
      apps({agenda, random, vaults, PlatformTiming::at_speed(settings.speed)}),
      tokens(random),
      token_settings{.tenant = tenant, .refresh_in = std::nullopt},
      token_service(random, directory, tokens, token_settings),
      vault_service(vaults, tokens, tenant),
      arm_service(apps, jobs, tokens, arm_access, arm_throttle, random, {tenant, subscription}) {}

Instant Cloud::settle() {
  const Instant now = clock.now();
  agenda.run_until(now);
  return now;
}

Route Cloud::route(const Request& request, const std::string& vault) const {
  if (!vault.empty()) return VaultService::route(request, vault);
  if (const std::string_view named = Vaults::vault_of_host(request.host); !named.empty())
    return VaultService::route(request, std::string(named));
  const auto& path = request.segments;
  if (path.size() == 3 && path[0] == "apps" && path[2] == "health" && request.method == "GET") {
    return {.service = Service::Health, .operation = "health.get", .app = path[1]};
  }
  Route route = ArmService::route(request);
  return route.service == Service::None ? TokenService::route(request) : route;
}

// Those who reach a vault by its Azure name get Azure's authority, as behind a proxy; the others get this process.
std::string Cloud::authority_for(const Request& request) const {
  if (!settings.authority.empty()) return settings.authority + "/" + tenant;
  const bool by_name = !Vaults::vault_of_host(request.host).empty();
  return "https://" + (by_name ? std::string("login.microsoftonline.com") : settings.main_authority) + "/" + tenant;
}

net::HttpReply Cloud::perform(const Request& request, const Route& route, Instant now, std::string& principal) {
  switch (route.service) {
    case Service::Entra:
      return token_service.handle(request, route, now, principal);
    case Service::Vault:
      return vault_service.handle(request, route, authority_for(request), now, principal);
    case Service::Arm:
      return arm_service.handle(request, route, authority_for(request), now, principal);
    case Service::Health:
      return health(route.app, now);
    case Service::None:
      break;
  }
  return arm_refusal({404, "NotFound", "Nothing is served at this path."});
}

net::HttpReply Cloud::health(const std::string& name, Instant now) {
  App* app = apps.find(name);
  if (!app) return json_reply(404, json::object{{"status", "Unknown"}});
  app->wake(now);
  const bool healthy = app->healthy();
  return json_reply(healthy ? 200 : 503, json::object{{"status", healthy ? "Healthy" : "Unhealthy"}});
}

}  // namespace keyturn::sim
