// Times a call that is too short for a clock, in batches, and reports per call: the mean as the benchmark's time, and as counters the
// 99th percentile over the batches and the allocations.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "bench/allocations.h"

namespace keyturn::bench {

// How many batches a benchmark takes: the time of one call is too short for the library to find a number by itself.
inline constexpr benchmark::IterationCount batches_timed = 5'000;

class Batches {
 public:
  explicit Batches(benchmark::State& state) : state_(state) { nanoseconds_.reserve(batches_max); }

  // Runs the benchmark's loop; one iteration of it is one `batch` of `calls` calls. Register with UseManualTime.
  template <class Batch>
  void run(int calls, Batch batch) {
    for ([[maybe_unused]] auto _ : state_) {
      const std::uint64_t before = allocations();
      const auto started = std::chrono::steady_clock::now();
      batch(calls);
      const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - started;
      allocated_ += allocations() - before;
      calls_ += static_cast<std::uint64_t>(calls);
      if (nanoseconds_.size() < batches_max) nanoseconds_.push_back(took.count() / calls);
      state_.SetIterationTime(took.count() / calls / 1e9);
    }
    report();
  }

 private:
  static constexpr std::size_t batches_max = 1 << 20;

  void report() {
    if (nanoseconds_.empty()) return;
    const auto rank = static_cast<std::ptrdiff_t>(nanoseconds_.size() * 99 / 100);
    const auto p99 = nanoseconds_.begin() + std::min(rank, std::ptrdiff_t(nanoseconds_.size()) - 1);
    std::nth_element(nanoseconds_.begin(), p99, nanoseconds_.end());
    state_.counters["p99_ns"] = *p99;
    state_.counters["allocations"] = double(allocated_) / double(calls_);
  }

  benchmark::State& state_;
  std::vector<double> nanoseconds_;
  std::uint64_t allocated_ = 0;
  std::uint64_t calls_ = 0;
};

}  // namespace keyturn::bench
