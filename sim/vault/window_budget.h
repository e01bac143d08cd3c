// So many transactions in a sliding window, as Key Vault limits them.
#pragma once

#include <deque>

#include "base/time.h"

namespace keyturn::sim {

class WindowBudget {
 public:
  WindowBudget(std::size_t transactions_max, Duration window) : transactions_max_(transactions_max), window_(window) {}

  // Refused calls do not count against the window.
  bool take(Instant now) {
    while (!taken_.empty() && taken_.front() + window_ <= now) taken_.pop_front();
    if (taken_.size() >= transactions_max_) return false;
    taken_.push_back(now);
    return true;
  }

 private:
  std::size_t transactions_max_;
  Duration window_;
  std::deque<Instant> taken_;
};

}  // namespace keyturn::sim
