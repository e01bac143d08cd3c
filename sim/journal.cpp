#include "sim/journal.h"

#include <fmt/core.h>

namespace keyturn::sim {

void Journal::add(JournalEntry entry) {
  if (entries_.size() == entries_max) entries_.pop_front();
  entry.sequence = ++sequence_;
  entries_.push_back(std::move(entry));
}

boost::json::object shown(const JournalEntry& entry) {
  boost::json::object out{{"sequence", entry.sequence},
                          {"at", format_micros(entry.at)},
                          {"service", name_of(entry.route.service)},
                          {"operation", entry.route.operation},
                          {"method", entry.method},
                          {"host", entry.host},
                          {"path", entry.path},
                          {"principal", entry.principal},
                          {"status", entry.status}};
  if (!entry.route.vault.empty()) out["vault"] = entry.route.vault;
  if (!entry.route.app.empty()) out["app"] = entry.route.app;
  if (!entry.correlation.empty()) out["correlation"] = entry.correlation;
  if (!entry.fault.empty()) out["fault"] = entry.fault;
  return out;
}

std::string line_of(const JournalEntry& entry) {
  std::string line =
      fmt::format("#{} {} {} {} {} by {} -> {}", entry.sequence, format_seconds(entry.at),
                  entry.route.operation.empty() ? "-" : entry.route.operation, entry.method, entry.path,
                  entry.principal.empty() ? "nobody" : entry.principal, entry.status == 0 ? "no answer" : std::to_string(entry.status));
  if (!entry.route.vault.empty()) line += " vault=" + entry.route.vault;
  if (!entry.fault.empty()) line += " fault=" + entry.fault;
  return line;
}

}  // namespace keyturn::sim
