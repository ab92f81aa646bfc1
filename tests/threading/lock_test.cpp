// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <stdexcept>
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

static_assert(sizeof(Lock) == 4);
static_assert(std::is_trivially_destructible_v<Lock>);
static_assert(!std::is_copy_constructible_v<Lock> && !std::is_move_constructible_v<Lock>);
static_assert(!std::is_copy_assignable_v<Lock> && !std::is_move_assignable_v<Lock>);

constinit Lock global_lock;

// What a debugger would see.
std::uint32_t bits(const Lock& lock) {
  return reinterpret_cast<const Word&>(lock).load(std::memory_order_relaxed);
}
constexpr std::uint32_t kSleepers = 1u << 31, kStarving = 1u << 30;

// What another thread gets that does not wait.
bool free_for_others(Lock& lock) {
  bool got = false;
  Actor([&] {
    got = lock.acquire(nonblocking);
    if (got) lock.release();
  }).join();
  return got;
}

// Wakes the threads that sleep on `lock`, which the caller holds, until one has lost its patience.
void until_one_starves(Lock& lock) {
  test::until([&] {
    (void)wake(reinterpret_cast<const Word*>(&lock), kEveryone);
    return (bits(lock) & kStarving) != 0;
  });
}

TEST(Lock, IsFreeWhenNew) {
  const Lock lock;
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(lock.holder(), 0u);
}

TEST(Lock, AGlobalNeedsNoInitialisationOrder) {
  const Guard guard(global_lock);
  EXPECT_TRUE(global_lock.locked());
}

TEST(Lock, AcquireHoldsUntilRelease) {
  Lock lock;
  lock.acquire();
  EXPECT_TRUE(lock.locked());
  EXPECT_FALSE(free_for_others(lock));
  lock.release();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(free_for_others(lock));
}

TEST(Lock, KnowsItsHolder) {
  Lock lock;
  Actor other([&] {
    lock.acquire();
    EXPECT_EQ(lock.holder(), self().native_id);
  });
  other.join();
  EXPECT_NE(lock.holder(), 0u);
  EXPECT_NE(lock.holder(), self().native_id);
  if (test::words_are_futexes()) {
    EXPECT_EQ(lock.holder(), static_cast<std::uint32_t>(other.tid()));
  }
  lock.release();
  EXPECT_EQ(lock.holder(), 0u);
}

TEST(Lock, HolderOfReadsACopyOfTheBitsAlsoWhileOthersSleep) {
  Lock lock;
  lock.acquire();
  EXPECT_EQ(Lock::holder_of(bits(lock)), self().native_id);
  Actor waiter([&] { const Guard guard(lock); });
  waiter.until_blocked_on(lock);
  EXPECT_NE(bits(lock), self().native_id);
  EXPECT_EQ(Lock::holder_of(bits(lock)), self().native_id);
  EXPECT_EQ(lock.holder(), self().native_id);
  lock.release();
}

TEST(Lock, IsNotRecursive) {
  Lock lock;
  std::atomic<bool> tried{false}, twice{false};
  Actor holder([&] {
    lock.acquire();
    EXPECT_FALSE(lock.acquire(nonblocking));
    EXPECT_FALSE(lock.acquire(1ms));
    tried = true;
    lock.acquire();
    twice = true;
    lock.release();
  });
  test::until([&] { return tried.load(); });
  holder.until_blocked_on(lock);
  EXPECT_FALSE(twice);
  lock.release();  // until somebody releases
  holder.join();
  EXPECT_TRUE(twice);
}

TEST(Lock, AnyThreadMayRelease) {
  Lock lock;
  lock.acquire();
  Actor([&] { lock.release(); }).join();
  EXPECT_FALSE(lock.locked());
  Actor([&] { lock.acquire(); }).join();
  lock.release();
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, ReleaseOfAFreeLockThrows) {
  Lock lock;
  EXPECT_TRUE(refuses("thrum::Lock::release", [&] { lock.release(); }));
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(nonblocking));
  lock.release();
  EXPECT_TRUE(refuses("thrum::Lock::release", [&] { lock.release(); }));
}

