// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <stop_token>
#include <type_traits>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/page.h"
#include "thrum/lock.h"

namespace thrum {

// So that the depth can overflow within three operations.
struct RLockTest {
  static void set_depth(RLock& lock, std::uint32_t depth) { lock.depth_ = depth; }
};

namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::refuses;
using test::Stopwatch;

static_assert(sizeof(RLock) == 16);
static_assert(std::is_trivially_destructible_v<RLock>);
static_assert(!std::is_copy_constructible_v<RLock> && !std::is_move_constructible_v<RLock>);
static_assert(!std::is_copy_assignable_v<RLock> && !std::is_move_assignable_v<RLock>);

constinit RLock global_lock;

bool free_for_others(RLock& lock) {
  bool got = false;
  Actor([&] {
    got = lock.acquire(nonblocking);
    if (got) lock.release();
  }).join();
  return got;
}

TEST(RLock, IsFreeWhenNew) {
  const RLock lock;
  EXPECT_FALSE(lock.locked());
  EXPECT_FALSE(lock.is_owned());
  EXPECT_EQ(lock.recursion_count(), 0u);
  EXPECT_EQ(lock.holder(), 0u);
}

TEST(RLock, AGlobalNeedsNoInitialisationOrder) {
  const Guard guard(global_lock);
  EXPECT_TRUE(global_lock.is_owned());
}

TEST(RLock, ItsHolderMayAcquireItAgainAndMustReleaseItAsOften) {
  RLock lock;
  std::stop_source stopped;
  stopped.request_stop();
  lock.acquire();
  EXPECT_TRUE(lock.acquire(nonblocking));
  EXPECT_TRUE(lock.acquire(1h));
  EXPECT_TRUE(lock.acquire(stopped.get_token()));
  EXPECT_EQ(lock.recursion_count(), 4u);
  for (std::uint32_t depth = 4; depth > 0; --depth) {
    EXPECT_EQ(lock.recursion_count(), depth);
    EXPECT_FALSE(free_for_others(lock));
    lock.release();
  }
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(free_for_others(lock));
}

TEST(RLock, OthersBlockUntilTheLastLevelIsReleased) {
  RLock lock;
  std::atomic<bool> in{false};
  lock.acquire();
  lock.acquire();
  Actor other([&] {
    const Guard guard(lock);
    in = true;
  });
  other.until_blocked_on(lock);
  lock.release();
  other.until_blocked_on(lock);
  EXPECT_FALSE(in);
  lock.release();
  other.join();
  EXPECT_TRUE(in);
}

TEST(RLock, ReleaseOfAFreeLockThrows) {
  RLock lock;
  EXPECT_TRUE(refuses("thrum::RLock::release", [&] { lock.release(); }));
  lock.acquire();
  lock.release();
  EXPECT_TRUE(refuses("thrum::RLock::release", [&] { lock.release(); }));
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(free_for_others(lock));
}

TEST(RLock, OnlyTheHolderMayReleaseIt) {
  RLock lock;
  const Guard guard(lock);
  Actor([&] { EXPECT_TRUE(refuses("thrum::RLock::release", [&] { lock.release(); })); }).join();
  EXPECT_TRUE(lock.is_owned());
  EXPECT_EQ(lock.recursion_count(), 1u);
}

TEST(RLock, LockedAndHolderAreSeenFromAnyThread) {
  RLock lock;
  const Guard guard(lock);
  const std::uint32_t me = self().native_id;
  EXPECT_TRUE(lock.locked());
  Actor([&] {
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(lock.holder(), me);
    EXPECT_FALSE(lock.is_owned());
    EXPECT_EQ(lock.recursion_count(), 0u) << "how often the caller holds it";
  }).join();
}

TEST(RLock, AcquireBeyondTheDeepestLevelThrows) {
  RLock lock;
  lock.acquire();
  RLockTest::set_depth(lock, UINT32_MAX - 1);
  lock.acquire();
  EXPECT_EQ(lock.recursion_count(), UINT32_MAX);
  EXPECT_TRUE(refuses("thrum::RLock::acquire", [&] { lock.acquire(); }));
  EXPECT_TRUE(refuses("thrum::RLock::acquire", [&] { (void)lock.acquire(nonblocking); }));
  EXPECT_EQ(lock.recursion_count(), UINT32_MAX);
  RLockTest::set_depth(lock, 1);
  lock.release();
  EXPECT_FALSE(lock.locked());
}

TEST(RLock, ADeadHoldersKernelIdDoesNotPassForTheOwner) {
  RLock lock;
  std::uint32_t dead = 0;
  Actor([&] {
    lock.acquire();
    dead = self().native_id;
  }).join();
  Actor([&] {
    tls_self.native_id = dead;  // as if the kernel had given it to this thread
    EXPECT_FALSE(lock.is_owned());
    EXPECT_FALSE(lock.acquire(nonblocking));
    EXPECT_TRUE(refuses("thrum::RLock::release", [&] { lock.release(); }));
    EXPECT_EQ(lock.recursion_count(), 0u);
  }).join();
}

TEST(RLock, TheChildOfAForkKeepsWhatTheForkingThreadHeld) {
  RLock lock;
  lock.acquire();
  lock.acquire();
  EXPECT_TRUE(test::true_in_child([&] {
    const bool kept = lock.is_owned() && lock.recursion_count() == 2;
    lock.release();
    lock.release();
    return kept && !lock.locked() && lock.acquire(nonblocking);
  }));
  EXPECT_EQ(lock.recursion_count(), 2u);
  lock.release();
  lock.release();
}

TEST(RLock, AFreeLockIsNeverRefused) {
  RLock lock;
  std::stop_source stopped;
  stopped.request_stop();
  for (const Deadline& deadline :
       {Deadline(nonblocking), Deadline(-1s), Deadline(Deadline::Clock::now()),
        Deadline(stopped.get_token())}) {
    EXPECT_TRUE(lock.acquire(deadline));
    EXPECT_EQ(lock.recursion_count(), 1u);
    lock.release();
  }
}

TEST(RLock, GivesUpAtTheDeadlineAndNotBefore) {
  RLock lock;
  const Guard guard(lock);
  Actor([&] {
    const Stopwatch watch;
    EXPECT_FALSE(lock.acquire(20ms));
    EXPECT_GE(watch.elapsed(), 20ms);
    EXPECT_FALSE(lock.is_owned());
  }).join();
  EXPECT_TRUE(lock.is_owned());
}

TEST(RLock, StopBeforeTheCallGivesUpAtOnce) {
  RLock lock;
  std::stop_source source;
  source.request_stop();
  const Guard guard(lock);
  Actor([&] { EXPECT_FALSE(lock.acquire(source.get_token())); }).join();
}

TEST(RLock, StopEndsTheWait) {
  RLock lock;
  std::stop_source source;
  const Guard guard(lock);
  Actor waiter([&] { EXPECT_FALSE(lock.acquire(source.get_token())); });
  waiter.until_blocked_on(lock);
  source.request_stop();
  waiter.join();
  EXPECT_EQ(lock.recursion_count(), 1u);
}

TEST(RLock, StopAfterTheCallChangesNothing) {
  RLock lock;
  std::stop_source source;
  Actor([&] {
    EXPECT_TRUE(lock.acquire(source.get_token()));
    source.request_stop();
    EXPECT_TRUE(lock.is_owned());
    lock.release();
  }).join();
  EXPECT_FALSE(lock.locked());
}

TEST(RLock, SpuriousWakesLetNobodyIn) {
  RLock lock;
  std::atomic<bool> in{false};
  lock.acquire();
  Actor waiter([&] {
    const Guard guard(lock);
    in = true;
  });
  for (int i = 0; i < 10; ++i) {
    waiter.until_blocked_on(lock);
    waiter.interrupt();
    wake(reinterpret_cast<const Word*>(&lock), 1);
  }
  waiter.until_blocked_on(lock);
  EXPECT_FALSE(in);
  lock.release();
}

TEST(RLock, GuardReleasesOneLevelAlsoWhenAnExceptionLeaves) {
  RLock lock;
  const Guard outer(lock);
  try {
    const Guard inner(lock);
    EXPECT_EQ(lock.recursion_count(), 2u);
    throw std::runtime_error("leaves");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(lock.recursion_count(), 1u);
}

TEST(RLock, DestroyingAHeldLockIsLegal) {
  RLock lock;
  lock.acquire();
  lock.acquire();
}

TEST(RLock, TheNextHolderMayDestroyIt) {
  test::who_is_freed_destroys<RLock>(
      test::Rounds(4000), [](RLock& lock) { lock.acquire(); },
      [](RLock& lock, int round) {
        if (round % 4 != 0 && lock.acquire(std::chrono::microseconds(round % 30))) return;
        lock.acquire();
      },
      [](RLock& lock, int) { lock.release(); });
}

TEST(RLock, WhatOneHolderDidHappensBeforeWhatTheNextDoes) {
  RLock lock;
  std::int64_t data = 0;  // not atomic: the thread sanitizer judges
  {
    std::deque<Actor> actors;
    for (int a = 0; a < 4; ++a) {
      actors.emplace_back([&] {
        for (int i = 0; i < 3000; ++i) {
          const Guard outer(lock);
          const Guard inner(lock);
          ++data;
        }
      });
    }
  }
  EXPECT_EQ(data, 12'000);
}

}  // namespace
}  // namespace thrum
