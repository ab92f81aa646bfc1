// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 1
// Class: deadlock
//
// A thrum::Lock and a thrum::RLock are taken in opposite orders.
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
    const thrum::Guard first(b);
    const thrum::Guard second(a);
  });
  one.join();
  two.join();
}
