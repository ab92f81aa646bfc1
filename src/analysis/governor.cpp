// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/governor.h"

#include <algorithm>

namespace thrum::analysis {

// The cost of what was recorded tells how much may be recorded of the next period.
void Governor::begin_period(const Spent& now) {
  const auto period = static_cast<double>(now.ns - begun_.ns);
  const auto recorded = period - static_cast<double>(rested_ns_ - rested_before_ns_);
  const auto cost = static_cast<double>((now.watcher_ns - begun_.watcher_ns) +
                                        kEventNs * (now.events - begun_.events));
  const double program =
      std::max(static_cast<double>(now.program_ns - begun_.program_ns), kIdle * period);
  if (begun_.ns != 0 && recorded > 0) {
    const double whole = cost / recorded * period;  // if it had recorded all the time
    const double wanted = whole <= kMost * program ? 1 : std::max(kLeast, kMost * program / whole);
    // Down at once, up by steps: a burst is not followed by another one unseen.
    duty_ = wanted < duty_ ? wanted : std::min(wanted, 2 * duty_);
  }
  begun_ = now;
  rested_before_ns_ = rested_ns_;
  until_ns_ = now.ns + static_cast<std::uint64_t>(duty_ * static_cast<double>(kPeriodNs));
}

bool Governor::look(const Spent& now) {
  if (resting_) rested_ns_ += now.ns - looked_ns_;
  looked_ns_ = now.ns;
  if (now.ns - begun_.ns >= kPeriodNs) begin_period(now);
  resting_ = duty_ < 1 && now.ns >= until_ns_;
  return resting_;
}

std::uint64_t Governor::next_ns(std::uint64_t now) const {
  const std::uint64_t at = resting_ || duty_ >= 1 ? begun_.ns + kPeriodNs : until_ns_;
  return at > now ? at - now : 0;
}

}  // namespace thrum::analysis
