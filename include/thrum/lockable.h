// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <mutex>
#include <type_traits>

#include "thrum/deadline.h"

namespace thrum {

/// The standard library's names for what can be held, so that std::scoped_lock, std::unique_lock,
/// std::lock and std::condition_variable_any take our types. No state, no code of its own.
template <class Derived>
class StdLockable {
 public:
  void lock() THRUM_TSA(no_thread_safety_analysis) { me().acquire(); }
  [[nodiscard]] bool try_lock() THRUM_TSA(no_thread_safety_analysis) {
    return me().acquire(nonblocking);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> timeout)
      THRUM_TSA(no_thread_safety_analysis) {
    return me().acquire(timeout);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> time)
      THRUM_TSA(no_thread_safety_analysis) {
    bool held = me().acquire(time);
    if constexpr (!std::is_same_v<Clock, Deadline::Clock>) {
      // As [thread.req.timing] asks: if that clock was set back meanwhile, its time has not come.
      while (!held && Clock::now() < time) held = me().acquire(time);
    }
    return held;
  }
  void unlock() THRUM_TSA(no_thread_safety_analysis) { me().release(); }

 protected:
  constexpr StdLockable() noexcept = default;

 private:
  Derived& me() noexcept { return static_cast<Derived&>(*this); }
};

/// Holds `lock` from its construction to the end of its scope, also when an exception leaves it;
/// Python's `with lock:`. Takes anything with acquire() and release().
///
///     Guard guard(lock);
///
/// For a timed or a movable hold, std::unique_lock takes our types as well.
template <class L>
class [[nodiscard]] THRUM_TSA(scoped_lockable) Guard {
 public:
  explicit Guard(L& lock) THRUM_TSA(acquire_capability(lock)) : lock_(lock) { lock_.acquire(); }
  /// Takes over a lock that the caller holds.
  Guard(L& lock, std::adopt_lock_t) THRUM_TSA(requires_capability(lock)) : lock_(lock) {}
  ~Guard() THRUM_TSA(release_capability()) { lock_.release(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  L& lock_;
};

}  // namespace thrum
