// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/condition.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/page.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::refuses;
using test::Stopwatch;

static_assert(sizeof(Condition) == sizeof(RLock) + sizeof(void*));  // its own lock, and a list
static_assert(!std::is_copy_constructible_v<Condition> && !std::is_move_constructible_v<Condition>);
static_assert(std::is_void_v<decltype(std::declval<Condition&>().wait())>);

constinit Condition global_condition;

// A condition over each of the locks that it can have.
struct OverItsOwn {
  Condition condition;
};
struct OverALock {
  Lock lock;
  Condition condition{lock};
};
struct OverAnRLock {
  RLock lock;
  Condition condition{lock};
};

template <class Over>
class ConditionOver : public testing::Test {
 protected:
  Over over;
  Condition& condition = over.condition;

  // Returns a thread that waits once, asleep.
  Actor waiter(std::function<void()> after = [] {}, Deadline deadline = forever) {
    Actor actor([this, after, deadline] {
      const Guard guard(condition);
      EXPECT_TRUE(condition.wait(deadline));
      after();
    });
    actor.until_blocked_on(condition);
    return actor;
  }
  void notify(std::int64_t n = 1) {
    const Guard guard(condition);
    condition.notify(n);
  }
};

using Locks = testing::Types<OverItsOwn, OverALock, OverAnRLock>;
TYPED_TEST_SUITE(ConditionOver, Locks);

TEST(Condition, AGlobalNeedsNoInitialisationOrder) {
  const Guard guard(global_condition);
  EXPECT_TRUE(global_condition.locked());
}

TEST(Condition, AcquireAndReleaseAreThoseOfTheLock) {
  Lock lock;
  Condition over_lock(lock);
  over_lock.acquire();
  EXPECT_TRUE(lock.locked());
  EXPECT_FALSE(over_lock.acquire(nonblocking));
  over_lock.release();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(refuses("thrum::Lock::release", [&] { over_lock.release(); }));

  RLock rlock;
  Condition over_rlock(rlock);
  over_rlock.acquire();
  EXPECT_TRUE(over_rlock.acquire(nonblocking));
  EXPECT_EQ(rlock.recursion_count(), 2u);
  over_rlock.release();
  over_rlock.release();
  EXPECT_TRUE(refuses("thrum::RLock::release", [&] { over_rlock.release(); }));
}

TEST(Condition, ItsOwnLockIsAnRLock) {
  Condition condition;
  condition.acquire();
  EXPECT_TRUE(condition.acquire(nonblocking));
  condition.release();
  EXPECT_TRUE(condition.locked());
  condition.release();
  EXPECT_FALSE(condition.locked());
}

TYPED_TEST(ConditionOver, WaitWithoutTheLockThrows) {
  EXPECT_TRUE(refuses("thrum::Condition::wait", [&] { this->condition.wait(); }));
  EXPECT_TRUE(refuses("thrum::Condition::wait", [&] { (void)this->condition.wait(1ms); }));
  EXPECT_TRUE(refuses("thrum::Condition::wait",
                      [&] { (void)this->condition.wait_for([] { return false; }, 1ms); }));
  const Guard guard(this->condition);
  EXPECT_EQ(this->condition.waiting(), 0u);
}

TYPED_TEST(ConditionOver, NotifyWithoutTheLockThrows) {
  const auto refused = [&] {
    EXPECT_TRUE(refuses("thrum::Condition::notify", [&] { this->condition.notify(); }));
    EXPECT_TRUE(refuses("thrum::Condition::notify", [&] { this->condition.notify(0); }));
    EXPECT_TRUE(refuses("thrum::Condition::notify_all", [&] { this->condition.notify_all(); }));
  };
  refused();
  const Guard guard(this->condition);
  Actor([&] {
    refused();  // another thread holds it
    EXPECT_TRUE(refuses("thrum::Condition::wait", [&] { this->condition.wait(); }));
  }).join();
}

TYPED_TEST(ConditionOver, NotifyFreesThoseWhoHaveWaitedLongest) {
  std::vector<int> order;  // guarded by the lock
  std::deque<Actor> waiters;
  for (int i = 0; i < 6; ++i) {
    waiters.push_back(this->waiter([&order, i] { order.push_back(i); }));
  }
  const auto freed = [&](std::size_t n) {
    test::until([&] {
      const Guard guard(this->condition);
      return order.size() == n;
    });
  };
  this->notify();
  freed(1);
  this->notify(2);
  freed(3);
  EXPECT_EQ(this->condition.waiting(), 3u);
  this->notify(100);  // or all if there are fewer
  waiters.clear();
  EXPECT_EQ(order[0], 0);
  EXPECT_EQ(order[1] + order[2], 1 + 2);
  EXPECT_EQ(order.size(), 6u);
}

