// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One waiter may give up just as the lock is released; the other must get it all the same.
#include <thrum/lock.h>

#include <chrono>
#include <thread>

int main() {
  thrum::Lock lock;
  lock.acquire();
  std::thread gives_up([&] {
    if (lock.acquire(std::chrono::microseconds(50))) lock.release();
  });
  std::thread waits([&] { const thrum::Guard guard(lock); });
  lock.release();
  gives_up.join();
  waits.join();
  return lock.locked() ? 1 : 0;
}
