// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// hard-bugs 21 and 29: what an item's move, copy or comparison throws, an allocation that fails,
// and items that call their own queue. Each test fails the k-th step for each k there is.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <new>
#include <optional>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/failing_new.h"
#include "threading/queue_types.h"
#include "thrum/queue.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Boom;
using test::Careful;
using test::FailingNew;
using test::Fuse;
using test::ItemOf;

// Returns whether the call threw.
template <class Call>
bool boom_at(int step, Call call) {
  const Fuse fuse(step);
  try {
    call();
    return false;
  } catch (const Boom&) {
    return true;
  }
}
template <class Call>
bool bad_alloc_at(int allocation, Call call) {
  const FailingNew failing(allocation);
  try {
    call();
    return false;
  } catch (const std::bad_alloc&) {
    return true;
  }
}

template <class Q>
std::vector<int> drained(Q& queue) {
  std::vector<int> items;
  while (auto item = queue.get(nonblocking)) items.push_back(*item);
  return items;
}
// What a queue with these items gives.
template <class Q>
std::vector<int> given(const std::vector<int>& puts) {
  Q queue;
  for (const int i : puts) queue.put(int{i});
  return drained(queue);
}

constexpr int kItems[] = {5, 3, 8, 1, 9, 2, 7};
template <class Q>
void fill(Q& queue) {
  for (const int i : kItems) queue.put(ItemOf<Q>(i));
}

template <class Q>
class QueueExceptions : public testing::Test {};
TYPED_TEST_SUITE(QueueExceptions, test::ThrowingQueues, test::QueueNames);

// How an item is put, and how one is got: each may throw at other steps.
template <class Q>
std::vector<std::function<void(Q&, ItemOf<Q>&)>> ways_to_put() {
  return {
      [](Q& queue, ItemOf<Q>& item) { queue.put(std::move(item)); },
      [](Q& queue, ItemOf<Q>& item) { EXPECT_TRUE(queue.put(std::move(item), nonblocking)); },
      [](Q& queue, ItemOf<Q>& item) { EXPECT_TRUE(queue.put(std::move(item), 1h)); },
      [](Q& queue, ItemOf<Q>& item) { queue.put(std::as_const(item)); },
      [](Q& queue, ItemOf<Q>& item) { EXPECT_TRUE(queue.put(std::as_const(item), 1h)); },
      [](Q& queue, ItemOf<Q>& item) { queue.put_bulk({&item, 1}); },
  };
}
template <class Q>
std::vector<std::function<void(Q&)>> ways_to_get() {
  return {
      [](Q& queue) { (void)queue.get(); },
      [](Q& queue) { EXPECT_TRUE(queue.get(nonblocking).has_value()); },
      [](Q& queue) { EXPECT_TRUE(queue.get(1h).has_value()); },
      [](Q& queue) { EXPECT_EQ(queue.get_bulk(1).size(), 1u); },
      [](Q& queue) { EXPECT_EQ(queue.get_bulk(1, 1h).size(), 1u); },
      [](Q& queue) { (void)queue.begin(); },
  };
}

TYPED_TEST(QueueExceptions, AThrowingPutLeavesTheQueueAndTheItemAsTheyWere) {
  int thrown = 0;
  for (const auto& put : ways_to_put<TypeParam>()) {
    for (int step = 0;; ++step) {
      TypeParam queue(8);
      fill(queue);
      ItemOf<TypeParam> item(4);
      const bool threw = boom_at(step, [&] { put(queue, item); });
      std::vector<int> inside(std::begin(kItems), std::end(kItems));
      if (threw) {
        EXPECT_EQ(item, 4);
      } else {
        inside.push_back(4);
      }
      EXPECT_EQ(queue.qsize(), inside.size());
      EXPECT_EQ(queue.unfinished_tasks(), inside.size());
      EXPECT_EQ(drained(queue), given<TypeParam>(inside)) << "step " << step;
      thrown += threw;
      if (!threw) break;
    }
  }
  EXPECT_GT(thrown, 2);
}