TYPED_TEST(ConditionOver, NotifyOfOneAtATimeIsFirstComeFirstServed) {
  std::vector<int> order;  // guarded by the lock
  std::deque<Actor> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.push_back(this->waiter([&order, i] { order.push_back(i); }));
  }
  for (std::size_t i = 0; i < 5; ++i) {
    this->notify();
    waiters[i].join();
  }
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
}

TYPED_TEST(ConditionOver, NotifyOfLessThanOneFreesNobody) {
  Actor waiter = this->waiter();
  this->notify(0);
  this->notify(-1);
  this->notify(INT64_MIN);
  EXPECT_EQ(this->condition.waiting(), 1u);
  waiter.until_blocked_on(this->condition);
  this->notify();
}

TYPED_TEST(ConditionOver, NotifyAllFreesAllThreadsThatWait) {
  int freed = 0;  // guarded by the lock
  {
    std::deque<Actor> waiters;
    std::stop_source source;
    for (const Deadline& deadline :
         {Deadline(forever), Deadline(1h), Deadline(source.get_token())}) {
      waiters.push_back(this->waiter([&] { ++freed; }, deadline));
    }
    const Guard guard(this->condition);
    this->condition.notify_all();
    EXPECT_EQ(this->condition.waiting(), 0u);
  }
  EXPECT_EQ(freed, 3);
}

TYPED_TEST(ConditionOver, NotifyIsNotRememberedIfNobodyWaits) {
  const Guard guard(this->condition);
  this->condition.notify();
  this->condition.notify_all();
  EXPECT_FALSE(this->condition.wait(nonblocking));
  EXPECT_FALSE(this->condition.wait(1ms));
}

TYPED_TEST(ConditionOver, FreedThreadsRunOnceTheCallerHasReleasedTheLock) {
  std::atomic<bool> after{false};
  Actor waiter = this->waiter([&] { after = true; });
  {
    const Guard guard(this->condition);
    this->condition.notify();
    for (int i = 0; i < 100; ++i) test::let_others_run();
    EXPECT_FALSE(after);
    EXPECT_TRUE(this->condition.locked());
  }
  waiter.join();
  EXPECT_TRUE(after);
}

TYPED_TEST(ConditionOver, GivesUpAtTheDeadlineAndNotBefore) {
  const Guard guard(this->condition);
  const Stopwatch watch;
  EXPECT_FALSE(this->condition.wait(20ms));
  EXPECT_GE(watch.elapsed(), 20ms);
  EXPECT_TRUE(this->condition.locked());
  EXPECT_EQ(this->condition.waiting(), 0u);
}

TYPED_TEST(ConditionOver, HoldsTheLockAgainOnReturnHoweverLongThatTakes) {
  std::atomic<bool> returned{false};
  Actor waiter([&] {
    const Guard guard(this->condition);
    EXPECT_FALSE(this->condition.wait(1ms));
    EXPECT_TRUE(this->condition.locked());
    returned = true;
  });
  this->condition.acquire();
  while (this->condition.waiting() == 0 && !returned) {  // not there yet
    this->condition.release();
    test::let_others_run();
    this->condition.acquire();
  }
  const bool too_late = returned;
  if (!too_late) {
    waiter.until_blocked_on(this->over);  // its time is up, it wants the lock
    EXPECT_FALSE(returned);
  }
  this->condition.release();
  waiter.join();
  EXPECT_TRUE(returned);
}

TYPED_TEST(ConditionOver, APollReleasesTheLockAndTakesItBack) {
  const Guard guard(this->condition);
  EXPECT_FALSE(this->condition.wait(nonblocking));
  EXPECT_FALSE(this->condition.wait(-1s));
  EXPECT_TRUE(this->condition.locked());
  EXPECT_EQ(this->condition.waiting(), 0u);
}

TYPED_TEST(ConditionOver, StopBeforeTheCallGivesUp) {
  std::stop_source source;
  source.request_stop();
  const Guard guard(this->condition);
  EXPECT_FALSE(this->condition.wait(source.get_token()));
  EXPECT_EQ(this->condition.waiting(), 0u);
  EXPECT_TRUE(this->condition.locked());
}

