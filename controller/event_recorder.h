// Events about objects, written through the API's own pipeline. Best effort: an event that cannot be written is logged and forgotten.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <string>

#include "base/task_group.h"
#include "controller/embedded/object_writer.h"
#include "reconcilers/reconciler.h"

namespace keyturn {

// The same event again within the hour raises the count of the first one instead of making another.
class EventRecorder final : public Recorder {
 public:
  static constexpr std::size_t series_max = 1'024;
  static constexpr std::size_t note_bytes_max = 1'024;  // events.k8s.io
  static constexpr Duration series_length = std::chrono::hours(1);

  EventRecorder(boost::asio::any_io_executor executor, Clock& clock, Store& store, embedded::ObjectWriter& writer)
      : clock_(clock), store_(store), writer_(writer), tasks_(std::move(executor)) {}

  void event(std::string_view kind, const ObjectKey& about, EventType type, std::string_view reason, std::string_view action,
             std::string note) override;
  Awaitable<std::size_t> stop(Duration grace) { return tasks_.stop(clock_, grace); }

 private:
  struct Series {
    Instant first{};
    int count = 0;
  };
  struct Said {
    std::string kind;
    ObjectKey about;
    EventType type = EventType::Normal;
    std::string reason;
    std::string action;
    std::string note;
    std::string name;  // of the event object
    Series series;
    Instant now{};
  };
  Awaitable<> write(Said said);

  Clock& clock_;
  Store& store_;
  embedded::ObjectWriter& writer_;
  std::map<std::string, Series> series_;  // by name of the event object
  TaskGroup tasks_;
};

}  // namespace keyturn
