// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/semaphore.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <stop_token>
#include <type_traits>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/page.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::refuses;
using test::Stopwatch;

static_assert(sizeof(Semaphore) == 8);
static_assert(std::is_trivially_destructible_v<Semaphore>);
static_assert(!std::is_copy_constructible_v<Semaphore> && !std::is_move_constructible_v<Semaphore>);
static_assert(!std::is_copy_constructible_v<BoundedSemaphore> &&
              !std::is_move_constructible_v<BoundedSemaphore>);
static_assert(!std::is_convertible_v<int, Semaphore>);
static_assert(Semaphore::max() == 0x7fffffff);

constinit Semaphore global_semaphore(2);
constinit BoundedSemaphore global_bounded(2);

TEST(Semaphore, HasOnePermitByDefault) {
  Semaphore semaphore;
  EXPECT_EQ(semaphore.value(), 1u);
  EXPECT_TRUE(semaphore.acquire(nonblocking));
  EXPECT_FALSE(semaphore.acquire(nonblocking));
}

TEST(Semaphore, AGlobalNeedsNoInitialisationOrder) {
  EXPECT_EQ(global_semaphore.value(), 2u);
  EXPECT_EQ(global_bounded.value(), 2u);
}

TEST(Semaphore, MayBeginWithNoPermit) {
  Semaphore semaphore(0);
  EXPECT_EQ(semaphore.value(), 0u);
  EXPECT_FALSE(semaphore.acquire(nonblocking));
}

TEST(Semaphore, PermitsOutOfRangeThrow) {
  EXPECT_TRUE(refuses("thrum::Semaphore", [] { Semaphore semaphore(-1); }));
  EXPECT_TRUE(refuses("thrum::Semaphore", [] { Semaphore semaphore(INT64_MIN); }));
  EXPECT_TRUE(
      refuses("thrum::Semaphore", [] { Semaphore semaphore(std::int64_t{Semaphore::max()} + 1); }));
  EXPECT_TRUE(refuses("thrum::Semaphore", [] { Semaphore semaphore(INT64_MAX); }));
  EXPECT_NO_THROW(Semaphore{Semaphore::max()});
  EXPECT_THROW(BoundedSemaphore(-1), UsageError);
  EXPECT_THROW(BoundedSemaphore(INT64_MAX), UsageError);
}

TEST(Semaphore, AcquireTakesAPermitAndReleaseGivesSomeBack) {
  Semaphore semaphore(3);
  semaphore.acquire();
  semaphore.acquire();
  EXPECT_EQ(semaphore.value(), 1u);
  semaphore.release();
  EXPECT_EQ(semaphore.value(), 2u);
  semaphore.release(5);
  EXPECT_EQ(semaphore.value(), 7u) << "more than it began with is fine";
}

TEST(Semaphore, ReleaseOfLessThanOneThrowsAndGivesNothing) {
  Semaphore semaphore(1);
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    EXPECT_TRUE(refuses("thrum::Semaphore::release", [&] { semaphore.release(n); }));
  }
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST(Semaphore, ReleaseAboveMaxThrowsAndGivesNothing) {
  Semaphore semaphore(1);
  EXPECT_TRUE(refuses("thrum::Semaphore::release", [&] { semaphore.release(Semaphore::max()); }));
  EXPECT_TRUE(refuses("thrum::Semaphore::release", [&] { semaphore.release(INT64_MAX); }));
  EXPECT_EQ(semaphore.value(), 1u);
  semaphore.release(Semaphore::max() - 1);
  EXPECT_EQ(semaphore.value(), Semaphore::max());
  EXPECT_TRUE(refuses("thrum::Semaphore::release", [&] { semaphore.release(); }));
  EXPECT_EQ(semaphore.value(), Semaphore::max());
}

TEST(Semaphore, APermitIsNeverRefused) {
  Semaphore semaphore(1);
  std::stop_source stopped;
  stopped.request_stop();
  for (const Deadline& deadline :
       {Deadline(nonblocking), Deadline(-1s), Deadline(Deadline::Clock::now()),
        Deadline(stopped.get_token())}) {
    EXPECT_TRUE(semaphore.acquire(deadline));
    semaphore.release();
  }
}

TEST(Semaphore, GivesUpAtTheDeadlineAndNotBefore) {
  Semaphore semaphore(0);
  const Stopwatch watch;
  EXPECT_FALSE(semaphore.acquire(20ms));
  EXPECT_GE(watch.elapsed(), 20ms);
  EXPECT_EQ(semaphore.value(), 0u);
  semaphore.release();
  EXPECT_TRUE(semaphore.acquire(nonblocking));
}

