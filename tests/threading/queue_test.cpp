// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "threading/queue_types.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::ItemOf;
using test::refuses;
using test::Stopwatch;

static_assert(sizeof(Queue<int>) == 4 * 64 && sizeof(Queue<std::string>) == 4 * 64);
static_assert(sizeof(SimpleQueue<int>) == 4 * 64);
static_assert(!std::is_copy_constructible_v<Queue<int>>);
static_assert(!std::is_move_constructible_v<Queue<int>>);
static_assert(!std::is_convertible_v<int, Queue<int>>);
static_assert(std::input_iterator<decltype(std::declval<Queue<int>&>().begin())>);
static_assert(std::input_iterator<decltype(std::declval<Queue<int>&>().tasks().begin())>);

template <class Q>
class EveryQueue : public testing::Test {};
TYPED_TEST_SUITE(EveryQueue, test::EveryQueue, test::QueueNames);

// The limits of one call, each in the two spellings where it applies.
std::vector<Deadline> short_deadlines(const std::stop_token& stopped) {
  return {nonblocking,
          0s,
          -1s,
          1ms,
          Deadline::Clock::now() - 1h,
          Deadline::Clock::now() + 1ms,
          std::chrono::system_clock::now() + 1ms,
          stopped,
          Deadline(1h).or_stop(stopped),
          Deadline(1ms).or_stop(std::stop_source().get_token())};
}
std::stop_token stopped_token() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

// put

TYPED_TEST(EveryQueue, PutPutsAnItemIn) {
  TypeParam queue;
  queue.put(1);
  const ItemOf<TypeParam> two(2);
  queue.put(two);
  EXPECT_TRUE(queue.put(3, nonblocking));
  EXPECT_TRUE(queue.put(two, 1h));
  EXPECT_EQ(queue.qsize(), 4u);
  EXPECT_EQ(two, 2) << "an item put by reference is copied";
}

TYPED_TEST(EveryQueue, PutBlocksWhileTheQueueIsFull) {
  for (const int how : {0, 1, 2}) {
    TypeParam queue(1);
    queue.put(1);
    std::stop_source source;
    Actor putter([&] {
      if (how == 0) queue.put(2);
      if (how == 1) {
        EXPECT_TRUE(queue.put(2, 1h));
      }
      if (how == 2) {
        EXPECT_TRUE(queue.put(2, source.get_token()));
      }
    });
    putter.until_blocked_on(queue);
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.get(), 1);
    putter.join();
    EXPECT_EQ(queue.get(), 2);
  }
}

TYPED_TEST(EveryQueue, PutGivesUpAtTheDeadlineAndLeavesTheItemWithTheCaller) {
  TypeParam queue(1);
  queue.put(1);
  for (const Deadline& deadline : short_deadlines(stopped_token())) {
    ItemOf<TypeParam> item(2);
    EXPECT_FALSE(queue.put(std::move(item), deadline));
    EXPECT_EQ(item, 2);
  }
  EXPECT_EQ(queue.qsize(), 1u);
  EXPECT_EQ(queue.unfinished_tasks(), 1u);
  const Stopwatch watch;
  EXPECT_FALSE(queue.put(2, 25ms));
  EXPECT_GE(watch.elapsed(), 25ms);
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(queue.get(nonblocking), std::nullopt);
}

TYPED_TEST(EveryQueue, PutIsNotRefusedWhereThereIsRoom) {
  TypeParam queue(100), unlimited;
  for (const Deadline& deadline : short_deadlines(stopped_token())) {
    EXPECT_TRUE(queue.put(1, deadline));
    EXPECT_TRUE(unlimited.put(1, deadline));
  }
}

TYPED_TEST(EveryQueue, AStopEndsABlockedPut) {
  TypeParam queue(1);
  queue.put(1);
  std::stop_source source;
  Actor putter([&] {
    ItemOf<TypeParam> item(2);
    EXPECT_FALSE(queue.put(std::move(item), source.get_token()));
    EXPECT_EQ(item, 2);
  });
  putter.until_blocked_on(queue);
  source.request_stop();
  putter.join();
  EXPECT_EQ(queue.qsize(), 1u);
  EXPECT_FALSE(queue.put(2, source.get_token())) << "a stop stays";
}

// get

