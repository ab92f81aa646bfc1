// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

#include <chrono>
#include <cstdint>

namespace thrum {

/// Bounded waiting without sleep: some pauses, some yields, then "go to sleep".
///
/// The pauses pay when the other side is running on another core; the yields when it is ready to
/// run on this one. Both together take a few microseconds at most, then the caller sleeps. How many
/// of each: docs/decisions/0003-spin-then-sleep.md.
class Backoff {
 public:
  /// For who waits for a word that its holder writes often: pauses grow 1, 2, 4, 8, because evenly
  /// spaced reads take the line away from the holder.
  static constexpr Backoff growing() noexcept { return Backoff(4, true); }
  /// For who waits for a word that is written once: 31 single pauses react soonest. If the other
  /// one turns out to need this processor again and again, the thread does without pauses, but for
  /// one wait in 16.
  static constexpr Backoff even() noexcept { return Backoff(31, false, true); }

  /// For who waits for several others, which want processors: no pauses.
  static constexpr Backoff yielding() noexcept { return Backoff(0, false); }

  /// Waits a little.
  /// Returns  false when it is time to sleep instead.
  bool spin() noexcept {
    if (turn_ == 0 && learns_) begin();
    if (turn_ < pauses_) {
      for (int i = growing_ ? 1 << turn_ : 1; i > 0; --i) pause();
    } else if (turn_ < pauses_ + kYields) {
      if (turn_ == pauses_ && learns_ && pauses_ != 0) {
        first_yield();
      } else {
        sched_yield();
      }
    } else {
      return false;
    }
    ++turn_;
    return true;
  }

  /// Returns whether the next spin() still keeps the processor.
  bool pausing() const noexcept { return turn_ < pauses_; }

 private:
  static constexpr int kYields = 8;
  static constexpr unsigned kSeldom = 4;
  static constexpr unsigned kRetry = 16;
  // A yield that nobody takes is shorter, one that lets another thread run is longer.
  static constexpr std::chrono::nanoseconds kTaken{1000};

  // In how many waits of this thread, one after the other, pauses were in vain and the yield after
  // them was taken; from kSeldom on, waits without pauses count too. It may begin again.
  static inline thread_local std::uint8_t in_vain = 0;

  constexpr Backoff(int pauses, bool growing, bool learns = false) noexcept
      : pauses_(pauses), growing_(growing), learns_(learns) {}

  void begin() noexcept {
    before_ = in_vain;
    if (before_ >= kSeldom && ++in_vain % kRetry != 0) {
      pauses_ = 0;
    } else {
      in_vain = 0;  // unless first_yield() finds otherwise
    }
  }
  void first_yield() noexcept {
    const auto start = std::chrono::steady_clock::now();
    sched_yield();
    if (std::chrono::steady_clock::now() - start > kTaken) {
      in_vain = static_cast<std::uint8_t>(before_ + 1);
    }
  }

  static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }

  int pauses_;
  bool growing_;
  bool learns_;
  std::uint8_t before_ = 0;
  int turn_ = 0;
};

}  // namespace thrum
