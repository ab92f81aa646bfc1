// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/event.h"

#include "thrum/backoff.h"

namespace thrum {

void Event::set() noexcept {
  std::uint32_t word = word_.load(std::memory_order_relaxed);
  std::uint32_t after = 0;
  do {
    // Set already: still a read-modify-write, so that what we did before is seen by who sees the
    // flag from now on.
    after = (word & kSet) != 0 ? word : ((word & kCount) + kOneSet) | kSet;
  } while (!word_.compare_exchange_weak(word, after, std::memory_order_release,  // [set]
                                        std::memory_order_relaxed));
  // Only the address from here on: a waiter may already have returned and destroyed *this.
  if ((word & kSleepers) != 0) wake(&word_, kEveryone);
}

void Event::clear() noexcept {
  // relaxed: clearing publishes nothing; release sequences of earlier set() calls go on through it
  word_.fetch_and(~kSet, std::memory_order_relaxed);
}

bool Event::wait_slow(const Deadline& deadline) noexcept {
  std::uint32_t word = word_.load(std::memory_order_acquire);  // [set]
  const std::uint32_t count = word & kCount;
  const auto freed = [&] { return (word & kSet) != 0 || (word & kCount) != count; };
  if (freed() || deadline.is_poll()) return freed();
  for (Backoff backoff = Backoff::even(); backoff.spin();) {
    word = word_.load(std::memory_order_acquire);  // [set]
    if (freed()) return true;
  }
  WaitingFor what{Waitable::event, this};
  for (;;) {
    word = word_.load(std::memory_order_acquire);  // [set]
    if (freed()) return true;
    const std::uint32_t asleep = word | kSleepers;
    // relaxed: says only that we sleep; set() reads it by a read-modify-write of the same word
    if (asleep != word && !word_.compare_exchange_weak(word, asleep, std::memory_order_relaxed,
                                                       std::memory_order_relaxed)) {
      continue;
    }
    const Wake why = thrum::wait(word_, asleep, deadline, what);
    if (why == Wake::timeout || why == Wake::stopped) {
      word = word_.load(std::memory_order_acquire);  // [set]
      return freed();
    }
  }
}

}  // namespace thrum
