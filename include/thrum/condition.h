// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "thrum/config.h"
#include "thrum/lock.h"
#include "thrum/wait.h"

namespace thrum {

/// A place to wait, under a lock, until another thread says that something changed.
///
///     Guard guard(condition);
///     condition.wait_for([&] { return !items.empty(); });
///
/// Works over a Lock or an RLock of yours, which several conditions may share and which must
/// outlive them, or over an RLock of its own. Waiters are served first come, first served. A
/// notification frees only threads that were already waiting, and is never lost: a thread whose
/// time ran out as it was notified reports the notification. A notified thread is not woken to run
/// into the lock: it is moved to the lock's waiters, and release() wakes it. Must not be destroyed
/// while a thread waits; may be, by any thread that was notified. To pass items between threads, a
/// Queue is shorter and faster. That the caller holds the lock is checked when it runs, not by
/// clang's thread-safety analysis, which does not know that conditions share a lock.
/// Like    threading.Condition; std::condition_variable_any.
class THRUM_API THRUM_TSA(capability("mutex")) Condition : public StdLockable<Condition> {
 public:
  constexpr Condition() noexcept : own_(), list_(kOwn) {}
  constexpr explicit Condition(Lock& lock) noexcept : lock_(&lock), list_(kLock) {}
  constexpr explicit Condition(RLock& lock) noexcept : rlock_(&lock), list_(kRLock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// Acquires the underlying lock.
  void acquire() THRUM_TSA(acquire_capability()) THRUM_TSA(no_thread_safety_analysis) {
    is_plain() ? lock_->acquire() : rlock().acquire();
  }
  /// Acquires the underlying lock, giving up at `deadline`.
  /// Returns whether the caller holds it.
  [[nodiscard]] bool acquire(const Deadline& deadline) THRUM_TSA(try_acquire_capability(true))
      THRUM_TSA(no_thread_safety_analysis) {
    return is_plain() ? lock_->acquire(deadline) : rlock().acquire(deadline);
  }
  /// Releases the underlying lock.
  /// Throws  UsageError as that lock's release() does.
  void release() THRUM_TSA(release_capability()) THRUM_TSA(no_thread_safety_analysis) {
    is_plain() ? lock_->release() : rlock().release();
  }
  /// Returns whether some thread holds the underlying lock; stale as soon as it is returned.
  bool locked() const noexcept { return underlying().locked(); }

  /// Releases the lock (every level of an RLock), blocks until notified, and acquires it again.
  /// Throws  UsageError if the caller does not hold the lock.
  /// Order   after the notify() that freed it, and after all that the lock orders.
  /// Cost    one sleep, or none if the notification comes within a few microseconds.
  void wait() { (void)wait(forever); }

  /// The same, giving up at `deadline`. The lock is held again on return, however long that takes:
  /// the call may return after the deadline.
  /// Returns whether it was notified.
  [[nodiscard]] bool wait(const Deadline& deadline) THRUM_TSA(no_thread_safety_analysis);

  /// Waits until `predicate()` is true; it is called with the lock held.
  /// Returns what the predicate returned last.
  /// Throws  what the predicate throws, with the lock held; UsageError as wait().
  template <class Predicate>
  auto wait_for(Predicate predicate) {
    for (;;) {
      auto result = predicate();
      if (static_cast<bool>(result)) return result;
      wait();
    }
  }

  /// The same, giving up at `deadline`, which bounds the whole call; the predicate is asked once
  /// more then.
  template <class Predicate>
  [[nodiscard]] auto wait_for(Predicate predicate, const Deadline& deadline) {
    for (bool over = false;;) {
      auto result = predicate();
      if (over || static_cast<bool>(result)) return result;
      over = !wait(deadline) || deadline.expired();  // also if somebody notifies all the time
    }
  }

  /// Frees the `n` threads that have waited longest, or all if there are fewer. They run once the
  /// caller has released the lock. Not remembered if nobody waits; nothing happens if n is below 1.
  /// Throws  UsageError if the caller does not hold the lock.
  /// Order   before what the freed threads do after wait().
  /// Cost    a system call for each of them that sleeps.
  void notify(std::int64_t n = 1);

  /// Frees all threads that wait.
  /// Throws  UsageError if the caller does not hold the lock.
  void notify_all();

  /// Returns how many threads wait and have not been notified. Call it with the lock held.
  std::size_t waiting() const noexcept;

 private:
  struct Waiter;

  // list_, the low two bits: which lock, fixed when it is made
  static constexpr std::uintptr_t kOwn = 0, kLock = 1, kRLock = 2, kKind = 3;

  std::uintptr_t kind() const noexcept { return list_.load(std::memory_order_relaxed) & kKind; }
  bool is_plain() const noexcept { return kind() == kLock; }
  RLock& rlock() noexcept { return kind() == kOwn ? own_ : *rlock_; }
  Lock& underlying() noexcept { return is_plain() ? *lock_ : rlock().lock_; }
  const Lock& underlying() const noexcept { return const_cast<Condition*>(this)->underlying(); }
  bool is_held() noexcept;
  Waiter* last() const noexcept;
  void set_last(Waiter* waiter) noexcept;
  void free_first() noexcept;
  void unlink(Waiter& waiter) noexcept;

  union {
    RLock own_;
    Lock* lock_;
    RLock* rlock_;
  };
  // The rest of it: the youngest of a circular list of waiters, or null; the oldest comes next. It
  // is guarded by the lock, and atomic because acquire() looks at the other bits without.
  std::atomic<std::uintptr_t> list_;
};

}  // namespace thrum