TEST(Semaphore, StopBeforeTheCallGivesUpAtOnce) {
  Semaphore semaphore(0);
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(semaphore.acquire(source.get_token()));
}

TEST(Semaphore, StopEndsTheWait) {
  Semaphore semaphore(0);
  std::stop_source source;
  Actor waiter([&] { EXPECT_FALSE(semaphore.acquire(source.get_token())); });
  waiter.until_blocked_on(semaphore);
  source.request_stop();
  waiter.join();
  semaphore.release();
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST(Semaphore, StopAfterTheCallChangesNothing) {
  Semaphore semaphore(0);
  std::stop_source source;
  Actor waiter([&] { EXPECT_TRUE(semaphore.acquire(source.get_token())); });
  waiter.until_blocked_on(semaphore);
  semaphore.release();
  waiter.join();
  source.request_stop();
  EXPECT_EQ(semaphore.value(), 0u);
}

TEST(Semaphore, OneWaiterGoesOnForEachPermit) {
  // Seven permits, ten threads, three rounds, as many in as there were permits.
  Semaphore semaphore(7);
  std::atomic<int> in{0};
  std::deque<Actor> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      semaphore.acquire();
      ++in;
      semaphore.acquire();
      ++in;
    });
  }
  const auto settled = [&](int expected) {
    test::until([&] { return in == expected; });
    for (const Actor& thread : threads) {
      if (!thread.finished()) {
        test::until([&] { return thread.finished() || test::is_blocked(thread.tid()); });
      }
    }
    EXPECT_EQ(in, expected);
  };
  settled(7);
  semaphore.release(6);
  settled(13);
  semaphore.release(6);
  settled(19);
  semaphore.release();
  threads.clear();
  EXPECT_EQ(in, 20);
  EXPECT_EQ(semaphore.value(), 0u);
}

TEST(Semaphore, TwoReleasesFreeTwoSleepers) {
  // llvm#46357: the second release finds a permit and must wake all the same.
  test::Rounds rounds(100);
  for (int i = 0; rounds.next(); ++i) {
    Semaphore semaphore(0);
    Actor first([&] { semaphore.acquire(); });
    Actor second([&] { semaphore.acquire(); });
    if (i % 4 != 0) {
      first.until_blocked_on(semaphore);
      second.until_blocked_on(semaphore);
    }
    semaphore.release();
    semaphore.release();
  }
}

TEST(Semaphore, OneReleaseOfManyFreesManySleepers) {
  Semaphore semaphore(0);
  std::deque<Actor> sleepers;
  for (int i = 0; i < 4; ++i) {
    sleepers.emplace_back([&] { semaphore.acquire(); });
    sleepers.back().until_blocked_on(semaphore);
  }
  semaphore.release(5);
  sleepers.clear();
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST(Semaphore, SpuriousWakesGiveNoPermit) {
  Semaphore semaphore(0);
  std::stop_source source;
  std::atomic<int> in{0};
  std::deque<Actor> waiters;
  for (const Deadline& deadline : {Deadline(forever), Deadline(1h), Deadline(source.get_token())}) {
    waiters.emplace_back([&, deadline] {
      EXPECT_TRUE(semaphore.acquire(deadline));
      ++in;
    });
  }
  for (int i = 0; i < 10; ++i) {
    for (const Actor& waiter : waiters) waiter.until_blocked_on(semaphore);
    for (int half = 0; half < 2; ++half) {
      wake(reinterpret_cast<const Word*>(&semaphore) + half, kEveryone);
    }
    waiters.back().interrupt();
  }
  EXPECT_EQ(in, 0);
  semaphore.release(3);
  waiters.clear();
  EXPECT_EQ(in, 3);
}

// One waiter may give up at any moment, the other never does: each permit must reach somebody.
void no_permit_is_swallowed(bool by_stop) {
  test::Rounds rounds(100);
  for (int i = 0; rounds.next(); ++i) {
    Semaphore semaphore(0);
    std::stop_source source;
    bool got = false;
    Actor gives_up([&] {
      got = semaphore.acquire(by_stop ? Deadline(source.get_token())
                                      : Deadline(std::chrono::microseconds(50 + i)));
    });
    Actor waits([&] { semaphore.acquire(); });
    if (by_stop) gives_up.until_blocked_on(semaphore);
    waits.until_blocked_on(semaphore);
    if (by_stop) {
      Actor stopper([&] { source.request_stop(); });
      semaphore.release();
    } else {
      semaphore.release();
    }
    gives_up.join();
    if (got) semaphore.release();
    waits.join();
    EXPECT_EQ(semaphore.value(), 0u);
  }
}

TEST(Semaphore, ATimedWaiterSwallowsNoPermit) { no_permit_is_swallowed(false); }
TEST(Semaphore, AStoppedWaiterSwallowsNoPermit) { no_permit_is_swallowed(true); }

TEST(Semaphore, PermitsAreNeitherLostNorDoubledWhenTimeEndsAsTheyAreGiven) {
  Semaphore semaphore(2);
  std::atomic<int> inside{0};
  {
    std::deque<Actor> actors;
    for (int a = 0; a < 4; ++a) {
      actors.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          if (!semaphore.acquire(std::chrono::microseconds(i % 60))) continue;
          EXPECT_LE(++inside, 2);
          if (i % 16 == 0) sched_yield();
          --inside;
          semaphore.release();
        }
      });
    }
  }
  EXPECT_EQ(semaphore.value(), 2u);
}

