// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A lock with its conditions, of each library that has them, in the order of calls that suits it
// best; and what one builds with it for want of an event or a queue: as short as it gets. The queue
// checks for its end as ours does, and pays for task_done() only where that is part of the case.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "harness.h"
#include "thrum/condition.h"
#include "thrum/lock.h"

#ifdef BENCH_ABSL
#include <absl/synchronization/mutex.h>
#endif
#ifdef BENCH_BOOST
#include <boost/thread/condition_variable.hpp>
#include <boost/thread/mutex.hpp>
#endif
#ifdef BENCH_NSYNC
#include <nsync.h>
#endif

namespace bench {

class ThrumMonitor {
 public:
  struct Condition : thrum::Condition {
    explicit Condition(ThrumMonitor& monitor) : thrum::Condition(monitor.lock_) {}
  };
  void lock() THRUM_TSA(no_thread_safety_analysis) { lock_.acquire(); }
  void unlock() THRUM_TSA(no_thread_safety_analysis) { lock_.release(); }
  template <class Ready>
  void wait(Condition& condition, Ready ready) {
    condition.wait_for(ready);
  }
  void unlock_notify_one(Condition& condition) {
    condition.notify();
    unlock();
  }
  void unlock_notify_all(Condition& condition) {
    condition.notify_all();
    unlock();
  }

 private:
  thrum::Lock lock_;
};

template <class Mutex, class ConditionVariable>
class LibraryMonitor {
 public:
  struct Condition : ConditionVariable {
    explicit Condition(LibraryMonitor&) {}
  };
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }
  template <class Ready>
  void wait(Condition& condition, Ready ready) {
    borrow([&](auto& guard) { condition.wait(guard, ready); });
  }
  template <class Ready>
  bool wait_for(Condition& condition, std::chrono::nanoseconds timeout, Ready ready) {
    bool is_ready = false;
    borrow([&](auto& guard) { is_ready = condition.wait_for(guard, timeout, ready); });
    return is_ready;
  }
  void unlock_notify_one(Condition& condition) {
    unlock();
    condition.notify_one();
  }
  void unlock_notify_all(Condition& condition) {
    unlock();
    condition.notify_all();
  }

 private:
  template <class Use>
  void borrow(Use use) {
    if constexpr (std::is_same_v<Mutex, std::mutex>) {
      std::unique_lock guard(mutex_, std::adopt_lock);
      use(guard);
      guard.release();
    }
#ifdef BENCH_BOOST
    if constexpr (std::is_same_v<Mutex, boost::mutex>) {
      boost::unique_lock<boost::mutex> guard(mutex_, boost::adopt_lock);
      use(guard);
      guard.release();
    }
#endif
  }
  Mutex mutex_;
};
using StdMonitor = LibraryMonitor<std::mutex, std::condition_variable>;
#ifdef BENCH_BOOST
using BoostMonitor = LibraryMonitor<boost::mutex, boost::condition_variable>;
#endif

#ifdef BENCH_ABSL
class AbslMonitor {
 public:
  struct Condition : absl::CondVar {
    explicit Condition(AbslMonitor&) {}
  };
  void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }
  template <class Ready>
  void wait(Condition& condition, Ready ready) {
    while (!ready()) condition.Wait(&mutex_);
  }
  void unlock_notify_one(Condition& condition) {
    condition.Signal();
    unlock();
  }
  void unlock_notify_all(Condition& condition) {
    condition.SignalAll();
    unlock();
  }

 private:
  absl::Mutex mutex_;
};

// Without condition variables: an unlock looks whose condition has become true.
class AbslAwait {
 public:
  struct Condition {
    explicit Condition(AbslAwait&) {}
  };
  void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }
  template <class Ready>
  void wait(Condition&, Ready ready) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    mutex_.Await(absl::Condition(&ready));
  }
  void unlock_notify_one(Condition&) { unlock(); }
  void unlock_notify_all(Condition&) { unlock(); }

 private:
  absl::Mutex mutex_;
};
#endif

