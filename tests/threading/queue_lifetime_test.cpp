// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// hard-bugs 5 to 7 for queues: who got an item, or joined, destroys the queue at once, and its
// memory goes away, while the other side's call is still returning. More of it in tests/stress.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stop_token>

#include "support/blocked.h"
#include "support/page.h"
#include "threading/queue_types.h"
#include "thrum/queue.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Rounds;
using test::who_is_freed_destroys;

template <class Q>
class QueueLifetime : public testing::Test {};
TYPED_TEST_SUITE(QueueLifetime, test::EveryQueue, test::QueueNames);

TYPED_TEST(QueueLifetime, TheGetterMayDestroyTheQueueWhileThePutReturns) {
  using Q = TypeParam;
  who_is_freed_destroys<Q>(
      Rounds(500), [](Q&) {}, [](Q& queue, int i) { EXPECT_EQ(queue.get(), i); },
      [](Q& queue, int i) { queue.put(int{i}); });
}

TYPED_TEST(QueueLifetime, TheGetterMayDestroyTheQueueWhileATimedPutReturns) {
  using Q = TypeParam;
  std::stop_source source;
  const auto until = [&] { return Deadline(1h).or_stop(source.get_token()); };
  who_is_freed_destroys<Q>(
      Rounds(500), [](Q&) {}, [&](Q& queue, int i) { EXPECT_EQ(queue.get(until()), i); },
      [&](Q& queue, int i) { EXPECT_TRUE(queue.put(int{i}, until())); }, 1);
}

TYPED_TEST(QueueLifetime, TheGetterMayDestroyTheQueueWhileAPutThatMayBlockReturns) {
  using Q = TypeParam;
  who_is_freed_destroys<Q>(
      Rounds(500), [](Q&) {},
      [](Q& queue, int) {
        for (int n = 0; n < 4; ++n) EXPECT_EQ(queue.get(), n);
      },
      [](Q& queue, int) {
        for (int n = 0; n < 4; ++n) queue.put(int{n});
      },
      1);
}

TYPED_TEST(QueueLifetime, TheJoinerMayDestroyTheQueueWhileTaskDoneReturns) {
  using Q = TypeParam;
  who_is_freed_destroys<Q>(
      Rounds(500), [](Q& queue) { queue.put(1); }, [](Q& queue, int) { queue.join(); },
      [](Q& queue, int) {
        (void)queue.get();
        queue.task_done();
      });
}

TYPED_TEST(QueueLifetime, ATimedJoinerMayDestroyTheQueueWhileATaskEnds) {
  using Q = TypeParam;
  who_is_freed_destroys<Q>(
      Rounds(500), [](Q& queue) { queue.put(1); },
      [](Q& queue, int i) {
        if (i % 4 == 0) {
          EXPECT_TRUE(queue.join(1h));
        } else {
          while (!queue.join(20us)) {
          }
        }
      },
      [](Q& queue, int) {
        auto all = queue.tasks(1h);
        auto first = all.begin();
        auto task = *first;
      });
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