TYPED_TEST(QueueExceptions, AThrowingGetLeavesTheQueueAsItWas) {
  for (const auto& get : ways_to_get<TypeParam>()) {
    for (int step = 0;; ++step) {
      TypeParam queue;
      fill(queue);
      const bool threw = boom_at(step, [&] { get(queue); });
      std::vector<int> expected = given<TypeParam>({std::begin(kItems), std::end(kItems)});
      if (!threw) expected.erase(expected.begin());
      EXPECT_EQ(queue.qsize(), expected.size());
      EXPECT_EQ(drained(queue), expected) << "step " << step;
      EXPECT_EQ(queue.unfinished_tasks(), std::size(kItems));
      if (!threw) break;
    }
  }
}

TYPED_TEST(QueueExceptions, AThrowingGetBulkLosesNothingThatItTookBefore) {
  for (int step = 0;; ++step) {
    TypeParam queue;
    fill(queue);
    std::vector<ItemOf<TypeParam>> some;
    const bool threw = boom_at(step, [&] { some = queue.get_bulk(SIZE_MAX); });
    std::vector<int> all(some.begin(), some.end());
    const bool complete = all.size() == std::size(kItems);
    for (const int i : drained(queue)) all.push_back(i);
    EXPECT_EQ(all, given<TypeParam>({std::begin(kItems), std::end(kItems)})) << "step " << step;
    EXPECT_EQ(threw, some.empty()) << "it throws only if it has nothing to return";
    if (complete) break;
  }
}

TYPED_TEST(QueueExceptions, AThrowingPutBulkPutsThoseBefore) {
  for (int step = 0;; ++step) {
    TypeParam queue;
    std::vector<ItemOf<TypeParam>> items;
    for (const int i : {3, 1, 2}) items.emplace_back(i);
    const bool threw = boom_at(step, [&] { queue.put_bulk(items); });
    std::vector<int> all = drained(queue);
    EXPECT_EQ(queue.unfinished_tasks(), all.size());
    for (std::size_t i = all.size(); i < items.size(); ++i) all.push_back(items[i]);
    std::ranges::sort(all);
    EXPECT_EQ(all, (std::vector{1, 2, 3}));
    if (!threw) break;
  }
}

TYPED_TEST(QueueExceptions, AQueueThatThrewGoesOn) {
  TypeParam queue(3);
  for (int step = 0; step < 100; ++step) {
    (void)boom_at(step % 7, [&] { (void)queue.put(step, nonblocking); });
    (void)boom_at(step % 5, [&] { (void)queue.get(nonblocking); });
  }
  (void)drained(queue);
  for (const int i : {1, 2, 3}) EXPECT_TRUE(queue.put(int{i}, nonblocking));
  EXPECT_FALSE(queue.put(4, nonblocking));
  EXPECT_EQ(drained(queue).size(), 3u);
}

// The wake-up that a throwing call was given goes to the next sleeper.

TYPED_TEST(QueueExceptions, AThrowingGetPassesItsWakeUpOn) {
  int thrown = 0;
  for (int step = 0; step < 8; ++step) {
    TypeParam queue;
    std::atomic<bool> threw{false}, served{false};
    Actor unlucky([&] {
      threw = boom_at(step, [&] {
        if (step % 2 == 0) {
          (void)queue.get();
        } else {
          (void)queue.get(1h);
        }
      });
    });
    unlucky.until_blocked_on(queue);
    Actor lucky([&] {
      (void)queue.get();
      served = true;
    });
    lucky.until_blocked_on(queue);
    queue.put(1);
    queue.put(1);
    test::until([&] { return served && unlucky.finished(); });
    EXPECT_EQ(queue.qsize(), threw ? 1u : 0u);
    thrown += threw;
  }
  if (!std::is_same_v<TypeParam, PriorityQueue<test::Picky>>) {  // one item is not compared
    EXPECT_GT(thrown, 0);
  }
}

