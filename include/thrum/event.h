// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [set] set -> is_set, wait: what was done before set() happens before what is done after
//         seeing it.
#pragma once

#include <atomic>
#include <cstdint>

#include "thrum/config.h"
#include "thrum/wait.h"

namespace thrum {

/// A flag that threads can wait for: set() lets everybody pass until clear().
///
/// set() frees every thread that was already waiting, even if clear() follows at once. Setting is
/// remembered; it does not count (for that, use Semaphore). The waiter that set() freed may destroy
/// the event. 4 bytes, no destructor, constant-initialised.
/// Like    threading.Event.
class THRUM_API Event {
 public:
  constexpr Event() noexcept = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// Sets the flag and frees everybody who waits.
  /// Order   before what is_set() or wait() allows.
  /// Cost    one compare-exchange; a system call only if somebody sleeps.
  /// Signals safe in a signal handler.
  void set() noexcept;

  /// Clears the flag: later waits block.
  void clear() noexcept;

  /// Returns whether the flag is set; stale as soon as it is returned.
  /// Order   if true, after that set().
  bool is_set() const noexcept {
    return (word_.load(std::memory_order_acquire) & kSet) != 0;  // [set]
  }

  /// Blocks until the flag is set, or was set since the call began.
  /// Order   after that set().
  void wait() noexcept {
    if (!is_set()) wait_slow(forever);
  }

  /// Blocks until the flag is set, or until `deadline`.
  /// Returns whether it is, or was since the call began.
  [[nodiscard]] bool wait(const Deadline& deadline) noexcept {
    return is_set() || wait_slow(deadline);
  }

 private:
  // word_: bit 0 kSet; bit 1 kSleepers, somebody may sleep (set by the sleeper, cleared by the
  // set() that wakes it); the rest counts the set() calls that changed something: a waiter whose
  // count is over was freed, whatever the flag says now. A waiter is fooled only if 2^30 such
  // calls fit between two of its instructions.
  static constexpr std::uint32_t kSet = 1;
  static constexpr std::uint32_t kSleepers = 2;
  static constexpr std::uint32_t kOneSet = 4;
  static constexpr std::uint32_t kCount = ~(kSet | kSleepers);

  bool wait_slow(const Deadline& deadline) noexcept;

  Word word_{0};
};

}  // namespace thrum
