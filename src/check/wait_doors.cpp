// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Conditions, semaphores, barriers, futexes.
#include <linux/futex.h>

#include <cstdarg>

#include "check/doors.h"

namespace thrum::check {
namespace {

// Wakes one of the threads that sleep on the object, chosen by the strategy. Returns null if there
// is none.
template <class IsAsleep>
Thread* choose_sleeper(IsAsleep is_asleep, Pc pc) noexcept {
  Thread* asleep[kThreads];
  std::uint32_t n = 0;
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    Thread& thread = engine.thread[i];
    if (!thread.finished && !thread.signalled && !thread.timed_out && is_asleep(thread)) {
      asleep[n++] = &thread;
    }
  }
  if (n == 0) return nullptr;
  return asleep[decide(n, pc)];
}

void wake(Thread& thread) noexcept {
  thread.signalled = true;
  thread.deadline = kNever;
  engine.run.fruitless = 0;
}

int* value_of(sem_t* semaphore) noexcept { return reinterpret_cast<int*>(semaphore); }

int wait(sem_t* semaphore, Pc pc, std::int64_t deadline) noexcept {
  const Cancellable cancellable;
  if (!point(Op::semaphore_wait, semaphore, pc, deadline)) {
    errno = self().interrupted ? EINTR : ETIMEDOUT;
    return -1;
  }
  if (self().cancelled) return 0;  // the door ends the thread
  --*value_of(semaphore);
  acquired(semaphore, pc);
  progress();
  return 0;
}

int timed_wait(sem_t* semaphore, Pc pc, const timespec* until, clockid_t clock) noexcept {
  if (!is_time(until)) {
    errno = EINVAL;
    return -1;
  }
  return wait(semaphore, pc, deadline_at(*until, clock));
}

// glibc's own layout.
struct Barrier {
  std::uint32_t in, round, count;
  int shared;
  std::uint32_t out;
};
static_assert(sizeof(Barrier) <= sizeof(pthread_barrier_t));

int wait(pthread_barrier_t* object, Pc pc) noexcept {
  auto& barrier = *reinterpret_cast<Barrier*>(object);
  point(Op::barrier_wait, object, pc);
  released(object, pc);
  progress();
  if (++barrier.in < barrier.count) {
    block(Op::barrier_blocked, object, pc);
    acquired(object, pc);
    return 0;
  }
  barrier.in = 0;
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    Thread& thread = engine.thread[i];
    if (thread.op == Op::barrier_blocked && thread.object == object) wake(thread);
  }
  acquired(object, pc);
  return PTHREAD_BARRIER_SERIAL_THREAD;
}

// The two doors of the kernel's wait table. It orders no memory: the words do.
struct WaitedWord {  // struct futex_waitv
  std::uint64_t value, address;
  std::uint32_t flags, reserved;
};
constexpr long kFutexWaitv = 449;

long fail(int error) noexcept {
  errno = error;
  return -1;
}

long futex_wait(const std::uint32_t* word, std::uint32_t value, std::int64_t deadline,
                std::uint32_t bits, Pc pc) noexcept {
  point(Op::futex_wait, word, pc);
  note_value(*word);
  if (*word != value) {
    note_flag(kFailed);
    looked_at(word, *word, pc, 8);
    return fail(EAGAIN);
  }
  progress();
  self().bits = bits;
  if (!block(Op::futex_blocked, word, pc, deadline)) return fail(ETIMEDOUT);
  return 0;
}

long futex_wait_any(const WaitedWord* words, std::uint32_t count, std::int64_t deadline,
                    Pc pc) noexcept {
  const auto word = [&](std::uint32_t i) {
    return reinterpret_cast<const std::uint32_t*>(words[i].address);
  };
  point(Op::futex_wait, word(count - 1), pc);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (*word(i) == static_cast<std::uint32_t>(words[i].value)) continue;
    note_flag(kFailed);
    looked_at(word(i), *word(i), pc, 8);
    return fail(EAGAIN);
  }
  progress();
  Thread& me = self();
  me.bits = ~0U;
  me.words = words;
  me.word_count = count;
  const bool woken = block(Op::futex_blocked, word(count - 1), pc, deadline);
  me.words = nullptr;
  me.word_count = 0;
  return woken ? me.woken_word : fail(ETIMEDOUT);
}

bool sleeps_on(Thread& thread, const void* word, std::uint32_t bits) noexcept {
  if (thread.op != Op::futex_blocked || (thread.bits & bits) == 0) return false;
  const auto* const words = static_cast<const WaitedWord*>(thread.words);
  for (std::uint32_t i = thread.word_count; i > 0; --i) {  // the kernel reports the last one woken
    if (words[i - 1].address != reinterpret_cast<std::uintptr_t>(word)) continue;
    thread.woken_word = static_cast<std::int32_t>(i - 1);
    return true;
  }
  return thread.words == nullptr && thread.object == word;
}

