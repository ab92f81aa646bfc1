// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Queues under our names: put, get, and in bulk. A limit of 0 is none.
#pragma once

#include <sched.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#ifdef BENCH_BOOST
#include <boost/lockfree/queue.hpp>
#include <boost/thread/concurrent_queues/sync_bounded_queue.hpp>
#include <boost/thread/concurrent_queues/sync_priority_queue.hpp>
#include <boost/thread/sync_queue.hpp>
#endif
#ifdef BENCH_MOODYCAMEL
#include <concurrentqueue/blockingconcurrentqueue.h>
#endif
#ifdef BENCH_TBB
#include <oneapi/tbb/concurrent_priority_queue.h>
#include <oneapi/tbb/concurrent_queue.h>

#include <semaphore>
#endif

namespace bench {

#ifdef BENCH_BOOST
// Boost.Thread's queue of T, bounded or not, or by priority.
template <class Queue, class T>
class BoostQueue {
 public:
  BoostQueue() = default;
  explicit BoostQueue(std::size_t limit)
    requires std::is_constructible_v<Queue, std::size_t>
      : queue_(limit) {}
  explicit BoostQueue(std::size_t) {}
  void put(T item) { queue_.push(std::move(item)); }
  T get() { return queue_.pull(); }

 private:
  Queue queue_;
};

template <class T>
class BoostLockFree {
 public:
  explicit BoostLockFree(std::size_t limit) : queue_(limit) {}
  void put(T item) {
    while (!queue_.bounded_push(item)) sched_yield();
  }
  T get() {
    T item{};
    while (!queue_.pop(item)) sched_yield();
    return item;
  }

 private:
  boost::lockfree::queue<T> queue_;
};
#endif

#ifdef BENCH_MOODYCAMEL
// Has no limit: its put never waits.
template <class T>
class Moodycamel {
 public:
  explicit Moodycamel(std::size_t = 0) {}
  void put(T item) { queue_.enqueue(std::move(item)); }
  T get() {
    T item{};
    queue_.wait_dequeue(item);
    return item;
  }
  void put_bulk(std::span<T> items) {
    queue_.enqueue_bulk(std::make_move_iterator(items.begin()), items.size());
  }
  std::vector<T> get_bulk(std::size_t max) {
    std::vector<T> items(max);
    items.resize(queue_.wait_dequeue_bulk(items.begin(), max));
    return items;
  }

 private:
  moodycamel::BlockingConcurrentQueue<T> queue_;
};
#endif

#ifdef BENCH_TBB
template <class T>
class TbbBounded {
 public:
  explicit TbbBounded(std::size_t limit = 0) {
    if (limit != 0) queue_.set_capacity(static_cast<std::ptrdiff_t>(limit));
  }
  void put(T item) { queue_.push(std::move(item)); }
  T get() {
    T item{};
    queue_.pop(item);
    return item;
  }

 private:
  tbb::concurrent_bounded_queue<T> queue_;
};

// A queue of TBB that cannot wait, and a semaphore that can.
template <class Queue, class T>
class TbbWithSemaphore {
 public:
  explicit TbbWithSemaphore(std::size_t = 0) {}
  void put(T item) {
    queue_.push(std::move(item));
    items_.release();
  }
  T get() {
    items_.acquire();
    T item{};
    while (!queue_.try_pop(item)) sched_yield();
    return item;
  }

 private:
  Queue queue_;
  std::counting_semaphore<> items_{0};
};
#endif

}  // namespace bench
