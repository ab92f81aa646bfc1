// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "thrum/errors.h"

namespace thrum {

struct NonBlocking {
  explicit NonBlocking() = default;
};
struct Forever {
  explicit Forever() = default;
};

/// One attempt, no sleeping: `lock.acquire(nonblocking)`.
inline constexpr NonBlocking nonblocking{};
/// No limit: `lock.acquire(forever)` cannot give up.
inline constexpr Forever forever{};

/// When to give up: a point in time, a stop token, or both.
///
/// Every blocking call takes one, implicitly from any duration, any time_point, `nonblocking`,
/// `forever`, or a `std::stop_token`; combined as `Deadline(1s).or_stop(token)`. A duration counts
/// from the construction, so one Deadline bounds a whole sequence of calls.
///
/// Absolute and steady inside: setting the wall clock does not move it (a time_point of another
/// clock is converted once, here). Too large saturates to `forever`; zero and negative mean one
/// attempt without sleeping; NaN is refused. Numbers and bools do not convert, so that Python's
/// `acquire(False)` cannot compile by accident.
///
/// Cost    one clock read for a duration; 16 bytes; copying one with a token counts a reference.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  constexpr Deadline(Forever) noexcept : at_ns_(kNever) {}
  constexpr Deadline(NonBlocking) noexcept : at_ns_(kPoll) {}

  /// Throws  UsageError if `timeout` is NaN.
  template <class Rep, class Period>
  Deadline(std::chrono::duration<Rep, Period> timeout) : at_ns_(after_now(saturate(timeout))) {}

  /// Throws  UsageError if `time` is NaN.
  template <class Duration>
  constexpr Deadline(std::chrono::time_point<Clock, Duration> time)
      : at_ns_(saturate(time.time_since_epoch())) {}

  /// Throws  UsageError if `time` is NaN.
  template <class OtherClock, class Duration>
    requires(!std::is_same_v<OtherClock, Clock>)
  Deadline(std::chrono::time_point<OtherClock, Duration> time)
      : at_ns_(after_now(saturate(Exact(time.time_since_epoch()) -
                                  Exact(OtherClock::now().time_since_epoch())))) {}

  Deadline(std::stop_token token) noexcept : at_ns_(kNever), stop_(std::move(token)) {}

  /// Returns the same deadline that also gives up when stop is requested.
  [[nodiscard]] Deadline or_stop(std::stop_token token) const {
    return Deadline(at_ns_, std::move(token));
  }

  /// Returns the same deadline, but no later than `longest` from now.
  [[nodiscard]] Deadline at_most(std::chrono::nanoseconds longest) const {
    const std::int64_t soon = after_now(longest.count());
    return Deadline(soon < at_ns_ ? soon : at_ns_, stop_);
  }

  /// Returns the same deadline, but no later than at steady time `at_ns`.
  [[nodiscard]] Deadline no_later_than(std::int64_t at_ns) const {
    return Deadline(at_ns < at_ns_ ? at_ns : at_ns_, stop_);
  }

  /// Returns whether there is no limit of time (a stop token may still end the wait).
  bool is_forever() const noexcept { return at_ns_ == kNever; }
  /// Returns whether one attempt without sleeping is all that is asked for.
  bool is_poll() const noexcept { return at_ns_ == kPoll; }
  /// Returns whether waiting is over: time is up or stop was requested.
  bool expired() const noexcept {
    return stop_.stop_requested() || is_poll() || (!is_forever() && now_ns() >= at_ns_);
  }
  const std::stop_token& stop() const noexcept { return stop_; }
  /// Returns the steady time in nanoseconds; meaningless if is_poll() or is_forever().
  std::int64_t at_ns() const noexcept { return at_ns_; }

  /// Returns a duration in nanoseconds, as near as 64 bits come.
  /// Throws  UsageError if it is NaN.
  template <class Rep, class Period>
  static constexpr std::int64_t ns_of(std::chrono::duration<Rep, Period> d) {
    return saturate(d);
  }

  /// Returns the steady clock's present, in nanoseconds.
  static std::int64_t now_ns() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
        .count();
  }

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t kPoll = std::numeric_limits<std::int64_t>::min();

  Deadline(std::int64_t at_ns, std::stop_token token) noexcept
      : at_ns_(at_ns), stop_(std::move(token)) {}

  // No overflow for any unit, and on x86 exact for every 64-bit count.
  using Exact = std::chrono::duration<long double, std::nano>;

  template <class Rep, class Period>
  static constexpr std::int64_t saturate(std::chrono::duration<Rep, Period> d) {
    const long double ns = Exact(d).count();
    if (ns != ns) throw_usage_error("thrum::Deadline: NaN is no time, a number is required");
    if (ns >= static_cast<long double>(kNever)) return kNever;
    if (ns <= static_cast<long double>(kPoll)) return kPoll;
    return static_cast<std::int64_t>(ns);  // a cast of d itself may overflow on its way
  }
  static std::int64_t after_now(std::int64_t timeout_ns) noexcept {
    if (timeout_ns <= 0) return kPoll;
    const std::int64_t now = now_ns();
    return timeout_ns >= kNever - now ? kNever : now + timeout_ns;
  }

  std::int64_t at_ns_;
  std::stop_token stop_{};
};

}  // namespace thrum
