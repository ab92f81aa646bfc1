// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: missed signal
//
// A notification of a thrum::Condition before the wait is nothing, and no state was changed under
// its lock.
#include <thrum/condition.h>

#include <thread>

int main() {
  thrum::Condition condition;
  bool ready = false;
  std::thread waiter([&] {
    const thrum::Guard guard(condition);
    condition.wait();
    ready = false;
  });
  {
    const thrum::Guard guard(condition);
    ready = true;
    condition.notify();
  }
  waiter.join();
  return ready ? 1 : 0;
}
