// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Mutexes and read-write locks. Each blocking call tries first, and is a wait only if that fails.
#include "watch/hooks.h"

namespace thrum::watch {
namespace {

// glibc keeps the holder's thread id in the object.
std::uint64_t holder(const pthread_mutex_t* mutex) noexcept {
  return static_cast<std::uint32_t>(mutex->__data.__owner);
}
std::uint64_t holder(const pthread_rwlock_t* lock) noexcept {
  return static_cast<std::uint32_t>(lock->__data.__cur_writer);
}

// 2: held, and somebody may sleep. Of a priority-inheriting mutex the word is a thread id with the
// kernel's FUTEX_WAITERS. A read-write lock has two words to sleep on, with a bit for it in each.
bool is_wanted(const pthread_mutex_t* mutex) noexcept {
  const auto word = static_cast<std::uint32_t>(mutex->__data.__lock);
  return word == 2 || (word >> 31) != 0;
}
bool is_wanted(const pthread_rwlock_t* lock) noexcept {
  return ((lock->__data.__writers_futex | lock->__data.__wrphase_futex) & 2) != 0;
}

// The lock of a dead owner is the caller's too.
bool is_mine(int result) noexcept { return result == 0 || result == EOWNERDEAD; }

// Whether the thread holds it, and nothing else.
bool is_only_one(const trace::Slot& slot, const void* lock) noexcept {
  constexpr unsigned kRest = 64 - trace::kAddressBits;
  return slot.held_n.get() == 1 &&
         (slot.held[0].object_kind.get() << kRest) == (number(lock) << kRest);
}

// The lock was tried for, and perhaps is to be waited for.
template <class Lock, class Block>
[[gnu::noinline]] int lock_after_try(Local& me, Lock* lock, Kind kind, std::uint64_t site,
                                     std::uint8_t flags, int result, Block block) noexcept {
  if (!is_mine(result)) {
    if (result != EBUSY && result != EAGAIN) return block();  // to hear the same error from it
    Wait wait(me, kind, lock, site, holder(lock), flags);
    result = wait.over(block());
    if (!is_mine(result) || me.slot == nullptr) return result;
  }
  acquired(me, kind, lock, site);
  return result;
}

template <class Lock, class Try, class Block>
[[gnu::noinline]] int lock_the_long_way(Lock* lock, Kind kind, std::uint64_t site,
                                        std::uint8_t flags, Try try_it, Block block) noexcept {
  Local* const me = enter();
  if (me == nullptr) return block();
  return lock_after_try(*me, lock, kind, site, flags, try_it(), block);
}

template <class Lock, class Try, class Block>
[[gnu::always_inline]] inline int lock_or_wait(Lock* lock, Kind kind, std::uint64_t site,
                                               std::uint8_t flags, Try try_it,
                                               Block block) noexcept {
  if (local.quick == nullptr) [[unlikely]]
    return lock_the_long_way(lock, kind, site, flags, try_it, block);
  const int result = try_it();
  Local& me = local;
  if (result != 0) [[unlikely]]
    return lock_after_try(me, lock, kind, site, flags, result, block);
  acquired(me, kind, lock, site);
  return 0;
}

template <class Lock, class Try>
int try_lock(Lock* lock, Kind kind, std::uint64_t site, Try try_it) noexcept {
  const int result = try_it();
  if (!is_mine(result)) return result;
  if (Local* const me = enter()) acquired(*me, kind, lock, site, true);
  return result;
}

template <class Lock, class Unlock>
[[gnu::noinline]] int unlock_the_long_way(Lock* lock, Kind kind, std::uint64_t site,
                                          Unlock unlock) noexcept {
  Local* const me = enter();
  if (me == nullptr) return unlock();
  if (me->record_all && me->timed == 0 && !is_wanted(lock) && is_only_one(*me->slot, lock) &&
      (me->head < me->limit || me->passed_over != 0)) {
    // As held() would say it, in few instructions.
    const trace::Held& one = me->slot->held[0];
    const std::uint64_t object_kind = one.object_kind.get(), its_site = one.site_stack.get();
    me->slot->held_n.set(0);
    const int result = unlock();
    if (is_resting()) return result;
    if (me->head >= me->limit) {  // full: look again whether there is room, but not each time
      --me->passed_over;
      me->slot->lost.set(me->slot->lost.get() + 1);
      return result;
    }
    me->busy = true;
    put(*me, {when_type(me->stamp - shared->header.origin, trace::Type::held), object_kind,
              its_site, trace::kUntimed});
    publish(*me);
    me->busy = false;
    return result;
  }
  if (is_wanted(lock)) lets_go(*me, kind, lock, site, 1);
  const Hold hold = releasing(*me, lock);
  const int result = unlock();
  held(*me, hold);
  return result;
}

// The only lock that is held, and nobody waits for it.
template <class Lock, class Unlock>
[[gnu::always_inline]] inline int unlock(Lock* lock, Kind kind, std::uint64_t site,
                                         Unlock unlock) noexcept {
  trace::Slot* const slot = local.quick;
  if (slot == nullptr || is_wanted(lock) || !is_only_one(*slot, lock)) [[unlikely]] {
    return unlock_the_long_way(lock, kind, site, unlock);
  }
  slot->held_n.set(0);
  return unlock();
}

}  // namespace

THRUM_DOOR(int, pthread_mutex_lock, pthread_mutex_t* mutex) {
  return lock_or_wait(
      mutex, Kind::mutex, THRUM_SITE(), 0, [=] { return real.pthread_mutex_trylock(mutex); },
      [=] { return real.pthread_mutex_lock(mutex); });
}
THRUM_DOOR(int, pthread_mutex_timedlock, pthread_mutex_t* mutex, const timespec* until) {
  return lock_or_wait(
      mutex, Kind::mutex, THRUM_SITE(), trace::kTimed,
      [=] { return real.pthread_mutex_trylock(mutex); },
      [=] { return real.pthread_mutex_timedlock(mutex, until); });
}
THRUM_DOOR(int, pthread_mutex_clocklock, pthread_mutex_t* mutex, clockid_t clock,
           const timespec* until) {
  return lock_or_wait(
      mutex, Kind::mutex, THRUM_SITE(), trace::kTimed,
      [=] { return real.pthread_mutex_trylock(mutex); },
      [=] { return real.pthread_mutex_clocklock(mutex, clock, until); });
}
THRUM_DOOR(int, pthread_mutex_trylock, pthread_mutex_t* mutex) {
  if (real.pthread_mutex_trylock == nullptr) interpose::resolve();
  return try_lock(mutex, Kind::mutex, THRUM_SITE(),
                  [=] { return real.pthread_mutex_trylock(mutex); });
}
THRUM_DOOR(int, pthread_mutex_unlock, pthread_mutex_t* mutex) {
  return unlock(mutex, Kind::mutex, THRUM_SITE(), [=] { return real.pthread_mutex_unlock(mutex); });
}
THRUM_DOOR(int, pthread_mutex_destroy, pthread_mutex_t* mutex) {
  if (Local* const me = enter()) ended(*me, mutex);
  return real.pthread_mutex_destroy(mutex);
}

THRUM_DOOR(int, pthread_rwlock_rdlock, pthread_rwlock_t* lock) {
  return lock_or_wait(
      lock, Kind::read_lock, THRUM_SITE(), 0, [=] { return real.pthread_rwlock_tryrdlock(lock); },
      [=] { return real.pthread_rwlock_rdlock(lock); });
}
THRUM_DOOR(int, pthread_rwlock_timedrdlock, pthread_rwlock_t* lock, const timespec* until) {
  return lock_or_wait(
      lock, Kind::read_lock, THRUM_SITE(), trace::kTimed,
      [=] { return real.pthread_rwlock_tryrdlock(lock); },
      [=] { return real.pthread_rwlock_timedrdlock(lock, until); });
}
THRUM_DOOR(int, pthread_rwlock_clockrdlock, pthread_rwlock_t* lock, clockid_t clock,
           const timespec* until) {
  return lock_or_wait(
      lock, Kind::read_lock, THRUM_SITE(), trace::kTimed,
      [=] { return real.pthread_rwlock_tryrdlock(lock); },
      [=] { return real.pthread_rwlock_clockrdlock(lock, clock, until); });
}
THRUM_DOOR(int, pthread_rwlock_tryrdlock, pthread_rwlock_t* lock) {
  if (real.pthread_rwlock_tryrdlock == nullptr) interpose::resolve();
  return try_lock(lock, Kind::read_lock, THRUM_SITE(),
                  [=] { return real.pthread_rwlock_tryrdlock(lock); });
}
THRUM_DOOR(int, pthread_rwlock_wrlock, pthread_rwlock_t* lock) {
  return lock_or_wait(
      lock, Kind::write_lock, THRUM_SITE(), 0, [=] { return real.pthread_rwlock_trywrlock(lock); },
      [=] { return real.pthread_rwlock_wrlock(lock); });
}
THRUM_DOOR(int, pthread_rwlock_timedwrlock, pthread_rwlock_t* lock, const timespec* until) {
  return lock_or_wait(
      lock, Kind::write_lock, THRUM_SITE(), trace::kTimed,
      [=] { return real.pthread_rwlock_trywrlock(lock); },
      [=] { return real.pthread_rwlock_timedwrlock(lock, until); });
}
THRUM_DOOR(int, pthread_rwlock_clockwrlock, pthread_rwlock_t* lock, clockid_t clock,
           const timespec* until) {
  return lock_or_wait(
      lock, Kind::write_lock, THRUM_SITE(), trace::kTimed,
      [=] { return real.pthread_rwlock_trywrlock(lock); },
      [=] { return real.pthread_rwlock_clockwrlock(lock, clock, until); });
}
THRUM_DOOR(int, pthread_rwlock_trywrlock, pthread_rwlock_t* lock) {
  if (real.pthread_rwlock_trywrlock == nullptr) interpose::resolve();
  return try_lock(lock, Kind::write_lock, THRUM_SITE(),
                  [=] { return real.pthread_rwlock_trywrlock(lock); });
}
THRUM_DOOR(int, pthread_rwlock_unlock, pthread_rwlock_t* lock) {
  return unlock(lock, Kind::write_lock, THRUM_SITE(),
                [=] { return real.pthread_rwlock_unlock(lock); });
}
THRUM_DOOR(int, pthread_rwlock_destroy, pthread_rwlock_t* lock) {
  if (Local* const me = enter()) ended(*me, lock);
  return real.pthread_rwlock_destroy(lock);
}

}  // namespace thrum::watch
