// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

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
  /// For who waits for a word that is written once: 31 single pauses react soonest.
  static constexpr Backoff even() noexcept { return Backoff(31, false); }

  /// For who waits for several others, which want processors: no pauses.
  static constexpr Backoff yielding() noexcept { return Backoff(0, false); }

  /// Waits a little.
  /// Returns  false when it is time to sleep instead.
  bool spin() noexcept {
    if (turn_ < pauses_) {
      for (int i = growing_ ? 1 << turn_ : 1; i > 0; --i) pause();
    } else if (turn_ < pauses_ + kYields) {
      sched_yield();
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

  constexpr Backoff(int pauses, bool growing) noexcept : pauses_(pauses), growing_(growing) {}

  static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }

  int pauses_;
  bool growing_;
  int turn_ = 0;
};

}  // namespace thrum
