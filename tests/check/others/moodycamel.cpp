// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The queues of moodycamel: many producers and consumers, or one of each; both headers.
// Needs: libconcurrentqueue-dev libreaderwriterqueue-dev
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>
#include <readerwriterqueue/readerwritercircularbuffer.h>
#include <readerwriterqueue/readerwriterqueue.h>

#include <atomic>
#include <memory>
#include <thread>

#include "coverage.h"

namespace {

// Items are on the heap: taking one twice or too early is seen.
using Item = std::unique_ptr<int>;
Item item(int n) { return std::make_unique<int>(n); }

// Wrong: counts on an order between two producers.
void many(int wrong) {
  moodycamel::ConcurrentQueue<Item> queue(2);
  std::thread one([&] {
    queue.enqueue(item(1));
    queue.enqueue(item(2));
  });
  std::thread two([&] { queue.enqueue(item(10)); });
  Item taken;
  int sum = 0;
  int last = 0;
  const auto take = [&] {
    if (!queue.try_dequeue(taken)) return false;
    sum += *taken;
    if (*taken < 10) {
      assert(*taken > last);
      last = *taken;
    } else if (wrong) {
      assert(last == 2);
    }
    return true;
  };
  take();
  one.join();
  two.join();
  while (take()) {
  }
  assert(sum == 13);
}
// Wrong: there are fewer items than consumers, and both see one.
void many_consumers(int wrong) {
  moodycamel::ConcurrentQueue<Item> queue(2);
  queue.enqueue(item(1));
  if (!wrong) queue.enqueue(item(2));
  std::atomic<int> taken{wrong ? 1 : 0};
  const auto take = [&] {
    Item any;
    const bool is_there = queue.size_approx() > 0;
    const bool took = queue.try_dequeue(any);
    if (took) ++taken;
    assert(took || !is_there);
  };
  std::thread one(take), two(take);
  one.join();
  two.join();
  Item any;
  while (queue.try_dequeue(any)) ++taken;
  assert(taken.load() == 2);
}
void blocking(int wrong) {
  moodycamel::BlockingConcurrentQueue<Item> queue(2);
  std::thread producer([&] {
    queue.enqueue(item(1));
    if (!wrong) queue.enqueue(item(2));
  });
  Item taken;
  queue.wait_dequeue(taken);
  assert(*taken == 1);
  queue.wait_dequeue(taken);
  assert(*taken == 2);
  producer.join();
}
// Wrong: has two producers.
void one_of_each(int wrong) {
  moodycamel::ReaderWriterQueue<Item> queue(1);
  const auto produce = [&](int from) {
    for (int i = from; i < from + 3; ++i) queue.enqueue(item(i));
  };
  std::thread first(produce, 1);
  std::thread second([&] {
    if (wrong) produce(11);
  });
  Item taken;
  int sum = 0;
  int left = wrong ? 6 : 3;
  if (queue.try_dequeue(taken)) {
    sum += *taken;
    --left;
  }
  first.join();
  second.join();
  while (queue.try_dequeue(taken)) {
    sum += *taken;
    --left;
  }
  assert(left == 0);
}
void one_of_each_blocking(int wrong) {
  moodycamel::BlockingReaderWriterQueue<Item> queue(1);
  std::thread producer([&] {
    for (int i = 1; i <= (wrong ? 2 : 3); ++i) queue.enqueue(item(i));
  });
  Item taken;
  for (int i = 1; i <= 3; ++i) {
    queue.wait_dequeue(taken);
    assert(*taken == i);
  }
  producer.join();
}
void ring(int wrong) {
  moodycamel::BlockingReaderWriterCircularBuffer<Item> ring(1);
  std::thread producer([&] {
    for (int i = 1; i <= 3; ++i) {
      if (wrong) {
        ring.try_enqueue(item(i));
      } else {
        ring.wait_enqueue(item(i));
      }
    }
  });
  Item taken;
  for (int i = 1; i <= 3; ++i) {
    ring.wait_dequeue(taken);
    assert(*taken == i);
  }
  producer.join();
}

const Case cases[] = {
    {"many", "assertion failed", many},
    {"many_consumers", "assertion failed", many_consumers},
    {"blocking", "livelock", blocking},
    {"one_of_each", "data race or assertion failed", one_of_each},
    {"one_of_each_blocking", "lost wake-up", one_of_each_blocking},
    {"ring", "assertion failed or lost wake-up", ring},
};

}  // namespace

RUN_CASES(cases)
