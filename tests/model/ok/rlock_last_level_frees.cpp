// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Another thread gets in after the last level is released, and not before.
#include <thrum/lock.h>

#include <cstdlib>
#include <thread>

int main() {
  thrum::RLock lock;
  int levels = 2;  // guarded by the lock
  lock.acquire();
  lock.acquire();
  std::thread other([&] {
    const thrum::Guard guard(lock);
    if (levels != 0 || lock.recursion_count() != 1) std::abort();
  });
  --levels;
  lock.release();
  --levels;
  lock.release();
  other.join();
}
