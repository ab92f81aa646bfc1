// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A notified thread is moved to the lock's waiters, where another thread stands already. Both get
// the lock.
#include <thrum/condition.h>

#include <thread>

int main() {
  thrum::Lock lock;
  thrum::Condition condition(lock);
  bool ready = false;  // guarded by the lock
  int entered = 0;
  std::thread waiter([&] {
    const thrum::Guard guard(lock);
    condition.wait_for([&] { return ready; });
    ++entered;
  });
  std::thread other([&] {
    const thrum::Guard guard(lock);
    ++entered;
  });
  {
    const thrum::Guard guard(lock);
    ready = true;
    condition.notify();
  }
  waiter.join();
  other.join();
  return entered == 2 ? 0 : 1;
}
