// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// How long each of many waits took.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <numeric>
#include <string>

namespace bench {

inline std::uint64_t now_ns() noexcept {
  timespec now{};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// A histogram of sixteen steps for each power of two.
class Waits {
 public:
  void add(std::uint64_t ns) noexcept {
    ++counts_[step_of(ns)];
    max_ns_ = std::max(max_ns_, ns);
  }
  void add(const Waits& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }
  std::map<std::string, double> figures() const {
    return {{"wait p50 ns", at_most(0.5)},
            {"wait p99 ns", at_most(0.99)},
            {"wait p99.9 ns", at_most(0.999)},
            {"wait max ns", static_cast<double>(max_ns_)}};
  }

 private:
  static constexpr std::size_t kSteps = 16;

  static std::size_t step_of(std::uint64_t ns) noexcept {
    if (ns < kSteps) return static_cast<std::size_t>(ns);
    const auto power = static_cast<std::size_t>(std::bit_width(ns / kSteps)) - 1;
    return (power + 1) * kSteps + static_cast<std::size_t>((ns >> power) - kSteps);
  }
  // Returns the upper end of the step where a share of the waits is reached.
  double at_most(double share) const noexcept {
    const auto all = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
    auto left = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all)));
    std::size_t step = 0;
    while (left > counts_[step]) left -= counts_[step++];
    const std::size_t power = step < kSteps ? 0 : step / kSteps - 1;
    const std::size_t lower = step < kSteps ? step : step % kSteps + kSteps;
    return std::ldexp(static_cast<double>(lower + 1), static_cast<int>(power));
  }

  std::array<std::uint64_t, 64 * kSteps> counts_{};
  std::uint64_t max_ns_ = 0;
};

}  // namespace bench
