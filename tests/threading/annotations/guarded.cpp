// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Compiled, never run: clang's -Wthread-safety must accept this, and must refuse it if UNGUARDED
// is one of the names below.
#include <thrum/condition.h>
#include <thrum/lock.h>

namespace {

struct Account {
  thrum::Lock lock;
  int balance THRUM_GUARDED_BY(lock) = 0;
  thrum::RLock rlock;
  int limit THRUM_GUARDED_BY(rlock) = 0;
  thrum::Condition condition;
  int waiting THRUM_GUARDED_BY(condition) = 0;

  void add(int amount) THRUM_REQUIRES(lock) { balance += amount; }
};

[[maybe_unused]] int use(Account& account) {
#if !defined(UNGUARDED_ACCESS)
  const thrum::Guard guard(account.lock);
#endif
  account.balance += 1;
#if !defined(UNGUARDED_ACCESS)
  account.add(1);
#endif

#if !defined(UNGUARDED_RLOCK)
  const thrum::Guard rguard(account.rlock);
#endif
  account.limit = 2;

#if !defined(UNGUARDED_TIMED)
  if (!account.condition.acquire(thrum::nonblocking)) return 0;
#endif
  const int waiting = ++account.waiting;
#if !defined(UNGUARDED_TIMED)
  account.condition.notify();
#endif
#if !defined(UNGUARDED_LEAK) && !defined(UNGUARDED_TIMED)
  account.condition.release();
#endif
  return waiting;
}

[[maybe_unused]] void call(Account& account) {
#if !defined(UNGUARDED_CALL)
  const thrum::Guard guard(account.lock);
#endif
  account.add(1);
}

}  // namespace
