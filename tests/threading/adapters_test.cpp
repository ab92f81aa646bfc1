// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The standard library's ways to hold, over ours.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <type_traits>

#include "support/blocked.h"
#include "support/expect.h"
#include "thrum/condition.h"
#include "thrum/lock.h"
#include "thrum/semaphore.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Stopwatch;

// A clock that is set back each time somebody looks, and then runs normally.
struct SetBackClock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SetBackClock>;
  [[maybe_unused]] static constexpr bool is_steady = false;
  static inline int looks = 0;
  static inline std::chrono::milliseconds offset{};
  static time_point now() {
    if (looks++ == 1) offset = -30ms;  // after the first conversion
    return time_point(
        std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()) +
        offset);
  }
};

template <class T>
class StdAdapters : public testing::Test {
 protected:
  T held;

  bool others_get_it() {
    bool got = false;
    Actor([&] {
      got = held.try_lock();
      if (got) held.unlock();
    }).join();
    return got;
  }
};

using Held = testing::Types<Lock, RLock, Semaphore, BoundedSemaphore, Condition>;
TYPED_TEST_SUITE(StdAdapters, Held);

TYPED_TEST(StdAdapters, LockUnlockAndTryLock) {
  this->held.lock();
  EXPECT_FALSE(this->others_get_it());
  this->held.unlock();
  EXPECT_TRUE(this->others_get_it());
}

TYPED_TEST(StdAdapters, LockGuard) {
  {
    const std::lock_guard guard(this->held);
    EXPECT_FALSE(this->others_get_it());
  }
  EXPECT_TRUE(this->others_get_it());
}

TYPED_TEST(StdAdapters, LockGuardAdoptsWhatIsHeld) {
  this->held.acquire();
  {
    const std::lock_guard guard(this->held, std::adopt_lock);
  }
  EXPECT_TRUE(this->others_get_it());
}

TYPED_TEST(StdAdapters, GuardTakesAllOfThem) {
  {
    const Guard guard(this->held);
    EXPECT_FALSE(this->others_get_it());
  }
  EXPECT_TRUE(this->others_get_it());
}

TYPED_TEST(StdAdapters, UniqueLockDeferred) {
  std::unique_lock lock(this->held, std::defer_lock);
  EXPECT_TRUE(this->others_get_it());
  lock.lock();
  EXPECT_FALSE(this->others_get_it());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  std::unique_lock moved = std::move(lock);
  EXPECT_TRUE(moved.owns_lock());
}

TYPED_TEST(StdAdapters, UniqueLockTimed) {
  const std::unique_lock lock(this->held, 1s);
  EXPECT_TRUE(lock.owns_lock());
  Actor([&] {
    const Stopwatch watch;
    EXPECT_FALSE(std::unique_lock(this->held, 5ms).owns_lock());
    EXPECT_FALSE(std::unique_lock(this->held, std::chrono::steady_clock::now() + 5ms).owns_lock());
    EXPECT_FALSE(std::unique_lock(this->held, std::chrono::system_clock::now() + 5ms).owns_lock());
    EXPECT_FALSE(std::unique_lock(this->held, std::try_to_lock).owns_lock());
    EXPECT_GE(watch.elapsed(), 10ms);
  }).join();
}

TYPED_TEST(StdAdapters, UniqueLockAdopted) {
  this->held.acquire();
  {
    const std::unique_lock lock(this->held, std::adopt_lock);
    EXPECT_FALSE(this->others_get_it());
  }
  EXPECT_TRUE(this->others_get_it());
}

TYPED_TEST(StdAdapters, TryLockUntilWaitsLongerIfItsClockIsSetBack) {
  const std::unique_lock lock(this->held);
  Actor([&] {
    SetBackClock::looks = 0;
    SetBackClock::offset = 0ms;
    const SetBackClock::time_point time = SetBackClock::now() + 10ms;
    const Stopwatch watch;
    EXPECT_FALSE(this->held.try_lock_until(time));
    EXPECT_GE(watch.elapsed(), 35ms);
    EXPECT_GE(SetBackClock::now(), time);
  }).join();
}

TYPED_TEST(StdAdapters, ScopedLockOverSeveralDoesNotDeadlock) {
  TypeParam a, b, c;
  int data = 0;  // guarded by any of them
  const auto take = [&](auto&... in_order) {
    for (int i = 0; i < 200; ++i) {
      const std::scoped_lock all(in_order...);
      ++data;
    }
  };
  {
    Actor first([&] { take(a, b, c); });
    Actor second([&] { take(c, a, b); });
    Actor third([&] { take(b, c, a); });
  }
  EXPECT_EQ(data, 600);
  const std::scoped_lock all(a, b, c);
}

TYPED_TEST(StdAdapters, StdLockGivesBackWhatItTookIfOneThrows) {
  struct Throws {
    void lock() { throw std::runtime_error("lock"); }
    bool try_lock() { throw std::runtime_error("try_lock"); }
    void unlock() {}
  } throws;
  EXPECT_THROW(std::lock(this->held, throws), std::runtime_error);
  EXPECT_TRUE(this->others_get_it());
}

TEST(StdAdapters, ScopedLockOverDifferentTypes) {
  Lock lock;
  RLock rlock;
  Semaphore semaphore;
  Condition condition;
  std::mutex mutex;
  {
    const std::scoped_lock all(lock, rlock, semaphore, condition, mutex);
    EXPECT_TRUE(lock.locked() && rlock.is_owned() && semaphore.value() == 0 && condition.locked());
  }
  EXPECT_FALSE(lock.locked() || rlock.locked() || condition.locked());
  EXPECT_EQ(semaphore.value(), 1u);
}

TYPED_TEST(StdAdapters, ConditionVariableAny) {
  std::condition_variable_any condition;
  bool ready = false;  // guarded by what is held
  Actor waiter([&] {
    std::unique_lock lock(this->held);
    condition.wait(lock, [&] { return ready; });
    EXPECT_TRUE(lock.owns_lock());
    EXPECT_FALSE(condition.wait_for(lock, 1ms, [] { return false; }));
  });
  {
    const std::scoped_lock lock(this->held);
    ready = true;
  }
  condition.notify_all();
}

}  // namespace
}  // namespace thrum
