// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analysis/collector.h"
#include "analysis/recording.h"

namespace thrum::analysis {

/// What /proc counts for each thread, by looking at it now and then. The last look at a thread that
/// has ended is from before its end.
class SchedulingSampler {
 public:
  void sample(const std::vector<Moment>& threads);
  const std::map<std::uint32_t, Schedule>& schedules() const { return schedules_; }

 private:
  std::map<std::uint32_t, Schedule> schedules_;
};

}  // namespace thrum::analysis