TYPED_TEST(ConditionOver, StopEndsTheWait) {
  std::stop_source source;
  Actor waiter([&] {
    const Guard guard(this->condition);
    EXPECT_FALSE(this->condition.wait(source.get_token()));
    EXPECT_TRUE(this->condition.locked());
  });
  waiter.until_blocked_on(this->condition);
  source.request_stop();
  waiter.join();
  EXPECT_FALSE(this->condition.locked());
}

TYPED_TEST(ConditionOver, StopFromTheHolderOfTheLock) {
  // microsoft/STL#2218: the callback runs here, while we hold what the waiter needs.
  std::stop_source source;
  Actor waiter([&] {
    const Guard guard(this->condition);
    EXPECT_FALSE(this->condition.wait(source.get_token()));
  });
  waiter.until_blocked_on(this->condition);
  const Guard guard(this->condition);
  source.request_stop();
  EXPECT_TRUE(this->condition.locked());
}

TYPED_TEST(ConditionOver, StopAfterTheCallChangesNothing) {
  std::stop_source source;
  Actor waiter = this->waiter([] {}, source.get_token());
  this->notify();
  waiter.join();
  source.request_stop();
  EXPECT_FALSE(this->condition.locked());
}

TYPED_TEST(ConditionOver, ANotificationAsTimeRunsOutIsReported) {
  // cpython#90968: A's time is up but it has not got the lock yet; notify(1) meets it first.
  bool a_notified = false;
  std::atomic<bool> b_notified{false};
  Actor a([&] {
    const Guard guard(this->condition);
    a_notified = this->condition.wait(30ms);
  });
  test::until([&] {
    const Guard guard(this->condition);
    return this->condition.waiting() == 1 || a.finished();
  });
  Actor b = this->waiter([&] { b_notified = true; });
  this->condition.acquire();
  if (this->condition.waiting() == 2) {
    a.until_blocked_on(this->over);  // for the lock
    this->condition.notify();
    EXPECT_EQ(this->condition.waiting(), 1u);
    this->condition.release();
    a.join();
    EXPECT_TRUE(a_notified);
    EXPECT_FALSE(b_notified);
  } else {
    this->condition.release();
  }
  this->notify();
}

TYPED_TEST(ConditionOver, ANotificationAsStopIsRequestedIsReported) {
  std::stop_source source;
  Actor a = this->waiter([] {}, source.get_token());
  Actor b = this->waiter();
  this->condition.acquire();
  source.request_stop();
  a.until_blocked_on(this->over);  // for the lock
  this->condition.notify();
  this->condition.release();
  a.join();  // and has reported it
  EXPECT_EQ(this->condition.waiting(), 1u);
  this->notify();
}

TYPED_TEST(ConditionOver, AStopAfterANotificationIsTooLate) {
  std::stop_source source;
  Actor a = this->waiter([] {}, source.get_token());
  const Guard guard(this->condition);
  this->condition.notify();
  source.request_stop();
}

TYPED_TEST(ConditionOver, AWaiterThatGaveUpIsNotNotified) {
  std::stop_source source;
  Actor a([&] {
    const Guard guard(this->condition);
    EXPECT_FALSE(this->condition.wait(source.get_token()));
  });
  a.until_blocked_on(this->condition);
  Actor b = this->waiter();
  source.request_stop();
  a.join();
  this->notify();  // is b's
}

TYPED_TEST(ConditionOver, WaitersThatGiveUpLeaveTheListWhole) {
  // First, middle, last, and alone.
  for (std::size_t leaves = 0; leaves < 3; ++leaves) {
    std::array<std::stop_source, 3> sources;
    std::deque<Actor> waiters;
    for (std::size_t i = 0; i < 3; ++i) {
      waiters.emplace_back([&, i] {
        const Guard guard(this->condition);
        EXPECT_EQ(this->condition.wait(sources[i].get_token()), i != leaves);
      });
      waiters.back().until_blocked_on(this->condition);
    }
    sources[leaves].request_stop();
    waiters[leaves].join();
    EXPECT_EQ(this->condition.waiting(), 2u);
    this->notify(3);
  }
  EXPECT_EQ(this->condition.waiting(), 0u);
}

TYPED_TEST(ConditionOver, SpuriousWakesFreeNobody) {
  std::stop_source source;
  std::atomic<int> freed{0};
  std::deque<Actor> waiters;
  for (const Deadline& deadline : {Deadline(forever), Deadline(1h), Deadline(source.get_token())}) {
    waiters.push_back(this->waiter([&] { ++freed; }, deadline));
  }
  for (int i = 0; i < 10; ++i) {
    for (const Actor& waiter : waiters) {
      waiter.until_blocked_on(this->condition);
      if (const Word* word = waiter.sleeps_on()) (void)wake(word, 1);
      waiter.until_blocked_on(this->condition);
      waiter.interrupt();
    }
  }
  for (const Actor& waiter : waiters) waiter.until_blocked_on(this->condition);
  EXPECT_EQ(freed, 0);
  EXPECT_EQ(this->condition.waiting(), 3u);
  this->notify(3);
}

