// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [permit] release -> acquire: what was done before a permit was given happens before what is
//            done with it (and, by the chain of read-modify-writes, after every earlier release).
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>

#include "thrum/config.h"
#include "thrum/lockable.h"
#include "thrum/wait.h"

namespace thrum {

/// A pool of permits: acquire takes one, or blocks while there is none; release gives some back.
///
/// Anybody may release, any number of times, up to max(). A running thread may take a permit before
/// a woken one. 8 bytes, no destructor, constant-initialised. To guard data, use Lock: it knows its
/// holder. To say "it happened" once, use Event.
/// Like    threading.Semaphore; std::counting_semaphore, with deadlines and stop tokens.
class THRUM_API Semaphore : public StdLockable<Semaphore> {
 public:
  /// Returns the most permits there can be, 2^31 - 1.
  static constexpr std::uint32_t max() noexcept { return 0x7fffffff; }

  /// Throws  UsageError if `permits` is negative or above max().
  constexpr explicit Semaphore(std::int64_t permits = 1) : state_(checked(permits)) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Takes a permit; blocks until there is one.
  /// Order   after the release() that gave it.
  /// Cost    one compare-exchange when there is one.
  void acquire() {
    if (!try_acquire()) [[unlikely]]
      acquire_slow();
  }

  /// Takes a permit; blocks until there is one, or until `deadline`.
  /// Returns whether it took one.
  [[nodiscard]] bool acquire(const Deadline& deadline) {
    return try_acquire() || acquire_slow(deadline);
  }
  /// The same for a timeout; a permit that is there does not cost a look at the clock.
  template <std::integral Rep, class Period>
  [[nodiscard]] bool acquire(std::chrono::duration<Rep, Period> timeout) {
    return try_acquire() || acquire_slow(timeout);
  }

  /// Gives `n` permits and wakes up to `n` waiters. Does not touch the semaphore afterwards: who
  /// takes the permit may destroy it.
  /// Throws  UsageError if `n` is below 1 or there would be more than max(); nothing is given then.
  /// Order   before the acquire() that takes one.
  /// Cost    one addition, for n above 1 one compare-exchange; a system call if somebody sleeps.
  /// Signals safe in a signal handler.
  void release(std::int64_t n = 1) {
    if (n == 1) [[likely]] {
      give_one();
    } else {
      give(n, max());
    }
  }

  /// Returns how many permits there are; stale as soon as it is returned.
  std::uint32_t value() const noexcept { return permits(state_.load(std::memory_order_relaxed)); }

 protected:
  void give(std::int64_t n, std::uint32_t limit);

 private:
  // state_, low half: permits. High half: threads inside acquire_slow(), each of which may sleep
  // on the low half while it is 0. One word, so that release() knows by its own read-modify-write
  // whether to wake: afterwards the semaphore may be gone.
  static constexpr std::uint64_t kSleeper = std::uint64_t{1} << 32;
  static constexpr std::uint32_t permits(std::uint64_t state) noexcept {
    return static_cast<std::uint32_t>(state);
  }
  static constexpr std::uint64_t checked(std::int64_t permits) {
    if (permits < 0 || permits > max()) {
      throw_usage_error("thrum::Semaphore: the number of permits must be 0 to 2^31 - 1");
    }
    return static_cast<std::uint64_t>(permits);
  }

  // Takes one permit and `leaving` (0 or kSleeper) with it.
  bool try_acquire(std::uint64_t leaving = 0) noexcept {
    std::uint64_t state = state_.load(std::memory_order_relaxed);
    while (permits(state) != 0) {
      if (state_.compare_exchange_weak(state, state - 1 - leaving,
                                       std::memory_order_acquire,  // [permit]
                                       std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  // An addition gets the cache line once; a look and a compare-exchange get it twice. One permit
  // above max(), for the moment until an erroneous release has taken it back, still fits.
  void give_one() {
    const std::uint64_t state = state_.fetch_add(1, std::memory_order_release);  // [permit]
    if (state >= max()) [[unlikely]]
      gave_one(state);
  }
  void gave_one(std::uint64_t state);
  [[noreturn]] static void too_many();
  void acquire_slow() noexcept;
  bool acquire_slow(const Deadline& deadline) noexcept;
  const Word* word() const noexcept;

  std::atomic<std::uint64_t> state_;
};

/// A semaphore that never holds more permits than it began with: one release too many is an error
/// at the place where it happens.
/// Like    threading.BoundedSemaphore.
class THRUM_API BoundedSemaphore : public Semaphore {
 public:
  /// Throws  UsageError if `permits` is negative or above max().
  constexpr explicit BoundedSemaphore(std::int64_t permits = 1)
      : Semaphore(permits), initial_(static_cast<std::uint32_t>(permits)) {}

  /// Gives `n` permits, as Semaphore::release().
  /// Throws  UsageError if `n` is below 1 or there would be more than initial(); nothing is given.
  void release(std::int64_t n = 1) { give(n, initial_); }
  void unlock() { release(); }

  /// Returns how many permits it began with.
  std::uint32_t initial() const noexcept { return initial_; }

 private:
  std::uint32_t initial_;
};

}  // namespace thrum
