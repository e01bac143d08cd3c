#include "controller/server/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn {
namespace {

using Type = MetricsWriter::Type;
using Label = MetricsWriter::Label;
using Labels = MetricsWriter::Labels;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n')
      out.append("\\n");
    else
      out.push_back(c);
  }
  return out;
}

double seconds(Duration value) { return static_cast<double>(value.count()) / 1000.0; }
double timestamp(Instant at) { return seconds(at.time_since_epoch()); }

// One gauge or counter with a sample per controller.
struct PerController {
  std::string_view name;
  Type type;
  std::string_view help;
  double (*value)(const ControllerCounters&);
};

constexpr auto reconcile_families = std::to_array<PerController>({
    {"controller_runtime_reconcile_errors_total", Type::Counter, "Reconciles that failed.",
     [](const ControllerCounters& c) { return double(c.error); }},
    {"controller_runtime_reconcile_panics_total", Type::Counter, "Reconciles that ended by an exception.",
     [](const ControllerCounters& c) { return double(c.exceptions); }},
    {"controller_runtime_reconcile_timeouts_total", Type::Counter, "Reconciles that exceeded their time.",
     [](const ControllerCounters& c) { return double(c.timeouts); }},
    {"controller_runtime_max_concurrent_reconciles", Type::Gauge, "Reconciles that may run at once.",
     [](const ControllerCounters& c) { return double(c.workers); }},
    {"controller_runtime_active_workers", Type::Gauge, "Reconciles that run now.",
     [](const ControllerCounters& c) { return double(c.active_workers); }},
});

constexpr auto queue_families = std::to_array<PerController>({
    {"workqueue_adds_total", Type::Counter, "Keys added to the queue.", [](const ControllerCounters& c) { return double(c.queue.adds); }},
    {"workqueue_retries_total", Type::Counter, "Keys that came back after a failure.",
     [](const ControllerCounters& c) { return double(c.queue.retries); }},
    {"workqueue_unfinished_work_seconds", Type::Gauge, "Time that the keys being worked on have taken so far, together.",
     [](const ControllerCounters& c) { return seconds(c.queue.unfinished); }},
    {"workqueue_longest_running_processor_seconds", Type::Gauge, "Time that the longest of them has taken so far.",
     [](const ControllerCounters& c) { return seconds(c.queue.longest_running); }},
    {"keyturn_workqueue_refused_total", Type::Counter, "Keys refused because the queue was full.",
     [](const ControllerCounters& c) { return double(c.queue.refused); }},
});

void write_reconciles(MetricsWriter& out, const MetricsSnapshot& snapshot) {
  out.family("controller_runtime_reconcile_total", Type::Counter, "Reconciles by result.");
  for (const auto& [name, counters] : snapshot.controllers) {
    out.sample({{"controller", name}, {"result", "success"}}, double(counters.success));
    out.sample({{"controller", name}, {"result", "error"}}, double(counters.error));
    out.sample({{"controller", name}, {"result", "requeue"}}, double(counters.requeue));
    out.sample({{"controller", name}, {"result", "requeue_after"}}, double(counters.requeue_after));
  }
  for (const PerController& family : reconcile_families) {
    out.family(family.name, family.type, family.help);
    for (const auto& [name, counters] : snapshot.controllers) out.sample({{"controller", name}}, family.value(counters));
  }
  out.family("controller_runtime_reconcile_time_seconds", Type::Histogram, "Duration of a reconcile.");
  for (const auto& [name, counters] : snapshot.controllers) out.histogram({{"controller", name}}, counters.reconcile_time);
}

void write_queues(MetricsWriter& out, const MetricsSnapshot& snapshot) {
  out.family("workqueue_depth", Type::Gauge, "Keys ready to be worked on, by priority.");
  for (const auto& [name, counters] : snapshot.controllers) {
    std::map<int, std::size_t> depth = counters.queue.depth;
    depth.try_emplace(priority_normal, 0);  // an empty queue has a depth, too
    for (const auto& [priority, keys] : depth)
      out.sample({{"name", name}, {"controller", name}, {"priority", std::to_string(priority)}}, double(keys));
  }
  for (const PerController& family : queue_families) {
    out.family(family.name, family.type, family.help);
    for (const auto& [name, counters] : snapshot.controllers) out.sample({{"name", name}, {"controller", name}}, family.value(counters));
  }
  out.family("workqueue_queue_duration_seconds", Type::Histogram, "How long a key waited in the queue.");
  for (const auto& [name, counters] : snapshot.controllers) out.histogram({{"name", name}, {"controller", name}}, counters.queue.queued);
  out.family("workqueue_work_duration_seconds", Type::Histogram, "How long a key was worked on.");
  for (const auto& [name, counters] : snapshot.controllers) out.histogram({{"name", name}, {"controller", name}}, counters.queue.worked);
}