TYPED_TEST(ConditionOver, WaitingCountsThoseNotNotified) {
  Actor a = this->waiter();
  Actor b = this->waiter();
  const Guard guard(this->condition);
  EXPECT_EQ(this->condition.waiting(), 2u);
  this->condition.notify();
  EXPECT_EQ(this->condition.waiting(), 1u);
  this->condition.notify();
  EXPECT_EQ(this->condition.waiting(), 0u);
}

TYPED_TEST(ConditionOver, WaitForAsksThePredicateFirst) {
  const Guard guard(this->condition);
  int asked = 0;
  EXPECT_TRUE(this->condition.wait_for([&] { return ++asked == 1; }));
  EXPECT_EQ(asked, 1);
}

TYPED_TEST(ConditionOver, WaitForReturnsWhatThePredicateReturnedLast) {
  const Guard guard(this->condition);
  EXPECT_EQ(this->condition.wait_for([] { return 7; }), 7);
  EXPECT_EQ(this->condition.wait_for([] { return 0; }, 1ms), 0);
  static constexpr char text[] = "text";
  EXPECT_EQ(this->condition.wait_for([] { return text; }), text);
  const std::unique_ptr<int> owned =
      this->condition.wait_for([] { return std::make_unique<int>(5); }, 1ms);
  EXPECT_EQ(*owned, 5);
  EXPECT_EQ(this->condition.wait_for([] { return std::unique_ptr<int>(); }, 1ms), nullptr);
}

TYPED_TEST(ConditionOver, WaitForAsksOnceMoreWhenTimeIsUp) {
  const Guard guard(this->condition);
  int asked = 0;
  EXPECT_TRUE(this->condition.wait_for([&] { return ++asked == 2; }, 1ms));
  EXPECT_EQ(asked, 2);
  asked = 0;
  EXPECT_FALSE(this->condition.wait_for([&] { return ++asked == 0; }, nonblocking));
  EXPECT_EQ(asked, 2);
}

TYPED_TEST(ConditionOver, WaitForSleepsUntilThePredicateIsTrue) {
  int items = 0;  // guarded by the lock
  Actor consumer([&] {
    const Guard guard(this->condition);
    this->condition.wait_for([&] {
      EXPECT_TRUE(this->condition.locked());
      return items == 3;
    });
    EXPECT_EQ(items, 3);
  });
  for (int i = 0; i < 3; ++i) {
    consumer.until_blocked_on(this->condition);
    const Guard guard(this->condition);
    ++items;
    this->condition.notify();
  }
}

TYPED_TEST(ConditionOver, OneDeadlineBoundsWaitForAsAWhole) {
  // Also if somebody notifies all the time.
  std::atomic<bool> stop{false};
  Actor pest([&] {
    while (!stop) this->notify();
  });
  {
    const Guard guard(this->condition);
    const Stopwatch watch;
    const Deadline deadline = 20ms;
    int asked_late = 0;
    const auto never = [&] {
      asked_late += deadline.expired();
      return false;
    };
    EXPECT_FALSE(this->condition.wait_for(never, deadline));
    EXPECT_GE(watch.elapsed(), 20ms);
    EXPECT_LE(asked_late, 2);
  }
  stop = true;
}

TYPED_TEST(ConditionOver, WaitForGivesUpWhenStopped) {
  std::stop_source source;
  Actor waiter([&] {
    const Guard guard(this->condition);
    EXPECT_FALSE(this->condition.wait_for([] { return false; }, source.get_token()));
  });
  waiter.until_blocked_on(this->condition);
  this->notify();
  waiter.until_blocked_on(this->condition);
  source.request_stop();
}

