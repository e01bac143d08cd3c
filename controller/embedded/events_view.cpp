#include "controller/embedded/events_view.h"

#include <array>
#include <boost/json/string.hpp>
#include <string_view>
#include <utility>

#include "controller/embedded/json_path.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

using Renaming = std::pair<std::string_view, std::string_view>;
constexpr std::array<Renaming, 7> renamings{{{"involvedObject", "regarding"},
                                             {"message", "note"},
                                             {"reportingComponent", "reportingController"},
                                             {"source", "deprecatedSource"},
                                             {"count", "deprecatedCount"},
                                             {"firstTimestamp", "deprecatedFirstTimestamp"},
                                             {"lastTimestamp", "deprecatedLastTimestamp"}}};

void rename(json::object& object, std::string_view from, std::string_view to) {
  const auto found = object.find(from);
  if (found == object.end()) return;
  json::value value = std::move(found->value());
  object.erase(found);
  object[to] = std::move(value);
}

std::string_view text_at(const json::object& object, std::string_view path) {
  const json::value* value = find_path(object, path);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

// 2026-11-22T18:00:00.000000Z, or an offset for the Z.
bool is_micro_time(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot != 19) return false;
  std::size_t digits = 0;
  while (dot + 1 + digits < text.size() && text[dot + 1 + digits] >= '0' && text[dot + 1 + digits] <= '9') ++digits;
  return digits == 6 && dot + 7 < text.size();
}

void require(const json::object& object, std::string_view field, api::Violations& violations) {
  if (text_at(object, field).empty()) violations.push_back({"FieldValueRequired", std::string(field), "Required value"});
}

}  // namespace

json::object present(const ResourceType& type, json::object stored) {
  if (type.of != TypeOf::NewEvent) return stored;
  stored["apiVersion"] = "events.k8s.io/v1";
  for (const auto& [core, renamed] : renamings) rename(stored, core, renamed);
  return stored;
}

json::object to_stored(const ResourceType& type, json::object presented) {
  if (type.of != TypeOf::NewEvent) return presented;
  presented["apiVersion"] = "v1";
  for (const auto& [core, renamed] : renamings) rename(presented, renamed, core);
  return presented;
}

std::string malformed_time(const json::object& object) {
  for (const std::string_view field : {"eventTime", "series.lastObservedTime"}) {
    const std::string_view text = text_at(object, field);
    if (!text.empty() && !is_micro_time(text)) return std::string(field);
  }
  return {};
}

void check_event(const ResourceType& type, const json::object& object, api::Violations& violations) {
  const std::string_view kind = text_at(object, "type");
  const bool is_new = type.of == TypeOf::NewEvent;
  if (is_new && kind != "Normal" && kind != "Warning")
    violations.push_back({"FieldValueInvalid", "type", "Invalid value: \"\": has invalid value: " + std::string(kind)});
  const std::string_view about = is_new ? "regarding" : "involvedObject";
  const std::string_view about_ns = text_at(object, std::string(about) + ".namespace");
  const std::string_view ns = metadata_text(object, "namespace");
  if (about_ns != ns && !(about_ns.empty() && ns == "default"))
    violations.push_back({"FieldValueInvalid", std::string(about) + ".namespace", "Invalid value: \"\": does not match event.namespace"});
  if (text_at(object, is_new ? "note" : "message").size() > 1024)
    violations.push_back({"FieldValueInvalid", is_new ? "note" : "message", "Invalid value: \"\": can have at most 1024 characters"});
  if (!is_new) return;
  for (const std::string_view field : {"eventTime", "action", "reason", "reportingController", "reportingInstance"})
    require(object, field, violations);
}

}  // namespace keyturn::embedded
