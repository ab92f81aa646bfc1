// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/objects.h"

#include "check/signals.h"

namespace thrum::check {

// Open addressing.
constinit ObjectNumber object_numbers[kObjectNumbers]{};

namespace {

// Which of them are in use, so that clearing costs no more.
constinit std::uint32_t used[kObjectNumbers / 2]{};

bool mutex_is_free(const pthread_mutex_t& mutex, const Thread& thread) noexcept {
  const auto& data = mutex.__data;
  if (data.__owner == 0) return true;
  // Its holder finds out at once: another level, or an error.
  const int kind = data.__kind & 3;
  return data.__owner == holder_mark(thread) &&
         (kind == PTHREAD_MUTEX_RECURSIVE_NP || kind == PTHREAD_MUTEX_ERRORCHECK_NP);
}

const pthread_mutex_t& mutex_at(const void* address) noexcept {
  return *static_cast<const pthread_mutex_t*>(address);
}
const pthread_rwlock_t& rwlock_at(const void* address) noexcept {
  return *static_cast<const pthread_rwlock_t*>(address);
}

// The thread that keeps this one from going on; null if it could be anybody.
Thread* waits_for(const Thread& thread) noexcept {
  switch (thread.op) {
    case Op::lock: {
      Thread* const holder = holder_of(thread.object);
      return holder;
    }
    case Op::relock:
      return holder_of(thread.with);
    case Op::read_lock:
    case Op::write_lock:
    case Op::spin_lock:
    case Op::once_blocked:
      return holder_of(thread.object);
    case Op::join:
      return thread.target;
    default:
      return nullptr;
  }
}

// Has anybody woken who slept on the object, in this execution?
bool was_notified(const void* object) noexcept {
  const Shared& shared = *engine.shared;
  const std::uint32_t n = shared.result.steps < kEvents ? shared.result.steps : kEvents;
  for (std::uint32_t i = 0; i < n; ++i) {
    const Event& event = shared.event[i];
    const bool wakes = event.op == Op::signal || event.op == Op::broadcast ||
                       event.op == Op::futex_wake || event.op == Op::semaphore_post;
    if (wakes && event.address == reinterpret_cast<std::uintptr_t>(object)) return true;
  }
  return false;
}

// One thing that never comes while the rest is done is a wake-up that was lost; if several threads
// wait for it, only if somebody did wake. All else is a deadlock: who waits for a lock is not done,
// and two that wait for different things wait for each other.
Outcome judge() noexcept {
  const void* awaited = nullptr;
  std::uint32_t waiters = 0;
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    const Thread& thread = engine.thread[i];
    if (thread.finished || thread.op == Op::join) continue;
    switch (thread.op) {
      case Op::condition_blocked:
      case Op::futex_blocked:
      case Op::semaphore_wait:
      case Op::signal_wait:
        break;
      default:
        return Outcome::deadlock;
    }
    if (awaited != nullptr && awaited != thread.object) return Outcome::deadlock;
    awaited = thread.object;
    ++waiters;
  }
  const bool is_lost = waiters == 1 || (waiters > 1 && was_notified(awaited));
  return is_lost ? Outcome::lost_wakeup : Outcome::deadlock;
}

}  // namespace

bool is_possible_at_length(const Thread& thread) noexcept {
  if (thread.cancelled && thread.op != Op::relock) return true;
  switch (thread.op) {
    case Op::lock:
      return mutex_is_free(mutex_at(thread.object), thread);
    case Op::relock:
      return mutex_is_free(mutex_at(thread.with), thread);
    case Op::join:
      return thread.target->finished;
    case Op::semaphore_wait:
    case Op::spin_lock:  // 1: free
      return *static_cast<const volatile int*>(thread.object) > 0;
    case Op::read_lock:
      return rwlock_at(thread.object).__data.__cur_writer == 0;
    case Op::write_lock:
      return rwlock_at(thread.object).__data.__cur_writer == 0 &&
             rwlock_at(thread.object).__data.__readers == 0;
    case Op::condition_blocked:
    case Op::futex_blocked:
    case Op::barrier_blocked:
    case Op::once_blocked:
      return thread.signalled;
    case Op::signal_wait:
      return (signals_for(thread) & (thread.awaited | ~thread.signal_mask)) != 0;
    default:
      return true;
  }
}

void finish_stuck(Outcome outcome) noexcept {
  Result& result = engine.shared->result;
  result.blocked_count = 0;
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    const Thread& thread = engine.thread[i];
    if (!thread.finished && (signals_for(thread) & ~thread.signal_mask) != 0) {
      finish(Outcome::unsupported, "a signal to a thread that sleeps until it is woken", 0,
             thread.pc);
    }
  }
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    const Thread& thread = engine.thread[i];
    if (thread.finished) continue;
    const Thread* const holder = waits_for(thread);
    const void* const object = thread.op == Op::relock ? thread.with : thread.object;
    result.blocked[result.blocked_count++] = {
        thread.op,
        thread.id,
        static_cast<std::int16_t>(holder != nullptr ? holder->id : -1),
        holder != nullptr && holder->finished,
        object_number(object),
        reinterpret_cast<std::uintptr_t>(object)};
  }
  finish(outcome == Outcome::deadlock ? judge() : outcome, nullptr);
}

std::uint32_t find_object_number(const void* address) noexcept {
  for (std::uint64_t at = object_slot(address);; at = (at + 1) % kObjectNumbers) {
    ObjectNumber& entry = object_numbers[at];
    if (entry.address == address) return entry.number;
    if (entry.address != nullptr) continue;
    if (engine.run.objects >= kObjectNumbers / 2) return kObjectNumbers;
    used[engine.run.objects] = static_cast<std::uint32_t>(at);
    entry = {address, ++engine.run.objects};
    return entry.number;
  }
}

void forget_objects() noexcept {
  for (std::uint32_t i = 0; i < engine.run.objects; ++i) object_numbers[used[i]] = {};
  engine.run.objects = 0;
}

}  // namespace thrum::check
