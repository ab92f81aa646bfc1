// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <numeric>
#include <stop_token>
#include <thread>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "threading/queue_types.h"
#include "thrum/queue.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Freezable;
using test::Freezer;
using test::ItemOf;

static_assert(std::is_base_of_v<std::runtime_error, ShutDown>);
static_assert(!std::is_base_of_v<UsageError, ShutDown>);

template <class Q>
class QueueShutdown : public testing::Test {};
TYPED_TEST_SUITE(QueueShutdown, test::EveryQueue, test::QueueNames);

TYPED_TEST(QueueShutdown, PutFailsFromNowOnWhateverRoomAndTimeThereIs) {
  for (const std::int64_t maxsize : {0, 1, 2}) {
    TypeParam queue(maxsize);
    queue.put(1);
    EXPECT_FALSE(queue.is_shutdown());
    queue.shutdown();
    EXPECT_TRUE(queue.is_shutdown());
    ItemOf<TypeParam> item(2);
    EXPECT_THROW(queue.put(std::move(item)), ShutDown);
    EXPECT_EQ(item, 2);
    const std::array<Deadline, 4> deadlines{nonblocking, 1h, forever, std::stop_token()};
    for (const Deadline& deadline : deadlines) {
      EXPECT_FALSE(queue.put(std::move(item), deadline));
      EXPECT_EQ(item, 2);
    }
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
    EXPECT_EQ(queue.qsize(), 1u);
  }
}

TYPED_TEST(QueueShutdown, WhatIsInsideCanStillBeGot) {
  TypeParam queue;
  for (const int i : {1, 1, 1, 1}) queue.put(int{i});
  queue.shutdown();
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(queue.get(nonblocking), 1);
  EXPECT_EQ(queue.get(1h), 1);
  EXPECT_EQ(queue.get_bulk(5).size(), 1u);
  EXPECT_THROW(queue.get(), ShutDown);
  EXPECT_THROW(queue.get_bulk(5), ShutDown);
  const std::array<Deadline, 4> deadlines{nonblocking, 1h, forever, std::stop_token()};
  for (const Deadline& deadline : deadlines) {
    EXPECT_EQ(queue.get(deadline), std::nullopt);
    EXPECT_TRUE(queue.get_bulk(5, deadline).empty());
  }
}

TYPED_TEST(QueueShutdown, WakesAllWhoAreBlockedInGet) {
  for (const bool immediate : {false, true}) {
    TypeParam queue;
    std::stop_source source;
    std::deque<Actor> getters;
    getters.emplace_back([&] { EXPECT_THROW(queue.get(), ShutDown); });
    getters.emplace_back([&] { EXPECT_THROW(queue.get_bulk(3), ShutDown); });
    getters.emplace_back([&] { EXPECT_EQ(queue.get(1h), std::nullopt); });
    getters.emplace_back([&] { EXPECT_EQ(queue.get(source.get_token()), std::nullopt); });
    getters.emplace_back([&] { EXPECT_TRUE(queue.get_bulk(3, 1h).empty()); });
    getters.emplace_back([&] {
      for (ItemOf<TypeParam>& item : queue) ADD_FAILURE() << item;
    });
    getters.emplace_back([&] {
      for (auto task : queue.tasks()) ADD_FAILURE() << *task;
    });
    for (const Actor& getter : getters) getter.until_blocked_on(queue);
    queue.shutdown(immediate);
  }
}

TYPED_TEST(QueueShutdown, WakesAllWhoAreBlockedInPut) {
  for (const bool immediate : {false, true}) {
    TypeParam queue(1);
    queue.put(1);
    std::stop_source source;
    std::vector<ItemOf<TypeParam>> items;
    for (const int i : {3, 4}) items.emplace_back(i);
    std::deque<Actor> putters;
    putters.emplace_back([&] { EXPECT_THROW(queue.put(2), ShutDown); });
    putters.emplace_back([&] { EXPECT_FALSE(queue.put(2, 1h)); });
    putters.emplace_back([&] { EXPECT_FALSE(queue.put(2, source.get_token())); });
    putters.emplace_back([&] { EXPECT_EQ(queue.put_bulk(items, 1h), 0u); });
    for (const Actor& putter : putters) putter.until_blocked_on(queue);
    queue.shutdown(immediate);
    putters.clear();
    EXPECT_EQ(items[0], 3);
    EXPECT_EQ(queue.qsize(), immediate ? 0u : 1u);
    EXPECT_EQ(queue.unfinished_tasks(), immediate ? 0u : 1u);
  }
}

TYPED_TEST(QueueShutdown, IsIdempotentAndMayBecomeImmediateLater) {
  TypeParam queue;
  queue.put(1);
  queue.put(2);
  queue.shutdown();
  queue.shutdown();
  EXPECT_EQ(queue.qsize(), 2u);
  queue.shutdown(true);
  EXPECT_EQ(queue.qsize(), 0u);
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
  queue.shutdown(true);
  queue.shutdown();
  EXPECT_TRUE(queue.is_shutdown());
  queue.join();
}

