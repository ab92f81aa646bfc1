// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A monitor without "hurry up and wait": waiters stand in a list that the user's own lock guards.
// notify() needs that lock and wait() holds it again before it returns, so a waiter whose time is
// up leaves the list safely, and sees there whether it was notified meanwhile.
//
// Edges
//   [notify] notify -> wait: a waiter that has not slept sees the notification before it can know
//            that the lock is free; afterwards the lock orders everything.
#include "thrum/condition.h"

#include <utility>

#include "thrum/backoff.h"

namespace thrum {

// state     | the waiter                        | leaves the state when
// kWaiting  | is awake                          | it goes to sleep, or is notified
// kAsleep   | sleeps, or is about to            | it is notified
// kNotified | is out of the list                | -
//
// The notifier may touch the waiter as long as it holds the lock: wait() cannot return before.
struct Condition::Waiter {
  static constexpr std::uint32_t kWaiting = 0, kAsleep = 1, kNotified = 2;

  Word state{kWaiting};
  Waiter* next = nullptr;
};

bool Condition::wait(const Deadline& deadline) {
  if (!is_held()) {
    throw_usage_error(
        "thrum::Condition::wait: the caller does not hold the lock, acquire it first");
  }
  Waiter me;
  if (Waiter* const youngest = last(); youngest != nullptr) {
    me.next = std::exchange(youngest->next, &me);
  } else {
    me.next = &me;
  }
  set_last(&me);

  Lock& lock = underlying();
  RLock* const owned = is_plain() ? nullptr : &rlock();
  const std::uint32_t depth = owned == nullptr ? 0 : owned->depth_;
  if (owned != nullptr) owned->owner_.store(0, std::memory_order_relaxed);  // as RLock::release
  lock.release();

  const auto notified = [&me] {
    return me.state.load(std::memory_order_acquire) == Waiter::kNotified;  // [notify]
  };
  bool slept = false;
  if (!deadline.is_poll()) {
    for (Backoff backoff = Backoff::even(); !notified() && backoff.spin();) {
    }
    std::uint32_t waiting = Waiter::kWaiting;
    if (me.state.compare_exchange_strong(waiting, Waiter::kAsleep, std::memory_order_relaxed,
                                         std::memory_order_relaxed)) {  // notified() looks again
      WaitingFor what{Waitable::condition, this};
      slept = true;
      while (!notified()) {
        const Wake why = thrum::wait(me.state, Waiter::kAsleep, deadline, what);
        if (why == Wake::timeout || why == Wake::stopped) break;
      }
    }
  }
  WaitingFor what{Waitable::lock, &lock};
  // Who has slept may have been moved to the lock's waiters: it takes the lock as one of them.
  if (slept) {
    (void)lock.contend(forever, what, true);
  } else {
    lock.acquire();
  }
  if (owned != nullptr) {
    owned->enter();
    owned->depth_ = depth;
  }
  // The lock is held: nobody notifies now.
  if (notified()) return true;
  unlink(me);
  return false;
}

void Condition::notify(std::int64_t n) {
  if (!is_held()) {
    throw_usage_error(
        "thrum::Condition::notify: the caller does not hold the lock, acquire it first");
  }
  for (; n > 0 && last() != nullptr; --n) free_first();
}

void Condition::notify_all() {
  if (!is_held()) {
    throw_usage_error(
        "thrum::Condition::notify_all: the caller does not hold the lock, acquire it first");
  }
  while (last() != nullptr) free_first();
}

std::size_t Condition::waiting() const noexcept {
  std::size_t n = 0;
  if (const Waiter* const first = last(); first != nullptr) {
    const Waiter* waiter = first;
    do {
      ++n;
      waiter = waiter->next;
    } while (waiter != first);
  }
  return n;
}

// A Lock has no owner, but whoever acquired it is the one that may touch the list.
bool Condition::is_held() noexcept {
  return is_plain() ? lock_->holder() == self().native_id : rlock().is_owned();
}

// relaxed, both: guarded by the lock
Condition::Waiter* Condition::last() const noexcept {
  static_assert(alignof(Waiter) > kKind);
  return reinterpret_cast<Waiter*>(list_.load(std::memory_order_relaxed) & ~kKind);
}
void Condition::set_last(Waiter* waiter) noexcept {
  list_.store(reinterpret_cast<std::uintptr_t>(waiter) | kind(), std::memory_order_relaxed);
}

void Condition::free_first() noexcept {
  Waiter& first = *last()->next;
  unlink(first);
  if (first.state.exchange(Waiter::kNotified, std::memory_order_release) ==  // [notify]
      Waiter::kAsleep) {
    // Do not wake it to run into the lock we hold: move it to those who wait for the lock. relaxed:
    // our own release() sees the bit, and nobody else can release without it.
    Word& lock = underlying().word_;
    lock.fetch_or(Lock::kSleepers, std::memory_order_relaxed);
    requeue(&first.state, &lock, 1);
  }
}

void Condition::unlink(Waiter& waiter) noexcept {
  Waiter* before = last();
  while (before->next != &waiter) before = before->next;
  before->next = waiter.next;
  if (last() == &waiter) set_last(before != &waiter ? before : nullptr);
}

}  // namespace thrum
