// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The next holder destroys the lock while the previous one may still be inside release().
#include <thrum/lock.h>

#include <memory>
#include <thread>

int main() {
  auto lock = std::make_unique<thrum::Lock>();
  thrum::Lock* const held = lock.get();
  held->acquire();
  std::thread next([&] {
    lock->acquire();
    lock->release();
    lock.reset();
  });
  held->release();
  next.join();
}
