// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [handoff] release -> acquire: what one holder did happens before what the next holder does.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>

#include "thrum/config.h"
#include "thrum/lockable.h"
#include "thrum/wait.h"

namespace thrum {

/// Mutual exclusion.
///
/// Not owned: any thread may release it. Not recursive: a holder that acquires again blocks until
/// somebody releases (use RLock). A running thread may overtake a sleeping one, but one that has
/// been overtaken for a millisecond is handed the lock. Destroying a held lock is legal. 4 bytes,
/// no destructor, constant-initialised: a global needs no initialisation order.
/// Like    threading.Lock; std::timed_mutex.
class THRUM_API THRUM_TSA(capability("mutex")) Lock : public StdLockable<Lock> {
 public:
  constexpr Lock() noexcept = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// Blocks until the caller holds the lock.
  /// Order   after the release() that freed it.
  /// Cost    one compare-exchange when free.
  void acquire() THRUM_TSA(acquire_capability()) {
    if (!try_acquire()) [[unlikely]]
      acquire_slow();
  }

  /// Blocks until the caller holds the lock, or until `deadline`.
  /// Returns whether the caller holds it. A free lock is never refused.
  [[nodiscard]] bool acquire(const Deadline& deadline) THRUM_TSA(try_acquire_capability(true)) {
    return try_acquire() || acquire_slow(deadline);
  }
  /// The same for a timeout; a free lock does not cost a look at the clock.
  template <std::integral Rep, class Period>
  [[nodiscard]] bool acquire(std::chrono::duration<Rep, Period> timeout)
      THRUM_TSA(try_acquire_capability(true)) {
    return try_acquire() || acquire_slow(timeout);
  }

  /// Gives the lock up and lets one waiter run. Does not touch it afterwards: the next holder may
  /// destroy it.
  /// Throws  UsageError if nobody holds it.
  /// Order   before the acquire() that takes it next.
  /// Cost    one compare-exchange; a system call if somebody sleeps.
  void release() THRUM_TSA(release_capability()) {
    std::uint32_t mine = self().native_id;
    if (!word_.compare_exchange_strong(mine, kFree,
                                       std::memory_order_release,  // [handoff]
                                       std::memory_order_relaxed)) [[unlikely]] {
      release_slow();
    }
  }

  /// Returns whether somebody holds the lock; stale as soon as it is returned.
  bool locked() const noexcept { return holder() != 0; }

  /// Returns the native id of the thread that acquired the lock, 0 if free; stale as soon as it is
  /// returned.
  std::uint32_t holder() const noexcept { return holder_of(word_.load(std::memory_order_relaxed)); }

  /// Returns the holder that a copy of a lock's 32 bits names: for dump() and for debuggers.
  static constexpr std::uint32_t holder_of(std::uint32_t word) noexcept { return word & kHolder; }

 private:
  friend class Condition;

  // word_                     | who                              | leaves the state when
  // kFree                     | nobody holds it                  | a thread acquires
  // holder                    | that thread holds it             | release, or a waiter arrives
  // holder|kSleepers          | the same, some may sleep         | release, which then wakes one
  // holder|kStarving[|..]     | the same, a waiter starves       | release, which then reserves it
  // 0|kStarving[|kSleepers]   | reserved for who has slept       | one who has slept takes it
  //
  // kSleepers may be set with nobody asleep (one wake too many), never clear with somebody asleep.
  // kStarving may be clear although somebody starves, until that thread looks again; it is never
  // set without a thread inside acquire_slow() that has slept and will look again.
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kSleepers = 1u << 31;  // FUTEX_WAITERS in a PI futex
  static constexpr std::uint32_t kStarving = 1u << 30;
  static constexpr std::uint32_t kHolder = kStarving - 1;

