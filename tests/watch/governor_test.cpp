// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/governor.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace thrum::analysis {
namespace {

// A program that keeps a processor busy and writes events at some rate while it may, watched for so
// long. Returns the cost of the recording as a part of the program's, without the first period.
struct Costs {
  double cost_part, rested_part;
};
Costs run(double program_of_a_processor, double events_per_ns, int periods) {
  constexpr std::uint64_t kStep = 100'000, kReadNs = 100;
  Governor governor;
  Spent spent;
  bool resting = false;
  double events = 0;
  std::uint64_t cost = 0, program = 0;
  for (std::uint64_t ns = kStep; ns <= Governor::kPeriodNs * static_cast<std::uint64_t>(periods);
       ns += kStep) {
    const double fresh = resting ? 0 : events_per_ns * kStep;
    events += fresh;
    spent.ns = ns;
    spent.program_ns += static_cast<std::uint64_t>(program_of_a_processor * kStep);
    spent.watcher_ns += static_cast<std::uint64_t>(fresh * kReadNs);
    spent.events = static_cast<std::uint64_t>(events);
    if (ns > 3 * Governor::kPeriodNs) {
      cost += static_cast<std::uint64_t>(fresh * (kReadNs + Governor::kEventNs));
      program += static_cast<std::uint64_t>(program_of_a_processor * kStep);
    }
    resting = governor.look(spent);
  }
  return {static_cast<double>(cost) / static_cast<double>(std::max<std::uint64_t>(1, program)),
          static_cast<double>(governor.rested_ns()) / static_cast<double>(spent.ns)};
}

TEST(Governor, LeavesAloneWhatIsCheap) {
  EXPECT_EQ(run(1, 0.0001, 20).rested_part, 0);  // 1.5 % of what the program costs
}

TEST(Governor, KeepsTheCostBelowItsMostByResting) {
  for (const double rate : {0.0002, 0.001, 0.005}) {  // 3, 15, 75 % if it never rested
    const Costs got = run(1, rate, 40);
    EXPECT_LE(got.cost_part, 1.1 * Governor::kMost) << rate;
    EXPECT_GT(got.cost_part, 0.5 * Governor::kMost) << rate;
    EXPECT_GT(got.rested_part, 0.2) << rate;
  }
}

TEST(Governor, NeverRestsAllTheTime) {
  EXPECT_LE(run(1, 1, 40).rested_part, 1 - 0.5 * Governor::kLeast);
}

TEST(Governor, DoesNotMeasureAnIdleProgramByItself) {
  EXPECT_EQ(run(0.001, 0.00001, 20).rested_part, 0);
}

}  // namespace
}  // namespace thrum::analysis