TYPED_TEST(QueueExceptions, AThrowingGetPassesItsWakeUpOnAlsoForOneItem) {
  TypeParam queue;
  std::atomic<int> served{0};
  Actor unlucky([&] { served += !boom_at(0, [&] { (void)queue.get(1h); }); });
  unlucky.until_blocked_on(queue);
  Actor lucky([&] {
    (void)queue.get();
    ++served;
  });
  lucky.until_blocked_on(queue);
  queue.put(1);
  test::until([&] { return served > 0; });
  queue.put(1);
}

TYPED_TEST(QueueExceptions, AThrowingPutPassesItsWakeUpOn) {
  for (int step = 0; step < 5; ++step) {
    TypeParam queue(2);
    queue.put(1);
    queue.put(2);
    std::atomic<bool> threw{false}, served{false};
    ItemOf<TypeParam> item(3);
    Actor unlucky([&] {
      threw = boom_at(step, [&] {
        if (step % 2 == 0) {
          queue.put(std::move(item));
        } else {
          EXPECT_TRUE(queue.put(std::move(item), 1h));
        }
      });
    });
    unlucky.until_blocked_on(queue);
    Actor lucky([&] {
      queue.put(4);
      served = true;
    });
    lucky.until_blocked_on(queue);
    (void)queue.get();
    test::until([&] { return served || (!threw && unlucky.finished()); });
    (void)queue.get(nonblocking);  // room for the other
    unlucky.join();
    lucky.join();
    if (threw) {
      EXPECT_EQ(item, 3);
    }
  }
}

TYPED_TEST(QueueExceptions, AThrowingShutdownStillFreesAllWhoSleep) {
  // Dropping the items of a heap may compare them.
  for (int step = 0; step < 10; ++step) {
    TypeParam queue(7);
    fill(queue);
    Actor putter([&] { EXPECT_THROW(queue.put(1), ShutDown); });
    putter.until_blocked_on(queue);
    Actor joiner([&] { queue.join(); });
    joiner.until_blocked_on(queue);
    (void)boom_at(step, [&] { queue.shutdown(true); });
    putter.join();
    queue.shutdown(true);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
  }
}

TYPED_TEST(QueueExceptions, ATaskWhoseItemThrowsOnItsWayIsStillDone) {
  for (int step = 0;; ++step) {
    TypeParam queue;
    fill(queue);
    const bool threw = boom_at(step, [&] {
      for ([[maybe_unused]] auto task : queue.tasks(nonblocking)) {
      }
    });
    if (!threw) break;
    // An item has left the queue or it has not: either way each is accounted for.
    EXPECT_EQ(queue.unfinished_tasks(), queue.qsize()) << "step " << step;
  }
}

TYPED_TEST(QueueExceptions, AMovedTaskWhoseItemThrowsIsStillDone) {
  for (int step = 0;; ++step) {
    TypeParam queue;
    queue.put(1);
    const bool threw = boom_at(step, [&] {
      auto all = queue.tasks(nonblocking);
      auto first = all.begin();
      auto task = *first;
      auto moved = std::move(task);
    });
    EXPECT_EQ(queue.unfinished_tasks(), queue.qsize()) << "step " << step;
    if (!threw) break;
  }
}

// Each instance is destroyed once, whatever threw.
TEST(QueueExceptionsOfItems, LeaveNoInstanceBehind) {
  ASSERT_EQ(Careful::count(), 0);
  const auto churn = [](auto&& queue) {
    for (int step = 0; step < 40; ++step) {
      (void)boom_at(step % 9, [&] {
        (void)queue.put(step, nonblocking);
        (void)queue.put(step, nonblocking);
        (void)queue.get(nonblocking);
      });
    }
  };
  churn(Queue<Careful>(7));
  churn(LifoQueue<Careful>(7));
  churn(PriorityQueue<Careful>(7));
  EXPECT_EQ(Careful::count(), 0);
}

// No memory

template <class Q>
class QueueWithoutMemory : public testing::Test {};
TYPED_TEST_SUITE(QueueWithoutMemory, test::EveryQueue, test::QueueNames);