TEST(Semaphore, WhoTakesThePermitMayDestroyIt) {
  test::who_is_freed_destroys<Semaphore>(
      test::Rounds(4000), [](Semaphore&) {},
      [](Semaphore& semaphore, int round) {
        if (round % 4 != 0 && semaphore.acquire(std::chrono::microseconds(round % 30))) return;
        semaphore.acquire();
      },
      [](Semaphore& semaphore, int) { semaphore.release(); }, 0);
}

TEST(Semaphore, WhatWasDoneBeforeAReleaseHappensBeforeWhatThePermitAllows) {
  Semaphore given(0), taken(0);
  int data = 0;  // not atomic: the thread sanitizer judges
  Actor reader([&] {
    for (int i = 1; i <= 300; ++i) {
      given.acquire();
      EXPECT_EQ(data, i);
      taken.release();
    }
  });
  for (int i = 1; i <= 300; ++i) {
    data = i;
    given.release();
    taken.acquire();
  }
}

Semaphore* semaphore_of_handler = nullptr;

TEST(Semaphore, ReleaseIsSafeInASignalHandler) {
  Semaphore semaphore(0);
  semaphore_of_handler = &semaphore;
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { semaphore_of_handler->release(); };
  sigaction(SIGUSR1, &action, &before);
  Actor waiter([&] { semaphore.acquire(); });
  waiter.until_blocked_on(semaphore);
  raise(SIGUSR1);
  waiter.join();
  sigaction(SIGUSR1, &before, nullptr);
}

TEST(BoundedSemaphore, KnowsHowManyPermitsItBeganWith) {
  BoundedSemaphore semaphore(3);
  semaphore.acquire();
  EXPECT_EQ(semaphore.initial(), 3u);
  EXPECT_EQ(semaphore.value(), 2u);
  EXPECT_EQ(BoundedSemaphore().initial(), 1u);
}

TEST(BoundedSemaphore, ReleasingMoreThanWasAcquiredThrows) {
  BoundedSemaphore semaphore(2);
  EXPECT_TRUE(refuses("thrum::BoundedSemaphore::release", [&] { semaphore.release(); }));
  EXPECT_EQ(semaphore.value(), 2u);
  semaphore.acquire();
  semaphore.release();
  EXPECT_TRUE(refuses("thrum::BoundedSemaphore::release", [&] { semaphore.release(); }));
}

TEST(BoundedSemaphore, ReleaseOfManyIsAllOrNothing) {
  BoundedSemaphore semaphore(4);
  semaphore.acquire();
  semaphore.acquire();
  EXPECT_TRUE(refuses("thrum::BoundedSemaphore::release", [&] { semaphore.release(3); }));
  EXPECT_EQ(semaphore.value(), 2u);
  semaphore.release(2);
  EXPECT_EQ(semaphore.value(), 4u);
  EXPECT_THROW(semaphore.release(0), UsageError);
  EXPECT_THROW(semaphore.release(INT64_MAX), UsageError);
}

TEST(BoundedSemaphore, IsBoundedAlsoThroughUnlock) {
  BoundedSemaphore semaphore(1);
  semaphore.lock();
  semaphore.unlock();
  EXPECT_THROW(semaphore.unlock(), UsageError);
  EXPECT_EQ(semaphore.value(), 1u);
}

TEST(BoundedSemaphore, MayHaveNoPermitAtAll) {
  BoundedSemaphore semaphore(0);
  EXPECT_FALSE(semaphore.acquire(nonblocking));
  EXPECT_THROW(semaphore.release(), UsageError);
}

TEST(BoundedSemaphore, WakesItsWaiters) {
  BoundedSemaphore semaphore(1);
  semaphore.acquire();
  Actor waiter([&] {
    semaphore.acquire();
    semaphore.release();
  });
  waiter.until_blocked_on(semaphore);
  semaphore.release();
}

}  // namespace
}  // namespace thrum
