// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The threads of C11. In glibc their types are those of pthread, and their functions call into
// pthread where no door is.
#include <threads.h>

#include "check/doors.h"

namespace thrum::check {
namespace {

int as_c11(int error) noexcept {
  switch (error) {
    case 0:
      return thrd_success;
    case EBUSY:
      return thrd_busy;
    case ETIMEDOUT:
      return thrd_timedout;
    case ENOMEM:
      return thrd_nomem;
    default:
      return thrd_error;
  }
}

pthread_mutex_t* plain(mtx_t* mutex) noexcept { return reinterpret_cast<pthread_mutex_t*>(mutex); }
pthread_cond_t* plain(cnd_t* condition) noexcept {
  return reinterpret_cast<pthread_cond_t*>(condition);
}

}  // namespace

// An int is returned where a pointer would be: thrd_join() takes the lower half of it.
THRUM_DOOR(int, thrd_create, thrd_t* thread, thrd_start_t function, void* argument) {
  using Function = void* (*)(void*);
  const auto start = reinterpret_cast<Function>(reinterpret_cast<void*>(function));
  return as_c11(controlled() ? create(thread, nullptr, start, argument, THRUM_CALLER())
                             : libc().pthread_create(thread, nullptr, start, argument));
}
THRUM_DOOR(int, thrd_join, thrd_t thread, int* result) {
  void* value = nullptr;
  int error = 0;
  if (controlled()) {
    test_cancel();
    error = unless_cancelled(join(thread, &value, THRUM_CALLER(), kNever));
  } else {
    error = libc().pthread_join(thread, &value);
  }
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(value));
  return as_c11(error);
}
THRUM_DOOR(int, thrd_detach, thrd_t thread) {
  return as_c11(controlled() ? detach(thread) : libc().pthread_detach(thread));
}
THRUM_DOOR(void, thrd_exit, int result) {
  void* const value = reinterpret_cast<void*>(static_cast<std::intptr_t>(result));
  if (controlled()) exit_thread(value);
  libc().pthread_exit(value);
  __builtin_unreachable();
}
THRUM_DOOR(void, thrd_yield, void) {
  if (controlled()) return yield(THRUM_CALLER());
  libc().sched_yield();
}
THRUM_DOOR(int, thrd_sleep, const timespec* time, timespec* left) {
  if (!controlled()) return libc().nanosleep(time, left);
  if (!is_time(time)) return -2;
  const std::int64_t rest = sleep_until(deadline_in(*time), THRUM_CALLER());
  if (rest == kRested) return 0;
  if (left != nullptr) *left = to_time(rest);
  return -1;
}

THRUM_DOOR(int, mtx_lock, mtx_t* mutex) {
  return as_c11(controlled() ? lock(plain(mutex), THRUM_CALLER(), kNever)
                             : libc().pthread_mutex_lock(plain(mutex)));
}
THRUM_DOOR(int, mtx_trylock, mtx_t* mutex) {
  return as_c11(controlled() ? try_lock(plain(mutex), THRUM_CALLER())
                             : libc().pthread_mutex_trylock(plain(mutex)));
}
THRUM_DOOR(int, mtx_timedlock, mtx_t* mutex, const timespec* until) {
  if (!controlled()) return as_c11(libc().pthread_mutex_timedlock(plain(mutex), until));
  if (!is_time(until)) return thrd_error;
  return as_c11(lock(plain(mutex), THRUM_CALLER(), deadline_at(*until, CLOCK_REALTIME)));
}
THRUM_DOOR(int, mtx_unlock, mtx_t* mutex) {
  return as_c11(controlled() ? unlock(plain(mutex), THRUM_CALLER())
                             : libc().pthread_mutex_unlock(plain(mutex)));
}

THRUM_DOOR(int, cnd_wait, cnd_t* condition, mtx_t* mutex) {
  if (!controlled()) return as_c11(libc().pthread_cond_wait(plain(condition), plain(mutex)));
  test_cancel();
  return as_c11(unless_cancelled(wait(plain(condition), plain(mutex), THRUM_CALLER(), kNever)));
}
THRUM_DOOR(int, cnd_timedwait, cnd_t* condition, mtx_t* mutex, const timespec* until) {
  if (!controlled()) {
    return as_c11(libc().pthread_cond_timedwait(plain(condition), plain(mutex), until));
  }
  if (!is_time(until)) return thrd_error;
  test_cancel();
  return as_c11(unless_cancelled(
      wait(plain(condition), plain(mutex), THRUM_CALLER(), deadline_at(*until, CLOCK_REALTIME))));
}
THRUM_DOOR(int, cnd_signal, cnd_t* condition) {
  return as_c11(controlled() ? notify(plain(condition), false, THRUM_CALLER())
                             : libc().pthread_cond_signal(plain(condition)));
}
THRUM_DOOR(int, cnd_broadcast, cnd_t* condition) {
  return as_c11(controlled() ? notify(plain(condition), true, THRUM_CALLER())
                             : libc().pthread_cond_broadcast(plain(condition)));
}

// The door is taken by the call from here too: it knows the destructors.
THRUM_DOOR(int, tss_create, tss_t* slot, tss_dtor_t destructor) {
  return as_c11(pthread_key_create(slot, destructor));
}
THRUM_DOOR(void, tss_delete, tss_t slot) { pthread_key_delete(slot); }

// once_flag is a struct of an int, or an int, in different releases.
THRUM_DOOR(void, call_once, void* flag, void (*function)()) {
  auto* const once = static_cast<pthread_once_t*>(flag);
  if (controlled()) return call_once(once, function, THRUM_CALLER());
  libc().pthread_once(once, function);
}

}  // namespace thrum::check