TYPED_TEST(EveryQueue, GetBlocksWhileTheQueueIsEmpty) {
  for (const int how : {0, 1, 2, 3, 4}) {
    TypeParam queue;
    std::stop_source source;
    Actor getter([&] {
      if (how == 0) {
        EXPECT_EQ(queue.get(), 1);
      }
      if (how == 1) {
        EXPECT_EQ(queue.get(1h), 1);
      }
      if (how == 2) {
        EXPECT_EQ(queue.get(source.get_token()), 1);
      }
      if (how == 3) {
        EXPECT_EQ(queue.get_bulk(5).size(), 1u);
      }
      if (how == 4) {
        EXPECT_EQ(queue.get_bulk(5, 1h).size(), 1u);
      }
    });
    getter.until_blocked_on(queue);
    queue.put(1);
    getter.join();
    EXPECT_TRUE(queue.empty());
  }
}

TYPED_TEST(EveryQueue, GetGivesUpAtTheDeadline) {
  TypeParam queue;
  for (const Deadline& deadline : short_deadlines(stopped_token())) {
    EXPECT_EQ(queue.get(deadline), std::nullopt);
    EXPECT_TRUE(queue.get_bulk(5, deadline).empty());
  }
  const Stopwatch watch;
  EXPECT_EQ(queue.get(25ms), std::nullopt);
  EXPECT_GE(watch.elapsed(), 25ms);
  EXPECT_TRUE(queue.get_bulk(5, 25ms).empty());
  EXPECT_GE(watch.elapsed(), 50ms);
}

TYPED_TEST(EveryQueue, GetIsNotRefusedWhatIsThere) {
  TypeParam queue;
  for (const Deadline& deadline : short_deadlines(stopped_token())) {
    queue.put(1);
    EXPECT_EQ(queue.get(deadline), 1);
    queue.put(1);
    EXPECT_EQ(queue.get_bulk(5, deadline).size(), 1u);
  }
}

TYPED_TEST(EveryQueue, AStopEndsABlockedGet) {
  TypeParam queue;
  std::stop_source source;
  Actor getter([&] { EXPECT_EQ(queue.get(source.get_token()), std::nullopt); });
  Actor bulk(
      [&] { EXPECT_TRUE(queue.get_bulk(3, Deadline(1h).or_stop(source.get_token())).empty()); });
  getter.until_blocked_on(queue);
  bulk.until_blocked_on(queue);
  source.request_stop();
  getter.join();
  bulk.join();
  queue.put(1);
  EXPECT_EQ(queue.get(source.get_token()), 1) << "what is there is never refused";
}

TYPED_TEST(EveryQueue, AStopAfterwardsTouchesNothing) {
  std::stop_source source;
  {
    TypeParam queue(1);
    Actor getter([&] { EXPECT_EQ(queue.get(source.get_token()), 1); });
    getter.until_blocked_on(queue);
    queue.put(1);
    getter.join();
    queue.put(1);
    Actor putter([&] { EXPECT_TRUE(queue.put(2, source.get_token())); });
    putter.until_blocked_on(queue);
    EXPECT_EQ(queue.get(), 1);
    putter.join();
  }
  source.request_stop();
}

// hard-bugs 1: a wake-up that meets a time-out or a stop is used or passed on.

TYPED_TEST(EveryQueue, APutThatMeetsATimeOutIsNotLost) {
  int round = 0;
  for (test::Rounds rounds(100); rounds.next(); ++round) {
    TypeParam queue;
    std::atomic<int> got{0};
    const Deadline soon = 1ms;
    Actor timed([&] { got += queue.get(soon).has_value(); });
    Actor patient([&] { got += queue.get(Deadline(1h)).has_value(); });
    if (round % 2 == 0) patient.until_blocked_on(queue);
    while (!soon.expired()) {
    }
    queue.put(1);
    test::until([&] { return got == 1; });  // the patient one, if the timed one said "nothing"
    queue.put(2);
    timed.join();
    patient.join();
    EXPECT_EQ(static_cast<std::size_t>(got) + queue.qsize(), 2u);
  }
}

TYPED_TEST(EveryQueue, APutThatMeetsAStopIsNotLost) {
  for (test::Rounds rounds(100); rounds.next();) {
    TypeParam queue;
    std::stop_source source;
    std::atomic<int> got{0};
    Actor stoppable([&] { got += queue.get(source.get_token()).has_value(); });
    stoppable.until_blocked_on(queue);
    Actor patient([&] { got += queue.get(1h).has_value(); });
    patient.until_blocked_on(queue);
    Actor stopper([&] { source.request_stop(); });
    queue.put(1);
    test::until([&] { return got == 1; });
    queue.put(2);
    patient.join();
    stoppable.join();
    EXPECT_EQ(static_cast<std::size_t>(got) + queue.qsize(), 2u);
  }
}

