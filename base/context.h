// Travels by value as the first parameter of everything that waits: how long it may take, and on whose behalf.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace keyturn {

class Context {
 public:
  Context(Clock& clock, std::string who) : clock_(&clock), who_(std::move(who)) {}

  Clock& clock() const noexcept { return *clock_; }
  const std::string& who() const noexcept { return who_; }  // "erp-dev/erp-redis publish", for logs only

  // Deadlines are boot time, so that a clock that is set does not cut or stretch them; children only shrink them.
  Context with_timeout(Duration timeout) const;
  Context named(std::string_view step) const;  // appends to who()
  std::optional<Duration> remaining() const;   // nothing = unlimited; never negative
  bool expired() const;

  // The send deadline (protocol.md 6.2): an effect's first byte may leave only before this moment. Every adapter that writes
  // asks `may_send()` immediately before its write and returns Unavailable when it says no.
  Context sending_within(Duration issue) const;
  bool may_send() const;

 private:
  Clock* clock_;
  std::string who_;
  std::optional<BootInstant> deadline_;
  std::optional<BootInstant> send_before_;
};

}  // namespace keyturn