#ifdef BENCH_NSYNC
class NsyncMonitor {
 public:
  struct Condition {
    explicit Condition(NsyncMonitor&) {}
    nsync::nsync_cv cv = NSYNC_CV_INIT;
  };
  void lock() noexcept { nsync::nsync_mu_lock(&mu_); }
  void unlock() noexcept { nsync::nsync_mu_unlock(&mu_); }
  template <class Ready>
  void wait(Condition& condition, Ready ready) {
    while (!ready()) nsync::nsync_cv_wait(&condition.cv, &mu_);
  }
  void unlock_notify_one(Condition& condition) noexcept {
    nsync::nsync_cv_signal(&condition.cv);
    unlock();
  }
  void unlock_notify_all(Condition& condition) noexcept {
    nsync::nsync_cv_broadcast(&condition.cv);
    unlock();
  }

 private:
  nsync::nsync_mu mu_ = NSYNC_MU_INIT;
};
#endif

enum class Tasks : std::uint8_t { uncounted, counted };

/// A lock, two conditions and a deque (or a stack, or a heap); without a limit, one condition.
template <class Monitor, class T, class Items = std::deque<T>, Tasks Counting = Tasks::uncounted>
class MonitorQueue {
 public:
  explicit MonitorQueue(std::size_t limit = 0) : limit_(limit) {}

  void put(T item) {
    monitor_.lock();
    if (limit_ != 0) {
      monitor_.wait(not_full_, [&] { return items_.size() < limit_ || closed_; });
    }
    if (closed_) fail("closed");
    if constexpr (requires { items_.push(std::move(item)); }) {
      items_.push(std::move(item));
    } else {
      items_.push_back(std::move(item));
    }
    if constexpr (Counting == Tasks::counted) ++unfinished_;
    monitor_.unlock_notify_one(not_empty_);
  }

  T get() {
    monitor_.lock();
    monitor_.wait(not_empty_, [&] { return !items_.empty() || closed_; });
    if (items_.empty()) fail("closed");
    T item = take();
    if (limit_ != 0) {
      monitor_.unlock_notify_one(not_full_);
    } else {
      monitor_.unlock();
    }
    return item;
  }

  void task_done() {
    monitor_.lock();
    if (unfinished_ == 0) fail("task_done");
    if (--unfinished_ == 0) {
      monitor_.unlock_notify_all(all_done_);
    } else {
      monitor_.unlock();
    }
  }

 private:
  [[noreturn]] void fail(const char* why) {
    monitor_.unlock();
    throw std::runtime_error(why);
  }
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

  Monitor monitor_;
  typename Monitor::Condition not_empty_{monitor_};
  typename Monitor::Condition not_full_{monitor_};
  typename Monitor::Condition all_done_{monitor_};
  Items items_;
  const std::size_t limit_;
  std::uint64_t unfinished_ = 0;
  bool closed_ = false;
};

/// A lock, a condition and a flag.
template <class Monitor>
class MonitorEvent {
 public:
  void set() {
    monitor_.lock();
    set_ = true;
    monitor_.unlock_notify_all(condition_);
  }
  void clear() {
    monitor_.lock();
    set_ = false;
    monitor_.unlock();
  }
  bool is_set() {
    monitor_.lock();
    const bool set = set_;
    monitor_.unlock();
    return set;
  }
  void wait() {
    monitor_.lock();
    monitor_.wait(condition_, [&] { return set_; });
    monitor_.unlock();
  }
  bool wait_for(std::chrono::nanoseconds timeout) {
    monitor_.lock();
    const bool set = monitor_.wait_for(condition_, timeout, [&] { return set_; });
    monitor_.unlock();
    return set;
  }

 private:
  Monitor monitor_;
  typename Monitor::Condition condition_{monitor_};
  bool set_ = false;
};

/// Adds a contender for each monitor but ours and std's, which are always there: `make` is a lambda
/// `<class Monitor>() -> Run`.
template <class Make>
void add_monitor_peers([[maybe_unused]] Contenders& to, [[maybe_unused]] const std::string& what,
                       [[maybe_unused]] Make make) {
#ifdef BENCH_ABSL
  to.push_back({"absl::CondVar" + what, make.template operator()<AbslMonitor>()});
  to.push_back({"absl::Mutex Await" + what, make.template operator()<AbslAwait>()});
#endif
#ifdef BENCH_NSYNC
  to.push_back({"nsync_cv" + what, make.template operator()<NsyncMonitor>()});
#endif
#ifdef BENCH_BOOST
  to.push_back({"boost::condition_variable" + what, make.template operator()<BoostMonitor>()});
#endif
}

}  // namespace bench
