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
#include "thrum/semaphore.h"

namespace thrum {
namespace {

using test::Actor;
using test::stress;

TEST(SemaphoreStress, EveryMixOfWaitersKeepsTheNumberOfPermits) {
  std::atomic<long> contended{0}, timed_out{0}, stopped{0};
  stress(
      [&](long rounds) {
        BoundedSemaphore semaphore(2);
        std::atomic<int> inside{0};
        std::deque<Actor> actors;
        for (int kind = 0; kind < 6; ++kind) {
          actors.emplace_back([&, kind] {
            for (long i = 0; i < rounds; ++i) {
              std::stop_source source;
              if (kind % 3 == 2 && i % 4 == 0) source.request_stop();
              if (semaphore.acquire(nonblocking)) {
              } else if (++contended; kind % 3 == 0) {
                semaphore.acquire();
              } else if (kind % 3 == 1) {
                if (!semaphore.acquire(std::chrono::microseconds(i % 50))) {
                  ++timed_out;
                  continue;
                }
              } else if (!semaphore.acquire(source.get_token())) {
                ++stopped;
                continue;
              }
              EXPECT_LE(++inside, 2);
              if (i % 32 == 0) sched_yield();
              --inside;
              semaphore.release();
            }
          });
        }
        actors.clear();
        EXPECT_EQ(semaphore.value(), 2u);
      },
      [&] { return contended > 0 && timed_out > 0 && stopped > 0; });
}

TEST(SemaphoreStress, EachPermitFreesSomebody) {
  long given = 0;
  stress(
      [&](long rounds) {
        Semaphore semaphore(0);
        std::atomic<long> taken{0};
        std::deque<Actor> takers;
        for (int i = 0; i < 4; ++i) {
          takers.emplace_back([&] {
            for (long n = 0; n < rounds; ++n) {
              semaphore.acquire();
              ++taken;
            }
          });
        }
        for (long left = 4 * rounds; left > 0;) {
          const long n = left % 3 == 0 && left >= 3 ? 3 : 1;
          semaphore.release(n);
          left -= n;
          given += n;
        }
        takers.clear();
        EXPECT_EQ(taken, 4 * rounds);
        EXPECT_EQ(semaphore.value(), 0u);
      },
      [&] { return given > 0; });
}

}  // namespace
}  // namespace thrum
