#include "base/context.h"

#include <algorithm>

namespace keyturn {
namespace {

// `now + delay`, or the far end of time when that does not fit.
BootInstant later(BootInstant now, Duration delay) {
  if (delay > BootInstant::max() - now) return BootInstant::max();
  return now + std::max(delay, Duration(0));
}

}  // namespace

Context Context::with_timeout(Duration timeout) const {
  Context child = *this;
  const BootInstant limit = later(clock_->boot_now(), timeout);
  child.deadline_ = deadline_ ? std::min(*deadline_, limit) : limit;
  return child;
}

Context Context::named(std::string_view step) const {
  Context child = *this;
  if (!child.who_.empty()) child.who_ += ' ';
  child.who_ += step;
  return child;
}

std::optional<Duration> Context::remaining() const {
  if (!deadline_) return std::nullopt;
  return std::max(Duration(0), *deadline_ - clock_->boot_now());
}

bool Context::expired() const { return deadline_ && clock_->boot_now() >= *deadline_; }

Context Context::sending_within(Duration issue) const {
  Context child = *this;
  const BootInstant limit = later(clock_->boot_now(), issue);
  child.send_before_ = send_before_ ? std::min(*send_before_, limit) : limit;
  return child;
}

bool Context::may_send() const { return !expired() && (!send_before_ || clock_->boot_now() < *send_before_); }

}  // namespace keyturn