long futex_wake(const void* word, long count, std::uint32_t bits, Pc pc) noexcept {
  point(Op::futex_wake, word, pc);
  long woken = 0;
  while (woken < count) {
    Thread* const thread =
        choose_sleeper([&](Thread& each) { return sleeps_on(each, word, bits); }, pc);
    if (thread == nullptr) break;
    sleeps_on(*thread, word, bits);  // of several, which
    wake(*thread);
    ++woken;
  }
  note_value(static_cast<std::uint64_t>(woken));
  progress();
  return woken;
}

long futex_requeue(const void* from, const void* to, long wakes, long moves, Pc pc) noexcept {
  long done = futex_wake(from, wakes, ~0U, pc);
  for (long moved = 0; moved < moves; ++moved, ++done) {
    Thread* const thread =
        choose_sleeper([&](Thread& each) { return sleeps_on(each, from, ~0U); }, pc);
    if (thread == nullptr) break;
    thread->object = to;
  }
  return done;
}

std::int64_t futex_deadline(long time, bool is_relative, clockid_t clock) noexcept {
  const auto* const value = reinterpret_cast<const timespec*>(time);
  if (value == nullptr) return kNever;
  return is_relative ? deadline_in(*value) : deadline_at(*value, clock);
}

long futex(const long* a, Pc pc) noexcept {
  const auto* const word = reinterpret_cast<const std::uint32_t*>(a[0]);
  const auto value = static_cast<std::uint32_t>(a[2]);
  const auto bits = static_cast<std::uint32_t>(a[5]);
  if ((a[1] & FUTEX_PRIVATE_FLAG) == 0 && is_common(word)) {
    engine.shared->uncontrolled |= kSharesWithProcesses;
  }
  const clockid_t clock = (a[1] & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  switch (a[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
      return futex_wait(word, value, futex_deadline(a[3], true, clock), ~0U, pc);
    case FUTEX_WAIT_BITSET:
      return futex_wait(word, value, futex_deadline(a[3], false, clock), bits, pc);
    case FUTEX_WAKE:
      return futex_wake(word, static_cast<int>(a[2]), ~0U, pc);
    case FUTEX_WAKE_BITSET:
      return futex_wake(word, static_cast<int>(a[2]), bits, pc);
    case FUTEX_CMP_REQUEUE:
      if (*word != bits) return fail(EAGAIN);
      [[fallthrough]];
    case FUTEX_REQUEUE:
      return futex_requeue(word, reinterpret_cast<const void*>(a[4]), static_cast<int>(a[2]), a[3],
                           pc);
    default:
      finish(Outcome::unsupported, "a futex operation that thrum check does not know", 0, pc);
  }
}

}  // namespace

int wait(pthread_cond_t* condition, pthread_mutex_t* mutex, Pc pc, std::int64_t deadline) noexcept {
  const Cancellable cancellable;
  point(Op::condition_wait, condition, pc, kNever, mutex);
  if (self().cancelled) return 0;  // the door ends the thread
  if (!is_held_by_me(*mutex)) return EPERM;
  const std::uint32_t levels = give(*mutex, pc);
  // Who is woken waits for the mutex next: signal() makes it a relock.
  block(Op::condition_blocked, condition, pc, deadline, mutex);
  const bool woken = self().signalled;
  if (!woken && !self().cancelled) point(Op::relock, condition, pc, kNever, mutex);
  take(*mutex, levels, pc);
  return woken ? 0 : ETIMEDOUT;
}

int notify(pthread_cond_t* condition, bool all, Pc pc) noexcept {
  point(all ? Op::broadcast : Op::signal, condition, pc);
  std::uint64_t woken = 0;
  const auto sleeps = [&](const Thread& thread) {
    return thread.op == Op::condition_blocked && thread.object == condition;
  };
  while (all || woken == 0) {
    Thread* const thread = all ? nullptr : choose_sleeper(sleeps, pc);
    if (all) {
      for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
        Thread& each = engine.thread[i];
        if (each.finished || each.timed_out || !sleeps(each)) continue;
        wake(each);
        each.op = Op::relock;
        ++woken;
      }
      break;
    }
    if (thread == nullptr) break;
    wake(*thread);
    thread->op = Op::relock;
    ++woken;
  }
  note_value(woken);
  progress();
  return 0;
}

