// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/lock.h"

#include <chrono>

#include "thrum/backoff.h"

namespace thrum {
namespace {

// A waiter that has been overtaken for this long asks to be handed the lock (the eventual fairness
// of WebKit's WTF::Lock and of Go's sync.Mutex).
constexpr std::int64_t kPatience_ns = 1'000'000;

// A reserved lock that nobody fetches (its waiters are gone: this is the child of a fork) is taken
// by who arrives after this time.
constexpr std::chrono::milliseconds kReserved{1};

}  // namespace

void Lock::acquire_slow() noexcept { (void)acquire_slow(forever); }

bool Lock::acquire_slow(const Deadline& deadline) noexcept {
  if (deadline.is_poll()) return false;  // the caller's attempt was the one
  WaitingFor what{Waitable::lock, this};
  return spin(self().native_id) || contend(deadline, what, false);
}

// Tries for a little while to make a free lock `taken`. Returns whether it did.
bool Lock::spin(std::uint32_t taken) noexcept {
  for (Backoff backoff = Backoff::growing(); backoff.spin();) {
    std::uint32_t word = word_.load(std::memory_order_relaxed);
    if (word == kFree) {
      if (word_.compare_exchange_strong(word, taken, std::memory_order_acquire,  // [handoff]
                                        std::memory_order_relaxed)) {
        return true;
      }
    } else if ((word & (kSleepers | kStarving)) != 0) {
      return false;  // others sleep already: do not spin past them
    }
  }
  return false;
}

// Takes the lock or sleeps until it can. `slept`: the caller comes from a sleep on this lock.
bool Lock::contend(const Deadline& deadline, WaitingFor& what, bool slept) noexcept {
  const std::uint32_t me = self().native_id;
  bool starving = false;
  bool pleaded = false;
  bool gave_up = false;
  for (;;) {
    std::uint32_t word = word_.load(std::memory_order_relaxed);
    if (holder_of(word) == 0 && (word == kFree || slept || gave_up)) {
      // Who has slept cannot know whether it was the only one: it takes the lock as contended, at
      // worst one wake too many. A starving thread takes its own plea back; if it was not the only
      // one, the next will plead again.
      const std::uint32_t taken =
          me | (slept ? kSleepers : 0) | (word & kSleepers) | (starving ? 0 : word & kStarving);
      if (word_.compare_exchange_weak(word, taken, std::memory_order_acquire,  // [handoff]
                                      std::memory_order_relaxed)) {
        return true;
      }
      continue;
    }
    if (gave_up) {
      // Held: leave, and take the plea back, or the lock would be reserved for nobody.
      if (!starving ||
          word_.compare_exchange_weak(word, word & ~kStarving, std::memory_order_relaxed,
                                      std::memory_order_relaxed)) {
        return false;
      }
      continue;
    }
    const std::uint32_t asleep = word | kSleepers | (starving ? kStarving : 0);
    // relaxed: says only that we sleep; the kernel compares the word before we do
    if (asleep != word && !word_.compare_exchange_weak(word, asleep, std::memory_order_relaxed,
                                                       std::memory_order_relaxed)) {
      continue;
    }
    const bool reserved = holder_of(word) == 0;
    if (starving && !pleaded) {
      // The next release() is for who has slept: most likely soon, and asleep we would be the last
      // of those.
      pleaded = true;
      for (Backoff backoff = Backoff::growing(); backoff.spin();) {
        if (holder_of(word_.load(std::memory_order_relaxed)) == 0) break;  // the loop takes it
      }
      continue;
    }
    // Whoever is woken in our place may be ready and not run for a while, behind the thread that
    // overtakes it, and nobody else is woken meanwhile. So who is not the only one to sleep, or was
    // overtaken, wakes by itself to plead. Not everybody: setting the alarm costs 3 us.
    const bool alarm = !starving && !reserved && (slept || (word & kSleepers) != 0);
    if (alarm && what.since_ns == 0) what.since_ns = Deadline::now_ns();
    switch (wait(word_, asleep,
                 reserved ? deadline.at_most(kReserved)
                 : alarm  ? deadline.no_later_than(what.since_ns + kPatience_ns)
                          : deadline,
                 what)) {
      case Wake::changed:
        break;
      case Wake::woken:
        slept = true;
        // Who was woken is often overtaken, and would pay for the next sleep and wake.
        if (spin(me | kSleepers)) return true;
        break;
      case Wake::timeout:
        slept = true;
        gave_up = deadline.expired();
        break;
      case Wake::stopped:
        gave_up = true;
        break;
    }
    // since_ns is 0 until the first sleep on the lock: `slept` may stem from a condition.
    if (slept && !starving && what.since_ns != 0) {
      starving = Deadline::now_ns() - what.since_ns >= kPatience_ns;
    }
  }
}

void Lock::release_slow() {
  for (std::uint32_t word = word_.load(std::memory_order_relaxed);;) {
    if (holder_of(word) == 0) {
      throw_usage_error("thrum::Lock::release: nobody holds the lock, acquire it first");
    }
    const std::uint32_t left =
        (word & kStarving) != 0 ? word & (kStarving | kSleepers) : std::uint32_t{kFree};
    if (word_.compare_exchange_weak(word, left, std::memory_order_release,  // [handoff]
                                    std::memory_order_relaxed)) {
      // Only the address from here on: the next holder may already have destroyed *this.
      if ((word & kSleepers) != 0) wake(&word_, 1);
      return;
    }
  }
}

void RLock::not_owned() {
  throw_usage_error("thrum::RLock::release: the caller does not hold the lock, acquire it first");
}
void RLock::too_deep() {
  throw_usage_error(
      "thrum::RLock::acquire: held 2^32 - 1 times already, release it before acquiring again");
}

}  // namespace thrum
