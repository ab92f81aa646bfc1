// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A strategy chooses who goes next. It is three functions; its state is in the file that defines
// it, or in the shared mapping if it outlives an execution.
#pragma once

#include "check/engine.h"

namespace thrum::check {

struct Candidates {
  Thread* thread[kThreads];  // by ascending number
  std::uint32_t count;
  Thread* current;  // who ran last; may not be among them
  Thread* usual;    // what the default policy says: the current one if it is among them
  bool all_spin;    // nobody makes progress: whoever is unfair now would never end
};

struct Strategy {
  /// An execution begins.
  void (*begin)() noexcept;
  /// Returns who goes next; at least two could.
  Thread* (*next)(const Candidates&) noexcept;
  /// Returns one of 0 to n-1, with n at least 2.
  std::uint32_t (*decide)(std::uint32_t n) noexcept;
};

extern const Strategy kRandom, kPct, kPos, kUrw, kSurw, kRff, kDfs, kReplay;

/// Returns the strategy for an execution; the rotation goes by its number.
StrategyId strategy_for(const Job& job, std::uint64_t number) noexcept;
extern const Strategy* const kStrategy[kStrategies];
inline const Strategy& strategy(StrategyId id) noexcept {
  return *kStrategy[static_cast<std::uint32_t>(id)];
}

/// A new execution follows; false: the search is exhausted.
bool advance_dfs() noexcept;
/// An execution has ended: its strategy may learn from it.
void learn() noexcept;
void take_census() noexcept;
void take_feedback() noexcept;

/// Does it matter in which order the operation is made with others on the same object? Not of what
/// gives a lock back: who takes it next tells.
constexpr bool is_access(Op op) noexcept {
  return is_in(
      set_of(Op::read, Op::write, Op::atomic_load, Op::atomic_store, Op::atomic_rmw, Op::lock,
             Op::trylock, Op::read_lock, Op::write_lock, Op::spin_lock, Op::condition_wait,
             Op::signal, Op::broadcast, Op::semaphore_wait, Op::semaphore_post, Op::barrier_wait,
             Op::futex_wait, Op::futex_wake, Op::once),
      op);
}
/// May it change what others find there?
constexpr bool writes(Op op) noexcept {
  return !is_in(
      set_of(Op::read, Op::atomic_load, Op::fence, Op::start, Op::created, Op::yield, Op::sleep),
      op);
}

/// Who has the highest priority; of several, the first. Which that is nobody can foresee, nor can
/// the processor: this is without jumps.
inline Thread* highest(const Candidates& candidates) noexcept {
  Thread* best = candidates.thread[0];
  std::uint64_t most = best->priority;
  for (std::uint32_t i = 1; i < candidates.count; ++i) {
    Thread* const thread = candidates.thread[i];
    const std::uint64_t priority = thread->priority;
    const bool is_higher = priority > most;
    most = is_higher ? priority : most;
    best = is_higher ? thread : best;
  }
  return best;
}
/// Who ran least recently: fair.
Thread* least_recent(const Candidates& candidates) noexcept;
inline std::uint32_t decide_at_random(std::uint32_t n) noexcept {
  return static_cast<std::uint32_t>(random_number() % n);
}

}  // namespace thrum::check
