#include "controller/embedded/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "controller/embedded/json_path.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

json::object column(std::string_view name, std::string_view type, std::string_view format, std::string_view description, int priority) {
  return {{"name", name}, {"type", type}, {"format", format}, {"description", description}, {"priority", priority}};
}

std::string age(std::string_view text, Instant now) {
  if (text.empty()) return "<unknown>";
  const std::optional<Instant> at = parse_rfc3339(text);
  if (!at) return "<invalid>";
  // Clocks are compared by the second: an object made in this very second is not in the future.
  if (*at > now + Duration{1000}) return "<invalid>";
  return format_age(*at > now ? Duration{0} : now - *at);
}

std::string_view text_at(const json::object& object, std::string_view path) {
  const json::value* value = find_path(object, path);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

json::value cell(const api::PrinterColumn& column, const json::object& object, Instant now) {
  const json::value* value = evaluate_json_path(object, column.json_path);
  if (!value || value->is_null()) return nullptr;
  if (column.type == "date")
    return value->is_string() ? json::value(age(std::string_view(value->get_string()), now)) : json::value("<invalid>");
  if (value->is_structured()) return json::string(json::serialize(*value));
  return *value;
}

struct EventText {
  std::string_view about, message, reporter, source, count, first, last;
};

EventText event_names(const ResourceType& type) {
  if (type.of == TypeOf::NewEvent)
    return {"regarding",
            "note",
            "reportingController",
            "deprecatedSource",
            "deprecatedCount",
            "deprecatedFirstTimestamp",
            "deprecatedLastTimestamp"};
  return {"involvedObject", "message", "reportingComponent", "source", "count", "firstTimestamp", "lastTimestamp"};
}

std::string first_of(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts)
    if (!text.empty()) return std::string(text);
  return {};
}

json::array event_cells(const ResourceType& type, const json::object& event, Instant now) {
  const EventText names = event_names(type);
  const auto at = [&event](std::string_view path) { return text_at(event, path); };
  const std::string first = first_of({at(names.first), at("eventTime")});
  const std::string last = first_of({at("series.lastObservedTime"), at(names.last), first});
  std::string kind(at(fmt::format("{}.kind", names.about)));
  std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string object = fmt::format("{}/{}", kind, at(fmt::format("{}.name", names.about)));
  const std::string source = first_of({at(fmt::format("{}.component", names.source)), at(names.reporter)});
  const json::value* series = find_path(event, "series.count");
  const json::value* count = series ? series : find_path(event, names.count);
  std::string message(at(names.message));
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return {age(last, now),
          at("type"),
          at("reason"),
          object,
          at(fmt::format("{}.fieldPath", names.about)),
          source,
          message,
          age(first, now),
          count && count->is_int64() ? count->get_int64() : 1,
          at("metadata.name")};
}

json::array event_columns() {
  return {column("Last Seen", "string", "", "Time when this event was last observed", 0),
          column("Type", "string", "", "Type of this event (Normal, Warning)", 0),
          column("Reason", "string", "", "A short, machine understandable reason", 0),
          column("Object", "string", "", "The object that this event is about", 0),
          column("Subobject", "string", "", "A part of that object", 1),
          column("Source", "string", "", "The component that reported this event", 1),
          column("Message", "string", "", "A description for people", 0),
          column("First Seen", "string", "", "Time when this event was first observed", 1),
          column("Count", "integer", "", "The number of times this event has occurred", 1),
          column("Name", "string", "name", "Name must be unique within a namespace", 1)};
}

bool is_event(const ResourceType& type) { return type.of == TypeOf::CoreEvent || type.of == TypeOf::NewEvent; }

json::array cells_of(const ResourceType& type, const json::object& object, Instant now) {
  if (is_event(type)) return event_cells(type, object, now);
  json::array cells{metadata_text(object, "name")};
  for (const api::PrinterColumn& one : type.columns) {
    // Genuine servers print the creation time of a definition as it is, and an age everywhere else.
    const bool plain_time = type.of == TypeOf::Definition;
    cells.push_back(plain_time ? json::value(metadata_text(object, "creationTimestamp")) : cell(one, object, now));
  }
  return cells;
}

}  // namespace

json::array table_columns(const ResourceType& type) {
  if (is_event(type)) return event_columns();
  json::array columns{
      column("Name", "string", "name",
             "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to "
             "request the generation of an appropriate name automatically.",
             0)};
  for (const api::PrinterColumn& one : type.columns)
    columns.push_back(
        column(one.name, type.of == TypeOf::Rotation ? std::string_view(one.type) : "string", "", one.description, one.priority));
  return columns;
}

json::object partial_metadata(const json::object& object) {
  json::object partial{{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}};
  if (const json::value* metadata = object.if_contains("metadata")) partial["metadata"] = *metadata;
  return partial;
}

json::object table_row(const ResourceType& type, const json::object& object, IncludeObject include, Instant now) {
  json::object row{{"cells", cells_of(type, object, now)}};
  switch (include) {
    case IncludeObject::None:
      row["object"] = nullptr;
      break;
    case IncludeObject::Metadata:
      row["object"] = partial_metadata(object);
      break;
    case IncludeObject::Object:
      row["object"] = object;
      break;
  }
  return row;
}

json::object table_of(json::value columns, json::array rows, json::object metadata) {
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", std::move(metadata)},
          {"columnDefinitions", std::move(columns)},
          {"rows", std::move(rows)}};
}

}  // namespace keyturn::embedded
