// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What one writes with the standard library for want of a queue or an event: as short as it gets,
// notifying after the lock is released. The queue checks for its end as ours does, and pays for
// task_done() only where that is part of the case.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace bench {

enum class Tasks : std::uint8_t { uncounted, counted };

/// A mutex, two condition variables and a deque (or a stack, or a heap); without a limit, one
/// condition variable.
template <class T, class Items = std::deque<T>, Tasks Counting = Tasks::uncounted>
class StdQueue {
 public:
  explicit StdQueue(std::size_t limit = 0) : limit_(limit) {}

  void put(T item) {
    {
      std::unique_lock guard(mutex_);
      if (limit_ != 0) {
        not_full_.wait(guard, [&] { return items_.size() < limit_ || closed_; });
      }
      if (closed_) throw std::runtime_error("closed");
      if constexpr (requires { items_.push(std::move(item)); }) {
        items_.push(std::move(item));
      } else {
        items_.push_back(std::move(item));
      }
      if constexpr (Counting == Tasks::counted) ++unfinished_;
    }
    not_empty_.notify_one();
  }

  T get() {
    std::unique_lock guard(mutex_);
    not_empty_.wait(guard, [&] { return !items_.empty() || closed_; });
    if (items_.empty()) throw std::runtime_error("closed");
    T item = take();
    guard.unlock();
    if (limit_ != 0) not_full_.notify_one();
    return item;
  }

  void task_done() {
    std::unique_lock guard(mutex_);
    if (unfinished_ == 0) throw std::runtime_error("task_done");
    if (--unfinished_ == 0) {
      guard.unlock();
      all_done_.notify_all();
    }
  }

 private:
  T take() {
    if constexpr (requires { items_.pop_front(); }) {
      T item = std::move(items_.front());
      items_.pop_front();
      return item;
    } else {
      T item = std::move(items_.top());  // a copy where top() is constant: std::priority_queue
      items_.pop();
      return item;
    }
  }

  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::condition_variable all_done_;
  Items items_;
  const std::size_t limit_;
  std::uint64_t unfinished_ = 0;
  bool closed_ = false;
};

/// A mutex, a condition variable and a flag.
class StdEvent {
 public:
  void set() {
    {
      const std::scoped_lock guard(mutex_);
      set_ = true;
    }
    condition_.notify_all();
  }
  void clear() {
    const std::scoped_lock guard(mutex_);
    set_ = false;
  }
  void wait() {
    std::unique_lock guard(mutex_);
    condition_.wait(guard, [&] { return set_; });
  }
  bool wait_for(std::chrono::nanoseconds timeout) {
    std::unique_lock guard(mutex_);
    return condition_.wait_for(guard, timeout, [&] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool set_ = false;
};

}  // namespace bench
