// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Time runs out as the lock is granted: it is either held or refused, never lost.
#include <thrum/lock.h>

#include <chrono>
#include <cstdlib>
#include <thread>

int main() {
  thrum::Lock lock;
  lock.acquire();
  bool got = false;
  std::thread waiter([&] { got = lock.acquire(std::chrono::microseconds(20)); });
  lock.release();
  waiter.join();
  if (got != lock.locked()) std::abort();
  if (got) lock.release();
  if (!lock.acquire(thrum::nonblocking)) std::abort();
}
