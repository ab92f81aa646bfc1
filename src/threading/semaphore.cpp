// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/semaphore.h"

#include <algorithm>
#include <bit>

#include "thrum/backoff.h"

namespace thrum {

// The half of state_ that counts permits, as the kernel sees it.
const Word* Semaphore::word() const noexcept {
  static_assert(sizeof(state_) == 2 * sizeof(Word));
  const Word* halves = reinterpret_cast<const Word*>(&state_);
  return std::endian::native == std::endian::little ? halves : halves + 1;
}

void Semaphore::acquire_slow() noexcept { (void)acquire_slow(forever); }

bool Semaphore::acquire_slow(const Deadline& deadline) noexcept {
  if (deadline.is_poll()) return false;  // the caller's attempt was the one
  for (Backoff backoff = Backoff::even(); backoff.spin();) {
    if (try_acquire()) return true;
  }
  WaitingFor what{Waitable::semaphore, this};
  // relaxed: release() reads it by a read-modify-write of the same word
  state_.fetch_add(kSleeper, std::memory_order_relaxed);
  for (;;) {
    if (try_acquire(kSleeper)) return true;
    const Wake why = wait(*word(), 0, deadline, what);
    if (why == Wake::timeout || why == Wake::stopped) break;
  }
  // A release() may have slipped in: take it, a permit is never refused.
  if (try_acquire(kSleeper)) return true;
  state_.fetch_sub(kSleeper, std::memory_order_relaxed);  // as above
  return false;
}

// After an addition to `state`: somebody may sleep, or it was one too many.
void Semaphore::gave_one(std::uint64_t state) {
  if (permits(state) >= max()) {
    state_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: takes back what was given to nobody
    too_many();
  }
  // Only the address: who took the permit may already have destroyed *this.
  wake(word(), 1);
}

void Semaphore::too_many() {
  throw_usage_error("thrum::Semaphore::release: more than 2^31 - 1 permits, release fewer");
}

void Semaphore::give(std::int64_t n, std::uint32_t limit) {
  if (n < 1) {
    throw_usage_error("thrum::Semaphore::release: n is below 1, at least one permit is required");
  }
  std::uint64_t state = state_.load(std::memory_order_relaxed);
  do {
    if (n > std::int64_t{limit} - permits(state)) {
      if (limit == max()) too_many();
      throw_usage_error(
          "thrum::BoundedSemaphore::release: released too many times, release only what was "
          "acquired");
    }
  } while (!state_.compare_exchange_weak(state, state + static_cast<std::uint64_t>(n),
                                         std::memory_order_release,  // [permit]
                                         std::memory_order_relaxed));
  const std::uint64_t sleepers = state / kSleeper;
  // Only the address from here on: who took the permit may already have destroyed *this.
  if (sleepers != 0) {
    wake(word(), static_cast<int>(std::min(sleepers, static_cast<std::uint64_t>(n))));
  }
}

}  // namespace thrum
