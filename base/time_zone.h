// IANA time zones, for the windows of a schedule.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/posix_time_zone.h"
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

// The system's zone files (RFC 8536, version 2 and later), read once per zone. Beyond the last transition the rule in the
// file's last line holds, or the last offset where there is no rule or none that can be read.
class SystemTimeZones final : public TimeZones {
 public:
  explicit SystemTimeZones(std::string directory = "/usr/share/zoneinfo") : directory_(std::move(directory)) {}
  std::optional<Duration> offset_at(std::string_view zone, Instant at) const override;

 private:
  struct Transition {
    Instant from;
    Duration offset;
  };
  struct Zone {
    std::vector<Transition> transitions;  // never empty: the first one lies before all time
    std::optional<PosixTimeZone> rule;
  };
  std::shared_ptr<const Zone> load(std::string_view zone) const;
  std::string directory_;
  mutable std::map<std::string, std::shared_ptr<const Zone>, std::less<>> loaded_;
};

}  // namespace keyturn