TYPED_TEST(QueueWithoutMemory, PutLeavesTheItemWithTheCallerAndTheQueueAsItWas) {
  // Enough that every store grows several times.
  constexpr int kPuts = 2000;
  TypeParam queue;
  int failed = 0;
  for (int i = 0; i < kPuts; ++i) {
    ItemOf<TypeParam> item(i);
    for (int allocation = 0; bad_alloc_at(allocation, [&] { queue.put(std::move(item)); });
         ++allocation) {
      ++failed;
      EXPECT_EQ(item, i);
      EXPECT_EQ(queue.qsize(), static_cast<std::size_t>(i));
      EXPECT_EQ(queue.unfinished_tasks(), static_cast<std::uint64_t>(i));
    }
  }
  EXPECT_GT(failed, 2);
  std::vector<int> expected;
  for (int i = 0; i < kPuts; ++i) expected.push_back(i);
  std::vector<int> got = drained(queue);
  std::ranges::sort(got);
  EXPECT_EQ(got, expected);
  EXPECT_EQ(queue.unfinished_tasks(), static_cast<std::uint64_t>(kPuts));
}

TYPED_TEST(QueueWithoutMemory, GetLosesNothing) {
  for (int allocation = 0; allocation < 8; ++allocation) {
    TypeParam queue;
    for (int i = 0; i < 20; ++i) queue.put(int{i});
    int got = 0;
    (void)bad_alloc_at(allocation, [&] {
      for (int i = 0; i < 10; ++i) {
        (void)queue.get();
        ++got;
      }
    });
    EXPECT_EQ(drained(queue).size(), 20u - static_cast<std::size_t>(got));
  }
}

TYPED_TEST(QueueWithoutMemory, GetBulkTakesNothing) {
  TypeParam queue;
  for (int i = 0; i < 20; ++i) queue.put(int{i});
  EXPECT_TRUE(bad_alloc_at(0, [&] { (void)queue.get_bulk(10); }));
  EXPECT_EQ(queue.qsize(), 20u);
}

TYPED_TEST(QueueWithoutMemory, TheConstructorThrows) {
  for (int allocation = 0; bad_alloc_at(allocation, [] { TypeParam queue(10); }); ++allocation) {
    ASSERT_LT(allocation, 20);
  }
}

TEST(RingWithoutMemory, ABlockedPutThatNeedsARingThrowsAndAnotherIsServed) {
  Queue<int> queue(2);
  queue.put(1);
  queue.put(2);
  std::atomic<int> failed{0};
  Actor poor([&] { failed += bad_alloc_at(0, [&] { queue.put(3); }); });
  poor.until_blocked_on(queue);
  Actor rich([&] { queue.put(4); });
  rich.until_blocked_on(queue);
  queue.set_maxsize(8);
  rich.join();
  poor.join();
  EXPECT_EQ(queue.qsize(), static_cast<std::size_t>(4 - failed));
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(queue.get(), 2);
}

TEST(WithoutMemory, TheFirstWaitOfAllDoesNotFail) {
  Event never;
  EXPECT_FALSE(bad_alloc_at(0, [&] { (void)never.wait(std::chrono::milliseconds(1)); }));
}

TEST(RingWithoutMemory, TheEndIsReachedAllTheSame) {
  Queue<int> queue;
  int n = 0;
  while (!bad_alloc_at(0, [&] { queue.put(int{n}); })) ++n;
  queue.shutdown();
  EXPECT_FALSE(queue.put(1, nonblocking));
  for (int i = 0; i < n; ++i) EXPECT_EQ(queue.get(), i);
  EXPECT_THROW(queue.get(), ShutDown);
}

// Items that call their own queue

enum class Calls { put, get, get_timed, shutdown };

