// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Conditions, semaphores, barriers, sleeps, and the futexes of everybody else.
#include <linux/futex.h>
#include <sys/syscall.h>

#include "watch/hooks.h"

namespace thrum::watch {
namespace {

constexpr long kFutexWaitv = 449;  // Linux 5.16
constexpr long kFutexLockPi2 = 13;

// The mutex is free while its holder waits on the condition.
template <class Block>
int wait_on_condition(pthread_cond_t* condition, pthread_mutex_t* mutex, std::uint64_t site,
                      std::uint8_t flags, Block block) noexcept {
  Local* const me = enter();
  if (me == nullptr) return block();
  const auto word = static_cast<std::uint32_t>(mutex->__data.__lock);
  if (word == 2 || (word >> 31) != 0) lets_go(*me, Kind::mutex, mutex, site, 1);
  held(*me, releasing(*me, mutex));
  Wait wait(*me, Kind::condition, condition, site, number(mutex), flags);
  const int result = wait.over(block());
  if (me->slot == nullptr) return result;
  acquired(*me, Kind::mutex, mutex, site);
  return result;
}

template <class Block>
int wait_on_semaphore(sem_t* semaphore, std::uint64_t site, std::uint8_t flags,
                      Block block) noexcept {
  Local* const me = enter();
  if (me == nullptr) return block();
  {
    const KeepErrno keep;
    if (real.sem_trywait(semaphore) == 0) return 0;
  }
  Wait wait(*me, Kind::semaphore, semaphore, site, 0, flags);
  return wait.over(block());
}

template <class Result, class Block>
Result sleep_in(std::uint64_t site, Block block) noexcept {
  Local* const me = enter();
  if (me == nullptr) return block();
  Wait wait(*me, Kind::sleep, nullptr, site, 0, trace::kTimed);
  return wait.over(static_cast<Result>(block()));
}

bool has_waiters(const pthread_cond_t* condition) noexcept {
  return (condition->__data.__wrefs >> 3) != 0;
}
// glibc: the value in the lower half, how many wait in the upper.
bool has_waiters(const sem_t* semaphore) noexcept {
  std::uint64_t state = 0;
  __builtin_memcpy(&state, semaphore, sizeof state);
  return (state >> 32) != 0;
}

// Lets others go. Where nobody waits, which is nearly always, that costs no more than the look; the
// rest is out of line, with the registers that it needs.
template <class Object, class Call>
[[gnu::noinline]] int let_go_the_long_way(Kind kind, Object* object, std::uint64_t site,
                                          std::uint64_t n, Call call) noexcept {
  Local* const me = enter();
  if (me != nullptr && has_waiters(object)) lets_go(*me, kind, object, site, n);
  return call();
}
template <class Object, class Call>
[[gnu::always_inline]] inline int let_go(Kind kind, Object* object, std::uint64_t site,
                                         std::uint64_t n, Call call) noexcept {
  if (local.slot == nullptr || has_waiters(object)) [[unlikely]]
    return let_go_the_long_way(kind, object, site, n, call);
  return call();
}

}  // namespace

THRUM_DOOR(int, pthread_cond_wait, pthread_cond_t* condition, pthread_mutex_t* mutex) {
  return wait_on_condition(condition, mutex, THRUM_SITE(), 0,
                           [=] { return real.pthread_cond_wait(condition, mutex); });
}
THRUM_DOOR(int, pthread_cond_timedwait, pthread_cond_t* condition, pthread_mutex_t* mutex,
           const timespec* until) {
  return wait_on_condition(condition, mutex, THRUM_SITE(), trace::kTimed,
                           [=] { return real.pthread_cond_timedwait(condition, mutex, until); });
}
THRUM_DOOR(int, pthread_cond_clockwait, pthread_cond_t* condition, pthread_mutex_t* mutex,
           clockid_t clock, const timespec* until) {
  return wait_on_condition(condition, mutex, THRUM_SITE(), trace::kTimed, [=] {
    return real.pthread_cond_clockwait(condition, mutex, clock, until);
  });
}
THRUM_DOOR(int, pthread_cond_signal, pthread_cond_t* condition) {
  return let_go(Kind::condition, condition, THRUM_SITE(), 1,
                [=] { return real.pthread_cond_signal(condition); });
}
THRUM_DOOR(int, pthread_cond_broadcast, pthread_cond_t* condition) {
  return let_go(Kind::condition, condition, THRUM_SITE(), ~std::uint64_t{0},
                [=] { return real.pthread_cond_broadcast(condition); });
}

THRUM_DOOR(int, sem_wait, sem_t* semaphore) {
  return wait_on_semaphore(semaphore, THRUM_SITE(), 0, [=] { return real.sem_wait(semaphore); });
}
THRUM_DOOR(int, sem_timedwait, sem_t* semaphore, const timespec* until) {
  return wait_on_semaphore(semaphore, THRUM_SITE(), trace::kTimed,
                           [=] { return real.sem_timedwait(semaphore, until); });
}
THRUM_DOOR(int, sem_clockwait, sem_t* semaphore, clockid_t clock, const timespec* until) {
  return wait_on_semaphore(semaphore, THRUM_SITE(), trace::kTimed,
                           [=] { return real.sem_clockwait(semaphore, clock, until); });
}
THRUM_DOOR(int, sem_post, sem_t* semaphore) {
  return let_go(Kind::semaphore, semaphore, THRUM_SITE(), 1,
                [=] { return real.sem_post(semaphore); });
}

THRUM_DOOR(int, pthread_barrier_wait, pthread_barrier_t* barrier) {
  Local* const me = enter();
  if (me == nullptr) return real.pthread_barrier_wait(barrier);
  Wait wait(*me, Kind::barrier, barrier, THRUM_SITE(), 0);
  return wait.over(real.pthread_barrier_wait(barrier));
}

THRUM_DOOR(int, nanosleep, const timespec* time, timespec* rest) {
  return sleep_in<int>(THRUM_SITE(), [=] { return real.nanosleep(time, rest); });
}
THRUM_DOOR(int, clock_nanosleep, clockid_t clock, int flags, const timespec* time, timespec* rest) {
  return sleep_in<int>(THRUM_SITE(),
                       [=] { return real.clock_nanosleep(clock, flags, time, rest); });
}
THRUM_DOOR(int, usleep, useconds_t us) {
  return sleep_in<int>(THRUM_SITE(), [=] { return real.usleep(us); });
}
THRUM_DOOR(unsigned, sleep, unsigned s) {
  return sleep_in<unsigned>(THRUM_SITE(), [=] { return real.sleep(s); });
}

// libc's is variadic. Every argument that may be there is passed on: registers, and the one on the
// stack that a caller who passes fewer does not own but may be read.
THRUM_DOOR(long, syscall, long n, long a, long b, long c, long d, long e, long f) {
  Local* const me = enter();
  const auto call = [=] { return real.syscall(n, a, b, c, d, e, f); };
  if (me == nullptr) return call();
  const auto* const word = reinterpret_cast<const void*>(a);
  if (n == kFutexWaitv) {
    if (me->said_wait != 0) return call();  // told already, in better words
    // Many words; the last is the object's where the others are for stopping.
    struct Waiter {
      std::uint64_t value, address;
      std::uint32_t flags, reserved;
    };
    if (b < 1) return call();
    const Waiter& last = static_cast<const Waiter*>(word)[b - 1];
    Wait wait(*me, Kind::futex, reinterpret_cast<const void*>(last.address), THRUM_SITE(),
              last.value, d != 0 ? trace::kTimed : std::uint8_t{0});
    return wait.over(call());
  }
  if (n != SYS_futex) return call();

  switch (b & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case kFutexLockPi2:
    case FUTEX_WAIT_REQUEUE_PI: {
      if (me->said_wait != 0) return call();
      Wait wait(*me, Kind::futex, word, THRUM_SITE(), static_cast<std::uint32_t>(c),
                d != 0 ? trace::kTimed : std::uint8_t{0});
      return wait.over(call());
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_UNLOCK_PI:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: {
      // Written before it is known whether somebody sleeps there: afterwards who was woken may be
      // ahead of us. One clock read, beside a system call.
      const std::uint64_t when = now();
      const long woken = call();
      if (woken > 0 && me->slot != nullptr && !is_resting()) {
        const KeepErrno keep;
        emit(*me, trace::Type::release, trace::pack(number(word), Kind::futex), THRUM_SITE(),
             static_cast<std::uint64_t>(woken), when);
      }
      return woken;
    }
    default:
      return call();
  }
}

}  // namespace thrum::watch