TYPED_TEST(EveryQueue, AGetThatMeetsAPuttersTimeOutOrStopIsNotLost) {
  int round = 0;
  for (test::Rounds rounds(100); rounds.next(); ++round) {
    TypeParam queue(1);
    queue.put(0);
    std::stop_source source;
    std::atomic<int> put{0};
    const Deadline soon = 1ms;
    const bool by_time = round % 2 == 0;
    Actor hasty([&] { put += queue.put(1, by_time ? soon : Deadline(source.get_token())); });
    Actor patient([&] { put += queue.put(2, 1h); });
    patient.until_blocked_on(queue);
    if (by_time) {
      while (!soon.expired()) {
      }
    } else {
      source.request_stop();
    }
    (void)queue.get();
    test::until([&] { return put == 1; });
    (void)queue.get();
    hasty.join();
    patient.join();
    EXPECT_EQ(static_cast<std::size_t>(put), 1 + queue.qsize());
  }
}

// hard-bugs 17: what comes when time is up, but before the sleeper runs again, is used. The sleeper
// may run in between and give up, so this is tried until it does not.

TYPED_TEST(EveryQueue, GetTakesWhatCameAsItsTimeEnded) {
  const test::OneProcessor one;
  for (const bool with_token : {false, true}) {
    bool taken = false;
    while (!taken) {
      TypeParam queue;
      std::stop_source source;
      const Deadline soon(5ms);
      Actor getter([&] {
        test::become_polite();
        taken = queue.get(with_token ? soon.or_stop(source.get_token()) : soon).has_value();
      });
      (void)getter.blocks_on_or_ends(queue);
      while (!soon.expired()) {
      }
      queue.put(1);
      getter.join();
      EXPECT_EQ(queue.qsize(), taken ? 0u : 1u);
    }
  }
}

TYPED_TEST(EveryQueue, GetTakesWhatCameAsItWasStopped) {
  const test::OneProcessor one;
  bool taken = false;
  while (!taken) {
    TypeParam queue;
    std::stop_source source;
    Actor getter([&] {
      test::become_polite();
      taken = queue.get(source.get_token()).has_value();
    });
    getter.until_blocked_on(queue);
    source.request_stop();
    queue.put(1);
    getter.join();
    EXPECT_EQ(queue.qsize(), taken ? 0u : 1u);
  }
}

TYPED_TEST(EveryQueue, PutUsesTheRoomThatCameAsItsTimeEnded) {
  const test::OneProcessor one;
  bool put = false;
  while (!put) {
    TypeParam queue(1);
    queue.put(1);
    const Deadline soon(5ms);
    Actor putter([&] {
      test::become_polite();
      put = queue.put(2, soon);
    });
    (void)putter.blocks_on_or_ends(queue);
    while (!soon.expired()) {
    }
    EXPECT_EQ(queue.get(), 1);
    putter.join();
    EXPECT_EQ(queue.qsize(), put ? 1u : 0u);
  }
}

TYPED_TEST(EveryQueue, JoinSeesTheWorkThatEndedAsItsTimeDid) {
  const test::OneProcessor one;
  bool joined = false;
  while (!joined) {
    TypeParam queue;
    queue.put(1);
    const Deadline soon(5ms);
    Actor joiner([&] {
      test::become_polite();
      joined = queue.join(soon);
    });
    (void)joiner.blocks_on_or_ends(queue);
    while (!soon.expired()) {
    }
    queue.task_done();
  }
}

// hard-bugs 22: the others' calls are no reason to refuse.

TYPED_TEST(EveryQueue, NoCallIsRefusedBecauseOfOthersOfItsKind) {
  constexpr int kThreads = 3;
  constexpr int kEach = 2000;
  for (const bool exact : {true, false}) {
    TypeParam queue(exact ? kThreads * kEach : 10 * kThreads * kEach);
    std::deque<Actor> actors;
    for (int i = 0; i < kThreads; ++i) {
      actors.emplace_back([&] {
        for (int n = 0; n < kEach; ++n) ASSERT_TRUE(queue.put(int{n}, nonblocking));
      });
    }
    actors.clear();
    EXPECT_EQ(queue.full(), exact);
    for (int i = 0; i < kThreads; ++i) {
      actors.emplace_back([&] {
        for (int n = 0; n < kEach; ++n) ASSERT_TRUE(queue.get(nonblocking).has_value());
      });
    }
    actors.clear();
    EXPECT_TRUE(queue.empty());
  }
}

TEST(Queue, APutterGoesOnAsSoonAsOneOfManySlotsIsFree) {
  Queue<int> queue(64);
  for (int i = 0; i < 64; ++i) queue.put(int{i});
  for (int i = 0; i < 20; ++i) {
    Actor putter([&] { queue.put(64 + i); });
    if (i % 2 == 0) putter.until_blocked_on(queue);  // else it may still spin
    EXPECT_EQ(queue.get(), i);
  }
  EXPECT_EQ(queue.qsize(), 64u);
}

