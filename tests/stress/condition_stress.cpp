// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <stop_token>

#include "stress/budget.h"
#include "support/blocked.h"
#include "thrum/condition.h"

namespace thrum {
namespace {

using test::Actor;
using test::stress;

// glibc 25847: a signal was stolen by a thread that began to wait after it. Each thread waits for
// its turn and notifies one other; a stolen notification leaves all of them asleep.
TEST(ConditionStress, ThreeThreadsTakeTurnsAndNoNotificationIsStolen) {
  long turns = 0;
  stress(
      [&](long rounds) {
        Lock lock;
        std::array<Condition, 3> condition{Condition(lock), Condition(lock), Condition(lock)};
        long turn = 0;  // guarded by the lock
        std::deque<Actor> actors;
        for (std::size_t me = 0; me < 3; ++me) {
          actors.emplace_back([&, me] {
            for (long i = 0; i < rounds; ++i) {
              const Guard guard(lock);
              condition[me].wait_for([&] { return turn % 3 == static_cast<long>(me); });
              ++turn;
              condition[(me + 1) % 3].notify();
            }
          });
        }
        actors.clear();
        EXPECT_EQ(turn, 3 * rounds);
        turns += turn;
      },
      [&] { return turns > 0; });
}

// Waiters and notifiers on one condition, without a predicate: as many returns as notifications.
TEST(ConditionStress, ANotificationIsConsumedByAThreadThatWaitedBeforeIt) {
  long notified = 0;
  std::atomic<long> slept{0};
  stress(
      [&](long rounds) {
        Lock lock;
        Condition condition(lock);
        std::uint64_t ticket = 0, served = 0;  // guarded by the lock: first come, first served
        std::deque<Actor> waiters;
        for (int i = 0; i < 3; ++i) {
          waiters.emplace_back([&] {
            for (long n = 0; n < rounds; ++n) {
              const Guard guard(lock);
              const std::uint64_t mine = ticket++;
              condition.wait();
              EXPECT_LT(mine, served) << "notified before those who came first";
              ++slept;
            }
          });
        }
        for (long left = 3 * rounds; left > 0;) {
          const Guard guard(lock);
          if (condition.waiting() == 0) continue;
          condition.notify();
          ++served;
          --left;
          ++notified;
        }
      },
      [&] { return notified > 0 && slept > 0; });
}

TEST(ConditionStress, ItemsPassThroughWhileWaitersTimeOutAndAreStopped) {
  std::atomic<long> timed_out{0}, stopped{0}, got{0};
  stress(
      [&](long rounds) {
        Lock lock;
        Condition not_empty(lock), not_full(lock);
        long items = 0;  // guarded by the lock
        std::atomic<long> left{2 * rounds};
        std::deque<Actor> actors;
        for (int kind = 0; kind < 3; ++kind) {
          actors.emplace_back([&, kind] {
            for (long i = 0; left > 0; ++i) {
              std::stop_source source;
              if (i % 4 == 0) source.request_stop();
              const Guard guard(lock);
              const Deadline deadline =
                  kind == 0   ? Deadline(std::chrono::milliseconds(1))
                  : kind == 1 ? Deadline(std::chrono::microseconds(i % 50))
                              : Deadline(std::chrono::milliseconds(1)).or_stop(source.get_token());
              if (!not_empty.wait_for([&] { return items > 0; }, deadline)) {
                ++(source.stop_requested() && kind == 2 ? stopped : timed_out);
                continue;
              }
              --items;
              --left;
              ++got;
              not_full.notify();
            }
          });
        }
        for (int producer = 0; producer < 2; ++producer) {
          actors.emplace_back([&] {
            for (long i = 0; i < rounds; ++i) {
              const Guard guard(lock);
              not_full.wait_for([&] { return items < 2; });
              ++items;
              not_empty.notify();
            }
          });
        }
        actors.clear();
        EXPECT_EQ(items, 0);
      },
      [&] { return timed_out > 0 && stopped > 0 && got > 0; });
}

}  // namespace
}  // namespace thrum
