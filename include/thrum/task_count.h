// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [finish] finish -> join: what was done before task_done() happens before what is done after the
//            join() that it completed.
#pragma once

#include <atomic>
#include <cstdint>

#include "thrum/wait.h"

namespace thrum {

/// Counts finished tasks, for who joins a queue. How many were put, the queue knows anyway.
class THRUM_API TaskCount {
 public:
  constexpr TaskCount() noexcept = default;

  /// Counts `n` tasks as finished. `got()` is a cheap lower bound of `put()`, how many were put.
  /// Returns false, with nothing changed, if that were more than were put.
  template <class Got, class Put>
  bool finish(std::uint64_t n, Got got, Put put) noexcept {
    std::uint64_t state = state_.load(std::memory_order_acquire);  // [finish]
    for (;;) {
      const std::uint64_t finished = state / kOne + n;
      // After the compare-exchange a joiner may be gone, and the queue with it. So all that is
      // needed is read before: puts only grow, a stale number is only an idle wake.
      bool last = false;
      if ((state & kJoiners) != 0 || finished > got()) {
        const std::uint64_t all = put();
        if (finished > all) return false;
        last = (state & kJoiners) != 0 && finished == all;
      }
      // Before the compare-exchange for the same reason. A joiner that reads the new epoch early
      // changes the state when it arms itself, and the compare-exchange fails.
      if (last) epoch_.fetch_add(1, std::memory_order_relaxed);
      const Word* const address = &epoch_;
      if (state_.compare_exchange_weak(state, finished * kOne + (last ? 0 : state & kJoiners),
                                       std::memory_order_acq_rel,     // [finish]
                                       std::memory_order_acquire)) {  // [finish]
        if (last) wake(address, kEveryone);
        return true;
      }
    }
  }

  /// Blocks until all tasks that `put()` counts are finished.
  /// Returns false if it gave up.
  template <class Put>
  bool join(Put put, const Deadline& deadline, WaitingFor& what) noexcept {
    for (bool gave_up = false;;) {
      if (finished() == put()) return true;
      if (gave_up) return false;
      const std::uint32_t epoch = arm();
      if (finished() == put()) return true;
      const Wake why = wait(epoch_, epoch, deadline, what);
      gave_up = why == Wake::timeout || why == Wake::stopped;
    }
  }

  /// Returns how many tasks are finished.
  std::uint64_t finished() const noexcept {
    return state_.load(std::memory_order_acquire) / kOne;  // [finish]
  }

 private:
  // state_: finished tasks, and in the low bits 0 if nobody joins, else a number that changes each
  // time a joiner arms itself (so that a finish() in progress notices). 54 bits of tasks last
  // eleven years at 50 million a second.
  static constexpr std::uint64_t kOne = 1024;
  static constexpr std::uint64_t kJoiners = kOne - 1;

  // Returns the epoch to sleep on.
  std::uint32_t arm() noexcept;

  std::atomic<std::uint64_t> state_{0};
  Word epoch_{0};
};

}  // namespace thrum
