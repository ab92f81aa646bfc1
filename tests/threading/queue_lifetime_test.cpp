// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// hard-bugs 5 to 7 for queues: who got an item, or joined, destroys the queue at once, and its
// memory goes away, while the other side's call is still returning.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "support/blocked.h"
#include "support/page.h"
#include "threading/queue_types.h"
#include "thrum/queue.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Page;

// More of them in tests/stress.
constexpr int kRounds = 200;

// Rounds of: `there` works on a queue in another thread, `here` ends with the queue's last use, and
// the queue vanishes.
template <class Q>
void vanishes_after(std::int64_t maxsize, std::function<void(Q&, int)> there,
                    std::function<void(Q&, int)> here) {
  std::atomic<Q*> shared{nullptr};
  std::atomic<int> finished{-1};
  Actor other([&] {
    for (int round = 0; round < kRounds; ++round) {
      Q* queue = nullptr;
      while ((queue = shared.exchange(nullptr)) == nullptr) shared.wait(nullptr);
      there(*queue, round);
      finished = round;
      finished.notify_one();
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    Page<Q> queue(maxsize);
    shared = &*queue;
    shared.notify_one();
    here(*queue, round);
    queue.vanish();
    for (int last = finished; last != round; last = finished) finished.wait(last);
  }
}

template <class Q>
class QueueLifetime : public testing::Test {};
TYPED_TEST_SUITE(QueueLifetime, test::EveryQueue, test::QueueNames);

TYPED_TEST(QueueLifetime, TheGetterMayDestroyTheQueueWhileThePutReturns) {
  vanishes_after<TypeParam>(
      0, [](TypeParam& queue, int i) { queue.put(int{i}); },
      [](TypeParam& queue, int i) { EXPECT_EQ(queue.get(), i); });
}

TYPED_TEST(QueueLifetime, TheGetterMayDestroyTheQueueWhileATimedPutReturns) {
  std::stop_source source;
  vanishes_after<TypeParam>(
      1,
      [&](TypeParam& queue, int i) {
        EXPECT_TRUE(queue.put(int{i}, Deadline(1h).or_stop(source.get_token())));
      },
      [&](TypeParam& queue, int i) {
        EXPECT_EQ(queue.get(Deadline(1h).or_stop(source.get_token())), i);
      });
}

TYPED_TEST(QueueLifetime, TheGetterMayDestroyTheQueueWhileABlockedPutReturns) {
  vanishes_after<TypeParam>(
      1,
      [](TypeParam& queue, int i) {
        queue.put(int{i});
        queue.put(int{i});
      },
      [](TypeParam& queue, int i) {
        if (i % 8 == 0) test::until([&] { return queue.full(); });
        EXPECT_EQ(queue.get(), i);
        EXPECT_EQ(queue.get(), i);
      });
}

TYPED_TEST(QueueLifetime, TheJoinerMayDestroyTheQueueWhileTaskDoneReturns) {
  vanishes_after<TypeParam>(
      0,
      [](TypeParam& queue, int) {
        (void)queue.get();
        queue.task_done();
      },
      [](TypeParam& queue, int i) {
        queue.put(int{i});
        queue.join();
      });
}

TYPED_TEST(QueueLifetime, ATimedJoinerMayDestroyTheQueueWhileATaskEnds) {
  vanishes_after<TypeParam>(
      0,
      [](TypeParam& queue, int) {
        auto all = queue.tasks(1h);
        auto first = all.begin();
        auto task = *first;
      },
      [](TypeParam& queue, int i) {
        queue.put(int{i});
        while (!queue.join(50us)) {
        }
      });
}

TYPED_TEST(QueueLifetime, AJoinerThatSleepsMayDestroyTheQueueWhileTaskDoneReturns) {
  for (test::Rounds rounds(50); rounds.next();) {
    auto queue = std::make_unique<Page<TypeParam>>(0);
    TypeParam& q = **queue;
    q.put(1);
    Actor joiner([&] {
      q.join();
      queue->vanish();
    });
    joiner.until_blocked_on(q);
    q.task_done();
    joiner.join();
  }
}

TYPED_TEST(QueueLifetime, AGetterThatSleepsMayDestroyTheQueueWhileThePutReturns) {
  for (test::Rounds rounds(50); rounds.next();) {
    auto queue = std::make_unique<Page<TypeParam>>(0);
    TypeParam& q = **queue;
    Actor getter([&] {
      (void)q.get();
      queue->vanish();
    });
    getter.until_blocked_on(q);
    q.put(1);
    getter.join();
  }
}

TEST(ManyQueues, ComeAndGo) {
  for (int i = 0; i < 500; ++i) {
    Queue<std::unique_ptr<int>> queue(i % 7);
    if (i % 3 == 0) queue.shutdown(i % 2 == 0);
    (void)queue.put(std::make_unique<int>(i), nonblocking);
  }
}

}  // namespace
}  // namespace thrum
