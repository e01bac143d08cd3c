// What the controller measures, as Prometheus reads it: the names that controller-runtime and client-go use, so that stock dashboards
// and alerts work, and the numbers of our own domain. Labels are names of things, never version ids, never values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/runtime/controller.h"
#include "controller/server/rotation_queries.h"

namespace keyturn {

// Writes the text exposition format (version 0.0.4): each family once, with its help and type, then its samples.
class MetricsWriter {
 public:
  enum class Type : std::uint8_t { Counter, Gauge, Histogram };
  struct Label {
    std::string_view name;
    std::string_view value;  // any text: it is escaped here
  };
  using Labels = std::vector<Label>;

  void family(std::string_view name, Type type, std::string_view help);
  // A sample of the last family.
  void sample(const Labels& labels, double value);
  void histogram(const Labels& labels, const Histogram& histogram);
  std::string take() { return std::move(text_); }

 private:
  void line(std::string_view suffix, const Labels& labels, const std::string& value);
  std::string family_;
  std::string text_;
};

// What runs did since the start of the process; counted by the reconciler.
struct RotationCounters {
  std::map<std::string, std::uint64_t> attempts;  // by result: Succeeded, RolledBack, Blocked, Abandoned
  std::map<std::string, Histogram> step_seconds;  // by step
};

struct MetricsSnapshot {
  Instant now{};
  std::vector<std::pair<std::string, ControllerCounters>> controllers;  // by name
  std::optional<bool> leader;                                           // nothing = there is no election
  std::vector<RotationView> rotations;
  RotationCounters counters;
};

std::string metrics_text(const MetricsSnapshot& snapshot);

}  // namespace keyturn
