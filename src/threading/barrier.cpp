// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [round] wait -> wait: what each party did before it arrived (acq_rel: arrivals form a chain)
//           happens before what any does after the round was finished.
//   [break] abort, reset, wait -> wait: who breaks a round happens before who finds it broken.
#include "thrum/barrier.h"

#include <bit>
#include <utility>

#include "thrum/backoff.h"

namespace thrum {
namespace {

// One word of 64 bits. High half: how many are inside this round. Low half, which sleepers watch:
//   bit 0 kSleepers   somebody may sleep; cleared by who changes the round
//   bit 1 kBroken     this round will not finish; stays until reset()
//   bit 2 kResetting  those inside leave as broken; the last one starts a new round
//   the rest          number of the round; a waiter whose round is over has passed
// A waiter is fooled only if 2^29 rounds pass between two of its instructions, which its own
// absence prevents unless 2^29 rounds are made up of other threads.
constexpr std::uint64_t kOneInside = std::uint64_t{1} << 32;
constexpr std::uint64_t kLow = kOneInside - 1;
constexpr std::uint64_t kSleepers = 1, kBroken = 2, kResetting = 4, kOneRound = 8;
constexpr std::uint64_t kRound = kLow & ~(kOneRound - 1);

constexpr std::uint64_t inside(std::uint64_t state) { return state / kOneInside; }
constexpr std::uint64_t round_of(std::uint64_t state) { return state & kRound; }
constexpr std::uint64_t next_round(std::uint64_t state) { return (state + kOneRound) & kRound; }

}  // namespace

Barrier::Barrier(std::int64_t parties, Action action,
                 std::optional<std::chrono::nanoseconds> timeout)
    : parties_(static_cast<std::uint32_t>(parties)), timeout_(timeout), action_(std::move(action)) {
  if (parties < 1 || parties > 0x7fffffff) {
    throw_usage_error("thrum::Barrier: the number of parties must be 1 to 2^31 - 1");
  }
}

std::uint32_t Barrier::wait() {
  std::uint32_t index = 0;
  if (wait(timeout_ ? Deadline(*timeout_) : Deadline(forever), index) == End::passed) return index;
  throw BrokenBarrier("thrum::Barrier::wait: the barrier is broken, reset it to use it again");
}

std::optional<std::uint32_t> Barrier::wait(const Deadline& deadline) {
  std::uint32_t index = 0;
  if (wait(deadline, index) == End::passed) return index;
  return std::nullopt;
}

Barrier::End Barrier::wait(const Deadline& deadline, std::uint32_t& index) {
  std::uint64_t state = state_.load(std::memory_order_acquire);  // [break]
  for (;;) {
    if ((state & kBroken) != 0) return End::broken;
    if ((state & kResetting) != 0 || inside(state) == parties_) {
      // This round is full (its action runs) or being emptied: wait for the next, outside.
      if (await_round(state, deadline, Where::outside) == End::gave_up) return End::gave_up;
      state = state_.load(std::memory_order_acquire);  // [break]
    } else if (state_.compare_exchange_weak(state, state + kOneInside,
                                            std::memory_order_acq_rel,     // [round]
                                            std::memory_order_acquire)) {  // [break]
      break;
    }
  }
  index = static_cast<std::uint32_t>(inside(state));
  const std::uint64_t round = round_of(state);
  if (index + 1 == parties_) {
    if (finish_round(round)) return End::passed;  // the others may already have destroyed *this
    leave_broken();
    return End::broken;
  }
  const End end = await_round(state, deadline, Where::inside);
  if (end != End::passed) leave_broken();
  return end;
}

// Sleeps until the round of `arrived` is over or broken. Who gives up inside breaks it; who gives
// up outside just leaves.
Barrier::End Barrier::await_round(std::uint64_t arrived, const Deadline& deadline,
                                  Where where) noexcept {
  const std::uint64_t round = round_of(arrived);
  const std::uint64_t ends = where == Where::inside ? kBroken | kResetting : kBroken;
  WaitingFor what{Waitable::barrier, this};
  // Who waits for more than one is likely to wait for a thread that cannot run yet.
  Backoff backoff = inside(arrived) + 2 == parties_ ? Backoff::even() : Backoff::yielding();
  bool gave_up = false;
  for (;;) {
    std::uint64_t state = state_.load(std::memory_order_acquire);  // [round] [break]
    if (round_of(state) != round) return End::passed;
    if ((state & ends) != 0) return End::broken;
    if (gave_up) {
      // Break it, unless it ends first: the compare-exchange decides.
      if (where == Where::outside ||
          state_.compare_exchange_weak(state, state | kBroken,
                                       std::memory_order_release,  // [break]
                                       std::memory_order_relaxed)) {
        if (where == Where::inside && (state & kSleepers) != 0) wake(word(), kEveryone);
        return End::gave_up;
      }
      continue;
    }
    if (!deadline.is_poll() && backoff.spin()) continue;
    // relaxed: says only that we sleep; who ends the round reads it in the same word
    if ((state & kSleepers) == 0 &&
        !state_.compare_exchange_weak(state, state | kSleepers, std::memory_order_relaxed,
                                      std::memory_order_relaxed)) {
      continue;
    }
    const auto asleep = static_cast<std::uint32_t>((state | kSleepers) & kLow);
    const Wake why = thrum::wait(*word(), asleep, deadline, what);
    gave_up = why == Wake::timeout || why == Wake::stopped;
  }
}

// One of those inside leaves a round that will not finish.
void Barrier::leave_broken() noexcept {
  std::uint64_t state = state_.load(std::memory_order_relaxed);
  std::uint64_t left = 0;
  bool emptied = false;
  do {
    left = state - kOneInside;
    emptied = (state & kResetting) != 0 && inside(left) == 0;
    if (emptied) left = next_round(state) | (state & kBroken);  // broken again since the reset
  } while (!state_.compare_exchange_weak(state, left, std::memory_order_release,  // [break]
                                         std::memory_order_relaxed));
  if (emptied && (state & kSleepers) != 0) wake(word(), kEveryone);
}

// The last to arrive: runs the action while the others wait, then lets all go. Returns whether it
// did: not if the round was broken or reset meanwhile.
bool Barrier::finish_round(std::uint64_t round) {
  if (action_) {
    try {
      action_();
    } catch (...) {
      abort();
      leave_broken();
      throw;
    }
  }
  std::uint64_t state = state_.load(std::memory_order_relaxed);
  while ((state & (kBroken | kResetting)) == 0) {
    if (state_.compare_exchange_weak(state, next_round(round),
                                     std::memory_order_acq_rel,  // [round]
                                     std::memory_order_relaxed)) {
      if ((state & kSleepers) != 0) wake(word(), kEveryone);
      return true;
    }
  }
  return false;
}

void Barrier::abort() noexcept {
  const std::uint64_t state = state_.fetch_or(kBroken, std::memory_order_release);  // [break]
  if ((state & kSleepers) != 0) wake(word(), kEveryone);
}

void Barrier::reset() noexcept {
  std::uint64_t state = state_.load(std::memory_order_relaxed);
  std::uint64_t after = 0;
  do {
    after = inside(state) == 0 ? next_round(state) : (state & ~(kBroken | kSleepers)) | kResetting;
  } while (!state_.compare_exchange_weak(state, after, std::memory_order_release,  // [break]
                                         std::memory_order_relaxed));
  if ((state & kSleepers) != 0) wake(word(), kEveryone);
}

std::uint32_t Barrier::n_waiting() const noexcept {
  const std::uint64_t state = state_.load(std::memory_order_relaxed);
  if ((state & (kBroken | kResetting)) != 0 || inside(state) == parties_) return 0;
  return static_cast<std::uint32_t>(inside(state));
}

bool Barrier::broken() const noexcept {
  return (state_.load(std::memory_order_relaxed) & kBroken) != 0;
}

const Word* Barrier::word() const noexcept {
  const Word* halves = reinterpret_cast<const Word*>(&state_);
  return std::endian::native == std::endian::little ? halves : halves + 1;
}

}  // namespace thrum