TEST(Queue, PutIsNotRefusedWhileOthersPutAndGet) {
  // Far from the limit, which is not the ring's size: each put counts what is inside.
  constexpr int kEach = 5000;
  Queue<int> queue(1'000'000);
  std::deque<Actor> actors;
  for (int i = 0; i < 2; ++i) {
    actors.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) ASSERT_TRUE(queue.put(int{n}, nonblocking));
    });
    actors.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) (void)queue.get();
    });
  }
}

// hard-bugs 2: as many wake as there is work for.

TYPED_TEST(EveryQueue, EachOfSeveralItemsWakesASleeper) {
  for (test::Rounds rounds(40); rounds.next();) {
    TypeParam queue;
    std::deque<Actor> getters;
    for (int i = 0; i < 5; ++i) {
      getters.emplace_back([&, i] {
        if (i % 2 == 0) {
          (void)queue.get();
        } else {
          EXPECT_TRUE(queue.get(1h).has_value());
        }
      });
    }
    for (const Actor& getter : getters) getter.until_blocked_on(queue);
    for (int i = 0; i < 5; ++i) queue.put(i);
  }
}

TYPED_TEST(EveryQueue, EachOfSeveralGetsWakesASleeper) {
  for (test::Rounds rounds(40); rounds.next();) {
    TypeParam queue(5);
    for (int i = 0; i < 5; ++i) queue.put(i);
    std::deque<Actor> putters;
    for (int i = 0; i < 5; ++i) {
      putters.emplace_back([&, i] {
        if (i % 2 == 0) {
          queue.put(i);
        } else {
          EXPECT_TRUE(queue.put(i, 1h));
        }
      });
    }
    for (const Actor& putter : putters) putter.until_blocked_on(queue);
    for (int i = 0; i < 5; ++i) (void)queue.get();
    putters.clear();
    EXPECT_EQ(queue.qsize(), 5u);
  }
}

TYPED_TEST(EveryQueue, ABargingGetterLeavesNoItemBehindWithASleeper) {
  for (test::Rounds rounds(100); rounds.next();) {
    TypeParam queue;
    std::atomic<int> got{0};
    Actor a([&] { got += queue.get(1h).has_value(); });
    Actor b([&] { got += queue.get(1h).has_value(); });
    a.until_blocked_on(queue);
    b.until_blocked_on(queue);
    queue.put(1);
    const bool stolen = queue.get(nonblocking).has_value();
    queue.put(2);
    if (stolen) queue.put(3);
    a.join();
    b.join();
    EXPECT_EQ(got, 2);
  }
}

// maxsize

TYPED_TEST(EveryQueue, MaxsizeZeroAndNegativeMeanNoLimit) {
  for (const std::int64_t maxsize : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    TypeParam queue(maxsize);
    EXPECT_EQ(queue.maxsize(), 0u);
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(queue.put(int{i}, nonblocking));
    EXPECT_FALSE(queue.full());
    EXPECT_EQ(queue.qsize(), 1000u);
  }
}

TYPED_TEST(EveryQueue, QsizeEmptyAndFullTellWhatIsInside) {
  for (const std::int64_t maxsize : {1, 2, 3, 5, 7, 64, 100}) {
    TypeParam queue(maxsize);
    EXPECT_EQ(queue.maxsize(), static_cast<std::size_t>(maxsize));
    for (int lap = 0; lap < 3; ++lap) {
      EXPECT_TRUE(queue.empty());
      for (std::int64_t i = 0; i < maxsize; ++i) {
        EXPECT_FALSE(queue.full());
        EXPECT_EQ(queue.qsize(), static_cast<std::size_t>(i));
        EXPECT_TRUE(queue.put(1, nonblocking));
        EXPECT_FALSE(queue.empty());
      }
      EXPECT_TRUE(queue.full());
      EXPECT_FALSE(queue.put(1, nonblocking));
      for (std::int64_t i = 0; i < maxsize; ++i) {
        EXPECT_EQ(queue.get(nonblocking), 1);
        EXPECT_FALSE(queue.full());
      }
    }
  }
}

TYPED_TEST(EveryQueue, AShrunkMaxsizeIsHonouredByTheNextPut) {
  TypeParam queue(4);
  for (const int i : {1, 2, 3}) queue.put(int{i});
  queue.set_maxsize(2);
  EXPECT_EQ(queue.maxsize(), 2u);
  EXPECT_TRUE(queue.full());
  for (int left = 3; left > 1; --left) {
    EXPECT_FALSE(queue.put(4, nonblocking));
    (void)queue.get();
  }
  EXPECT_TRUE(queue.put(4, nonblocking));
  EXPECT_FALSE(queue.put(5, nonblocking));
}

