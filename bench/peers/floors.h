// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The least that could do the work, with no errors, owners or waiters: references, not contenders.
//
// Edges
//   [bare] unlock -> lock: as in any lock; orders nothing here but what is measured.
//   [flag] set -> wait: what was done before the flag was set happens before what follows the wait.
//   [slot] put -> get, and get -> the put one lap later: the item, and its place.
//   [done] task_done -> who would join.
#pragma once

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace bench {

/// The least that excludes others: a compare-exchange and an exchange.
class BareLock {
 public:
  void lock() noexcept {
    std::uint32_t free = 0;
    while (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,  // [bare]
                                          std::memory_order_relaxed)) {
      free = 0;
    }
  }
  void unlock() noexcept { word_.exchange(0, std::memory_order_release); }  // [bare]

 private:
  std::atomic<std::uint32_t> word_{0};
};

/// A flag that is looked at all the time.
class SpinFlag {
 public:
  void set() noexcept { flag_.store(1, std::memory_order_release); }  // [flag]
  void clear() noexcept { flag_.store(0, std::memory_order_relaxed); }
  bool is_set() const noexcept { return flag_.load(std::memory_order_acquire) != 0; }  // [flag]
  void wait() const noexcept {
    while (!is_set()) {
    }
  }

 private:
  std::atomic<std::uint32_t> flag_{0};
};

/// A flag and a futex: each wait sleeps at once, each set wakes all.
class FutexFlag {
 public:
  /// A wait looks again after so many ns; 0: it does not.
  explicit FutexFlag(long most_ns = 0) noexcept
      : most_{.tv_sec = most_ns / 1'000'000'000, .tv_nsec = most_ns % 1'000'000'000},
        limit_(most_ns == 0 ? nullptr : &most_) {}

  void set() noexcept {
    flag_.store(1, std::memory_order_release);  // [flag]
    futex(FUTEX_WAKE_PRIVATE, INT32_MAX);
  }
  void clear() noexcept { flag_.store(0, std::memory_order_relaxed); }
  void wait() noexcept {
    while (flag_.load(std::memory_order_acquire) == 0) futex(FUTEX_WAIT_PRIVATE, 0);  // [flag]
  }

 private:
  void futex(int operation, int value) noexcept {
    (void)syscall(SYS_futex, &flag_, operation, value, limit_, nullptr, 0);
  }
  std::atomic<std::uint32_t> flag_{0};
  const timespec most_;
  const timespec* const limit_;
};

/// A bounded ring whose slots carry stamps, as Vyukov's; who cannot go on yields, and never sleeps.
template <class T>
class YieldingRing {
 public:
  explicit YieldingRing(std::size_t limit)
      : mask_(std::bit_ceil(limit) - 1), slots_(new Slot[mask_ + 1]) {
    for (std::size_t i = 0; i <= mask_; ++i) slots_[i].stamp.store(i, std::memory_order_relaxed);
  }

  void put(T item) noexcept {
    const std::size_t at = claim(tail_, 0);
    Slot& slot = slots_[at & mask_];
    slot.item = std::move(item);
    slot.stamp.store(at + 1, std::memory_order_release);  // [slot]
  }
  T get() noexcept {
    const std::size_t at = claim(head_, 1);
    Slot& slot = slots_[at & mask_];
    T item = std::move(slot.item);
    slot.stamp.store(at + mask_ + 1, std::memory_order_release);  // [slot]
    return item;
  }

 private:
  struct Slot {
    std::atomic<std::size_t> stamp;
    T item;
  };

  // Returns an index whose slot has the stamp index + `ahead`.
  std::size_t claim(std::atomic<std::size_t>& next, std::size_t ahead) noexcept {
    std::size_t at = next.load(std::memory_order_relaxed);
    for (;;) {
      const std::size_t stamp = slots_[at & mask_].stamp.load(std::memory_order_acquire);  // [slot]
      if (stamp == at + ahead) {
        if (next.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) return at;
      } else {
        if (static_cast<std::ptrdiff_t>(stamp - (at + ahead)) < 0) sched_yield();
        at = next.load(std::memory_order_relaxed);
      }
    }
  }

  const std::size_t mask_;
  const std::unique_ptr<Slot[]> slots_;
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::atomic<std::size_t> head_{0};
};

/// The same, that counts what is done: an addition, without a look whether that was put.
template <class T>
class CountingRing : public YieldingRing<T> {
 public:
  using YieldingRing<T>::YieldingRing;
  void task_done() noexcept { done_.fetch_add(1, std::memory_order_release); }  // [done]

 private:
  alignas(64) std::atomic<std::size_t> done_{0};
};

}  // namespace bench