TEST(Lock, AFreeLockIsNeverRefused) {
  Lock lock;
  std::stop_source stopped;
  stopped.request_stop();
  for (const Deadline& deadline :
       {Deadline(nonblocking), Deadline(0s), Deadline(-1s), Deadline(Deadline::Clock::now() - 1h),
        Deadline(stopped.get_token()), Deadline(nonblocking).or_stop(stopped.get_token())}) {
    EXPECT_TRUE(lock.acquire(deadline));
    lock.release();
  }
}

TEST(Lock, GivesUpAtTheDeadlineAndNotBefore) {
  Lock lock;
  const Guard guard(lock);
  const Stopwatch watch;
  EXPECT_FALSE(lock.acquire(20ms));
  EXPECT_GE(watch.elapsed(), 20ms);
}

TEST(Lock, WorksAsBeforeAfterATimeOut) {
  Lock lock;
  lock.acquire();
  EXPECT_FALSE(lock.acquire(1ms));
  EXPECT_TRUE(lock.locked());
  lock.release();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(nonblocking));
  lock.release();
}

TEST(Lock, OneDeadlineBoundsASequenceOfCalls) {
  Lock first, second;
  const Guard holds_first(first);
  const Guard holds_second(second);
  const Stopwatch watch;
  const Deadline deadline = 20ms;
  EXPECT_FALSE(first.acquire(deadline));
  EXPECT_TRUE(deadline.expired());
  EXPECT_FALSE(second.acquire(deadline));
  EXPECT_GE(watch.elapsed(), 20ms);
}

TEST(Lock, StopBeforeTheCallGivesUpAtOnce) {
  Lock lock;
  std::stop_source source;
  source.request_stop();
  const Guard guard(lock);
  EXPECT_FALSE(lock.acquire(source.get_token()));
  EXPECT_FALSE(lock.acquire(Deadline(1h).or_stop(source.get_token())));
}

TEST(Lock, StopEndsTheWait) {
  Lock lock;
  std::stop_source source;
  lock.acquire();
  Actor waiter([&] { EXPECT_FALSE(lock.acquire(source.get_token())); });
  waiter.until_blocked_on(lock);
  source.request_stop();
  waiter.join();
  EXPECT_TRUE(lock.locked());
  lock.release();
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, StopAfterTheCallChangesNothing) {
  Lock lock;
  std::stop_source source;
  lock.acquire();
  Actor waiter([&] { EXPECT_TRUE(lock.acquire(source.get_token())); });
  waiter.until_blocked_on(lock);
  lock.release();
  waiter.join();
  source.request_stop();
  EXPECT_TRUE(lock.locked());
  lock.release();
}

TEST(Lock, EachReleaseLetsOneWaiterRun) {
  Lock lock;
  std::atomic<int> in{0};
  lock.acquire();
  std::deque<Actor> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.emplace_back([&] {
      lock.acquire();
      ++in;  // and leaves it held
    });
    waiters.back().until_blocked_on(lock);
  }
  for (int i = 1; i <= 5; ++i) {
    lock.release();
    test::until([&] { return in == i && lock.locked(); });
    EXPECT_EQ(in, i);
  }
  lock.release();
}

TEST(Lock, DestroyingAHeldLockIsLegal) {
  for (int i = 0; i < 3; ++i) {
    Lock lock;
    lock.acquire();
  }
}

