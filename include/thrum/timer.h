// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "thrum/config.h"
#include "thrum/thread.h"

namespace thrum {

/// A thread that waits, then calls a function: once, unless it is cancelled before.
///
///     Timer timer(30s, [] { log("still working"); });
///     timer.start();
///     ...
///     timer.cancel();
///
/// The time counts from start(); zero and negative mean at once. Destroying it, or asking its
/// thread to stop, cancels it.
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
      : Timer(std::move(options), share(), Interval(interval),
              bind(std::forward<Target>(target), std::forward<Args>(args)...)) {
    (void)Deadline(interval);  // refuses NaN here, not in the thread
  }

  /// Keeps the function from being called, if it is not too late.
  /// Returns whether it won: true, and the function is never called; false, it was or is called,
  ///         or an earlier cancel() won.
  bool cancel();

  /// Returns whether it is over: cancelled, or the function has returned or thrown.
  bool finished() const noexcept;

 private:
  using Interval = std::chrono::duration<long double>;
  struct Shared;

  static std::shared_ptr<Shared> share();
  Timer(ThreadOptions options, std::shared_ptr<Shared> shared, Interval interval,
        std::unique_ptr<Body> body);

  std::shared_ptr<Shared> shared_;
};

}  // namespace thrum