TYPED_TEST(QueueShutdown, CannotBeUndoneByMaxsize) {
  TypeParam queue(1);
  queue.put(1);
  queue.shutdown();
  for (const std::int64_t maxsize : {5, 0, 100000}) {
    queue.set_maxsize(maxsize);
    EXPECT_FALSE(queue.put(2, nonblocking));
    EXPECT_TRUE(queue.is_shutdown());
  }
  EXPECT_EQ(queue.qsize(), 1u);
}

TYPED_TEST(QueueShutdown, TaskDoneAndJoinGoOnAsBefore) {
  TypeParam queue;
  queue.put(1);
  queue.put(2);
  queue.shutdown();
  Actor joiner([&] { queue.join(); });
  joiner.until_blocked_on(queue);
  (void)queue.get();
  queue.task_done();
  joiner.until_blocked_on(queue);
  (void)queue.get();
  queue.task_done();
  joiner.join();
  EXPECT_TRUE(test::refuses("thrum::Queue::task_done", [&] { queue.task_done(); }));
}

TYPED_TEST(QueueShutdown, ImmediateDropsWhatIsInsideAndCountsItAsFinished) {
  TypeParam queue;
  for (int i = 0; i < 100; ++i) queue.put(int{i});
  (void)queue.get();
  Actor joiner([&] { queue.join(); });
  joiner.until_blocked_on(queue);
  queue.shutdown(true);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.unfinished_tasks(), 1u) << "the item that was got is not finished";
  EXPECT_THROW(queue.get(), ShutDown);
  joiner.until_blocked_on(queue);
  queue.task_done();
  joiner.join();
  EXPECT_TRUE(test::refuses("thrum::Queue::task_done", [&] { queue.task_done(); }));
}

TYPED_TEST(QueueShutdown, ImmediateFreesJoinersIfNothingIsLeft) {
  TypeParam queue;
  for (int i = 0; i < 3; ++i) queue.put(int{i});
  std::deque<Actor> joiners;
  for (int i = 0; i < 3; ++i) joiners.emplace_back([&] { queue.join(); });
  for (const Actor& joiner : joiners) joiner.until_blocked_on(queue);
  queue.shutdown(true);
}

TYPED_TEST(QueueShutdown, ImmediateCountsNotBelowZero) {
  TypeParam queue;
  queue.put(1);
  queue.put(2);
  queue.task_done();
  queue.task_done();
  queue.shutdown(true);
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
  EXPECT_TRUE(queue.empty());
  queue.join();
}

// hard-bugs 20: all orders of {put, get, task_done, join, shutdown}, each call in a thread of its
// own that is started when the one before has returned or sleeps.

TYPED_TEST(QueueShutdown, EndsEveryCallInAllOrdersOfFive) {
  for (const bool immediate : {false, true}) {
    std::array<int, 5> order;
    std::iota(order.begin(), order.end(), 0);
    do {
      TypeParam queue(1);
      std::atomic<int> put{0}, got{0}, done{0};
      std::deque<Actor> actors;
      for (const int call : order) {
        Actor& actor = actors.emplace_back([&, call] {
          switch (call) {
            case 0:
              for (int i = 0; i < 2; ++i) put += queue.put(int{i}, 1h);
              break;
            case 1:
              got += queue.get(1h).has_value();
              break;
            case 2:
              try {
                queue.task_done();
                ++done;
              } catch (const UsageError&) {
              }
              break;
            case 3:
              // Ends by itself unless a task stays unfinished.
              (void)queue.join(20us);
              break;
            case 4:
              queue.shutdown(immediate);
              break;
          }
        });
        test::until([&] { return actor.finished() || test::is_blocked(actor.tid()); });
      }
      actors.clear();
      const int dropped = put - got - static_cast<int>(queue.qsize());
      EXPECT_GE(dropped, 0);
      if (!immediate) {
        EXPECT_EQ(dropped, 0);
      }
      if (immediate) {
        EXPECT_EQ(queue.qsize(), 0u);
      }
      if (dropped == 0) {
        EXPECT_EQ(queue.unfinished_tasks(), static_cast<std::uint64_t>(put - done));
      }
    } while (std::ranges::next_permutation(order).found);
  }
}

