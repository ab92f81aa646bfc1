// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_thrum_locks.cpp: in one order.
#include <thrum/lock.h>

#include <thread>

int main() {
  thrum::Lock a;
  thrum::RLock b;
  std::thread one([&] {
    const thrum::Guard first(a);
    const thrum::Guard second(b);
  });
  std::thread two([&] {
    const thrum::Guard first(a);
    const thrum::Guard second(b);
  });
  one.join();
  two.join();
}