  bool try_acquire() noexcept {
    std::uint32_t free = kFree;
    return word_.compare_exchange_strong(free, self().native_id,
                                         std::memory_order_acquire,  // [handoff]
                                         std::memory_order_relaxed);
  }
  void acquire_slow() noexcept;  // no Deadline: inline callers need no cleanup for its token
  bool acquire_slow(const Deadline& deadline) noexcept;
  bool spin(std::uint32_t taken) noexcept;
  bool contend(const Deadline& deadline, WaitingFor& what, bool slept) noexcept;
  void release_slow();

  Word word_{kFree};
};

/// A lock its holder may acquire again, and must release as often.
///
/// Owned: only the holder may release it. The owner is an id that is never reused, so a thread
/// that happens to get a dead holder's kernel id does not pass for it; the child of a fork keeps
/// what the forking thread held. 16 bytes, constant-initialised. If one function at a time holds
/// the lock, Lock is smaller and catches the mistake.
/// Like    threading.RLock; std::recursive_timed_mutex.
class THRUM_API THRUM_TSA(capability("mutex")) RLock : public StdLockable<RLock> {
 public:
  constexpr RLock() noexcept = default;
  RLock(const RLock&) = delete;
  RLock& operator=(const RLock&) = delete;

  /// Blocks until the caller holds the lock; at once if it holds it already.
  /// Throws  UsageError after 2^32 - 1 levels.
  /// Order   after the release() that freed it.
  /// Cost    one compare-exchange when free, none when the caller holds it.
  void acquire() THRUM_TSA(acquire_capability()) {
    if (enter_again()) return;
    lock_.acquire();
    enter();
  }

  /// Blocks until the caller holds the lock, or until `deadline`.
  /// Returns whether it does.
  /// Throws  UsageError after 2^32 - 1 levels.
  [[nodiscard]] bool acquire(const Deadline& deadline) THRUM_TSA(try_acquire_capability(true)) {
    return enter_within(deadline);
  }
  /// The same for a timeout; a free lock does not cost a look at the clock.
  template <std::integral Rep, class Period>
  [[nodiscard]] bool acquire(std::chrono::duration<Rep, Period> timeout)
      THRUM_TSA(try_acquire_capability(true)) {
    return enter_within(timeout);
  }

  /// Leaves one level; the last one frees the lock.
  /// Throws  UsageError if the caller does not hold it.
  /// Order   before the acquire() that takes it next.
  void release() THRUM_TSA(release_capability()) {
    if (!is_owned()) [[unlikely]]
      not_owned();
    if (--depth_ != 0) return;
    owner_.store(0, std::memory_order_relaxed);
    lock_.release();
  }

  /// Returns whether some thread holds the lock; stale as soon as it is returned.
  bool locked() const noexcept { return lock_.locked(); }
  /// Returns whether the caller holds the lock.
  bool is_owned() const noexcept {
    return owner_.load(std::memory_order_relaxed) == self().ident;  // only we store our own ident
  }
  /// Returns how often the caller holds the lock, 0 if it does not.
  std::uint32_t recursion_count() const noexcept { return is_owned() ? depth_ : 0; }
  /// Returns the native id of the holder, 0 if free; stale as soon as it is returned.
  std::uint32_t holder() const noexcept { return lock_.holder(); }

 private:
  friend class Condition;
  friend struct RLockTest;

  bool enter_again() {
    if (!is_owned()) return false;
    if (depth_ == UINT32_MAX) [[unlikely]]
      too_deep();
    ++depth_;
    return true;
  }
  template <class Limit>
  bool enter_within(const Limit& limit) THRUM_TSA(no_thread_safety_analysis) {
    if (enter_again()) return true;
    if (!lock_.acquire(limit)) return false;
    enter();
    return true;
  }
  void enter() noexcept {
    owner_.store(self().ident, std::memory_order_relaxed);
    depth_ = 1;
  }
  [[noreturn]] static void not_owned();
  [[noreturn]] static void too_deep();

  Lock lock_;                            // first: dump() reads the holder at the object's address
  std::uint32_t depth_ = 0;              // touched by the holder only
  std::atomic<std::uint64_t> owner_{0};  // Self::ident of the holder, 0 between holds
};

}  // namespace thrum