TEST(Lock, GuardReleasesAlsoWhenAnExceptionLeaves) {
  Lock lock;
  try {
    const Guard guard(lock);
    EXPECT_TRUE(lock.locked());
    throw std::runtime_error("leaves");
  } catch (const std::runtime_error&) {
  }
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, SpuriousWakesLetNobodyIn) {
  Lock lock;
  std::atomic<int> in{0};
  std::stop_source source;
  lock.acquire();
  std::deque<Actor> waiters;
  for (const Deadline& deadline : {Deadline(forever), Deadline(1h), Deadline(source.get_token())}) {
    waiters.emplace_back([&, deadline] {
      EXPECT_TRUE(lock.acquire(deadline));
      ++in;
      lock.release();
    });
  }
  for (int i = 0; i < 10; ++i) {
    for (const Actor& waiter : waiters) waiter.until_blocked_on(lock);
    wake(reinterpret_cast<const Word*>(&lock), kEveryone);
    waiters.front().interrupt();
  }
  for (const Actor& waiter : waiters) waiter.until_blocked_on(lock);
  EXPECT_EQ(in, 0);
  lock.release();
  waiters.clear();
  EXPECT_EQ(in, 3);
}

TEST(Lock, AnOvertakenWaiterIsHandedTheLock) {
  Lock lock;
  std::atomic<bool> in{false};
  lock.acquire();
  Actor waiter([&] {
    const Guard guard(lock);
    in = true;
  });
  waiter.until_blocked_on(lock);
  while (!in) {  // for ever, were it not for its patience
    lock.release();
    lock.acquire();
  }
  lock.release();
}

TEST(Lock, AWaiterBehindAnotherPleadsThoughNobodyWakesIt) {
  Lock lock;
  lock.acquire();
  Actor first([&] { const Guard guard(lock); });
  first.until_blocked_on(lock);
  Actor second([&] { const Guard guard(lock); });
  test::until([&] { return (bits(lock) & kStarving) != 0; });
  lock.release();
  first.join();
  second.join();
  EXPECT_EQ(bits(lock) & kStarving, 0u);
}

TEST(Lock, AnOvertakenWaiterPleadsThoughNobodyWakesItAgain) {
  Lock lock;
  lock.acquire();
  Actor waiter([&] { const Guard guard(lock); });
  waiter.until_blocked_on(lock);
  (void)wake(reinterpret_cast<const Word*>(&lock), 1);
  test::until([&] { return (bits(lock) & kStarving) != 0; });
  lock.release();
  waiter.join();
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, AStarvingWaiterThatGivesUpLeavesTheLockToOthers) {
  Lock lock;
  std::stop_source source;
  lock.acquire();
  Actor starving([&] { EXPECT_FALSE(lock.acquire(source.get_token())); });
  starving.until_blocked_on(lock);
  until_one_starves(lock);
  source.request_stop();
  starving.join();
  lock.release();
  EXPECT_TRUE(lock.acquire(nonblocking)) << "reserved for a waiter that has gone";
  lock.release();
}

TEST(Lock, AStarvingWaiterThatTimesOutLeavesTheLockToOthers) {
  bool starved = false;
  while (!starved) {
    Lock lock;
    lock.acquire();
    Actor starving([&] { EXPECT_FALSE(lock.acquire(50ms)); });
    while (!starving.finished() && !starved) {
      (void)wake(reinterpret_cast<const Word*>(&lock), 1);
      starved = (bits(lock) & kStarving) != 0;
    }
    starving.join();
    EXPECT_EQ(bits(lock) & kStarving, 0u);
    lock.release();
    EXPECT_TRUE(lock.acquire(nonblocking)) << "reserved for a waiter that has gone";
    lock.release();
  }
}

TEST(Lock, OneOfTwoStarvingWaitersGivesUpAndTheOtherGetsTheLock) {
  Lock lock;
  std::stop_source source;
  lock.acquire();
  Actor quits([&] { (void)(lock.acquire(source.get_token()) && (lock.release(), true)); });
  Actor stays([&] { const Guard guard(lock); });
  quits.until_blocked_on(lock);
  stays.until_blocked_on(lock);
  until_one_starves(lock);
  source.request_stop();
  quits.join();
  lock.release();
  stays.join();
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, IsTakenByALateComerIfReservedForNobody) {
  // As in the child of a fork, where the waiter it was reserved for does not exist.
  Lock lock;
  reinterpret_cast<Word&>(lock).store(kStarving | kSleepers, std::memory_order_relaxed);
  EXPECT_FALSE(lock.locked());
  lock.acquire();
  EXPECT_EQ(lock.holder(), self().native_id);
  lock.release();
  reinterpret_cast<Word&>(lock).store(kStarving | kSleepers, std::memory_order_relaxed);
  EXPECT_TRUE(lock.acquire(1h));
  lock.release();
}

