// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <stop_token>

#include "stress/budget.h"
#include "support/blocked.h"
#include "thrum/lock.h"

namespace thrum {
namespace {

using test::Actor;
using test::stress;

template <class L>
class LockStress : public testing::Test {};
using Locks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(LockStress, Locks);

// Threads that wait for ever, for a short time, and with a token that is triggered now and then.
TYPED_TEST(LockStress, EveryMixOfWaitersExcludesAndLosesNoWake) {
  std::atomic<long> contended{0}, timed_out{0}, stopped{0};
  stress(
      [&](long rounds) {
        TypeParam lock;
        long inside = 0;  // not atomic: two holders would be seen
        std::atomic<long> entered{0};
        std::deque<Actor> actors;
        for (int kind = 0; kind < 6; ++kind) {
          actors.emplace_back([&, kind] {
            for (long i = 0; i < rounds; ++i) {
              std::stop_source source;
              if (kind % 3 == 2 && i % 4 == 0) source.request_stop();
              if (lock.acquire(nonblocking)) {
              } else if (++contended; kind % 3 == 0) {
                lock.acquire();
              } else if (kind % 3 == 1) {
                if (!lock.acquire(std::chrono::microseconds(i % 50))) {
                  ++timed_out;
                  continue;
                }
              } else if (!lock.acquire(source.get_token())) {
                ++stopped;
                continue;
              }
              ++inside;
              entered.fetch_add(1, std::memory_order_relaxed);
              if (i % 32 == 0) sched_yield();
              lock.release();
            }
          });
        }
        actors.clear();
        EXPECT_EQ(inside, entered);
        EXPECT_FALSE(lock.locked());
        EXPECT_TRUE(lock.acquire(nonblocking));
      },
      [&] { return contended > 0 && timed_out > 0 && stopped > 0; });
}

TYPED_TEST(LockStress, AWaiterIsServedAlthoughOthersBarge) {
  long served = 0;
  stress(
      [&](long) {
        TypeParam lock;
        std::atomic<bool> done{false};
        std::deque<Actor> bargers;
        for (int i = 0; i < 2; ++i) {
          bargers.emplace_back([&] {
            while (!done) {
              lock.acquire();
              lock.release();
            }
          });
        }
        for (int i = 0; i < 20; ++i) {
          lock.acquire();
          ++served;
          lock.release();
        }
        done = true;
      },
      [&] { return served >= 20; });
}

// The plea of a thread that gives up must not bar the others.
TYPED_TEST(LockStress, StarvingWaitersComeAndGo) {
  std::atomic<long> gave_up{0}, got_in{0};
  stress(
      [&](long) {
        TypeParam lock;
        std::atomic<bool> done{false};
        std::deque<Actor> actors;
        for (int i = 0; i < 3; ++i) {
          actors.emplace_back([&, i] {
            while (!done) {
              if (lock.acquire(std::chrono::microseconds(1000 + 500 * i))) {
                ++got_in;
                lock.release();
              } else {
                ++gave_up;
              }
            }
          });
        }
        for (int i = 0; i < 50; ++i) {
          lock.acquire();
          const Deadline hold = std::chrono::microseconds(i % 2 == 0 ? 1500 : 0);
          while (!hold.expired()) sched_yield();
          lock.release();
        }
        done = true;
        actors.clear();
        EXPECT_TRUE(lock.acquire(nonblocking));
      },
      [&] { return gave_up > 0 && got_in > 0; });
}

}  // namespace
}  // namespace thrum
