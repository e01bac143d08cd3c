// All container apps of the simulation.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/apps/app.h"

namespace keyturn::sim {

class Apps {
 public:
  explicit Apps(App::World world) : world_(world) {}

  // Refusal: 409 when the name is taken; names are unique in the whole simulation, so that health paths need no more than a name.
  Answer<App*> add(AppSettings settings, boost::json::object properties, AppSecrets::Draft secrets, Instant now);

  App* find(std::string_view name) const;
  // As a resource id names it; null when subscription or group is another one.
  App* find(std::string_view subscription, std::string_view group, std::string_view name) const;
  App* of_operation(std::string_view id) const;
  const std::vector<std::unique_ptr<App>>& all() const noexcept { return apps_; }

 private:
  App::World world_;
  std::vector<std::unique_ptr<App>> apps_;  // never removed: events on the agenda point to them
};

}  // namespace keyturn::sim