TEST(Lock, ReleaseOfAReservedLockThrows) {
  Lock lock;
  reinterpret_cast<Word&>(lock).store(kStarving | kSleepers, std::memory_order_relaxed);
  EXPECT_TRUE(refuses("thrum::Lock::release", [&] { lock.release(); }));
}

// One waiter may give up at any moment, the other never does: each release must reach somebody.
void no_release_is_swallowed(bool by_stop) {
  test::Rounds rounds(100);
  for (int i = 0; rounds.next(); ++i) {
    Lock lock;
    std::stop_source source;
    lock.acquire();
    Actor gives_up([&] {
      const Deadline deadline =
          by_stop ? Deadline(source.get_token()) : Deadline(std::chrono::microseconds(50 + i));
      if (lock.acquire(deadline)) lock.release();
    });
    Actor waits([&] { const Guard guard(lock); });
    if (by_stop) gives_up.until_blocked_on(lock);
    waits.until_blocked_on(lock);
    if (by_stop) {
      Actor stopper([&] { source.request_stop(); });
      lock.release();
    } else {
      lock.release();
    }
    gives_up.join();
    waits.join();
    EXPECT_FALSE(lock.locked());
  }
}

TEST(Lock, ATimedWaiterSwallowsNoRelease) { no_release_is_swallowed(false); }
TEST(Lock, AStoppedWaiterSwallowsNoRelease) { no_release_is_swallowed(true); }

TEST(Lock, IsNeitherLostNorDoubledWhenTimeEndsAsItIsGranted) {
  Lock lock;
  long inside = 0;  // not atomic: two holders would be seen
  std::atomic<long> entered{0};
  {
    std::deque<Actor> actors;
    for (int a = 0; a < 3; ++a) {
      actors.emplace_back([&] {
        for (int i = 0; i < 1500; ++i) {
          if (!lock.acquire(std::chrono::microseconds(i % 60))) continue;
          ++inside;
          ++entered;
          if (i % 16 == 0) sched_yield();
          lock.release();
        }
      });
    }
  }
  EXPECT_EQ(inside, entered);
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(nonblocking));
  lock.release();
}

TEST(Lock, TheNextHolderMayDestroyIt) {
  test::who_is_freed_destroys<Lock>(
      test::Rounds(4000), [](Lock& lock) { lock.acquire(); },
      [](Lock& lock, int round) {
        // Sometimes it has announced that it sleeps, but runs when the lock comes free.
        if (round % 4 != 0 && lock.acquire(std::chrono::microseconds(round % 30))) return;
        lock.acquire();
      },
      [](Lock& lock, int) { lock.release(); });
}

TEST(Lock, WhatOneHolderDidHappensBeforeWhatTheNextDoes) {
  Lock lock;
  std::int64_t data = 0;  // not atomic: the thread sanitizer judges
  {
    std::deque<Actor> actors;
    for (int a = 0; a < 4; ++a) {
      actors.emplace_back([&] {
        for (int i = 0; i < 5000; ++i) {
          const Guard guard(lock);
          ++data;
        }
      });
    }
  }
  EXPECT_EQ(data, 20'000);
}

TEST(Lock, TheChildOfAForkMayReleaseWhatTheForkingThreadHeld) {
  Lock lock;
  lock.acquire();
  EXPECT_TRUE(test::true_in_child([&] {
    lock.release();
    return !lock.locked() && lock.acquire(nonblocking) && lock.holder() == self().native_id;
  }));
  lock.release();
}

}  // namespace
}  // namespace thrum
