// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Mutexes, read-write locks and spin locks.
#include "check/doors.h"

namespace thrum::check {
namespace {

int kind_of(const pthread_mutex_t& mutex) noexcept { return mutex.__data.__kind & 3; }

// Readers are ordered before the next writer, not before each other: they release a neighbour.
const void* readers_of(const pthread_rwlock_t* lock) noexcept {
  return reinterpret_cast<const char*>(lock) + 1;
}

bool is_writer(const pthread_rwlock_t* lock) noexcept {
  return lock->__data.__cur_writer == holder_mark(self());
}

void took(pthread_rwlock_t* lock, bool writes, Pc pc) noexcept {
  if (writes) {
    lock->__data.__cur_writer = holder_mark(self());
    acquired(readers_of(lock), pc);
  } else {
    ++lock->__data.__readers;
  }
  acquired(lock, pc);
  hold(lock, pc);
  progress();
}

int lock_shared_or_not(pthread_rwlock_t* lock, bool writes, Pc pc, std::int64_t deadline) noexcept {
  if (is_writer(lock)) return EDEADLK;
  if (!point(writes ? Op::write_lock : Op::read_lock, lock, pc, deadline)) return ETIMEDOUT;
  took(lock, writes, pc);
  return 0;
}

int try_lock(pthread_rwlock_t* lock, bool writes, Pc pc) noexcept {
  point(Op::trylock, lock, pc);
  if (lock->__data.__cur_writer != 0 || (writes && lock->__data.__readers != 0)) {
    note_flag(kFailed);
    looked_at(lock, 1, pc, 2);
    return EBUSY;
  }
  took(lock, writes, pc);
  return 0;
}

int unlock(pthread_rwlock_t* lock, Pc pc) noexcept {
  point(Op::rw_unlock, lock, pc);
  if (is_writer(lock)) {
    lock->__data.__cur_writer = 0;
    released(lock, pc);
  } else if (lock->__data.__readers != 0) {
    --lock->__data.__readers;
    released(readers_of(lock), pc);
  } else {
    return EPERM;
  }
  let_go(lock);
  changed(lock);
  progress();
  return 0;
}

}  // namespace

int lock(pthread_mutex_t* mutex, Pc pc, std::int64_t deadline) noexcept {
  if (!point(Op::lock, mutex, pc, deadline)) return ETIMEDOUT;
  if (is_held_by_me(*mutex)) {
    if (kind_of(*mutex) == PTHREAD_MUTEX_ERRORCHECK_NP) return EDEADLK;
    ++mutex->__data.__count;
    return 0;
  }
  take(*mutex, 1, pc);
  return 0;
}

int try_lock(pthread_mutex_t* mutex, Pc pc) noexcept {
  point(Op::trylock, mutex, pc);
  if (is_held_by_me(*mutex) && kind_of(*mutex) == PTHREAD_MUTEX_RECURSIVE_NP) {
    ++mutex->__data.__count;
    return 0;
  }
  if (mutex->__data.__owner != 0) {
    note_flag(kFailed);
    looked_at(mutex, static_cast<std::uint64_t>(mutex->__data.__owner), pc, 2);
    return EBUSY;
  }
  take(*mutex, 1, pc);
  return 0;
}

int unlock(pthread_mutex_t* mutex, Pc pc) noexcept {
  point(Op::unlock, mutex, pc);
  const int kind = kind_of(*mutex);
  if (!is_held_by_me(*mutex) &&
      (kind == PTHREAD_MUTEX_RECURSIVE_NP || kind == PTHREAD_MUTEX_ERRORCHECK_NP)) {
    return EPERM;
  }
  if (kind == PTHREAD_MUTEX_RECURSIVE_NP && mutex->__data.__count > 1) {
    --mutex->__data.__count;
    return 0;
  }
  give(*mutex, pc);
  return 0;
}

bool is_held_by_me(const pthread_mutex_t& mutex) noexcept {
  return mutex.__data.__owner == holder_mark(self());
}

void take(pthread_mutex_t& mutex, std::uint32_t levels, Pc pc) noexcept {
  mutex.__data.__lock = 1;
  mutex.__data.__owner = holder_mark(self());
  mutex.__data.__count = levels;
  ++mutex.__data.__nusers;
  acquired(&mutex, pc);
  hold(&mutex, pc);
  progress();
}

std::uint32_t give(pthread_mutex_t& mutex, Pc pc) noexcept {
  const std::uint32_t levels = mutex.__data.__count;
  released(&mutex, pc);
  mutex.__data.__lock = 0;
  mutex.__data.__owner = 0;
  mutex.__data.__count = 0;
  --mutex.__data.__nusers;
  let_go(&mutex);
  changed(&mutex);
  progress();
  return levels;
}

THRUM_DOOR(int, pthread_mutex_lock, pthread_mutex_t* mutex) {
  if (!controlled()) return libc().pthread_mutex_lock(mutex);
  return lock(mutex, THRUM_CALLER(), kNever);
}
THRUM_DOOR(int, pthread_mutex_trylock, pthread_mutex_t* mutex) {
  if (!controlled()) return libc().pthread_mutex_trylock(mutex);
  return try_lock(mutex, THRUM_CALLER());
}
THRUM_DOOR(int, pthread_mutex_timedlock, pthread_mutex_t* mutex, const timespec* until) {
  if (!controlled()) return libc().pthread_mutex_timedlock(mutex, until);
  if (!is_time(until)) return EINVAL;
  return lock(mutex, THRUM_CALLER(), deadline_at(*until, CLOCK_REALTIME));
}
THRUM_DOOR(int, pthread_mutex_clocklock, pthread_mutex_t* mutex, clockid_t clock,
           const timespec* until) {
  if (!controlled()) return libc().pthread_mutex_clocklock(mutex, clock, until);
  if (!is_time(until)) return EINVAL;
  return lock(mutex, THRUM_CALLER(), deadline_at(*until, clock));
}
THRUM_DOOR(int, pthread_mutex_unlock, pthread_mutex_t* mutex) {
  if (!controlled()) return libc().pthread_mutex_unlock(mutex);
  return unlock(mutex, THRUM_CALLER());
}
THRUM_DOOR(int, pthread_mutex_destroy, pthread_mutex_t* mutex) {
  if (!controlled()) return libc().pthread_mutex_destroy(mutex);
  if (mutex->__data.__owner != 0) return EBUSY;
  mutex->__data.__kind = -1;  // as glibc marks it
  return 0;
}

THRUM_DOOR(int, pthread_rwlock_rdlock, pthread_rwlock_t* lock) {
  if (!controlled()) return libc().pthread_rwlock_rdlock(lock);
  return lock_shared_or_not(lock, false, THRUM_CALLER(), kNever);
}
THRUM_DOOR(int, pthread_rwlock_wrlock, pthread_rwlock_t* lock) {
  if (!controlled()) return libc().pthread_rwlock_wrlock(lock);
  return lock_shared_or_not(lock, true, THRUM_CALLER(), kNever);
}
THRUM_DOOR(int, pthread_rwlock_tryrdlock, pthread_rwlock_t* lock) {
  if (!controlled()) return libc().pthread_rwlock_tryrdlock(lock);
  return try_lock(lock, false, THRUM_CALLER());
}
THRUM_DOOR(int, pthread_rwlock_trywrlock, pthread_rwlock_t* lock) {
  if (!controlled()) return libc().pthread_rwlock_trywrlock(lock);
  return try_lock(lock, true, THRUM_CALLER());
}
THRUM_DOOR(int, pthread_rwlock_timedrdlock, pthread_rwlock_t* lock, const timespec* until) {
  if (!controlled()) return libc().pthread_rwlock_timedrdlock(lock, until);
  return lock_shared_or_not(lock, false, THRUM_CALLER(), deadline_at(*until, CLOCK_REALTIME));
}
THRUM_DOOR(int, pthread_rwlock_timedwrlock, pthread_rwlock_t* lock, const timespec* until) {
  if (!controlled()) return libc().pthread_rwlock_timedwrlock(lock, until);
  return lock_shared_or_not(lock, true, THRUM_CALLER(), deadline_at(*until, CLOCK_REALTIME));
}
THRUM_DOOR(int, pthread_rwlock_clockrdlock, pthread_rwlock_t* lock, clockid_t clock,
           const timespec* until) {
  if (!controlled()) return libc().pthread_rwlock_clockrdlock(lock, clock, until);
  return lock_shared_or_not(lock, false, THRUM_CALLER(), deadline_at(*until, clock));
}
THRUM_DOOR(int, pthread_rwlock_clockwrlock, pthread_rwlock_t* lock, clockid_t clock,
           const timespec* until) {
  if (!controlled()) return libc().pthread_rwlock_clockwrlock(lock, clock, until);
  return lock_shared_or_not(lock, true, THRUM_CALLER(), deadline_at(*until, clock));
}
THRUM_DOOR(int, pthread_rwlock_unlock, pthread_rwlock_t* lock) {
  if (!controlled()) return libc().pthread_rwlock_unlock(lock);
  return unlock(lock, THRUM_CALLER());
}
THRUM_DOOR(int, pthread_rwlock_destroy, pthread_rwlock_t* lock) {
  if (!controlled()) return libc().pthread_rwlock_destroy(lock);
  return lock->__data.__readers != 0 || lock->__data.__cur_writer != 0 ? EBUSY : 0;
}

// As glibc has it for x86: 1 is free.
THRUM_DOOR(int, pthread_spin_lock, pthread_spinlock_t* lock) {
  if (!controlled()) return libc().pthread_spin_lock(lock);
  const Pc pc = THRUM_CALLER();
  point(Op::spin_lock, const_cast<const int*>(lock), pc);
  *lock = 0;
  acquired(const_cast<const int*>(lock), pc);
  hold(const_cast<const int*>(lock), pc);
  progress();
  return 0;
}
THRUM_DOOR(int, pthread_spin_trylock, pthread_spinlock_t* lock) {
  if (!controlled()) return libc().pthread_spin_trylock(lock);
  const Pc pc = THRUM_CALLER();
  point(Op::trylock, const_cast<const int*>(lock), pc);
  if (*lock != 1) {
    note_flag(kFailed);
    looked_at(const_cast<const int*>(lock), 0, pc, 2);
    return EBUSY;
  }
  *lock = 0;
  acquired(const_cast<const int*>(lock), pc);
  hold(const_cast<const int*>(lock), pc);
  progress();
  return 0;
}
THRUM_DOOR(int, pthread_spin_unlock, pthread_spinlock_t* lock) {
  if (!controlled()) return libc().pthread_spin_unlock(lock);
  const Pc pc = THRUM_CALLER();
  const auto* const object = const_cast<const int*>(lock);
  point(Op::unlock, object, pc);
  released(object, pc);
  *lock = 1;
  let_go(object);
  changed(object);
  progress();
  return 0;
}

}  // namespace thrum::check
