// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/minimise.h"

#include <gtest/gtest.h>

#include <optional>

namespace thrum::explore {
namespace {

using namespace std::chrono_literals;

// A schedule of a random walk that ends in a deadlock, with more switches than are needed.
class Minimise : public testing::Test {
 protected:
  void SetUp() override {
    job_.strategy = check::StrategyId::random;
    job_.fast = true;
    job_.max_steps = 20'000;
    job_.stride = 1;
    job_.count = 1;
    target_.emplace(examine(TWO_LOCKS), std::vector<std::string>{TWO_LOCKS}, job_, TargetOptions{});
    ASSERT_TRUE(target_->ready());
    for (std::uint64_t number = 0; found_.switches.size() < 4; ++number) {
      ASSERT_LT(number, 10'000U);
      job_.first = number;
      if (target_->run(job_).outcome == kWanted) found_ = happened(target_->shared());
    }
  }

  static constexpr check::Outcome kWanted = check::Outcome::deadlock;
  check::Job job_{};
  std::optional<Target> target_;
  Schedule found_;
};

TEST_F(Minimise, LeavesTheOneSwitchThatIsNeeded) {
  Minimiser minimiser(*target_, job_, kWanted);
  const Schedule least = minimiser.minimise(found_);
  EXPECT_EQ(least.switches.size(), 1U);
  EXPECT_TRUE(minimiser.shows_it(least));
}

TEST_F(Minimise, EndsWhenTheTimeIsUpWithWhatItHas) {
  Clock::time_point now{};
  int looks = 0;
  const auto late = [&] {  // it is time after so many looks at the clock
    if (++looks > 3) now += 21s;
    return now;
  };
  Minimiser minimiser(*target_, job_, kWanted, {.time = 20s, .now = late});
  const Schedule least = minimiser.minimise(found_);
  EXPECT_LE(minimiser.runs(), 6U);
  EXPECT_GT(least.switches.size(), 1U);
  EXPECT_TRUE(minimiser.shows_it(least));
}

TEST_F(Minimise, EndsAfterSoManyRuns) {
  Minimiser minimiser(*target_, job_, kWanted, {.runs = 2});
  const Schedule least = minimiser.minimise(found_);
  EXPECT_LE(minimiser.runs(), 5U);
  EXPECT_TRUE(minimiser.shows_it(least));
}

TEST_F(Minimise, DropsWhatComesAfterTheFailure) {
  Schedule longer = found_;
  for (std::uint32_t step = 1000; step < 1200; ++step) longer.switches.push_back({1, 2, 0, step});
  // One try that helps is enough: what really happened is what is kept of it.
  Minimiser minimiser(*target_, job_, kWanted, {.runs = 2});
  const Schedule least = minimiser.minimise(longer);
  EXPECT_LE(least.switches.size(), found_.switches.size());
  EXPECT_TRUE(minimiser.shows_it(least));
}

}  // namespace
}  // namespace thrum::explore
