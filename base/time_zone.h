// IANA time zones, for the windows of a schedule.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace keyturn {

class TimeZones {
 public:
  virtual ~TimeZones() = default;
  // Local time minus UTC in that zone at that moment; nothing for a name that is not a zone.
  virtual std::optional<Duration> offset_at(std::string_view zone, Instant at) const = 0;
};

// Knows "UTC" only.
class UtcOnly final : public TimeZones {
 public:
  std::optional<Duration> offset_at(std::string_view zone, Instant) const override {
    return zone == "UTC" || zone == "Etc/UTC" ? std::optional(Duration{0}) : std::nullopt;
  }
};

// The system's zone files (RFC 8536, version 2 and later), read once per zone; beyond the last transition the last offset holds.
class SystemTimeZones final : public TimeZones {
 public:
  explicit SystemTimeZones(std::string directory = "/usr/share/zoneinfo") : directory_(std::move(directory)) {}
  std::optional<Duration> offset_at(std::string_view zone, Instant at) const override;

 private:
  struct Transition {
    Instant from;
    Duration offset;
  };
  using Transitions = std::vector<Transition>;
  std::shared_ptr<const Transitions> load(std::string_view zone) const;
  std::string directory_;
  mutable std::map<std::string, std::shared_ptr<const Transitions>, std::less<>> loaded_;
};

}  // namespace keyturn