TYPED_TEST(EveryQueue, AfterAShrinkPutBlocksUntilEnoughWasGot) {
  TypeParam queue(4);
  for (const int i : {1, 2, 3, 4}) queue.put(int{i});
  queue.set_maxsize(2);
  Actor putter([&] { queue.put(5); });
  putter.until_blocked_on(queue);
  (void)queue.get();
  (void)queue.get();
  EXPECT_FALSE(queue.put(6, nonblocking));
  putter.until_blocked_on(queue);
  (void)queue.get();
  putter.join();
  EXPECT_EQ(queue.qsize(), 2u);
}

TYPED_TEST(EveryQueue, RaisingMaxsizeWakesThoseWhoWaitForRoom) {
  for (const std::int64_t raised : {4, 100, 0}) {
    TypeParam queue(1);
    queue.put(1);
    std::deque<Actor> putters;
    for (int i = 0; i < 3; ++i) putters.emplace_back([&] { queue.put(2); });
    for (const Actor& putter : putters) putter.until_blocked_on(queue);
    queue.set_maxsize(raised);
    putters.clear();
    EXPECT_EQ(queue.qsize(), 4u);
    EXPECT_EQ(queue.full(), raised == 4);
  }
}

TYPED_TEST(EveryQueue, MaxsizeMayGoFromNoneToALimitAndBack) {
  TypeParam queue;
  for (int i = 0; i < 100; ++i) queue.put(int{i});
  queue.set_maxsize(100);
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.put(100, nonblocking));
  queue.set_maxsize(-5);
  EXPECT_FALSE(queue.full());
  EXPECT_TRUE(queue.put(100, nonblocking));
  queue.set_maxsize(10);
  while (queue.qsize() > 10) EXPECT_FALSE(queue.put(0, nonblocking) || !queue.get(nonblocking));
  EXPECT_FALSE(queue.put(0, nonblocking));
  (void)queue.get();
  EXPECT_TRUE(queue.put(0, nonblocking));
}