// Calls its queue while it is moved or compared.
template <template <class...> class Q, bool kNoexcept>
struct Caller {
  explicit Caller(int v) noexcept : value(v) {}
  Caller(int v, Q<Caller>& q, Calls w) noexcept : value(v), queue(&q), what(w) {}
  Caller(Caller&& other) noexcept(kNoexcept)
      : value(other.value), queue(other.queue), what(other.what) {
    call();
    other.queue = nullptr;
  }
  Caller& operator=(Caller&& other) noexcept(kNoexcept) {
    value = other.value;
    return *this;
  }
  friend bool operator<(const Caller& a, const Caller& b) {
    a.call();
    return a.value < b.value;
  }
  void call() const {
    Q<Caller>* const q = std::exchange(queue, nullptr);
    if (q == nullptr) return;
    try {
      switch (what) {
        case Calls::put:
          q->put(Caller(100));
          break;
        case Calls::get:
          (void)q->get();
          break;
        case Calls::get_timed:
          (void)q->get(1h);
          break;
        case Calls::shutdown:
          q->shutdown();
          break;
      }
    } catch (const UsageError&) {
      queue = q;
      throw;
    }
  }

  int value;
  mutable Q<Caller>* queue = nullptr;
  Calls what = Calls::put;
};

template <template <class...> class Q>
void refuses_to_be_called() {
  using Item = Caller<Q, false>;
  for (const Calls what : {Calls::put, Calls::get, Calls::get_timed, Calls::shutdown}) {
    Q<Item> queue;
    queue.put(Item(1));
    Item item(0, queue, what);
    EXPECT_TRUE(test::refuses("thrum::Queue", [&] { queue.put(std::move(item)); }));
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
    EXPECT_FALSE(queue.is_shutdown());
    EXPECT_EQ(queue.get().value, 1);
  }
}
TEST(LockedQueue, RefusesToBeCalledByItsOwnItems) {
  refuses_to_be_called<Queue>();
  refuses_to_be_called<LifoQueue>();
  refuses_to_be_called<PriorityQueue>();
}

TEST(LockedQueue, MayBeAskedByItsOwnItems) {
  struct Asking {
    explicit Asking(Queue<Asking>& q) : queue(&q) {}
    Asking(Asking&& other) noexcept(false) : queue(other.queue) {
      (void)queue->qsize();
      (void)queue->full();
      (void)queue->is_shutdown();
      (void)queue->unfinished_tasks();
    }
    Queue<Asking>* queue;
  };
  Queue<Asking> queue;
  queue.put(Asking(queue));
  (void)queue.get();
}

TEST(RingQueue, MayBeCalledByItsOwnItems) {
  using Item = Caller<Queue, true>;
  Queue<Item> queue;
  queue.put(Item(1));
  queue.put(Item(2, queue, Calls::put));  // its call comes after it has its place
  queue.put(Item(3, queue, Calls::get_timed));
  std::vector<int> got;
  while (auto item = queue.get(nonblocking)) got.push_back(item->value);
  EXPECT_EQ(got, (std::vector{2, 100, 3}));
  queue.put(Item(4, queue, Calls::shutdown));
  EXPECT_TRUE(queue.is_shutdown());
  EXPECT_EQ(queue.get().value, 4);
}

TEST(SimpleQueue, PutMayBeCalledByAnItemsOwnCode) {
  static SimpleQueue<int>* other = nullptr;
  struct Item {
    explicit Item(SimpleQueue<Item>* q) noexcept : queue(q) {}
    Item(Item&& item) noexcept : queue(std::exchange(item.queue, nullptr)) {
      if (queue != nullptr) std::exchange(queue, nullptr)->put(Item(nullptr));
    }
    ~Item() { other->put(1); }
    SimpleQueue<Item>* queue;
  };
  SimpleQueue<int> destroyed;
  other = &destroyed;
  {
    SimpleQueue<Item> queue;
    for (int i = 0; i < 100; ++i) queue.put(Item(&queue));
    EXPECT_EQ(queue.qsize(), 200u);
  }
  EXPECT_GE(destroyed.qsize(), 200u);
}

}  // namespace
}  // namespace thrum