void write_counters(MetricsWriter& out, const RotationCounters& counters) {
  // Every result has its series from the start, so that an alert on an increase sees the first one.
  std::map<std::string, std::uint64_t> attempts = counters.attempts;
  for (const char* result : {"Succeeded", "RolledBack", "Blocked", "Abandoned"}) attempts.try_emplace(result, 0);
  out.family("keyturn_rotation_attempts_total", Type::Counter, "Runs that ended or stopped, by result.");
  for (const auto& [result, count] : attempts) out.sample({{"result", result}}, double(count));
  out.family("keyturn_step_duration_seconds", Type::Histogram, "Duration of one step of a run.");
  for (const auto& [step, histogram] : counters.step_seconds) out.histogram({{"step", step}}, histogram);
}

// One gauge of a rotation; nothing = it has no such number yet.
struct PerRotation {
  std::string_view name;
  std::string_view help;
  std::optional<double> (*value)(const RotationView&, Instant now);
};

const ConditionView* condition(const RotationView& rotation, std::string_view type) {
  const auto found = std::find_if(rotation.conditions.begin(), rotation.conditions.end(),
                                  [type](const ConditionView& entry) { return entry.type == type; });
  return found == rotation.conditions.end() ? nullptr : &*found;
}

constexpr auto rotation_families = std::to_array<PerRotation>({
    {"keyturn_credential_age_seconds", "Age of the credential in use.",
     [](const RotationView& rotation, Instant now) -> std::optional<double> {
       if (!rotation.current || !rotation.current->issued_at) return std::nullopt;
       return seconds(std::max(now - *rotation.current->issued_at, Duration::zero()));
     }},
    {"keyturn_next_rotation_timestamp_seconds", "When the next rotation is due.",
     [](const RotationView& rotation, Instant) -> std::optional<double> {
       if (!rotation.next_rotation) return std::nullopt;
       return timestamp(*rotation.next_rotation);
     }},
    {"keyturn_last_success_timestamp_seconds", "When the credential in use came into use.",
     [](const RotationView& rotation, Instant) -> std::optional<double> {
       if (!rotation.current || !rotation.current->activated_at) return std::nullopt;
       return timestamp(*rotation.current->activated_at);
     }},
    {"keyturn_rotation_overdue", "1 when a rotation should have happened and did not.",
     [](const RotationView& rotation, Instant) -> std::optional<double> {
       const ConditionView* overdue = condition(rotation, "RotationOverdue");
       return overdue && overdue->status == "True" ? 1 : 0;
     }},
});

void write_rotations(MetricsWriter& out, const MetricsSnapshot& snapshot) {
  for (const PerRotation& family : rotation_families) {
    out.family(family.name, Type::Gauge, family.help);
    for (const RotationView& rotation : snapshot.rotations) {
      const std::optional<double> value = family.value(rotation, snapshot.now);
      if (value) out.sample({{"namespace", rotation.key.ns}, {"name", rotation.key.name}}, *value);
    }
  }
  out.family("keyturn_condition", Type::Gauge, "1 for the status that a condition of a rotation has, 0 for the others.");
  for (const RotationView& rotation : snapshot.rotations)
    for (const ConditionView& entry : rotation.conditions)
      for (const char* status : {"True", "False", "Unknown"})
        out.sample({{"namespace", rotation.key.ns}, {"name", rotation.key.name}, {"type", entry.type}, {"status", status}},
                   entry.status == status ? 1 : 0);
}

}  // namespace

void MetricsWriter::family(std::string_view name, Type type, std::string_view help) {
  family_ = name;
  const std::string_view word = type == Type::Counter ? "counter" : type == Type::Gauge ? "gauge" : "histogram";
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, word);
}

void MetricsWriter::line(std::string_view suffix, const Labels& labels, const std::string& value) {
  text_ += family_;
  text_ += suffix;
  char before = '{';
  for (const Label& label : labels) {
    text_ += fmt::format("{}{}=\"{}\"", before, label.name, escaped(label.value));
    before = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += fmt::format(" {}\n", value);
}

void MetricsWriter::sample(const Labels& labels, double value) { line("", labels, fmt::format("{}", value)); }

void MetricsWriter::histogram(const Labels& labels, const Histogram& histogram) {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
    cumulative += histogram.counts()[i];
    const std::string bound = i < histogram.bounds().size() ? fmt::format("{}", histogram.bounds()[i]) : "+Inf";
    Labels with_bound = labels;
    with_bound.push_back({"le", bound});
    line("_bucket", with_bound, std::to_string(cumulative));
  }
  line("_sum", labels, fmt::format("{}", histogram.sum_seconds()));
  line("_count", labels, std::to_string(histogram.count()));
}

std::string metrics_text(const MetricsSnapshot& snapshot) {
  MetricsWriter out;
  write_reconciles(out, snapshot);
  write_queues(out, snapshot);
  if (snapshot.leader) {
    out.family("leader_election_master_status", Type::Gauge, "1 when this process leads.");
    out.sample({{"name", "keyturn"}}, *snapshot.leader ? 1 : 0);
  }
  write_counters(out, snapshot.counters);
  write_rotations(out, snapshot);
  return out.take();
}

}  // namespace keyturn