TYPED_TEST(EveryQueue, TakesTheLargestMaxsize) {
  for (const std::int64_t maxsize : {INT64_MAX, std::int64_t{1'000'000'000'000}}) {
    TypeParam queue(maxsize);
    EXPECT_EQ(queue.maxsize(), static_cast<std::size_t>(maxsize));
    for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(queue.put(int{i}, nonblocking));
    EXPECT_FALSE(queue.full());
    EXPECT_EQ(queue.qsize(), 10'000u);
  }
}

// task_done, join

TYPED_TEST(EveryQueue, JoinReturnsAtOnceIfNothingWasPut) {
  TypeParam queue;
  queue.join();
  EXPECT_TRUE(queue.join(nonblocking));
  EXPECT_TRUE(queue.join(stopped_token()));
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
}

TYPED_TEST(EveryQueue, JoinBlocksUntilTaskDoneWasCalledForEveryItem) {
  for (const int how : {0, 1, 2}) {
    TypeParam queue;
    for (int i = 0; i < 3; ++i) queue.put(int{i});
    std::stop_source source;
    Actor joiner([&] {
      if (how == 0) queue.join();
      if (how == 1) {
        EXPECT_TRUE(queue.join(1h));
      }
      if (how == 2) {
        EXPECT_TRUE(queue.join(source.get_token()));
      }
      EXPECT_EQ(queue.unfinished_tasks(), 0u);
    });
    for (int left = 3; left > 0; --left) {
      joiner.until_blocked_on(queue);
      EXPECT_EQ(queue.unfinished_tasks(), static_cast<std::uint64_t>(left));
      (void)queue.get();
      queue.task_done();
    }
  }
}

TYPED_TEST(EveryQueue, JoinGivesUpAtTheDeadlineAndAtAStop) {
  TypeParam queue;
  queue.put(1);
  for (const Deadline& deadline : short_deadlines(stopped_token())) {
    EXPECT_FALSE(queue.join(deadline));
  }
  const Stopwatch watch;
  EXPECT_FALSE(queue.join(25ms));
  EXPECT_GE(watch.elapsed(), 25ms);
  std::stop_source source;
  Actor joiner([&] { EXPECT_FALSE(queue.join(source.get_token())); });
  joiner.until_blocked_on(queue);
  source.request_stop();
  joiner.join();
  (void)queue.get();
  EXPECT_FALSE(queue.join(nonblocking)) << "got is not done";
  queue.task_done();
  EXPECT_TRUE(queue.join(source.get_token())) << "what is finished is never refused";
}

TYPED_TEST(EveryQueue, JoinFreesAllWhoWait) {
  TypeParam queue;
  queue.put(1);
  std::deque<Actor> joiners;
  for (int i = 0; i < 5; ++i) joiners.emplace_back([&] { queue.join(); });
  for (const Actor& joiner : joiners) joiner.until_blocked_on(queue);
  queue.task_done();
}

TYPED_TEST(EveryQueue, JoinCanBeUsedAgain) {
  TypeParam queue;
  for (int round = 0; round < 3; ++round) {
    queue.put(1);
    Actor joiner([&] { queue.join(); });
    joiner.until_blocked_on(queue);
    (void)queue.get();
    queue.task_done();
  }
}

TYPED_TEST(EveryQueue, JoinStaysBlockedIfAPutComesBeforeItLooks) {
  // hard-bugs 19: the count drops to 0 and rises again while the joiner wakes.
  int round = 0;
  for (test::Rounds rounds(100); rounds.next(); ++round) {
    TypeParam queue;
    queue.put(1);
    std::atomic<int> finished{0};
    Actor joiner([&] {
      queue.join();
      EXPECT_GE(finished, 1);
    });
    if (round % 2 == 0) joiner.until_blocked_on(queue);
    finished = 1;
    queue.task_done();
    queue.put(2);
    finished = 2;
    queue.task_done();
  }
}

TYPED_TEST(EveryQueue, JoinIsNotDeceivedByManyJoinersThatGaveUp) {
  TypeParam queue;
  queue.put(1);
  Actor joiner([&] { queue.join(); });
  joiner.until_blocked_on(queue);
  for (int i = 0; i < 2500; ++i) EXPECT_FALSE(queue.join(1us));  // more than its marks are numbered
  EXPECT_EQ(queue.unfinished_tasks(), 1u);
  queue.task_done();
}

TYPED_TEST(EveryQueue, TaskDoneTooOftenThrowsAndChangesNothing) {
  TypeParam queue;
  const auto once_more = [&] { queue.task_done(); };
  EXPECT_TRUE(refuses("thrum::Queue::task_done", once_more));
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
  queue.put(1);
  EXPECT_EQ(queue.unfinished_tasks(), 1u);
  queue.task_done();
  EXPECT_TRUE(refuses("thrum::Queue::task_done", once_more));
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
  EXPECT_EQ(queue.qsize(), 1u);
  queue.put(2);
  EXPECT_FALSE(queue.join(nonblocking));
  queue.task_done();
  queue.join();
}

TYPED_TEST(EveryQueue, TaskDoneNeedsNoGet) {
  TypeParam queue;
  queue.put(1);
  queue.task_done();
  queue.join();
  EXPECT_EQ(queue.qsize(), 1u);
  EXPECT_EQ(queue.get(), 1);
}

// bulk

TYPED_TEST(EveryQueue, PutBulkPutsAllInOrder) {
  using Item = ItemOf<TypeParam>;
  TypeParam queue(3);
  std::vector<Item> items;
  for (const int i : {1, 2, 3, 4, 5}) items.emplace_back(i);
  Actor putter([&] { queue.put_bulk(items); });
  putter.until_blocked_on(queue);
  EXPECT_EQ(queue.qsize(), 3u);
  std::vector<int> got;
  for (int i = 0; i < 5; ++i) got.push_back(queue.get());
  putter.join();
  std::ranges::sort(got);
  EXPECT_EQ(got, (std::vector{1, 2, 3, 4, 5}));
  EXPECT_EQ(queue.unfinished_tasks(), 5u);
}

TYPED_TEST(EveryQueue, PutBulkReturnsHowManyAreInAndLeavesTheRest) {
  using Item = ItemOf<TypeParam>;
  TypeParam queue(3);
  std::vector<Item> items;
  for (const int i : {1, 2, 3, 4, 5}) items.emplace_back(i);
  EXPECT_EQ(queue.put_bulk(items, 1ms), 3u);
  EXPECT_EQ(items[3], 4);
  EXPECT_EQ(items[4], 5);
  EXPECT_EQ(queue.put_bulk({}, 1ms), 0u);
  queue.shutdown();
  EXPECT_EQ(queue.put_bulk(items, 1ms), 0u);
  EXPECT_THROW(queue.put_bulk(items), ShutDown);
}

TYPED_TEST(EveryQueue, GetBulkTakesWhatIsThereUpToMax) {
  TypeParam queue;
  for (int i = 0; i < 5; ++i) queue.put(1);
  EXPECT_TRUE(queue.get_bulk(0).empty());
  EXPECT_TRUE(queue.get_bulk(0, nonblocking).empty());
  EXPECT_EQ(queue.get_bulk(2).size(), 2u);
  EXPECT_EQ(queue.get_bulk(SIZE_MAX).size(), 3u);
  EXPECT_TRUE(queue.get_bulk(SIZE_MAX, nonblocking).empty());
  EXPECT_EQ(queue.unfinished_tasks(), 5u);
}

TYPED_TEST(EveryQueue, GetBulkAfterAWaitTakesWhatIsThere) {
  using Item = ItemOf<TypeParam>;
  TypeParam queue;
  // The getter may wake when the first is in: then it may take one.
  std::size_t most = 0;
  for (int round = 0; round < 1000 && most < 3; ++round) {
    std::vector<Item> items;
    for (const int i : {1, 2, 3}) items.emplace_back(i);
    std::size_t got = 0;
    Actor getter([&] { got = queue.get_bulk(4).size(); });
    getter.until_blocked_on(queue);
    queue.put_bulk(items);
    getter.join();
    most = std::max(most, got);
    EXPECT_EQ(got + queue.get_bulk(4, nonblocking).size(), 3u);
    if (!std::is_nothrow_move_constructible_v<Item>) {
      EXPECT_EQ(got, 1u);
      return;
    }
  }
  EXPECT_EQ(most, 3u);
}

TYPED_TEST(EveryQueue, GetBulkMakesRoomForEachPutter) {
  TypeParam queue(3);
  for (int i = 0; i < 3; ++i) queue.put(1);
  std::deque<Actor> putters;
  for (int i = 0; i < 3; ++i) putters.emplace_back([&] { queue.put(2); });
  for (const Actor& putter : putters) putter.until_blocked_on(queue);
  std::size_t got = queue.get_bulk(3).size();
  putters.clear();
  got += queue.get_bulk(9, nonblocking).size();
  EXPECT_EQ(got, 6u);
}

// iteration

TYPED_TEST(EveryQueue, RangeForTakesEachItemUntilTheQueueIsShutDownAndEmpty) {
  TypeParam queue;
  std::atomic<int> sum{0};
  Actor consumer([&] {
    for (ItemOf<TypeParam>& item : queue) sum += item;
  });
  consumer.until_blocked_on(queue);
  for (int i = 1; i <= 10; ++i) queue.put(int{i});
  queue.shutdown();
  consumer.join();
  EXPECT_EQ(sum, 55);
  for (ItemOf<TypeParam>& item : queue) ADD_FAILURE() << item;
}

TYPED_TEST(EveryQueue, ItemsEndAtTheDeadline) {
  TypeParam queue;
  queue.put(1);
  queue.put(1);
  int n = 0;
  for (ItemOf<TypeParam>& item : queue.items(1ms)) n += item;
  EXPECT_EQ(n, 2);
  for (ItemOf<TypeParam>& item : queue.items(nonblocking)) n += item;
  EXPECT_EQ(n, 2);
  EXPECT_EQ(queue.unfinished_tasks(), 2u) << "items() leaves task_done() to the caller";
}

TYPED_TEST(EveryQueue, ItemsAndTasksEndAtAStopBeforeAndWhileTheyWait) {
  TypeParam queue;
  queue.put(1);
  std::stop_source source;
  std::atomic<int> n{0};
  Actor consumer([&] {
    for (ItemOf<TypeParam>& item : queue.items(source.get_token())) n += item;
  });
  test::until([&] { return n == 1; });
  Actor worker([&] {
    for (auto task : queue.tasks(source.get_token())) n += *task;
  });
  consumer.until_blocked_on(queue);
  worker.until_blocked_on(queue);
  source.request_stop();
  consumer.join();
  worker.join();
  queue.put(1);
  for (auto task : queue.tasks(source.get_token())) n += *task;  // what is there is never refused
  EXPECT_EQ(n, 2);
  EXPECT_EQ(queue.unfinished_tasks(), 1u);
}

TYPED_TEST(EveryQueue, TasksCallTaskDoneAtTheEndOfTheirScope) {
  TypeParam queue;
  for (int i = 0; i < 3; ++i) queue.put(1);
  std::uint64_t left = 3;
  for (auto task : queue.tasks(nonblocking)) {
    EXPECT_EQ(*task, 1);
    EXPECT_EQ(task.item(), 1);
    EXPECT_EQ(queue.unfinished_tasks(), left--);
  }
  queue.join();
}

TYPED_TEST(EveryQueue, TasksCallTaskDoneAlsoByAnException) {
  TypeParam queue;
  queue.put(1);
  queue.put(2);
  const auto work = [&] {
    for ([[maybe_unused]] auto task : queue.tasks()) throw std::runtime_error("work");
  };
  EXPECT_THROW(work(), std::runtime_error);
  EXPECT_EQ(queue.unfinished_tasks(), 1u);
  EXPECT_EQ(queue.qsize(), 1u);
}

TYPED_TEST(EveryQueue, ATaskThatIsMovedKeepsItsDutyOnce) {
  TypeParam queue;
  queue.put(1);
  {
    auto all = queue.tasks(nonblocking);
    auto first = all.begin();
    auto task = *first;
    auto moved = std::move(task);
    EXPECT_EQ(*moved, 1);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
  }
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
}

TYPED_TEST(EveryQueue, ATaskThatIsAskedForTwiceIsDoneOnce) {
  TypeParam queue;
  queue.put(1);
  queue.put(1);
  {
    auto all = queue.tasks(nonblocking);
    auto first = all.begin();
    {
      auto task = *first;
    }
    {
      auto nothing = *first;
    }
  }
  EXPECT_EQ(queue.unfinished_tasks(), 1u);
}

TYPED_TEST(EveryQueue, TasksOfManyWorkersLetJoinReturn) {
  TypeParam queue(2);
  std::atomic<int> sum{0};
  std::deque<Actor> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (auto task : queue.tasks()) sum += *task;
    });
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 1; i <= 100; ++i) queue.put(int{i});
    queue.join();
    EXPECT_EQ(sum, 5050 * (round + 1));
  }
  queue.shutdown();
}

