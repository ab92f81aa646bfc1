// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>

#include "stress/budget.h"
#include "support/blocked.h"
#include "thrum/event.h"
#include "thrum/semaphore.h"

namespace thrum {
namespace {

using test::Actor;
using test::stress;

TEST(EventStress, APulseFreesAllWhoWaited) {
  std::atomic<long> freed{0};
  stress(
      [&](long rounds) {
        rounds = std::min(rounds, 256l);
        Event event;
        Semaphore again(0);
        std::deque<Actor> waiters;
        for (int i = 0; i < 3; ++i) {
          waiters.emplace_back([&] {
            for (long n = 0; n < rounds; ++n) {
              event.wait();
              ++freed;
              again.acquire();
            }
          });
        }
        for (long n = 0; n < rounds; ++n) {
          for (const Actor& waiter : waiters) waiter.until_blocked_on(event);
          event.set();
          event.clear();
          again.release(3);
        }
      },
      [&] { return freed > 0; });
}

TEST(EventStress, NoSetIsLostBetweenTwoThreadsThatTakeTurns) {
  std::atomic<long> timed_out{0}, turns{0};
  stress(
      [&](long rounds) {
        Event ping, pong;
        const auto await = [&](Event& event, long i) {
          while (!event.wait(i % 2 == 0 ? Deadline(forever)
                                        : Deadline(std::chrono::microseconds(i % 40)))) {
            ++timed_out;
          }
          event.clear();
        };
        Actor other([&] {
          for (long i = 0; i < rounds; ++i) {
            await(ping, i);
            pong.set();
          }
        });
        for (long i = 0; i < rounds; ++i) {
          ping.set();
          await(pong, i + 1);
          ++turns;
        }
      },
      [&] { return timed_out > 0 && turns > 0; });
}

}  // namespace
}  // namespace thrum
