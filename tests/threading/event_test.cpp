// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/event.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <type_traits>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/page.h"
#include "thrum/lock.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Stopwatch;

static_assert(sizeof(Event) == 4);
static_assert(std::is_trivially_destructible_v<Event>);
static_assert(!std::is_copy_constructible_v<Event> && !std::is_move_constructible_v<Event>);
static_assert(std::is_void_v<decltype(std::declval<Event&>().wait())>);
static_assert(noexcept(std::declval<Event&>().set()) && noexcept(std::declval<Event&>().clear()));

constinit Event global_event;

TEST(Event, IsClearWhenNew) {
  const Event event;
  EXPECT_FALSE(event.is_set());
}

TEST(Event, AGlobalNeedsNoInitialisationOrder) { EXPECT_FALSE(global_event.is_set()); }

TEST(Event, SetAndClearMayBeRepeated) {
  Event event;
  event.set();
  event.set();
  EXPECT_TRUE(event.is_set());
  event.clear();
  event.clear();
  EXPECT_FALSE(event.is_set());
  event.set();
  EXPECT_TRUE(event.is_set());
}

TEST(Event, SettingIsRemembered) {
  Event event;
  event.set();
  event.wait();
  event.wait();
  EXPECT_TRUE(event.wait(nonblocking));
  EXPECT_TRUE(event.wait(1h));
}

TEST(Event, SettingDoesNotCount) {
  Event event;
  event.set();
  event.set();
  event.clear();
  EXPECT_FALSE(event.wait(nonblocking));
}

TEST(Event, SetFreesEveryoneWhoWaits) {
  Event event;
  std::stop_source source;
  std::atomic<int> freed{0};
  std::deque<Actor> waiters;
  for (const Deadline& deadline : {Deadline(forever), Deadline(1h), Deadline(source.get_token()),
                                   Deadline(1h).or_stop(source.get_token())}) {
    waiters.emplace_back([&, deadline] { freed += event.wait(deadline); });
    waiters.back().until_blocked_on(event);
  }
  waiters.emplace_back([&] {
    event.wait();
    ++freed;
  });
  waiters.back().until_blocked_on(event);
  event.set();
  waiters.clear();
  EXPECT_EQ(freed, 5);
}

TEST(Event, SetThenClearAtOnceFreesEveryoneWhoWaited) {
  test::Rounds rounds(20);
  while (rounds.next()) {
    Event event;
    std::atomic<int> freed{0};
    std::deque<Actor> waiters;
    for (int w = 0; w < 5; ++w) {
      waiters.emplace_back([&] { freed += event.wait(forever); });
      waiters.back().until_blocked_on(event);
    }
    event.set();
    event.clear();
    waiters.clear();
    EXPECT_EQ(freed, 5);
    EXPECT_FALSE(event.is_set());
    EXPECT_FALSE(event.wait(nonblocking));
  }
}

TEST(Event, LaterWaitsBlockAfterClear) {
  Event event;
  event.set();
  event.clear();
  Actor waiter([&] { event.wait(); });
  waiter.until_blocked_on(event);
  event.set();
}

TEST(Event, GivesUpAtTheDeadlineAndNotBefore) {
  Event event;
  const Stopwatch watch;
  EXPECT_FALSE(event.wait(20ms));
  EXPECT_GE(watch.elapsed(), 20ms);
  event.set();
  EXPECT_TRUE(event.wait(nonblocking));
}

TEST(Event, ASetFlagIsNeverRefused) {
  Event event;
  event.set();
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_TRUE(event.wait(stopped.get_token()));
  EXPECT_TRUE(event.wait(-1s));
  EXPECT_TRUE(event.wait(Deadline::Clock::now() - 1h));
}

TEST(Event, StopBeforeTheCallGivesUpAtOnce) {
  Event event;
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(event.wait(source.get_token()));
}

TEST(Event, StopEndsTheWait) {
  Event event;
  std::stop_source source;
  Actor waiter([&] { EXPECT_FALSE(event.wait(source.get_token())); });
  waiter.until_blocked_on(event);
  source.request_stop();
}

TEST(Event, StopAfterTheCallChangesNothing) {
  Event event;
  std::stop_source source;
  Actor waiter([&] { EXPECT_TRUE(event.wait(source.get_token())); });
  waiter.until_blocked_on(event);
  event.set();
  waiter.join();
  source.request_stop();
  EXPECT_TRUE(event.is_set());
}