TYPED_TEST(ConditionOver, AnExceptionFromThePredicateLeavesTheLockHeld) {
  const Guard guard(this->condition);
  EXPECT_THROW((void)this->condition.wait_for([]() -> bool { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_TRUE(this->condition.locked());
  int asked = 0;
  const auto second_time = [&] {
    if (++asked == 2) throw std::runtime_error("no");
    return false;
  };
  EXPECT_THROW((void)this->condition.wait_for(second_time, 1ms), std::runtime_error);
  EXPECT_TRUE(this->condition.locked());
  EXPECT_EQ(this->condition.waiting(), 0u);
}

TEST(Condition, WaitReleasesEveryLevelOfAnRLockAndTakesThemBack) {
  RLock lock;
  Condition condition(lock);
  Actor waiter([&] {
    const Guard outer(lock);
    const Guard middle(condition);
    const Guard inner(lock);
    condition.wait();
    EXPECT_EQ(lock.recursion_count(), 3u);
    EXPECT_FALSE(condition.wait(1ms));
    EXPECT_EQ(lock.recursion_count(), 3u);
    EXPECT_FALSE(condition.wait(nonblocking));
    EXPECT_EQ(lock.recursion_count(), 3u);
  });
  waiter.until_blocked_on(condition);
  EXPECT_FALSE(lock.locked());
  {
    const Guard guard(lock);
    EXPECT_EQ(lock.recursion_count(), 1u);
    condition.notify();
  }
  waiter.join();
  EXPECT_FALSE(lock.locked());
}

TEST(Condition, SeveralConditionsMayShareALock) {
  Lock lock;
  Condition not_empty(lock), not_full(lock);
  bool full = false;  // guarded by the lock
  int got = 0;
  Actor consumer([&] {
    for (int i = 0; i < 200; ++i) {
      const Guard guard(lock);
      not_empty.wait_for([&] { return full; });
      full = false;
      ++got;
      not_full.notify();
    }
  });
  for (int i = 0; i < 200; ++i) {
    const Guard guard(lock);
    not_full.wait_for([&] { return !full; });
    full = true;
    not_empty.notify();
  }
  consumer.join();
  EXPECT_EQ(got, 200);
}

TEST(Condition, NotifyFreesOnlyWaitersOfItsOwn) {
  RLock lock;
  Condition one(lock), two(lock);
  std::atomic<int> freed{0};
  const auto wait_on = [&](Condition& condition) {
    return [&] {
      const Guard guard(lock);
      condition.wait();
      ++freed;
    };
  };
  Actor on_one(wait_on(one));
  Actor on_two(wait_on(two));
  on_one.until_blocked_on(one);
  on_two.until_blocked_on(two);
  {
    const Guard guard(lock);
    one.notify_all();
  }
  on_one.join();
  EXPECT_EQ(freed, 1);
  on_two.until_blocked_on(two);
  const Guard guard(lock);
  two.notify_all();
}

TEST(Condition, WaitersMixedWithThreadsThatWantTheLock) {
  // A notified thread stands among the lock's own waiters; each must get its turn.
  test::Rounds rounds(100);
  while (rounds.next()) {
    Lock lock;
    Condition condition(lock);
    int entered = 0;  // guarded by the lock
    std::deque<Actor> actors;
    for (int w = 0; w < 2; ++w) {
      actors.emplace_back([&] {
        const Guard guard(lock);
        condition.wait();
        ++entered;
      });
      actors.back().until_blocked_on(condition);
    }
    lock.acquire();
    actors.emplace_back([&] {
      const Guard guard(lock);
      ++entered;
    });
    actors.back().until_blocked_on(lock);
    condition.notify_all();
    lock.release();
    actors.clear();
    EXPECT_EQ(entered, 3);
  }
}

TEST(Condition, MayBeDestroyedByAnyThreadThatWasNotified) {
  std::atomic<int> inside{-1};
  test::who_is_freed_destroys<Condition>(
      test::Rounds(2000), [](Condition&) {},
      [&](Condition& condition, int round) {
        const Guard guard(condition);
        inside = round;
        condition.wait();
      },
      [&](Condition& condition, int round) {
        while (inside != round) sched_yield();
        const Guard guard(condition);
        condition.notify_all();
      });
}

TEST(Condition, WhatWasDoneBeforeNotifyHappensBeforeWhatIsDoneAfterWait) {
  Condition condition;
  int ball = 0;  // guarded by the lock; the thread sanitizer judges
  Actor other([&] {
    for (int i = 0; i < 300; ++i) {
      const Guard guard(condition);
      condition.wait_for([&] { return ball % 2 == 1; });
      ++ball;
      condition.notify();
    }
  });
  for (int i = 0; i < 300; ++i) {
    const Guard guard(condition);
    condition.wait_for([&] { return ball % 2 == 0; });
    ++ball;
    condition.notify();
  }
  other.join();
  EXPECT_EQ(ball, 600);
}

}  // namespace
}  // namespace thrum
