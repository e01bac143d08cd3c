#include "controller/event_recorder.h"

#include <boost/json/object.hpp>

#include "api/meta.h"
#include "base/hash.h"
#include "base/log.h"
#include "controller/embedded/resource_types.h"

namespace keyturn {
namespace {

namespace json = boost::json;

constexpr std::string_view component = "keyturn";
constexpr std::size_t digest_digits = 16;

std::string event_name(std::string_view kind, const ObjectKey& about, std::string_view reason, std::string_view note, Instant first) {
  std::string text(kind);
  text.append("\n").append(about.to_string()).append("\n").append(reason).append("\n").append(note);
  text.append("\n").append(format_seconds(first));
  return about.name + "." + to_hex(sha256(text)).substr(0, digest_digits);
}

std::string series_key(std::string_view kind, const ObjectKey& about, std::string_view reason, std::string_view note) {
  return event_name(kind, about, reason, note, Instant{});
}

}  // namespace

void EventRecorder::event(std::string_view kind, const ObjectKey& about, EventType type, std::string_view reason, std::string_view action,
                          std::string note) {
  if (note.size() > note_bytes_max) note.resize(note_bytes_max);
  const Instant now = clock_.now();
  if (series_.size() >= series_max) series_.clear();
  Series& series = series_[series_key(kind, about, reason, note)];
  if (series.count == 0 || now - series.first > series_length) series = {.first = now};
  ++series.count;
  Said said{.kind = std::string(kind),
            .about = about,
            .type = type,
            .reason = std::string(reason),
            .action = std::string(action),
            .note = note,
            .name = event_name(kind, about, reason, note, series.first),
            .series = series,
            .now = now};
  tasks_.spawn("event", [this, said = std::move(said)] { return write(said); });
}

Awaitable<> EventRecorder::write(Said said) {
  const Context context = Context(clock_, "event").with_timeout(std::chrono::seconds(10));
  const embedded::ResourceType* type = nullptr;
  for (const embedded::ResourceType& one : embedded::resource_types()) {
    if (one.kind == said.kind) type = &one;
  }
  if (!type) co_return;
  auto regarding = co_await store_.get(context, type->stored_as(), said.about);
  json::object involved{{"apiVersion", api::group_version}, {"kind", said.kind}, {"name", said.about.name}};
  if (!said.about.ns.empty()) involved["namespace"] = said.about.ns;
  if (regarding) {
    involved["uid"] = (*regarding)->uid.value;
    involved["resourceVersion"] = std::to_string((*regarding)->version);
  }
  json::object event{{"apiVersion", "v1"},
                     {"kind", "Event"},
                     {"metadata", json::object{{"name", said.name}, {"namespace", said.about.ns.empty() ? "default" : said.about.ns}}},
                     {"involvedObject", std::move(involved)},
                     {"type", said.type == EventType::Normal ? "Normal" : "Warning"},
                     {"reason", said.reason},
                     {"action", said.action},
                     {"message", said.note},
                     {"firstTimestamp", format_seconds(said.series.first)},
                     {"lastTimestamp", format_seconds(said.now)},
                     {"eventTime", format_micros(said.series.first)},
                     {"count", said.series.count},
                     {"reportingComponent", "keyturn.dev/controller"},
                     {"reportingInstance", component},
                     {"source", json::object{{"component", component}}}};
  auto written = co_await writer_.apply(context, std::move(event), std::string(component));
  if (!written) log::warn("an event was not written", {{"about", said.about}, {"reason", said.reason}, {"error", written.error()}});
}

}  // namespace keyturn