THRUM_DOOR(int, pthread_cond_wait, pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (!controlled()) return libc().pthread_cond_wait(condition, mutex);
  test_cancel();
  return unless_cancelled(wait(condition, mutex, THRUM_CALLER(), kNever));
}
THRUM_DOOR(int, pthread_cond_timedwait, pthread_cond_t* condition, pthread_mutex_t* mutex,
           const timespec* until) {
  if (!controlled()) return libc().pthread_cond_timedwait(condition, mutex, until);
  if (!is_time(until)) return EINVAL;
  // glibc keeps the clock of pthread_condattr_setclock in the second bit here.
  const clockid_t clock = (condition->__data.__wrefs & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
  test_cancel();
  return unless_cancelled(wait(condition, mutex, THRUM_CALLER(), deadline_at(*until, clock)));
}
THRUM_DOOR(int, pthread_cond_clockwait, pthread_cond_t* condition, pthread_mutex_t* mutex,
           clockid_t clock, const timespec* until) {
  if (!controlled()) return libc().pthread_cond_clockwait(condition, mutex, clock, until);
  if (!is_time(until)) return EINVAL;
  test_cancel();
  return unless_cancelled(wait(condition, mutex, THRUM_CALLER(), deadline_at(*until, clock)));
}
THRUM_DOOR(int, pthread_cond_signal, pthread_cond_t* condition) {
  if (!controlled()) return libc().pthread_cond_signal(condition);
  return notify(condition, false, THRUM_CALLER());
}
THRUM_DOOR(int, pthread_cond_broadcast, pthread_cond_t* condition) {
  if (!controlled()) return libc().pthread_cond_broadcast(condition);
  return notify(condition, true, THRUM_CALLER());
}

THRUM_DOOR(int, sem_wait, sem_t* semaphore) {
  if (!controlled()) return libc().sem_wait(semaphore);
  test_cancel();
  return unless_cancelled(wait(semaphore, THRUM_CALLER(), kNever));
}
THRUM_DOOR(int, sem_timedwait, sem_t* semaphore, const timespec* until) {
  if (!controlled()) return libc().sem_timedwait(semaphore, until);
  test_cancel();
  return unless_cancelled(timed_wait(semaphore, THRUM_CALLER(), until, CLOCK_REALTIME));
}
THRUM_DOOR(int, sem_clockwait, sem_t* semaphore, clockid_t clock, const timespec* until) {
  if (!controlled()) return libc().sem_clockwait(semaphore, clock, until);
  test_cancel();
  return unless_cancelled(timed_wait(semaphore, THRUM_CALLER(), until, clock));
}
THRUM_DOOR(int, sem_trywait, sem_t* semaphore) {
  if (!controlled()) return libc().sem_trywait(semaphore);
  const Pc pc = THRUM_CALLER();
  point(Op::trylock, semaphore, pc);
  if (*value_of(semaphore) <= 0) {
    note_flag(kFailed);
    looked_at(semaphore, 0, pc, 2);
    errno = EAGAIN;
    return -1;
  }
  --*value_of(semaphore);
  acquired(semaphore, pc);
  progress();
  return 0;
}
THRUM_DOOR(int, sem_post, sem_t* semaphore) {
  if (!controlled()) return libc().sem_post(semaphore);
  const Pc pc = THRUM_CALLER();
  point(Op::semaphore_post, semaphore, pc);
  released(semaphore, pc);
  ++*value_of(semaphore);
  changed(semaphore);
  progress();
  return 0;
}

THRUM_DOOR(int, pthread_barrier_wait, pthread_barrier_t* barrier) {
  if (!controlled()) return libc().pthread_barrier_wait(barrier);
  return wait(barrier, THRUM_CALLER());
}
// glibc waits here for those who are leaving; here they have left.
THRUM_DOOR(int, pthread_barrier_destroy, pthread_barrier_t* barrier) {
  if (!controlled()) return libc().pthread_barrier_destroy(barrier);
  return 0;
}

THRUM_DOOR(long, syscall, long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& each : a) each = va_arg(list, long);
  va_end(list);
  if (controlled()) {
    const Pc pc = THRUM_CALLER();
    if (number == SYS_futex) return futex(a, pc);
    if (number == SYS_gettid) return gettid();  // each fiber has its own
    if (number == SYS_clone || number == SYS_clone3 || number == SYS_vfork) {
      finish(Outcome::unsupported, "clone", 0, pc);
    }
    if (number == kFutexWaitv) {
      return futex_wait_any(reinterpret_cast<const WaitedWord*>(a[0]),
                            static_cast<std::uint32_t>(a[1]),
                            futex_deadline(a[3], false, static_cast<clockid_t>(a[4])), pc);
    }
  }
  return libc().syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // namespace thrum::check
