// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// In which order items come out, and what items may be.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "support/blocked.h"
#include "threading/queue_types.h"
#include "thrum/queue.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Careful;

template <class Q>
std::vector<int> drained(Q& queue) {
  std::vector<int> items;
  while (auto item = queue.get(nonblocking)) items.push_back(*item);
  return items;
}
template <class Q>
std::vector<int> order_of(std::vector<int> puts) {
  Q queue;
  for (const int i : puts) queue.put(int{i});
  return drained(queue);
}
const std::vector<int> kPuts{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
const std::vector<int> kReversed(kPuts.rbegin(), kPuts.rend());
const std::vector<int> kSorted{1, 1, 2, 3, 3, 4, 5, 5, 5, 6, 9};

TEST(Queue, IsFirstInFirstOut) {
  EXPECT_EQ(order_of<Queue<int>>(kPuts), kPuts);
  EXPECT_EQ(order_of<Queue<Careful>>(kPuts), kPuts);
}
TEST(LifoQueue, IsLastInFirstOut) {
  EXPECT_EQ(order_of<LifoQueue<int>>(kPuts), kReversed);
  EXPECT_EQ(order_of<LifoQueue<Careful>>(kPuts), kReversed);
}
TEST(PriorityQueue, GivesTheSmallestFirst) {
  EXPECT_EQ(order_of<PriorityQueue<int>>(kPuts), kSorted);
  EXPECT_EQ(order_of<PriorityQueue<Careful>>(kPuts), kSorted);
  EXPECT_EQ(order_of<PriorityQueue<test::Picky>>(kPuts), kSorted);
}
TEST(PriorityQueue, TakesAnotherComparison) {
  EXPECT_EQ((order_of<PriorityQueue<int, std::greater<>>>(kPuts)),
            std::vector<int>(kSorted.rbegin(), kSorted.rend()));
}

TEST(PriorityQueue, SortsEveryPermutationOfSeven) {
  std::vector<int> items{1, 2, 3, 3, 4, 5, 6};
  const std::vector<int> sorted = items;
  do {
    ASSERT_EQ(order_of<PriorityQueue<int>>(items), sorted);
  } while (std::ranges::next_permutation(items).found);
}

template <class T>
void compare_with_std() {
  std::mt19937 random(1);  // the same numbers each time
  PriorityQueue<T> queue;
  std::priority_queue<int, std::vector<int>, std::greater<>> model;
  for (int i = 0; i < 20'000; ++i) {
    // More puts than gets at first, then the reverse.
    if (random() % 10 < (i < 10'000 ? 6u : 4u) || model.empty()) {
      const int item = static_cast<int>(random() % 1000);
      queue.put(int{item});
      model.push(item);
    } else {
      ASSERT_EQ(queue.get(), model.top());
      model.pop();
    }
  }
}
TEST(PriorityQueue, AgreesWithStdOverManyCalls) {
  compare_with_std<int>();
  compare_with_std<Careful>();
}

// Equal items need no order, but none may be lost.
TEST(PriorityQueue, KeepsEqualItemsApart) {
  struct Job {
    int priority, number;
    bool operator<(const Job& other) const { return priority < other.priority; }
  };
  PriorityQueue<Job> queue;
  for (int i = 0; i < 100; ++i) queue.put({i % 3, i});
  std::array<bool, 100> seen{};
  int priority = 0;
  for (int i = 0; i < 100; ++i) {
    const Job job = queue.get();
    EXPECT_GE(job.priority, priority);
    priority = job.priority;
    EXPECT_FALSE(std::exchange(seen.at(static_cast<std::size_t>(job.number)), true));
  }
}

TEST(PriorityQueue, TakesItemsThatCannotBeAssigned) {
  struct Fixed {
    const int value;
    bool operator<(const Fixed& other) const { return value < other.value; }
  };
  PriorityQueue<Fixed> queue;
  for (const int i : kPuts) queue.put({i});
  for (const int i : kSorted) EXPECT_EQ(queue.get().value, i);
}

TEST(BulkOfEachQueue, KeepsItsOrder) {
  std::vector<int> items{3, 1, 2};
  Queue<int> fifo;
  fifo.put_bulk(items);
  EXPECT_EQ(fifo.get_bulk(9), (std::vector{3, 1, 2}));
  Queue<Careful> careful;
  std::vector<Careful> careful_items(items.begin(), items.end());
  careful.put_bulk(careful_items);
  const std::vector<Careful> got = careful.get_bulk(9);
  EXPECT_EQ(std::vector<int>(got.begin(), got.end()), (std::vector{3, 1, 2}));
  LifoQueue<int> lifo;
  lifo.put_bulk(items);
  EXPECT_EQ(lifo.get_bulk(9), (std::vector{2, 1, 3}));
  PriorityQueue<int> priority;
  priority.put_bulk(items);
  EXPECT_EQ(priority.get_bulk(9), (std::vector{1, 2, 3}));
}

// What items may be

template <class Q, class Make, class Look>
void passes_through(Make make, Look look) {
  for (const std::int64_t maxsize : {0, 1, 3, 1'000'000}) {
    Q queue(maxsize);
    for (int i = 0; i < 20; ++i) {
      auto item = make(i);
      queue.put(std::move(item));
      EXPECT_EQ(look(queue.get()), i);
      EXPECT_TRUE(queue.put(make(i), nonblocking));
      auto again = queue.get(nonblocking);
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(look(std::move(*again)), i);
    }
    queue.put(make(1));
    for (auto task : queue.tasks(nonblocking)) EXPECT_EQ(look(std::move(*task)), 1);
  }
}
template <class T, class Make, class Look>
void passes_through_each(Make make, Look look) {
  passes_through<Queue<T>>(make, look);
  passes_through<LifoQueue<T>>(make, look);
  struct Less {
    bool operator()(const T&, const T&) const { return false; }
  };
  passes_through<PriorityQueue<T, Less>>(make, look);
}

TEST(QueueItems, MayBeMoveOnly) {
  passes_through_each<std::unique_ptr<int>>([](int i) { return std::make_unique<int>(i); },
                                            [](const std::unique_ptr<int>& p) { return *p; });
}
TEST(QueueItems, MayOwnMemory) {
  passes_through_each<std::string>(
      [](int i) { return std::string(static_cast<std::size_t>(i), 'x'); },
      [](const std::string& s) { return static_cast<int>(s.size()); });
}
TEST(QueueItems, MayLackADefaultConstructor) {
  struct NoDefault {
    explicit NoDefault(int v) : value(v) {}
    int value;
  };
  passes_through_each<NoDefault>([](int i) { return NoDefault(i); },
                                 [](const NoDefault& n) { return n.value; });
}
TEST(QueueItems, MayBeLarge) {
  struct Large {
    explicit Large(int v) { numbers.fill(v); }
    std::array<int, 2500> numbers;
  };
  passes_through_each<Large>(
      [](int i) { return Large(i); },
      [](const Large& large) {
        return std::ranges::count(large.numbers, large.numbers[0]) == 2500 ? large.numbers[0] : -1;
      });
}
TEST(QueueItems, MayThrowFromTheirMove) {
  passes_through_each<Careful>([](int i) { return Careful(i); },
                               [](const Careful& c) { return c.value; });
}
TEST(QueueItems, MayBeCopyableOnly) {
  struct CopyOnly {
    explicit CopyOnly(int v) : value(v) {}
    CopyOnly(const CopyOnly& other) noexcept(false) : value(other.value) {}
    CopyOnly& operator=(const CopyOnly& other) noexcept(false) = default;
    int value;
  };
  passes_through_each<CopyOnly>([](int i) { return CopyOnly(i); },
                                [](const CopyOnly& c) { return c.value; });
}

// By the address each item is constructed at, wherever a store keeps it.
template <std::size_t kAlignment, bool kNoexcept>
struct alignas(kAlignment) Aligned {
  explicit Aligned(int v) noexcept : value(v) { check(); }
  Aligned(Aligned&& other) noexcept(kNoexcept) : value(other.value) {
    check();
    other.check();
  }
  Aligned& operator=(Aligned&& other) noexcept(kNoexcept) {
    value = other.value;
    check();
    other.check();
    return *this;
  }
  void check() const { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % kAlignment, 0u); }
  int value;
};
template <class T>
void aligned_passes_through() {
  passes_through_each<T>([](int i) { return T(i); }, [](const T& item) { return item.value; });
}
TEST(QueueItems, MayBeOverAligned) {
  aligned_passes_through<Aligned<64, true>>();
  aligned_passes_through<Aligned<128, true>>();
  aligned_passes_through<Aligned<64, false>>();
  aligned_passes_through<Aligned<128, false>>();
}

struct Instance : test::Counted<Instance> {
  explicit Instance(int v) : value(v) {}
  int value;
};
struct ThrowingInstance : test::Counted<ThrowingInstance> {
  explicit ThrowingInstance(int v) : value(v) {}
  ThrowingInstance(ThrowingInstance&& other) noexcept(false) : Counted(other), value(other.value) {}
  int value;
};
struct ByValue {
  bool operator()(const auto& a, const auto& b) const { return a.value < b.value; }
};
template <class Q, class T>
void destroys_each_once() {
  ASSERT_EQ(T::count(), 0);
  for (const std::int64_t maxsize : {0, 5, 1'000'000}) {
    {
      Q queue(maxsize);
      for (int lap = 0; lap < 10; ++lap) {
        for (int i = 0; i < 5; ++i) queue.put(T(i));
        EXPECT_EQ(T::count(), 5);
        for (int i = 0; i < 5; ++i) {
          (void)queue.get();
          EXPECT_EQ(T::count(), 4 - i) << "a reference is dropped as soon as its item leaves";
        }
      }
      for (int i = 0; i < 5; ++i) queue.put(T(i));
    }
    EXPECT_EQ(T::count(), 0) << "left inside at the end";
    {
      Q queue(maxsize);
      for (int i = 0; i < 5; ++i) queue.put(T(i));
      queue.shutdown(true);
      EXPECT_EQ(T::count(), 0) << "dropped by shutdown";
    }
    {
      Q queue(maxsize);
      for (int i = 0; i < 5; ++i) queue.put(T(i));
      queue.shutdown();
      EXPECT_EQ(T::count(), 5);
    }
    {
      Q queue(maxsize);
      for (int i = 0; i < 5; ++i) queue.put(T(i));
      int left = 5;
      for (T& item : queue.items(nonblocking)) {
        EXPECT_EQ(item.value, item.value);
        EXPECT_EQ(T::count(), left--);
      }
      EXPECT_EQ(T::count(), 0);
    }
  }
}
TEST(QueueItems, AreDestroyedOnce) {
  destroys_each_once<Queue<Instance>, Instance>();
  destroys_each_once<Queue<ThrowingInstance>, ThrowingInstance>();
  destroys_each_once<LifoQueue<Instance>, Instance>();
  destroys_each_once<PriorityQueue<Instance, ByValue>, Instance>();
  destroys_each_once<PriorityQueue<ThrowingInstance, ByValue>, ThrowingInstance>();
}

// Strictly first in, first out: what one getter gets later was put later by each putter.
TEST(Queue, KeepsTheOrderOfEachPutterForEachGetter) {
  for (const std::int64_t maxsize : {0, 1, 2, 3, 5, 7}) {
    struct Item {
      int putter, number;
    };
    Queue<Item> queue(maxsize);
    std::deque<Actor> actors;
    std::atomic<int> got{0};
    for (int p = 0; p < 3; ++p) {
      actors.emplace_back([&, p] {
        for (int i = 0; i < 1000; ++i) queue.put({p, i});
      });
    }
    for (int g = 0; g < 3; ++g) {
      actors.emplace_back([&] {
        std::array<int, 3> last{-1, -1, -1};
        for (int i = 0; i < 1000; ++i) {
          const Item item = queue.get();
          int& before = last.at(static_cast<std::size_t>(item.putter));
          EXPECT_GT(item.number, before);
          before = item.number;
          ++got;
        }
      });
    }
    actors.clear();
    EXPECT_EQ(got, 3000);
    EXPECT_TRUE(queue.empty());
  }
}

// SimpleQueue

TEST(SimpleQueue, IsFirstInFirstOut) { EXPECT_EQ(order_of<SimpleQueue<int>>(kPuts), kPuts); }

TEST(SimpleQueue, QsizeAndEmptyTellWhatIsInside) {
  SimpleQueue<std::unique_ptr<int>> queue;
  EXPECT_TRUE(queue.empty());
  queue.put(std::make_unique<int>(1));
  queue.put(nullptr);
  EXPECT_EQ(queue.qsize(), 2u);
  EXPECT_EQ(*queue.get(), 1);
  EXPECT_EQ(queue.get(1h), nullptr);
  EXPECT_TRUE(queue.empty());
}

TEST(SimpleQueue, PutNeverBlocks) {
  SimpleQueue<int> queue;
  for (int i = 0; i < 100'000; ++i) queue.put(i);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(queue.get(), i);
}

TEST(SimpleQueue, GetBlocksWhileThereIsNothing) {
  for (const bool timed : {false, true}) {
    SimpleQueue<int> queue;
    Actor getter([&] { EXPECT_EQ(timed ? queue.get(1h).value_or(0) : queue.get(), 1); });
    getter.until_blocked_on(queue);
    queue.put(1);
  }
}

TEST(SimpleQueue, GetGivesUpAtTheDeadlineAndAtAStop) {
  SimpleQueue<int> queue;
  EXPECT_EQ(queue.get(nonblocking), std::nullopt);
  EXPECT_EQ(queue.get(1ms), std::nullopt);
  std::stop_source source;
  Actor getter([&] { EXPECT_EQ(queue.get(source.get_token()), std::nullopt); });
  getter.until_blocked_on(queue);
  source.request_stop();
}

TEST(SimpleQueue, ServesManyThreads) {
  SimpleQueue<int> queue;
  std::atomic<int> sum{0};
  std::deque<Actor> actors;
  for (int i = 0; i < 25; ++i) {
    actors.emplace_back([&, i] {
      for (int n = 0; n < 40; ++n) {
        if (i % 3 == 0) sum += queue.get();
        if (i % 3 == 1) sum += queue.get(1h).value();
        if (i % 3 != 2) continue;
        std::optional<int> item;
        while (!(item = queue.get(nonblocking))) test::let_others_run();
        sum += *item;
      }
    });
    actors.emplace_back([&] {
      for (int n = 0; n < 40; ++n) queue.put(1);
    });
  }
  actors.clear();
  EXPECT_EQ(sum, 1000);
}

}  // namespace
}  // namespace thrum
