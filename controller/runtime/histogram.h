// Counts of durations by upper bound, as Prometheus wants them.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace keyturn {

class Histogram {
 public:
  // Upper bounds in seconds, ascending; the bound +Inf is implied.
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  // The bounds that controller-runtime uses for reconciles, and client-go for work queues: dashboards rely on them.
  static Histogram of_reconciles();
  static Histogram of_queue();

  void observe(Duration value);

  const std::vector<double>& bounds() const noexcept { return bounds_; }
  const std::vector<std::uint64_t>& counts() const noexcept { return counts_; }  // per bucket, not cumulative; the last is +Inf
  std::uint64_t count() const noexcept { return count_; }
  double sum_seconds() const noexcept { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace keyturn
