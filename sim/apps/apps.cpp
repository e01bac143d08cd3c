#include "sim/apps/apps.h"

#include <algorithm>

#include "sim/text.h"

namespace keyturn::sim {

Answer<App*> Apps::add(AppSettings settings, boost::json::object properties, AppSecrets::Draft secrets, Instant now) {
  if (find(settings.name)) return Refusal{409, "Conflict", "An app of this name exists already."};
  apps_.push_back(std::make_unique<App>(world_, std::move(settings), std::move(properties), std::move(secrets), now));
  return apps_.back().get();
}

App* Apps::find(std::string_view name) const {
  const auto found = std::ranges::find_if(apps_, [&](const auto& app) { return same_word(app->settings().name, name); });
  return found == apps_.end() ? nullptr : found->get();
}

App* Apps::find(std::string_view subscription, std::string_view group, std::string_view name) const {
  App* app = find(name);
  const bool same = app && same_word(app->settings().subscription, subscription) && same_word(app->settings().group, group);
  return same ? app : nullptr;
}

App* Apps::of_operation(std::string_view id) const {
  const auto found = std::ranges::find_if(apps_, [&](const auto& app) { return app->operation(id) != nullptr; });
  return found == apps_.end() ? nullptr : found->get();
}

}  // namespace keyturn::sim
