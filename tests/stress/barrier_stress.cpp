// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <deque>

#include "stress/budget.h"
#include "support/blocked.h"
#include "thrum/barrier.h"

namespace thrum {
namespace {

using test::Actor;
using test::stress;

TEST(BarrierStress, NobodyGoesOnBeforeAllHaveArrived) {
  long passed = 0;
  stress(
      [&](long rounds) {
        constexpr std::size_t kParties = 4;
        long ran = 0;  // not atomic: the barrier guards it
        Barrier barrier(kParties, [&] { ++ran; });
        std::array<long, kParties> at{};
        std::deque<Actor> actors;
        for (std::size_t me = 0; me < kParties; ++me) {
          actors.emplace_back([&, me] {
            for (long i = 1; i <= rounds; ++i) {
              at[me] = i;
              EXPECT_LT(barrier.wait(), kParties);
              for (const long other : at) EXPECT_EQ(other, i);
              barrier.wait();
            }
          });
        }
        actors.clear();
        EXPECT_EQ(ran, 2 * rounds);
        passed += ran;
      },
      [&] { return passed > 0; });
}

// More threads than parties, so that some wait outside; some give up; one breaks and mends.
TEST(BarrierStress, BreaksAndResetsAmongTooManyParties) {
  std::atomic<long> passed{0}, broken{0};
  stress(
      [&](long) {
        Barrier barrier(2);
        std::atomic<bool> done{false};
        std::deque<Actor> actors;
        for (int i = 0; i < 4; ++i) {
          actors.emplace_back([&, i] {
            while (!done) {
              ++(barrier.wait(std::chrono::microseconds(100 + 300 * i)) ? passed : broken);
            }
          });
        }
        for (int i = 0; i < 200; ++i) {
          if (i % 3 == 0) barrier.abort();
          test::let_others_run();
          barrier.reset();
        }
        done = true;
        actors.clear();
        barrier.reset();
        EXPECT_EQ(barrier.n_waiting(), 0u);
        EXPECT_FALSE(barrier.broken());
        Actor other([&] { EXPECT_TRUE(barrier.wait(forever)); });
        EXPECT_TRUE(barrier.wait(forever));
      },
      [&] { return passed > 0 && broken > 0; });
}

}  // namespace
}  // namespace thrum
