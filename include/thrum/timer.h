// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "thrum/config.h"
#include "thrum/thread.h"

namespace thrum {

/// A thread that the clock starts: it calls a function after a time, once, unless it is cancelled
/// before.
///
///     Timer timer(30s, [] { log("still working"); });
///     timer.start();
///     ...
///     timer.cancel();
///
/// The time counts from start(); zero and negative mean at once. Destroying it, or asking it to
/// stop, cancels it. Until its time it is alive and blocked, but is no thread of the system: one
/// hidden daemon thread looks after all timers, so a million may be pending. It lives a moment
/// longer than the last of them, and does not run functions: one that blocks delays no other timer.
/// A timer's thread inherits (its signal mask, processors, priority) from who first started a
/// timer.
///
/// If the system refuses the thread when the time has come, the timer ends by that
/// std::system_error, as if the function had thrown it. In the child of a fork no timer is pending.
/// Cost    start() and cancel(): O(log n) in the pending, some 200 ns in all; 350 bytes each.
/// Like    threading.Timer.
class THRUM_API Timer : public Thread {
 public:
  /// Throws  UsageError if `interval` is NaN.
  template <class Rep, class Period, class Target, class... Args>
  explicit Timer(std::chrono::duration<Rep, Period> interval, Target&& target, Args&&... args)
      : Timer(ThreadOptions{}, interval, std::forward<Target>(target),
              std::forward<Args>(args)...) {}

  template <class Rep, class Period, class Target, class... Args>
  Timer(ThreadOptions options, std::chrono::duration<Rep, Period> interval, Target&& target,
        Args&&... args)
      : Timer(std::move(options), Deadline::ns_of(interval),
              bind(std::forward<Target>(target), std::forward<Args>(args)...)) {}

  /// Keeps the function from being called, if it is not too late. A pending timer ends: its
  /// function and arguments are destroyed before this returns.
  /// Returns whether it won: true, and the function is never called; false, it was or is called,
  ///         or an earlier cancel() or request_stop() won.
  bool cancel();

  /// Returns whether it is over: cancelled, or the function has returned or thrown.
  /// Order   if true, after the function.
  bool finished() const;

 private:
  Timer(ThreadOptions options, std::int64_t interval_ns, std::unique_ptr<Body> body);
};

}  // namespace thrum
