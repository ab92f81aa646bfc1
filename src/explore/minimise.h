// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Makes a schedule that shows a bug as short as it can be and still show it: delta debugging
// (Zeller, Hildebrandt, 2002) over the switches and choices in which it differs from the default
// policy. That leaves none out of which one could be left out; another may still need fewer
// preemptions, so those with fewer are searched, as many as a budget allows.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "explore/schedule.h"
#include "explore/target.h"

namespace thrum::explore {

/// A long schedule is better than no report.
struct MinimiserLimits {
  unsigned runs = 4000;
  std::chrono::milliseconds time{20'000};
  std::function<Clock::time_point()> now = Clock::now;
};

class Minimiser {
 public:
  /// The target is ready and idle; `job` says under which rules it runs.
  Minimiser(Target& target, const check::Job& job, check::Outcome wanted,
            MinimiserLimits limits = {});

  /// Runs the schedule. Returns whether it ends as wanted.
  bool shows_it(const Schedule& schedule);
  /// Returns the least schedule that was found to show it; `schedule` does.
  Schedule minimise(Schedule schedule);
  /// Runs it with all that a report needs.
  void record(const Schedule& schedule);
  unsigned runs() const { return runs_; }

 private:
  template <class Item>
  void reduce(Schedule& schedule, std::vector<Item> Schedule::* items);
  void drop_points(Schedule& schedule);
  bool goes_on() const;
  void find_fewer_preemptions(Schedule& schedule);
  void reduce_all(Schedule& schedule);

  Target& target_;
  check::Job job_;
  bool fast_;
  check::Outcome wanted_;
  MinimiserLimits limits_;
  Clock::time_point began_ = limits_.now();
  unsigned runs_ = 0;
};

}  // namespace thrum::explore