TEST(Event, StopFromAThreadThatHoldsALockTheWaiterWants) {
  Event event;
  Lock lock;
  std::stop_source source;
  Actor waiter([&] {
    EXPECT_FALSE(event.wait(source.get_token()));
    const Guard guard(lock);
  });
  waiter.until_blocked_on(event);
  const Guard guard(lock);
  source.request_stop();
}

TEST(Event, SpuriousWakesFreeNobody) {
  Event event;
  std::stop_source source;
  std::atomic<int> freed{0};
  std::deque<Actor> waiters;
  for (const Deadline& deadline : {Deadline(forever), Deadline(1h), Deadline(source.get_token())}) {
    waiters.emplace_back([&, deadline] { freed += event.wait(deadline); });
  }
  for (int i = 0; i < 10; ++i) {
    for (const Actor& waiter : waiters) waiter.until_blocked_on(event);
    wake(reinterpret_cast<const Word*>(&event), kEveryone);
    waiters.front().interrupt();
  }
  EXPECT_EQ(freed, 0);
  event.set();
  waiters.clear();
  EXPECT_EQ(freed, 3);
}

// set() and the end of the wait coincide: either it is reported, or it was too late.
void a_set_is_never_lost(bool by_stop) {
  test::Rounds rounds(100);
  for (int i = 0; rounds.next(); ++i) {
    Event event;
    std::stop_source source;
    bool reported = false;
    std::atomic<bool> there{false};
    Actor gives_up([&] {
      there = true;
      reported = event.wait(by_stop ? Deadline(source.get_token())
                                    : Deadline(std::chrono::microseconds(50 + i % 100)));
    });
    Actor waits([&] { event.wait(); });
    test::until([&] { return there.load(); });
    if (by_stop) gives_up.until_blocked_on(event);
    event.set();
    if (by_stop) source.request_stop();
    gives_up.join();
    waits.join();
    if (by_stop) {
      EXPECT_TRUE(reported) << "set came before stop";
    }
  }
}

TEST(Event, ATimedWaiterLosesNoSet) { a_set_is_never_lost(false); }
TEST(Event, AStoppedWaiterLosesNoSet) { a_set_is_never_lost(true); }

TEST(Event, TheWaiterThatSetFreedMayDestroyIt) {
  test::who_is_freed_destroys<Event>(
      test::Rounds(4000), [](Event&) {},
      [](Event& event, int round) {
        if (round % 4 != 0 && event.wait(std::chrono::microseconds(round % 30))) return;
        event.wait();
      },
      [](Event& event, int) { event.set(); });
}

TEST(Event, AnEventOnTheWaitersStackMayBeSetByAWorker) {
  test::Rounds rounds(300);
  while (rounds.next()) {
    std::optional<Actor> worker;
    {
      Event done;
      worker.emplace([&done] { done.set(); });
      done.wait();
    }
  }
}

TEST(Event, WhatWasDoneBeforeSetHappensBeforeWhatIsDoneAfterSeeingIt) {
  test::Rounds rounds(200);
  while (rounds.next()) {
    Event event;
    int first = 0, second = 0;  // not atomic: the thread sanitizer judges
    Actor waiter([&] {
      event.wait();
      EXPECT_EQ(first, 1);
    });
    Actor asker([&] {
      test::until([&] { return event.is_set(); });
      EXPECT_EQ(first, 1);
    });
    first = 1;
    event.set();
    // A set() of a set flag publishes as well; only who sees something later can tell.
    second = 2;
    event.set();
    EXPECT_EQ(second, 2);
  }
}

TEST(Event, TheCountOfSetsWrapsAround) {
  // 2^30 sets would take too long: begin just below the wrap.
  Event event;
  reinterpret_cast<Word&>(event).store(~std::uint32_t{3}, std::memory_order_relaxed);
  EXPECT_FALSE(event.is_set());
  Actor waiter([&] { EXPECT_TRUE(event.wait(forever)); });
  waiter.until_blocked_on(event);
  event.set();
  event.clear();
  waiter.join();
  EXPECT_FALSE(event.is_set());
}

Event* event_of_handler = nullptr;

TEST(Event, SetIsSafeInASignalHandler) {
  Event event;
  event_of_handler = &event;
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { event_of_handler->set(); };
  sigaction(SIGUSR1, &action, &before);
  Actor waiter([&] { event.wait(); });
  waiter.until_blocked_on(event);
  raise(SIGUSR1);
  waiter.join();
  sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace thrum