// names

TYPED_TEST(EveryQueue, HasTheNameAndTheSizeOfItsOptions) {
  TypeParam queue({.maxsize = 3, .name = "jobs"});
  EXPECT_EQ(queue.name(), "jobs");
  EXPECT_EQ(queue.maxsize(), 3u);
  EXPECT_EQ(TypeParam().name(), "");
  EXPECT_EQ(TypeParam({.name = "unlimited"}).maxsize(), 0u);
}

// Every sequence of calls of one thread agrees with a queue that is obviously right.

struct Model {
  std::size_t maxsize = 2;
  std::size_t size = 0;
  std::uint64_t unfinished = 0;
  bool closed = false;
};

TYPED_TEST(EveryQueue, AgreesWithAModelInEverySequenceOfCalls) {
  constexpr int kCalls = 8;
  constexpr int kLength = 5;
  int sequences = 1;
  for (int i = 0; i < kLength; ++i) sequences *= kCalls;
  for (int sequence = 0; sequence < sequences; ++sequence) {
    TypeParam queue(2);
    Model model;
    for (int i = 0, calls = sequence; i < kLength; ++i, calls /= kCalls) {
      switch (calls % kCalls) {
        case 0: {
          const bool fits = model.maxsize == 0 || model.size < model.maxsize;
          ASSERT_EQ(queue.put(7, nonblocking), fits && !model.closed) << sequence;
          model.size += fits && !model.closed;
          model.unfinished += fits && !model.closed;
          break;
        }
        case 1:
          ASSERT_EQ(queue.get(nonblocking).has_value(), model.size > 0) << sequence;
          model.size -= model.size > 0;
          break;
        case 2: {
          bool threw = false;
          if (model.unfinished == 0 && sequence % 16 != 0) break;  // throwing takes its time
          try {
            queue.task_done();
          } catch (const UsageError&) {
            threw = true;
          }
          ASSERT_EQ(threw, model.unfinished == 0) << sequence;
          model.unfinished -= model.unfinished > 0;
          break;
        }
        case 3:
          ASSERT_EQ(queue.join(nonblocking), model.unfinished == 0) << sequence;
          break;
        case 4:
          queue.shutdown();
          model.closed = true;
          break;
        case 5:
          queue.shutdown(true);
          model.closed = true;
          model.unfinished -= std::min<std::uint64_t>(model.unfinished, model.size);
          model.size = 0;
          break;
        case 6:
          model.maxsize = model.maxsize == 2 ? 3 : model.maxsize == 3 ? 1 : 2;
          queue.set_maxsize(static_cast<std::int64_t>(model.maxsize));
          break;
        case 7: {
          std::vector<ItemOf<TypeParam>> got = queue.get_bulk(2, nonblocking);
          ASSERT_EQ(got.size(), std::min<std::size_t>(2, model.size)) << sequence;
          model.size -= got.size();
          break;
        }
      }
      ASSERT_EQ(queue.qsize(), model.size) << sequence;
      ASSERT_EQ(queue.empty(), model.size == 0) << sequence;
      ASSERT_EQ(queue.full(), model.size >= model.maxsize) << sequence;
      ASSERT_EQ(queue.unfinished_tasks(), model.unfinished) << sequence;
      ASSERT_EQ(queue.is_shutdown(), model.closed) << sequence;
    }
  }
}

}  // namespace
}  // namespace thrum