// Twelve threads: everything that was put is got, dropped or still inside.
template <class Q>
void race(bool immediate, std::int64_t maxsize) {
  Q queue(maxsize);
  constexpr int kEach = 200;
  std::atomic<int> put{0}, got{0}, refused{0};
  std::atomic<bool> go{false};
  std::deque<Actor> actors;
  const auto await_start = [&] { go.wait(false); };
  for (int i = 0; i < 5; ++i) {
    actors.emplace_back([&, i] {
      await_start();
      for (int n = 0; n < kEach; ++n) {
        try {
          switch (i % 3) {
            case 0:
              queue.put(int{n});
              ++put;
              break;
            case 1:
              put += queue.put(int{n}, 1h);
              break;
            default:
              put += queue.put(int{n}, nonblocking);
          }
        } catch (const ShutDown&) {
          ++refused;
        }
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    actors.emplace_back([&, i] {
      await_start();
      if (i % 2 == 0) {
        for ([[maybe_unused]] auto task : queue.tasks()) ++got;
      } else {
        while (queue.get(Deadline(1h))) {
          ++got;
          queue.task_done();
        }
      }
    });
  }
  actors.emplace_back([&] {
    await_start();
    queue.join();
  });
  actors.emplace_back([&] {
    await_start();
    while (got < 100 && put < 5 * kEach / 2) test::let_others_run();
    queue.shutdown(immediate);
    queue.shutdown(immediate);
    EXPECT_FALSE(queue.put(1, nonblocking));
  });
  go = true;
  go.notify_all();
  actors.clear();
  EXPECT_EQ(queue.qsize(), 0u);
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
  EXPECT_LE(got, put);
  if (!immediate) {
    EXPECT_EQ(got, put);
  }
}

TYPED_TEST(QueueShutdown, TwelveThreadsLoseNothing) {
  for (int round = 0; round < 10; ++round) race<TypeParam>(false, round % 4);
}
TYPED_TEST(QueueShutdown, TwelveThreadsEndWhenItIsImmediate) {
  for (int round = 0; round < 10; ++round) race<TypeParam>(true, round % 4);
}

TYPED_TEST(QueueShutdown, TwoAtOnceDropEachItemOnce) {
  for (int round = 0; round < 100; ++round) {
    TypeParam queue;
    for (int i = 0; i < 20; ++i) queue.put(int{i});
    Actor a([&] { queue.shutdown(true); });
    Actor b([&] { queue.shutdown(true); });
    a.join();
    b.join();
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_EQ(queue.qsize(), 0u);
  }
}

// A put that has claimed its slot, but not moved its item in yet, when the end comes.

TEST(QueueShutdownBehindAHalfDonePut, TheItemCanStillBeGot) {
  Queue<Freezable> queue;
  Freezer freezer;
  Actor putter([&] {
    freezer.freeze_me();
    queue.put(1);
  });
  freezer.until_frozen();
  queue.shutdown();
  EXPECT_TRUE(queue.is_shutdown());
  EXPECT_EQ(queue.get(nonblocking), std::nullopt);
  EXPECT_EQ(queue.get(1ms), std::nullopt);
  Actor getter([&] { EXPECT_EQ(queue.get(), 1); });
  getter.until_blocked_on(queue);
  freezer.thaw();
  getter.join();
  putter.join();
  EXPECT_THROW(queue.get(), ShutDown);
}

TEST(QueueShutdownBehindAHalfDonePut, ImmediateWaitsForTheItemAndDropsIt) {
  Queue<Freezable> queue;
  queue.put(0);
  Freezer freezer;
  Actor putter([&] {
    freezer.freeze_me();
    queue.put(1);
  });
  freezer.until_frozen();
  queue.put(2);
  Actor stopper([&] { queue.shutdown(true); });
  stopper.until_blocked_on(queue);
  freezer.thaw();
  stopper.join();
  putter.join();
  EXPECT_EQ(queue.qsize(), 0u);
  EXPECT_EQ(queue.unfinished_tasks(), 0u);
  queue.join();
}

TEST(QueueShutdownBehindAHalfDonePut, ABlockedPutterIsRefused) {
  Queue<Freezable> queue(1);
  Freezer freezer;
  Actor slow([&] {
    freezer.freeze_me();
    queue.put(1);
  });
  freezer.until_frozen();
  Actor putter([&] { EXPECT_THROW(queue.put(2), ShutDown); });
  putter.until_blocked_on(queue);
  queue.shutdown();
  putter.join();
  freezer.thaw();
  EXPECT_EQ(queue.get(), 1);
}

TEST(QueueShutdownBehindAHalfDonePut, ImmediateFreesABlockedPutterAtOnce) {
  Queue<Freezable> queue(1);
  Freezer freezer;
  Actor slow([&] {
    freezer.freeze_me();
    queue.put(1);
  });
  freezer.until_frozen();
  Actor putter([&] { EXPECT_THROW(queue.put(2), ShutDown); });
  putter.until_blocked_on(queue);
  Actor stopper([&] { queue.shutdown(true); });
  putter.join();
  stopper.until_blocked_on(queue);
  freezer.thaw();
}

}  // namespace
}  // namespace thrum
