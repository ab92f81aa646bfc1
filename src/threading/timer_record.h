// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "threading/thread_record.h"

namespace thrum {

/// A thread that the clock starts (timer.cpp).
struct TimerRecord final : ThreadRecord {
  explicit TimerRecord(std::int64_t its_interval_ns)
      : ThreadRecord(Origin::ours), interval_ns(its_interval_ns) {
    timer = this;
  }

  /// Returns whether start() is schedule(), and no thread is made now.
  bool comes_later() const noexcept {
    return interval_ns > 0 && fate.load(std::memory_order_relaxed) == Fate::open;
  }
  void schedule();
  bool cancel();
  bool finished() const noexcept;
  /// In its thread: calls the function, unless it was cancelled.
  void call();
  /// It never runs: ends it, in the calling thread. It is listed.
  void end_unrun();
  /// Its time has come, and the system refused the thread.
  void fail_unrun(int error);
  /// Returns what it waits for until its time.
  WaitingFor waits() const noexcept;

  // fate        | the function                              | leaves the state by
  // open        | may be called                             | the first who decides: time, cancel()
  // cancelled   | is never called                           | -
  // fires       | is called, or its thread is about to be   | its end
  // over        | has returned or thrown, or had no thread  | -
  enum class Fate : std::uint8_t { open, cancelled, fires, over };
  /// Returns whether the caller is the first to decide.
  bool decide(Fate which) noexcept {
    Fate open = Fate::open;
    // relaxed: only who wins matters; the registry orders the rest
    return fate.compare_exchange_strong(open, which, std::memory_order_relaxed,
                                        std::memory_order_relaxed);
  }
  std::atomic<Fate> fate{Fate::open};

  const std::int64_t interval_ns;
  std::atomic<std::int64_t> since_ns{0};  // when it was started
  std::int64_t due_ns = 0;                // (registry)
  std::size_t place = kNowhere;           // (registry) among those that wait for their time
  static constexpr std::size_t kNowhere = SIZE_MAX;
};

/// This is the child of a fork: no timer is pending, no thread looks after them. (registry)
void forget_timers() noexcept;

}  // namespace thrum
